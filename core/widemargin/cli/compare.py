"""``widemargin compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from widemargin.cli.console import (
    Column,
    Console,
    JsonOption,
    MirrorOption,
    OfflineOption,
    QuietOption,
    RunsOption,
)

if TYPE_CHECKING:
    from widemargin.comparison import Comparison

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command()
def compare(
    target: Annotated[
        str, typer.Argument(help="A use case's name, or the path of a config file.")
    ] = "",
    encoders: Annotated[
        str, typer.Option(metavar="A,B,...", help="Encoders, as in tfidf,minilm.")
    ] = "",
    kernels: Annotated[
        str, typer.Option(metavar="A,B,...", help="Kernels, as in linear,rbf.")
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of all runs."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A config file, in place of a use case's name.")
    ] = None,
    runs: RunsOption = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Run and encode all again, also what is finished or kept."),
    ] = False,
    offline: OfflineOption = False,
    data_mirror: MirrorOption = "",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    r"""Run a use case with several encoders or kernels, and compare what they reach and cost.

    As in [bold]widemargin compare spam --encoders tfidf,glove,minilm[/]. With both options every
    combination is run. An encoder may have settings, '{name: glove, vectors: corpus}', may be
    fine-tuned, '{name: minilm, train: {}}', and a list '\[tfidf,minilm]' joins encoders. The same
    command goes on where it was stopped.
    """
    from widemargin.api import compare_documents
    from widemargin.config import parse_overrides
    from widemargin.errors import InputError
    from widemargin.runs.store import RunStore, runs_home

    if bool(target) == (config is not None):
        raise InputError(
            "Name a use case, as in `widemargin compare spam --encoders tfidf,minilm`, or a "
            "config file with --config; one of the two."
        )
    console = Console(json=json, quiet=quiet)
    axes = {name: text for name, text in (("encoder", encoders), ("kernel", kernels)) if text}
    with console.progress() as progress:
        found, folder = compare_documents(
            target or str(config),
            parse_overrides(settings or []),
            axes,
            store=RunStore(runs or runs_home()),
            fresh=fresh,
            offline=offline,
            mirror=data_mirror,
            progress=progress,
        )
    console.emit({**found.to_data(), "path": str(folder)})
    show(console, found, folder)
    if found.failed:
        raise typer.Exit(1)


def show(console: Console, found: Comparison, folder: Path) -> None:
    """Print a comparison for people: the table, what the differences mean, where the page is."""
    from rich.text import Text

    from widemargin.report.comparison import words

    console.print()
    head = f"  {found.n_items:,} items, {found.n_folds} held-out parts" if found.done else ""
    console.print(Text.assemble((words.title(found), "bold"), head))
    console.print()
    if found.done:
        metric = found.metrics[0]
        columns = [
            *(Column(axis) for axis in found.axes),
            Column(metric.title, right=True, leads=True),
            Column(f"{found.confidence:.0%} interval", right=True, spare=1),
            Column("against best", right=True, folds=True),
            Column("p", right=True),
            Column("numbers", right=True, spare=3),
            Column("seconds", right=True),
            Column("MB", right=True, spare=2),
        ]
        rows = [
            (
                *row.values.values(),
                words.value(metric, row),
                words.interval(metric, row),
                *words.against_best(found, row),
                words.NONE if row.dimension is None else f"{row.dimension:,}",
                words.took(row.total, row),
                words.megabytes(row.memory),
            )
            for row in found.done
        ]
        console.table(columns, rows)
        console.print()
        for said in words.verdicts(found):
            console.print(said)
        console.print(Text(words.method(found), style="dim"))
        if star := words.reused(found.rows):
            console.print(Text(star, style="dim"))
    for row in found.failed:
        console.print(Text.assemble((f"{row.name} failed: ", "yellow"), row.problem))
    console.print()
    console.say(f"Page  {folder / 'comparison.html'}")
