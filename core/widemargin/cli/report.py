"""``widemargin report``."""

from __future__ import annotations

from typing import Annotated

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption, RunsOption

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command()
def report(
    run: Annotated[
        str,
        typer.Argument(help="A run's id or its beginning, its folder, a use case, or latest."),
    ] = "latest",
    runs: RunsOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a run's report again, as after an upgrade."""
    from widemargin.api import write_report
    from widemargin.registry import discover
    from widemargin.runs.store import RunStore, runs_home

    console = Console(json=json, quiet=quiet)
    store = RunStore(runs or runs_home())
    path = write_report(store.find(run), discover(), store)
    console.emit({"report": str(path)})
    console.say(str(path))
