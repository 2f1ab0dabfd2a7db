"""``widemargin show``."""

from __future__ import annotations

from typing import Annotated

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption, RunsOption

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command()
def show(
    run: Annotated[
        str,
        typer.Argument(help="A run's id or its beginning, its folder, a use case, or latest."),
    ] = "latest",
    runs: RunsOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show one run: its numbers, its findings, where its report is."""
    from widemargin.api import load
    from widemargin.cli.run import show_summary, summary

    console = Console(json=json, quiet=quiet)
    found = load(run, runs=runs)
    console.emit(summary(found))
    show_summary(console, found)
