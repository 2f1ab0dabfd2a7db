"""``widemargin store``: vectors that are kept from run to run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from widemargin.cli.console import Column, Console, JsonOption, QuietOption

if TYPE_CHECKING:
    from widemargin.encoders.store import ShelfState

__all__ = ["app"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Vectors of encoders that learn nothing, kept by content from run to run.",
)


@app.command()
def info(json: JsonOption = False, quiet: QuietOption = False) -> None:
    """Say what is kept, encoder by encoder."""
    from rich.filesize import decimal

    from widemargin.encoders.store import EmbeddingStore, store_folder

    console, store = Console(json=json, quiet=quiet), EmbeddingStore(store_folder())
    states = list(store.states())
    console.emit([_plain(state) for state in states])
    if json:
        return
    if not states:
        typer.echo(f"Nothing is kept in {store.folder}.")
        return
    columns = [
        Column("encoder", leads=True),
        Column("parameters", spare=1),
        Column("vectors", right=True),
        Column("numbers", right=True, spare=2),
        Column("size", right=True),
        Column("last used", right=True),
    ]
    rows = [
        [
            str(state.identity.get("name", state.folder.name)),
            _parameters(state),
            "damaged" if state.damaged else f"{state.vectors:,}",
            str(state.identity.get("dimension", "")),
            decimal(state.size),
            _age(state.used),
        ]
        for state in states
    ]
    console.table(columns, rows)
    console.print()
    console.print(f"{decimal(sum(state.size for state in states))} in {store.folder}")


@app.command()
def prune(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ENCODERS]...", help="Only of these encoders.")
    ] = None,
    older_than: Annotated[
        float | None,
        typer.Option(metavar="DAYS", min=0, help="Only what was not used for so many days."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Delete kept vectors; they are computed again when they are needed."""
    from widemargin.encoders.store import EmbeddingStore, store_folder
    from widemargin.errors import InputError, nearest

    if not names and older_than is None and not every:
        raise InputError(
            "Say what to delete: names of encoders, --older-than DAYS, or --all. "
            "`widemargin store info` lists what is kept."
        )
    store = EmbeddingStore(store_folder())
    kept = {str(state.identity.get("name", "")) for state in store.states()}
    for name in names or []:
        if name not in kept:
            raise InputError(
                f"Nothing is kept of an encoder {name!r}.{nearest(name, kept)} "
                "`widemargin store info` lists what is."
            )
    gone = store.prune(older_than=older_than, names=names or [])
    Console(json=json, quiet=quiet).emit([str(path) for path in gone])
    if not json:
        typer.echo(f"{len(gone)} deleted." if gone else "Nothing was that old.")


@app.command()
def verify(json: JsonOption = False, quiet: QuietOption = False) -> None:
    """Check every kept vector; damaged ones are removed, and the exit code is 2."""
    from widemargin.encoders.store import EmbeddingStore, store_folder
    from widemargin.errors import DataError

    console = Console(json=json, quiet=quiet)
    states, wrong = [], []
    with console.progress() as progress, progress.stage("checking vectors"):
        for state in EmbeddingStore(store_folder()).verify():
            states.append(state)
            name = state.identity.get("name", state.folder.name)
            if state.damaged > 0:
                wrong.append(
                    f"{name}: {state.damaged:,} damaged vectors were removed; they will "
                    "be computed again."
                )
            elif state.damaged:
                wrong.append(
                    f"{state.folder}: cannot be read. `widemargin store prune {name}` deletes it."
                )
    console.emit([_plain(state) for state in states])
    if not json:
        typer.echo(f"{sum(state.vectors for state in states):,} vectors are right.")
    if wrong:
        raise DataError("\n".join(wrong))


def _plain(state: ShelfState) -> dict[str, Any]:
    return {
        "folder": str(state.folder),
        "identity": dict(state.identity),
        "vectors": state.vectors,
        "bytes": state.size,
        "used": state.used,
        "damaged": state.damaged,
    }


def _parameters(state: ShelfState) -> str:
    parameters = state.identity.get("parameters", {})
    return ", ".join(f"{key} {value}" for key, value in parameters.items())


def _age(moment: float) -> str:
    days = (time.time() - moment) / 86400
    return "today" if days < 1 else f"{days:.0f} days ago"
