"""``widemargin runs``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption

__all__ = ["app"]

app = typer.Typer(add_completion=False, invoke_without_command=True)

RunsOption = Annotated[Path | None, typer.Option(help="Folder of runs.", envvar="WIDEMARGIN_RUNS")]


@app.callback()
def runs(
    context: typer.Context,
    use_case: Annotated[str, typer.Option(help="Only runs of this use case.")] = "",
    runs: RunsOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """List runs; `prune` deletes old ones."""
    if context.invoked_subcommand:
        return
    from rich.table import Table

    from widemargin.api import Run
    from widemargin.registry import discover
    from widemargin.runs.store import RunStore, runs_home

    console = Console(json=json, quiet=quiet)
    store = RunStore(runs or runs_home())
    records = [one for one in store.records() if use_case in ("", one.use_case)]
    registry = discover()
    found = [Run(record, registry) for record in records]
    console.emit(
        [
            {
                "id": one.id,
                "use_case": one.record.use_case,
                "created": one.record.manifest["created"],
                "path": str(one.path),
                "primary": one.record.metrics["primary"],
                "metrics": one.record.metrics["metrics"],
            }
            for one in found
        ]
    )
    if not found:
        console.print(f"No runs in {store.home}. `widemargin run spam` makes the first.")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for head in ("run", "use case", "made (UTC)", "", "", "interval", "settings"):
        table.add_column(head)
    for one in found:
        title, value, interval, _ = one.table()[0]
        chosen = one.record.metrics["chosen"]
        made = one.record.manifest["created"].replace("T", " ")[:16]
        settings = f"{chosen['kernel']}, C {chosen['C']:g}"
        table.add_row(one.id, one.record.use_case, made, title, value, interval, settings)
    console.print(table)


@app.command()
def prune(
    keep: Annotated[
        int, typer.Option(min=0, help="How many of each use case's last runs to keep.")
    ] = 5,
    use_case: Annotated[str, typer.Option(help="Only runs of this use case.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")
    ] = False,
    runs: RunsOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Delete all but the last runs of each use case, and what interrupted runs kept."""
    from widemargin.runs.store import RunStore, runs_home

    console = Console(json=json, quiet=quiet)
    store = RunStore(runs or runs_home())
    deleted = store.prune(keep=keep, use_case=use_case, dry_run=dry_run)
    console.emit({"deleted": [str(path) for path in deleted], "dry_run": dry_run})
    for path in deleted:
        console.print(f"{'would delete' if dry_run else 'deleted'} {path}")
    if not deleted:
        console.print(f"Nothing to delete: no use case has more than {keep} runs.")
