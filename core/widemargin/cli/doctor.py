"""``widemargin doctor``."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption
from widemargin.cli.data import state_of
from widemargin.runs.store import runs_home

__all__ = ["app", "missing"]

app = typer.Typer(add_completion=False)

# What each extra is for; the packages themselves are read from the installed metadata, so that
# the two cannot drift apart.
_PURPOSES = {
    "text": "word vectors and contextual encoders for text",
    "vision": "image encoders",
    "audio": "sound files and the audio encoder",
    "bio": "sequence and expression file formats",
    "finance": "live market data",
    "serve": "predictions over HTTP",
    "cluster": "work spread over machines",
}


@app.command()
def doctor(json: JsonOption = False, quiet: QuietOption = False) -> None:
    """Say what is installed, what each extra would add, and whether assets are in place."""
    from rich.table import Table
    from rich.text import Text

    from widemargin import native
    from widemargin.data.assets import data_home, verify
    from widemargin.registry import discover
    from widemargin.runs.identity import versions

    console = Console(json=json, quiet=quiet)
    registry = discover()
    home = data_home()
    assets = {name: state_of(verify(asset, home)) for name, asset in registry.assets().items()}
    folders = {"data home": home, "runs": runs_home()}
    obstacles = {name: _obstacle(folder) for name, folder in folders.items()}
    extras = {name: missing(name) for name in _PURPOSES}
    found = versions()
    engine = "scikit-learn" if native.library() is None else "native"
    why = native.reason() or native.level()
    console.emit(
        {
            "versions": found,
            "engine": {"name": engine, "level": native.level(), "reason": native.reason()},
            "extras": {
                name: {"installed": not absent, "missing": absent}
                for name, absent in extras.items()
            },
            "data_home": str(home),
            "runs": str(runs_home()),
            "obstacles": {name: reason for name, reason in obstacles.items() if reason},
            "assets": assets,
            "plugins": [one.name for one in registry.plugins],
            "broken": {one.name: one.reason for one in registry.broken},
        }
    )
    console.print(Text(", ".join(f"{name} {number}" for name, number in found.items())))
    console.say(f"data home  {home}\nruns       {runs_home().absolute()}")
    console.say(f"engine     {engine} ({why})")
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for head in ("", "", "what to do"):
        table.add_column(head)
    for one in registry.plugins:
        table.add_row(f"plugin {one.name}", Text("in order", style="green"), "")
    for broken in registry.broken:
        table.add_row(f"plugin {broken.name}", Text("broken", style="red"), broken.reason)
    for name, reason in obstacles.items():
        if reason:
            table.add_row(name, Text("cannot be written", style="red"), reason)
    for name, how in assets.items():
        style = {"in place": "green", "absent": "yellow"}.get(how, "red")
        table.add_row(f"asset {name}", Text(how, style=style), _remedy(name, how))
    for name, absent in extras.items():
        state = Text("not installed", style="dim") if absent else Text("installed", style="green")
        remedy = f'pip install "widemargin[{name}]": {_PURPOSES[name]}' if absent else ""
        table.add_row(f"extra {name}", state, remedy)
    console.print()
    console.print(table)


def _remedy(name: str, how: str) -> str:
    fetch = f"widemargin data fetch {name}"
    if how == "in place":
        return ""
    if how == "absent":
        return f"{fetch} (or the first run fetches it)"
    return f"{fetch} (it replaces only what is wrong)"


def _obstacle(folder: Path) -> str:
    """Say why a folder cannot be written and what to do; nothing where it can, or can be made."""
    variable = "WIDEMARGIN_RUNS" if folder == runs_home() else "WIDEMARGIN_HOME"
    there = folder.absolute()
    try:
        while not there.exists():
            there = there.parent
        # Permissions alone do not tell: the disk may be read-only, or the folder a file.
        with TemporaryDirectory(dir=there):
            return ""
    except OSError as error:
        return f"{error.strerror or error}; mend it, or name another with {variable}"


def missing(extra: str) -> list[str]:
    """List the packages of an extra that are not installed."""
    from packaging.requirements import Requirement

    wanted: list[Any] = metadata("widemargin").get_all("Requires-Dist") or []
    absent = []
    for text in wanted:
        requirement = Requirement(text)
        marker = requirement.marker
        if (
            marker is None
            or marker.evaluate({"extra": ""})
            or not marker.evaluate({"extra": extra})
        ):
            continue
        try:
            version(requirement.name)
        except PackageNotFoundError:
            absent.append(requirement.name)
    return absent
