"""``widemargin doctor``."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, metadata, version
from typing import Any

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption

__all__ = ["app"]

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

    from widemargin.data.assets import data_home, verify
    from widemargin.registry import discover
    from widemargin.runs.identity import versions
    from widemargin.runs.store import runs_home

    console = Console(json=json, quiet=quiet)
    registry = discover()
    home = data_home()
    assets = {
        name: all(found.state == "ok" for found in verify(asset, home))
        for name, asset in registry.assets().items()
    }
    extras = {name: _missing(name) for name in _PURPOSES}
    found = versions()
    console.emit(
        {
            "versions": found,
            "extras": {
                name: {"installed": not missing, "missing": missing}
                for name, missing in extras.items()
            },
            "data_home": str(home),
            "runs": str(runs_home()),
            "assets": assets,
            "plugins": [one.name for one in registry.plugins],
            "broken": {one.name: one.reason for one in registry.broken},
        }
    )
    console.print(Text(", ".join(f"{name} {number}" for name, number in found.items())))
    console.print(Text(f"data home  {home}\nruns       {runs_home().absolute()}", style="dim"))
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for head in ("", "", "what to do"):
        table.add_column(head)
    for one in registry.plugins:
        table.add_row(f"plugin {one.name}", Text("in order", style="green"), "")
    for broken in registry.broken:
        table.add_row(f"plugin {broken.name}", Text("broken", style="red"), broken.reason)
    for name, in_place in assets.items():
        state = Text("in place", style="green") if in_place else Text("not here", style="yellow")
        remedy = "" if in_place else f"widemargin data fetch {name} (or the first run fetches it)"
        table.add_row(f"asset {name}", state, remedy)
    for name, missing in extras.items():
        state = Text("not installed", style="dim") if missing else Text("installed", style="green")
        remedy = f'pip install "widemargin[{name}]": {_PURPOSES[name]}' if missing else ""
        table.add_row(f"extra {name}", state, remedy)
    console.print()
    console.print(table)


def _missing(extra: str) -> list[str]:
    """List the packages of an extra that are not installed."""
    from packaging.requirements import Requirement

    wanted: list[Any] = metadata("widemargin").get_all("Requires-Dist") or []
    missing = []
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
            missing.append(requirement.name)
    return missing
