"""``widemargin encoders``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from widemargin.cli.console import Column, Console, JsonOption, QuietOption

if TYPE_CHECKING:
    from widemargin.contracts import EncoderSpec

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_LEARNS = {"nothing": "nothing", "X": "from items", "y": "from labels"}


@app.command()
def encoders(
    kind: Annotated[
        str, typer.Option(help="Only those that read this kind of item, as in text.")
    ] = "",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """List encoders: what they read, how many numbers they make, what they learn and need."""
    from typing import get_args

    from widemargin.contracts import Kind
    from widemargin.errors import InputError, nearest
    from widemargin.registry import discover

    console = Console(json=json, quiet=quiet)
    if kind and kind not in get_args(Kind):
        raise InputError(
            f"There is no kind {kind!r} of item.{nearest(kind, get_args(Kind))} "
            f"Kinds are {', '.join(get_args(Kind))}."
        )
    specs = [one for one in discover().encoders.values() if not kind or kind in one.kinds]
    order = get_args(Kind)
    specs.sort(key=lambda one: (order.index(one.kinds[0]), one.name))
    rows = [_row(one) for one in specs]
    console.emit(rows)
    console.table(
        [
            Column("encoder", leads=True),
            Column("reads"),
            Column("numbers", right=True, spare=1, below=True),
            Column("learns", spare=2, below=True),
            Column("licence", spare=5, below=True),
            Column("size", right=True, spare=3, below=True),
            Column("here"),
            Column("what it is", spare=4, below=True),
        ],
        [
            [
                row["name"],
                ", ".join(row["reads"]),
                f"{row['dimension']:,}" if row["dimension"] else "by data",
                _LEARNS[row["learns"]],
                row["licence"],
                _size(row["bytes"]),
                row["state"],
                row["summary"],
            ]
            for row in rows
        ],
    )
    for row in rows:
        if row["remedy"]:
            told = row["remedy"].removeprefix(f"{row['name']}: ")
            console.note(f"{row['name']}: {told}")


def _row(spec: EncoderSpec) -> dict[str, Any]:
    from widemargin.cli.data import state_of
    from widemargin.cli.doctor import missing
    from widemargin.data.assets import data_home, verify

    home = data_home()
    fields = spec.settings.model_fields
    asked = [name for name, field in fields.items() if field.is_required()]
    settings = None if asked else spec.settings()
    needed = spec.assets if settings is None else spec.assets_for(settings)
    states = {asset.name: state_of(verify(asset, home)) for asset in needed}
    remedy = ""
    absent = [name for name, state in states.items() if state != "in place"]
    if spec.extra and missing(spec.extra):
        state, remedy = f"needs [{spec.extra}]", f'pip install "widemargin[{spec.extra}]"'
    elif absent:
        state, remedy = states[absent[0]], f"widemargin data fetch {' '.join(absent)}"
    elif asked:
        state = f"give {', '.join(asked)}"
    elif reason := _without_weights(spec, settings):
        state, remedy = "no weights", reason
    else:
        state = "yes"
    return {
        "name": spec.name,
        "reads": list(spec.kinds),
        "dimension": spec.dimension,
        "learns": spec.learns if settings is None else spec.learns_at(settings),
        "licence": spec.licence,
        "bytes": sum(file.size for asset in needed for file in asset.files),
        "state": state,
        "remedy": remedy,
        "summary": spec.summary,
    }


def _without_weights(spec: EncoderSpec, settings: Any) -> str:
    """Say why an encoder whose weights are no asset has none; empty where it has or needs none."""
    from widemargin.encoders import FrozenEncoder
    from widemargin.errors import InputError

    encoder = spec.build(settings)
    if isinstance(encoder, FrozenEncoder) and not spec.assets:
        try:
            encoder.weights_hash()
        except InputError as error:
            return str(error)
    return ""


def _size(count: int) -> str:
    from rich.filesize import decimal

    return decimal(count) if count else ""
