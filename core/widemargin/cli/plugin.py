"""``widemargin plugin``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from widemargin.testing import Verdict

__all__ = ["app"]

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Plugins: list, new, check.")


@app.callback()
def plugin() -> None:
    """List what is installed, begin a plugin of your own, check one."""


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


@app.command("new")
def new_plugin(
    name: Annotated[str, typer.Argument(help="The plugin's name, as in weather.")],
    kind: Annotated[
        str, typer.Option(help="What an item is: table (a row), text, sequence, image or audio.")
    ] = "table",
    into: Annotated[
        Path, typer.Option(help="The folder that widemargin-NAME is written into.")
    ] = Path(),
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write the project of a new plugin: a use case that runs, with its tests.

    It reads a small made-up data set that comes with it, until you put your
    own in its place.
    """
    from widemargin.kit import new_project
    from widemargin.registry import discover

    console = Console(json=json, quiet=quiet)
    made = new_project(name, kind, into, discover())
    files = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
    console.emit({"name": name, "kind": kind, "path": str(made), "files": files})
    if quiet:
        console.say(str(made))
        return
    console.say(f"{made} is written: {len(files)} files. Next:")
    console.say("")
    console.say(f"  cd {made}")
    console.say('  pip install -e ".[dev]"')
    console.say(f"  widemargin run {name}")
    console.say(f"  widemargin plugin check {name}")
    console.say("")
    console.say("README.md there says what to change for data of your own.")


@app.command("check")
def check_plugin(
    name: Annotated[str, typer.Argument(help="A plugin, or a use case.")],
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Try every rule on a plugin, and print a card.

    Its use cases are tried on their fixtures, its encoders, kernels and
    metrics on made-up items, without network.

    The exit code is 0 where every rule that applies is kept, 1 where one is
    broken, and 2 where there is no such plugin.
    """
    from widemargin.testing import examine

    console = Console(json=json, quiet=quiet)
    verdicts = _show_card(console, examine(name), failures_only=quiet)
    passed = all(one.status != "failed" for one in verdicts)
    console.emit({"name": name, "passed": passed, "rules": [asdict(one) for one in verdicts]})
    counts = [sum(one.status == status for one in verdicts) for status in _MARKS]
    seconds = sum(one.seconds for one in verdicts)
    console.print()
    console.print(
        f"{counts[0]} passed, {counts[1]} failed, {counts[2]} do not apply; {seconds:.1f} s"
    )
    if not passed:
        raise typer.Exit(1)


_MARKS = {
    "passed": ("pass", "green"),
    "failed": ("FAIL", "bold red"),
    "does not apply": ("n/a", "dim"),
}
"""What a line of the card begins with."""


def _show_card(
    console: Console, verdicts: Iterable[Verdict], *, failures_only: bool
) -> list[Verdict]:
    """Print a line a rule, each as soon as it was tried; return them all."""
    from rich.table import Table
    from rich.text import Text

    told: list[Verdict] = []
    subject = ""
    for one in verdicts:
        told.append(one)
        if failures_only and one.status != "failed":
            continue
        if one.subject != subject:
            subject = one.subject
            console.print()
            console.print(Text(subject, style="bold"))
        mark, style = _MARKS[one.status]
        said = Text(one.rule, style="dim" if one.status == "does not apply" else "")
        if one.status == "does not apply":
            said.append(f"\nDoes not apply: {one.found}")
        elif one.status == "failed":
            where = f"\nWhere: {one.where}" if one.where else ""
            said.append(f"\nFound: {one.found}{where}\nRemedy: {one.remedy}")
            if one.check:
                said.append(f"\nTried by widemargin.testing.{one.check}.", style="dim")
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_column(width=4)
        line.add_column(width=6, justify="right")
        line.add_column()
        line.add_row(Text(mark, style=style), Text(f"{one.seconds:.1f} s", style="dim"), said)
        console.print(line)
    return told
