"""``widemargin data``: what is there, what is fetched, what is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption
from widemargin.errors import AssetError, nearest

if TYPE_CHECKING:
    from widemargin.contracts import Asset
    from widemargin.data.assets import FileFinding

__all__ = ["app", "state_of"]

app = typer.Typer(no_args_is_help=True, help="Data sets and weight files.")

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAMES]...", help="As `widemargin data list` says.")
]


@app.command("list")
def list_assets(json: JsonOption = False, quiet: QuietOption = False) -> None:
    """List every asset: licence, size, and whether it is in place."""
    from rich.filesize import decimal
    from rich.table import Table

    from widemargin.data.assets import data_home, verify

    console, home = Console(json=json, quiet=quiet), data_home()
    table = Table("Name", "Title", "Licence", "Size", "State", box=None, header_style="bold")
    rows: list[dict[str, Any]] = []
    for asset in _known().values():
        findings = verify(asset, home)
        size, state = sum(file.size for file in asset.files), state_of(findings)
        table.add_row(asset.name, asset.title, asset.licence, decimal(size), state)
        rows.append(
            {
                "name": asset.name,
                "title": asset.title,
                "licence": asset.licence,
                "origin": asset.origin,
                "bytes": size,
                "state": state,
                "path": str(home / asset.name),
            }
        )
    console.emit(rows)
    console.print(table if rows else "No use case asks for any asset.")


@app.command("fetch")
def fetch_assets(
    names: Names = None,
    every: Annotated[bool, typer.Option("--all", help="Fetch every asset.")] = False,
    mirror: Annotated[
        str,
        typer.Option(
            "--data-mirror",
            envvar="WIDEMARGIN_DATA_MIRROR",
            help="A folder or an address that holds NAME/FILE, tried before the rest.",
        ),
    ] = "",
    offline: Annotated[
        bool, typer.Option("--offline", help="Fetch nothing; fail where a file is absent or wrong.")
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Fetch assets into the data home; what is there and right is left alone."""
    from widemargin.data.assets import data_home, require

    known = _known()
    if not names and not every:
        raise AssetError(f"Say which assets to fetch ({_list(known)}), or --all.")
    console, home = Console(json=json, quiet=quiet), data_home()
    folders: dict[str, str] = {}
    failures: list[str] = []
    with console.progress() as progress:
        for asset in _named(names, known):
            try:
                folder = require(asset, home, offline=offline, mirror=mirror, progress=progress)
            except AssetError as error:
                failures.append(str(error))
            else:
                folders[asset.name] = str(folder)
    console.emit(folders)
    if not json:
        for name, path in folders.items():
            typer.echo(f"{name}: {path}")
    if failures:
        raise AssetError("\n".join(failures))


@app.command("verify")
def verify_assets(
    names: Names = None, json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """Hash assets; exit with 2 where a file is not what it should be.

    Without names, assets that were never fetched are no fault.
    """
    from rich.table import Table
    from rich.text import Text

    from widemargin.data.assets import data_home, verify

    console, home, known = Console(json=json, quiet=quiet), data_home(), _known()
    table = Table("Name", "File", "State", box=None, header_style="bold")
    rows: list[dict[str, str]] = []
    wrong: list[str] = []
    for asset in _named(names, known):
        findings = verify(asset, home)
        if not names and state_of(findings) == "absent":
            continue
        for finding in findings:
            words = finding.detail or "is right"
            style = "" if finding.state == "ok" else "red"
            table.add_row(asset.name, finding.file.name, Text(words, style=style))
            rows.append(
                {
                    "name": asset.name,
                    "file": finding.file.name,
                    "state": finding.state,
                    "detail": finding.detail,
                    "path": str(finding.path),
                }
            )
        if any(finding.state != "ok" for finding in findings):
            wrong.append(asset.name)
    console.emit(rows)
    console.print(table if rows else "Nothing has been fetched yet.")
    if wrong:
        raise AssetError(
            f"{', '.join(wrong)}: not every file is what it should be. "
            f"Run `widemargin data fetch {' '.join(wrong)}`; it replaces only what is wrong."
        )


@app.command("path")
def show_path(
    name: Annotated[str, typer.Argument(help="An asset; without it, the data home.")] = "",
    json: JsonOption = False,
) -> None:
    """Print where the data home, or one asset in it, lies; whether it is there or not."""
    from widemargin.data.assets import data_home

    folder: Path = data_home()
    if name:
        (asset,) = _named([name], _known())
        folder /= asset.name
    Console(json=json).emit(str(folder))
    if not json:
        typer.echo(folder)


def _known() -> dict[str, Asset]:
    from widemargin.registry import discover

    return dict(sorted(discover().assets().items()))


def _named(names: list[str] | None, known: dict[str, Asset]) -> list[Asset]:
    if not names:
        return list(known.values())
    for name in names:
        if name not in known:
            raise AssetError(
                f"There is no asset {name!r}.{nearest(name, known)} Known: {_list(known)}."
            )
    return [known[name] for name in dict.fromkeys(names)]


def _list(known: dict[str, Asset]) -> str:
    return ", ".join(known) or "none is known"


def state_of(findings: list[FileFinding]) -> str:
    """Say in a word or two how an asset is: in place, absent, damaged or incomplete."""
    states = [finding.state for finding in findings]
    right = states.count("ok")
    if right == len(states):
        return "in place"
    if set(states) & {"truncated", "tampered"}:
        return "damaged"
    return f"incomplete ({right} of {len(states)} files)" if right else "absent"
