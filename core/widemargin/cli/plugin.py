"""``widemargin plugin``."""

from __future__ import annotations

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption

__all__ = ["app"]

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Plugins.")


@app.callback()
def plugin() -> None:
    """Say what is installed."""


@app.command("list")
def list_plugins(json: JsonOption = False, quiet: QuietOption = False) -> None:
    """List plugins with what they register, and broken ones with the reason."""
    from rich.table import Table
    from rich.text import Text

    from widemargin.registry import discover

    console = Console(json=json, quiet=quiet)
    registry = discover()
    console.emit(
        {
            "plugins": [
                {
                    "name": one.name,
                    "distribution": one.distribution,
                    "version": one.version,
                    "registered": {hook: list(names) for hook, names in one.registered.items()},
                }
                for one in registry.plugins
            ],
            "broken": [
                {"name": one.name, "distribution": one.distribution, "reason": one.reason}
                for one in registry.broken
            ],
        }
    )
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for head in ("plugin", "from", "registers"):
        table.add_column(head)
    for one in registry.plugins:
        registered = "; ".join(
            f"{hook.removeprefix('register_').replace('_', ' ')}: {', '.join(names)}"
            for hook, names in one.registered.items()
        )
        table.add_row(one.name, f"{one.distribution} {one.version}", registered or "listens only")
    console.print(table)
    for broken in registry.broken:
        console.print()
        console.print(
            Text.assemble(
                (f"{broken.name} ", "bold"),
                f"of {broken.distribution} is ",
                ("broken", "red"),
                f" and was left out: {broken.reason}",
            )
        )
