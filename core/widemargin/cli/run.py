"""``widemargin run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption

if TYPE_CHECKING:
    from widemargin.api import Run

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command()
def run(
    target: Annotated[
        str, typer.Argument(help="A use case's name, or the path of a config file.")
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, as in svm.C=10."),
    ] = None,
    like: Annotated[str, typer.Option(help="Repeat the settings of this run.")] = "",
    runs: Annotated[
        Path | None, typer.Option(help="Folder of runs.", envvar="WIDEMARGIN_RUNS")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ignore what an interrupted run kept.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing.")] = False,
    data_mirror: Annotated[
        str,
        typer.Option(
            help="Folder or address to look for data sets in first.",
            envvar="WIDEMARGIN_DATA_MIRROR",
        ),
    ] = "",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train, judge, explain and save a use case.

    Begin with [bold]widemargin run spam[/]. Your own data: [bold]widemargin run texts --set
    data.path=reviews.csv --set data.text=body --set data.label=stars[/].
    """
    from widemargin.config import parse_overrides
    from widemargin.errors import InputError
    from widemargin.runs.store import RunStore, runs_home

    if bool(target) == bool(like):
        raise InputError(
            "Name a use case or a config file, as in `widemargin run spam`, or a run to repeat "
            "with --like; one of the two."
        )
    from widemargin.api import run_documents

    console = Console(json=json, quiet=quiet)
    store = RunStore(runs or runs_home())
    overrides = [parse_overrides(settings or [])]
    try:
        with console.progress() as progress:
            made = run_documents(
                target,
                overrides,
                like=store.find(like) if like else None,
                store=store,
                fresh=fresh,
                offline=offline,
                mirror=data_mirror,
                progress=progress,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "Nothing was written. Finished folds are kept: the same command continues after them."
        ) from None
    console.emit(summary(made))
    show_summary(console, made)


def summary(made: Run) -> dict[str, Any]:
    """Return what ``--json`` prints of a run."""
    return {
        "id": made.id,
        "use_case": made.record.use_case,
        "path": str(made.path),
        "report": str(made.report),
        "created": made.record.manifest["created"],
        "seconds": made.record.manifest["timings"]["total"],
        **made.record.metrics,
    }


def show_summary(console: Console, made: Run) -> None:
    """Print a run for people: the numbers, what to know about them, and what to do next."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    said = made.record.metrics
    chosen = said["chosen"]
    settings = f"{chosen['kernel']} kernel, C {chosen['C']:g}"
    if chosen["gamma"] is not None:
        settings += f", gamma {chosen['gamma']:g}"
    vectors = said["support_vectors"]
    console.print()
    console.print(Text.assemble((made.record.use_case, "bold"), f"  {said['n_items']:,} items"))
    console.print(
        Text(
            f"{settings}; {vectors['count']:,} support vectors ({vectors['share']:.0%}); "
            f"{made.record.manifest['timings']['total']:.1f} s",
            style="dim",
        )
    )
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_column(f"{said['confidence']:.0%} interval", justify="right")
    for title in made.baselines():
        table.add_column(title, justify="right", style="dim")
    for at, (title, value, interval, baselines) in enumerate(made.table()):
        table.add_row(title, value, interval, *baselines, style="bold" if at == 0 else "")
    console.print(Padding(table, (1, 0)))
    duplicates = said["near_duplicates"]
    if duplicates:
        title = made.table()[0][0]
        primary = said["primary"]
        apart, crossing = duplicates["apart"][primary], duplicates["crossing"][primary]
        console.print(
            Text(
                f"{duplicates['removed']:,} near-duplicates were left out. Untuned, {title} is "
                f"{_number(apart)} without them and would be {_number(crossing)} with them "
                "crossing the folds."
            )
        )
    for finding in said["findings"]:
        style = "yellow" if finding["severity"] == "warning" else "dim"
        console.print(Text.assemble((f"{finding['code']} ", style), finding["message"]))
    console.print()
    if made.report.exists():
        console.print(Text(f"Report   {made.report}"))
    console.print(Text(f"Predict  widemargin predict {made.record.use_case} {_example(made)}"))


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _example(made: Run) -> str:
    example = made.wording.example
    return f'"{example}"' if example else "--file FILE"
