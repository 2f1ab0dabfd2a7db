"""``widemargin config``: every setting of a use case, a config to start from, and a check."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from widemargin.cli.console import Console, JsonOption

if TYPE_CHECKING:
    from rich.table import Table

    from widemargin.config import Setting

__all__ = ["app"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Settings: show all of a use case's, print a config to start from, check a config.",
)

UseCaseArgument = Annotated[
    str, typer.Argument(metavar="USE_CASE", help="Name of the use case, as in spam.")
]


@app.command()
def show(use_case: UseCaseArgument, json: JsonOption = False) -> None:
    """List every setting of a use case with its default, its type and its help."""
    from widemargin.config import describe
    from widemargin.registry import discover

    console = Console(json=json)
    registry = discover()
    case = registry.use_case(use_case)
    settings = describe(case, registry.encoders, registry.kernels)
    console.emit([{**asdict(setting), "default": setting.default} for setting in settings])
    for title, group in groupby(settings, key=_title):
        console.print(_table(title, list(group)))
        console.print()


@app.command()
def new(use_case: UseCaseArgument) -> None:
    """Print a config with every setting at its default: widemargin config new spam > mine.yaml."""
    from widemargin.config import template
    from widemargin.registry import discover

    registry = discover()
    text = template(registry.use_case(use_case), registry.encoders, registry.kernels)
    typer.echo(text, nl=False)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The config, a YAML file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set one setting, as in svm.C=10."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say that a config is fine, or everything that is wrong with it."""
    from widemargin.config import parse_overrides, read, resolve
    from widemargin.registry import discover

    console = Console(json=json)
    document = read(file)
    registry = discover()
    config = resolve(
        registry.use_case(document.use_case()),
        [document, parse_overrides(overrides or [])],
        encoders=registry.encoders,
        kernels=registry.kernels,
    )
    console.emit({"file": str(file), "config": config.to_dict()})
    if not json:
        typer.echo(f"{file} is a sound config of the use case {config.use_case}.")


def _title(setting: Setting) -> str:
    if setting.section == "data" and setting.of:
        return f"data, from source {setting.of}"
    if setting.of:
        return f"features.encoder, where its name is {setting.of}"
    return setting.section


def _table(title: str, settings: list[Setting]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", expand=True)
    for heading, share in (("setting", 3), ("default", 3), ("takes", 6), ("what it does", 8)):
        table.add_column(heading, overflow="fold", ratio=share)
    for setting in settings:
        # The title names the section. `Text`, because brackets would be taken for markup.
        key = setting.path.rpartition(".")[2]
        cells = (key, setting.default, setting.takes, setting.help)
        table.add_row(*(Text(cell) for cell in cells))
    return table
