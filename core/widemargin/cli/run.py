"""``widemargin run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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
from widemargin.contracts.counting import counted

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
    runs: RunsOption = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ignore what an interrupted run kept.")
    ] = False,
    offline: OfflineOption = False,
    data_mirror: MirrorOption = "",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train, judge, explain and save a use case.

    Begin with [bold]widemargin run spam[/]. Your own data: [bold]widemargin run texts --set
    data.path=reviews.csv --set data.text=body --set data.label=stars[/].
    """
    from widemargin.config import parse_overrides
    from widemargin.errors import InputError
    from widemargin.runs.lifeline import hold_lifeline
    from widemargin.runs.store import RunStore, runs_home

    hold_lifeline()
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
    except KeyboardInterrupt as stop:
        # A fetch that is stopped says itself how it goes on.
        raise KeyboardInterrupt(
            str(stop)
            or "Nothing was written. Finished folds are kept: the same command continues after "
            "them."
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
    from rich.text import Text

    from widemargin.report.wordings import capital

    said = made.record.metrics
    chosen = said["chosen"]
    settings = f"{chosen['kernel']} kernel, C {chosen['C']:g}"
    if chosen["gamma"] is not None:
        of_blocks = made.record.config["svm"].get("blocks") is not None
        settings += f", {'factor of the gammas' if of_blocks else 'gamma'} {chosen['gamma']:g}"
    vectors = said["support_vectors"]
    console.print()
    console.print(
        Text.assemble((made.record.use_case, "bold"), f"  {counted(said['n_items'], 'item')}")
    )
    console.print(
        Text(
            f"{settings}; {counted(vectors['count'], 'support vector')} ({vectors['share']:.0%}); "
            f"{made.record.manifest['timings']['total']:.1f} s",
            style="dim",
        )
    )
    console.print()
    names = [_short_name(name, said["task"]) for name in said["baselines"]]
    columns = [
        Column(""),
        Column("value", right=True, leads=True),
        Column(f"{said['confidence']:.0%} interval", right=True),
        # The last baseline is the strongest; it goes last.
        *(
            Column(name, spare=len(names) - k, right=True, folds=True)
            for k, name in enumerate(names)
        ),
    ]
    # The target's units are said once, below: a title with them would take the table's room.
    unit = f" ({said['units']})"
    rows = [
        (title.removesuffix(unit), value, interval, *baselines)
        for title, value, interval, baselines in made.table()
    ]
    console.table(columns, rows)
    if few := _few(said.get("intervals") or {}):
        console.print(Text(few, style="dim"))
    if said["units"] and any(title.endswith(unit) for title, *_ in made.table()):
        console.print(Text(f"Errors are in the target's units: {said['units']}.", style="dim"))
    console.print()
    duplicates = said["near_duplicates"]
    if duplicates:
        title = made.table()[0][0]
        primary = said["primary"]
        apart, crossing = (duplicates[name].get(primary) for name in ("apart", "crossing"))
        console.print(
            Text(
                f"{counted(duplicates['removed'], 'near-duplicate', 'were')} left out. Untuned, "
                f"{title} is {_number(apart)} without them and would be {_number(crossing)} with "
                "them crossing the folds."
            )
        )
    if frozen := said.get("frozen"):
        own = frozen[said["primary"]]
        gain = own["gain"]
        interval = (
            f" ({gain['low']:+.4f} to {gain['high']:+.4f})" if gain["low"] is not None else ""
        )
        console.print(
            Text(
                f"Fine-tuned, {made.table()[0][0]} is {_number(own['tuned']['value'])}; with the "
                f"encoder as published {_number(own['frozen']['value'])}, on the same folds: a "
                f"difference of {_signed(gain['value'])}{interval}."
            )
        )
    for one in said.get("careless") or []:
        primary = said["primary"]
        console.print(
            Text(
                f"Careless: with {one['title']}, {made.table()[0][0]} would be "
                f"{_number(one['careless'].get(primary))} in place of "
                f"{_number(one['honest'].get(primary))}, untuned.",
                style="dim",
            )
        )
    for finding in said["findings"]:
        style = "yellow" if finding["severity"] == "warning" else "dim"
        console.print(Text.assemble((f"{finding['code']} ", style), capital(finding["message"])))
    console.print()
    if made.report.exists():
        console.say(f"Report   {made.report}")
    # The use case's name would pass over what a comparison made.
    name = made.id if made.record.comparison else made.record.use_case
    console.say(f"Predict  widemargin predict {name} {_example(made)}")


def _few(intervals: dict[str, Any]) -> str:
    """Say how intervals over few items or groups were made; nothing of many."""
    units = f"{intervals.get('of')} independent items or groups"
    if intervals.get("by") == "jackknife":
        return f"Intervals: each of {units} left out once (jackknife), too few to resample."
    if intervals.get("by") == "":
        return f"How sure a number is cannot be told from fewer than 3 ({units})."
    return ""


def _short_name(baseline: str, task: str) -> str:
    """Name a baseline in a word or two, so that the table stays narrow."""
    if baseline == "dummy":
        return "one class" if task == "classification" else "training mean"
    return baseline.replace("_", " ")


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _signed(value: float | None) -> str:
    return "undefined" if value is None else f"{value:+.4f}"


def _example(made: Run) -> str:
    example = made.wording.example
    if example:
        return f'"{example}"'
    return "--file FOLDER" if {"image", "audio"} & set(made.kinds.values()) else "--file FILE"
