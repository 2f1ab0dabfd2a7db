"""``widemargin encode``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from widemargin.cli.console import (
    Console,
    JsonOption,
    MirrorOption,
    OfflineOption,
    QuietOption,
    RunsOption,
)
from widemargin.contracts.counting import counted

if TYPE_CHECKING:
    from widemargin.contracts import RunRecord

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command()
def encode(
    target: Annotated[
        str,
        typer.Argument(
            metavar="RUN_OR_CONFIG", help="A run, the path of a config, or a use case's name."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The Parquet file that is written.")
    ],
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="A file or folder of items, in place of the data set."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of a config."),
    ] = None,
    runs: RunsOption = None,
    offline: OfflineOption = False,
    data_mirror: MirrorOption = "",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write the vectors of items to a Parquet file.

    A run's features are used as they were fitted; a use case's name means its last run, or its
    defaults where there is none or settings are changed. Features of a config are fitted to its
    data set first. --file reads items of your own in constant memory.
    """
    from widemargin.api import resolve_target
    from widemargin.config import parse_overrides
    from widemargin.encoders.store import EmbeddingStore, store_folder
    from widemargin.registry import discover
    from widemargin.runs.checkpoints import RunCheckpoints
    from widemargin.runs.store import RunStore, runs_home
    from widemargin.serving import Predictor
    from widemargin.serving.features import fit_features, load
    from widemargin.serving.vectors import batches_of, check_target, write_vectors

    check_target(output)
    console, registry = Console(json=json, quiet=quiet), discover()
    record = _run(target, runs, settings, registry.use_cases)
    checkpoints = RunCheckpoints(RunStore(runs or runs_home()))
    with console.progress() as progress:
        predictor = None if record is None else Predictor(record, registry)
        if predictor is None:
            config, _ = resolve_target(target, [parse_overrides(settings or [])], None, registry)
        else:
            config = predictor.config
        dataset = None
        if predictor is None or file is None:
            dataset = load(config, offline=offline, mirror=data_mirror, progress=progress)
        if predictor is not None:
            features = predictor.model.features
            if hasattr(features, "use"):
                features.use(EmbeddingStore(store_folder(), progress), progress)
        else:
            assert dataset is not None
            features = fit_features(config, dataset, progress, checkpoints=checkpoints)
        source = config.data.read_items(file) if file is not None else dataset
        assert source is not None
        batches = batches_of(source)
        about = {"features": config.to_dict()["features"], "run": record.id if record else None}
        rows, width = write_vectors(features, batches, output, about=about, progress=progress)
        checkpoints.clear()
    console.emit({"path": str(output), "rows": rows, "dimension": width})
    if not json:
        typer.echo(f"{output}: {counted(rows, 'vector')} of {counted(width, 'number')}")


def _run(
    target: str, runs: Path | None, settings: list[str] | None, use_cases: Any
) -> RunRecord | None:
    """Find the run that is meant; None where a config or a use case's defaults are."""
    from widemargin.errors import InputError, RunNotFoundError
    from widemargin.runs.store import RunStore, runs_home

    if target.endswith((".yaml", ".yml")) or (settings and target in use_cases):
        return None
    try:
        record = RunStore(runs or runs_home()).find(target)
    except RunNotFoundError:
        if target in use_cases:
            return None
        raise
    if settings:
        raise InputError("A run has its settings; --set is for a config or a use case.")
    return record
