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
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="Use cases, config files, and runs that exist (ids, folders, latest); or the "
            "file of a comparison.",
            show_default=False,
        ),
    ] = None,
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
    jobs: Annotated[
        int, typer.Option(min=1, help="How many run at once; threads are divided among them.")
    ] = 1,
    memory: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="What they may hold together, in MB, GB, MiB or GiB, as in 4GB; no limit else.",
        ),
    ] = "",
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
    r"""Set use cases, configs, encoders, kernels or runs side by side.

    Across domains: [bold]widemargin compare spam cancer credit[/]

    Within one: [bold]widemargin compare spam --encoders tfidf,glove,minilm[/]; with
    --kernels too, every combination is run.

    From a file: [bold]widemargin compare configs/comparisons/quick.yaml[/]

    What differs between two runs: [bold]widemargin compare RUN_A RUN_B[/]

    An encoder may have settings, '{name: glove, vectors: corpus}', may be
    fine-tuned, '{name: minilm, train: {}}', and a list '\[tfidf,minilm]' joins
    encoders. The same command goes on where it was stopped.
    """
    from widemargin.cli import differences
    from widemargin.comparing import compare_documents, compare_runs, two_runs
    from widemargin.comparison import Budget, parse_memory
    from widemargin.config import parse_overrides
    from widemargin.errors import InputError
    from widemargin.runs.store import RunStore, runs_home

    if not targets:
        raise InputError(
            "Name what to compare, as in `widemargin compare spam --encoders tfidf,minilm` or "
            "`widemargin compare spam cancer credit`."
        )
    console = Console(json=json, quiet=quiet)
    axes = {name: text for name, text in (("encoder", encoders), ("kernel", kernels)) if text}
    store = RunStore(runs or runs_home())
    if not axes and not settings and (pair := two_runs(targets, store)):
        differences.show(console, *compare_runs(*pair, store=store))
        return
    with console.progress() as progress:
        found, folder = compare_documents(
            targets,
            parse_overrides(settings or []),
            axes,
            store=store,
            budget=Budget(jobs, parse_memory(memory) if memory else None),
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
    """Print a comparison for people: the table, what the differences mean, where the files are."""
    from rich.text import Text

    from widemargin.report.comparison import columns, cost_words, words

    console.print()
    first = found.done[0] if found.done and found.is_ranked else None
    head = f"  {first.n_items:,} items, {first.n_folds} held-out parts" if first else ""
    console.print(Text.assemble((words.title(found), "bold"), head))
    console.print()
    if found.done:
        shown = [column for column in columns(found) if column.spare is not None]
        console.table(
            [
                Column(
                    column.head,
                    right=column.right,
                    leads=column.leads,
                    folds=True,
                    spare=column.spare or 0,
                )
                for column in shown
            ],
            [[column.entry(row).text for column in shown] for row in found.done],
        )
        console.print()
        for line in [*([] if found.is_ranked else words.gains(found)), *words.verdicts(found)]:
            console.print(line)
        console.print(Text(words.method(found), style="dim"))
        console.print(Text(cost_words.costs(found), style="dim"))
        if star := cost_words.reused(found.rows):
            console.print(Text(star, style="dim"))
    for row in found.failed:
        console.print(Text.assemble((f"{row.name} failed: ", "yellow"), row.problem))
    console.print()
    console.say(f"Page   {folder / 'comparison.html'}")
    console.say(f"Table  {folder / 'comparison.csv'} and .md, for programs comparison.json")
