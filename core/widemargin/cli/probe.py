"""``widemargin probe``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from widemargin.cli.console import Console, JsonOption, MirrorOption, OfflineOption, QuietOption

if TYPE_CHECKING:
    from widemargin.contracts import EncoderSpec

__all__ = ["app"]

app = typer.Typer(add_completion=False)

# What texts are taken from where no use case is named.
_USE_CASE = "spam"


@app.command()
def probe(
    encoder: Annotated[
        str, typer.Argument(metavar="ENCODER", help="A name that `widemargin encoders` lists.")
    ],
    target: Annotated[
        str,
        typer.Argument(metavar="USE_CASE", help="A use case's name, or the path of a config file."),
    ] = "",
    words: Annotated[
        list[str] | None,
        typer.Option("--word", metavar="WORD", help="List this word's neighbours; repeatable."),
    ] = None,
    analogies: Annotated[
        list[str] | None,
        typer.Option("--analogy", metavar="SUM", help="As in 'king - man + woman'; repeatable."),
    ] = None,
    contexts: Annotated[
        list[str] | None,
        typer.Option(
            "--context", metavar="TEXT", help="Give twice, to compare a word that both texts have."
        ),
    ] = None,
    items: Annotated[
        list[str] | None,
        typer.Option("--item", metavar="ID", help="List this item's neighbours; repeatable."),
    ] = None,
    neighbours: Annotated[
        int, typer.Option(min=1, max=100, help="How many are listed and counted.")
    ] = 5,
    sample: Annotated[
        int, typer.Option(min=10, max=10_000, help="Items of a use case looked at, at most.")
    ] = 2000,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a setting, as in features.encoder.pooling=max.",
        ),
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option(
            help="Folder of runs, where training is kept until it ends.", envvar="WIDEMARGIN_RUNS"
        ),
    ] = None,
    offline: OfflineOption = False,
    data_mirror: MirrorOption = "",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show what an encoder learned: neighbours, analogies, similarity, contexts, its shape.

    Encoders of words are asked about words; a use case adds its items, and is what vectors are
    trained on where they are trained. All other encoders are asked about a use case's items.
    """
    from widemargin.api import resolve_target
    from widemargin.cli.probe_lines import show_probe
    from widemargin.config import Document, parse_overrides
    from widemargin.registry import discover
    from widemargin.runs.checkpoints import RunCheckpoints
    from widemargin.runs.store import RunStore, runs_home
    from widemargin.serving.probing import Asked, probe

    registry = discover()
    asked = Asked(
        words=tuple(words or ()),
        analogies=tuple(analogies or ()),
        contexts=tuple(contexts or ()),
        items=tuple(items or ()),
        neighbours=neighbours,
        sample=sample,
    )
    asked.check()
    spec = _spec(encoder, registry.encoders, target)
    chosen = Document({"features": {"encoder": {"name": spec.name}}}, "encoder")
    config, use_case = resolve_target(
        target or _USE_CASE, [chosen, parse_overrides(settings or [])], None, registry
    )
    console = Console(json=json, quiet=quiet)
    checkpoints = RunCheckpoints(RunStore(runs or runs_home()))
    with console.progress() as progress:
        found = probe(
            config,
            registry.use_case(use_case).split,
            asked,
            with_items=bool(target),
            offline=offline,
            mirror=data_mirror,
            progress=progress,
            checkpoints=checkpoints,
        )
        checkpoints.clear()
    console.emit(found.to_data())
    show_probe(console, found)


def _spec(name: str, known: Mapping[str, EncoderSpec], target: str) -> EncoderSpec:
    from widemargin.errors import InputError, nearest

    if name not in known:
        raise InputError(
            f"There is no encoder {name!r}.{nearest(name, known)} `widemargin encoders` lists them."
        )
    spec = known[name]
    if not target and "text" not in spec.kinds:
        raise InputError(
            f"{name} reads {' and '.join(spec.kinds)}; name a use case that has such items, as in "
            f"`widemargin probe {name} USE_CASE --set data.path=PATH`."
        )
    return spec
