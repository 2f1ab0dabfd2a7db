"""``widemargin runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from widemargin.cli.console import Column, Console, JsonOption, QuietOption, RunsOption

if TYPE_CHECKING:
    from widemargin.api import Run

__all__ = ["app"]

app = typer.Typer(add_completion=False, invoke_without_command=True)


@app.callback()
def runs(
    context: typer.Context,
    use_case: Annotated[str, typer.Option(help="Only runs of this use case.")] = "",
    runs: RunsOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """List runs, the newest last; `prune` deletes old ones.

    A use case's name, or latest, stands for the last run in all commands, and passes over what
    widemargin compare made: those runs answer to their ids.
    """
    if context.invoked_subcommand:
        return
    from widemargin.api import Run
    from widemargin.registry import discover
    from widemargin.runs.store import RunStore, runs_home

    console = Console(json=json, quiet=quiet)
    store = RunStore(runs or runs_home())
    records = sorted(
        (one for one in store.records() if use_case in ("", one.use_case)),
        key=lambda one: (one.manifest["created"], one.id),
    )
    registry = discover()
    if use_case and not records:
        registry.use_case(use_case)  # refused where there is none of this name
    found = [Run(record, registry) for record in records]
    console.emit(
        [
            {
                "id": one.id,
                "use_case": one.record.use_case,
                "comparison": one.record.comparison,
                "created": one.record.manifest["created"],
                "path": str(one.path),
                "primary": one.record.metrics["primary"],
                "metrics": one.record.metrics["metrics"],
            }
            for one in found
        ]
    )
    if not found:
        of = f"of {use_case!r} " if use_case else ""
        example = use_case or "spam"
        console.say(f"No runs {of}in {store.home}. `widemargin run {example}` makes the first.")
        return
    columns = [
        Column("run"),
        Column("use case", spare=1),
        Column("metric", spare=2),
        Column("value", right=True),
        Column("interval", right=True),
        Column("made (UTC)", spare=3),
        Column("by", spare=4),
        Column("settings", spare=5),
    ]
    console.table(columns, [_row(one) for one in found])


def _row(one: Run) -> tuple[str, ...]:
    title, value, interval, _ = one.table()[0]
    chosen = one.record.metrics["chosen"]
    made = one.record.manifest["created"].replace("T", " ")[:16]
    settings = f"{chosen['kernel']}, C {chosen['C']:g}"
    by = "compare" if one.record.comparison else "run"
    return one.id, one.record.use_case, title, value, interval, made, by, settings


@app.command()
def prune(
    keep: Annotated[
        int,
        typer.Option(
            min=0, help="How many runs of each use case to keep, and how many that compare made."
        ),
    ] = 5,
    use_case: Annotated[str, typer.Option(help="Only runs of this use case.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")
    ] = False,
    work: Annotated[
        bool,
        typer.Option("--work", help="Delete all folds that runs kept, those of the last day too."),
    ] = False,
    runs: RunsOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Delete all but the last runs of each use case, and folds that runs kept over a day ago.

    Runs that `widemargin compare` made are counted by themselves. A run that cannot be read is
    named, and neither counted nor deleted. Kept folds are what an interrupted run continues after.
    With --use-case they are left alone, unless --work is given.
    """
    from widemargin.runs.store import RunStore, runs_home

    console = Console(json=json, quiet=quiet)
    store = RunStore(runs or runs_home())
    deleted = store.prune(keep=keep, use_case=use_case, dry_run=dry_run)
    folds = 0
    if work or not use_case:
        folds = store.prune_work(every=work, dry_run=dry_run)
    console.emit(
        {"deleted": [str(path) for path in deleted], "kept_folds": folds, "dry_run": dry_run}
    )
    verb = "would delete" if dry_run else "deleted"
    for path in deleted:
        console.say(f"{verb} {path}")
    if not deleted:
        console.say(f"Nothing to delete: no use case has more than {keep} whole runs.")
    if folds:
        console.say(f"{verb} {folds:,} kept {'fold' if folds == 1 else 'folds'}")
