"""``widemargin plugin``."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

    from widemargin.testing import Verdict
    from widemargin.testing.card import Status

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

    The exit code is 0 where no rule is broken, 1 where one is, and 2 where
    there is no such plugin. What was not tried is counted: mend what stands
    in its way, and check again.
    """
    from widemargin.testing import examine

    console = Console(json=json, quiet=quiet)
    verdicts = _show_card(console, examine(name), quiet=quiet)
    passed = all(one.status != "failed" for one in verdicts)
    console.emit({"name": name, "passed": passed, "rules": [asdict(one) for one in verdicts]})
    counts = [
        f"{sum(one.status == status for one in verdicts)} {words}"
        for status, (_, _, words) in _MARKS.items()
    ]
    seconds = sum(one.seconds for one in verdicts)
    console.print()
    console.print(f"{', '.join(counts)}; {seconds:.1f} s")
    if not passed:
        raise typer.Exit(1)


_MARKS = {
    "passed": ("pass", "green", "passed"),
    "failed": ("FAIL", "bold red", "failed"),
    "not tried": ("-", "yellow", "not tried"),
    "does not apply": ("n/a", "dim", "do not apply"),
}
"""What a line of the card begins with, its style, and what the rules are counted as."""


def _show_card(console: Console, verdicts: Iterable[Verdict], *, quiet: bool) -> list[Verdict]:
    """Print a line for each rule that was tried, as soon as it was, and return all verdicts.

    A subject's other rules follow: a line for all that were not tried, and one for all that do not
    apply. Quietly, only what failed or was not tried.
    """
    from rich.text import Text

    told: list[Verdict] = []
    for subject, ours in groupby(verdicts, key=lambda one: one.subject):
        rest: dict[Status, list[str]] = {}
        headed = False
        for one in ours:
            told.append(one)
            if quiet and one.status not in ("failed", "not tried"):
                continue
            if not headed:
                console.print()
                console.print(Text(subject, style="bold"))
                headed = True
            if one.status in ("passed", "failed"):
                _print_line(console, one.status, _said(one), f"{one.seconds:.1f} s")
            else:
                rest.setdefault(one.status, []).append(one.found.removesuffix("."))
        for status, reasons in rest.items():
            why = "; ".join(dict.fromkeys(reasons))
            said = Text(f"{status.capitalize()} ({len(reasons)}): {why}.", style="dim")
            _print_line(console, status, said)
    return told


def _print_line(console: Console, status: Status, said: Text, seconds: str = "") -> None:
    from rich.table import Table
    from rich.text import Text

    mark, style, _ = _MARKS[status]
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_column(width=4)
    line.add_column(width=6, justify="right")
    line.add_column()
    line.add_row(Text(mark, style=style), Text(seconds, style="dim"), said)
    console.print(line)


def _said(one: Verdict) -> Text:
    """Write a rule that was tried, and what was found where it failed."""
    from rich.text import Text

    said = Text(one.rule)
    for head, words in (("Found", one.found), ("Where", one.where), ("Remedy", one.remedy)):
        if words:
            said.append(f"\n{head}: {words}")
    if one.remedy and one.check:
        said.append(f"\nTried by widemargin.testing.{one.check}.", style="dim")
    return said
