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
        Column("parameters", spare=1, below=True),
        Column("vectors", right=True),
        Column("numbers", right=True, spare=2, below=True),
        Column("size", right=True),
        Column("last used", right=True),
    ]
    rows = [
        [
            state.name,
            _parameters(state),
            "unreadable" if state.problem else f"{state.vectors:,}",
            str(state.identity.get("dimension", "")),
            decimal(state.size),
            _age(state.used),
        ]
        for state in states
    ]
    console.table(columns, rows)
    console.print()
    console.say(f"{decimal(sum(state.size for state in states))} in {store.folder}")
    console.note(
        "Vectors are counted here, and not checked: `widemargin store verify` checks them."
    )


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
    kept = {state.name for state in store.states()}
    for name in names or []:
        if name not in kept:
            raise InputError(
                f"Nothing is kept of an encoder {name!r}.{nearest(name, kept)} "
                "`widemargin store info` lists what is."
            )
    gone = store.prune(older_than=older_than, names=names or [])
    Console(json=json, quiet=quiet).emit([str(path) for path in gone])
    if json:
        return
    if gone:
        typer.echo(f"{len(gone)} deleted.")
    else:
        typer.echo("Nothing was that old." if kept else f"Nothing is kept in {store.folder}.")


@app.command()
def verify(json: JsonOption = False, quiet: QuietOption = False) -> None:
    """Check every kept vector and remove what is damaged; the exit code is 2 where anything was.

    Damaged vectors are removed one by one; where the file that holds an encoder's vectors is
    damaged, all of them are. They are computed again when they are needed.
    """
    from widemargin.encoders.store import EmbeddingStore, store_folder
    from widemargin.errors import DataError

    console, store = Console(json=json, quiet=quiet), EmbeddingStore(store_folder())
    with console.progress() as progress, progress.stage("checking vectors"):
        states = list(store.verify())
    console.emit([_plain(state) for state in states])
    if not json:
        count = sum(state.vectors for state in states)
        typer.echo(
            f"{count:,} vectors are right." if states else f"Nothing is kept in {store.folder}."
        )
    if wrong := [told for state in states if (told := _told(state))]:
        raise DataError("\n".join(wrong))


def _told(state: ShelfState) -> str:
    """Say what was wrong with an encoder's vectors, and what was done; empty where nothing was."""
    if state.removed:
        return (
            f"{state.folder}: {state.problem}. All vectors of {state.name} with these settings "
            "were removed; they will be computed again."
        )
    if state.problem:
        return (
            f"{state.folder}: cannot be read ({state.problem}); nothing was removed. See to what "
            f"stands in the way, or delete it: widemargin store prune {state.name}."
        )
    if state.damaged:
        return (
            f"{state.name}: {state.damaged:,} damaged "
            f"{'vector was' if state.damaged == 1 else 'vectors were'} removed; "
            f"{'it' if state.damaged == 1 else 'they'} will be computed again."
        )
    return ""


def _plain(state: ShelfState) -> dict[str, Any]:
    return {
        "folder": str(state.folder),
        "identity": dict(state.identity),
        "vectors": state.vectors,
        "bytes": state.size,
        "used": state.used,
        "damaged": state.damaged,
        "problem": state.problem,
        "removed": state.removed,
    }


def _parameters(state: ShelfState) -> str:
    parameters = state.identity.get("parameters", {})
    return ", ".join(f"{key} {value}" for key, value in parameters.items())


def _age(moment: float) -> str:
    days = (time.time() - moment) / 86400
    return "today" if days < 1 else f"{days:.0f} days ago"
