"""``widemargin config``: every setting of a use case, a config to start from, and a check."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from widemargin.cli.console import Column, Console, JsonOption
from widemargin.contracts.counting import counted

if TYPE_CHECKING:
    from rich.table import Table

    from widemargin.config import Setting
    from widemargin.contracts import UseCase
    from widemargin.registry import Registry

__all__ = ["app"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Settings: show all of a use case's, print a config to start from, check a config.",
)

_HEADS = (("setting", 3), ("default", 3), ("takes", 6), ("what it does", 8))

UseCaseArgument = Annotated[
    str, typer.Argument(metavar="USE_CASE", help="Name of the use case, as in spam.")
]


@app.command()
def show(
    use_case: UseCaseArgument,
    every: Annotated[
        bool, typer.Option("--all", help="Those of encoders of other kinds of data as well.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """List every setting of a use case with its default, its type and its help.

    Of encoders those that read data of the use case's kind.
    """
    from widemargin.config import describe
    from widemargin.registry import discover

    console = Console(json=json)
    registry = discover()
    case = registry.use_case(use_case)
    encoders = registry.encoders
    if not every and (kinds := _kinds(case, registry)):
        encoders = {name: one for name, one in encoders.items() if kinds & set(one.kinds)}
    settings = describe(case, encoders, registry.kernels)
    console.emit([{**asdict(setting), "default": setting.default} for setting in settings])
    for title, group in groupby(settings, key=_title):
        if console.out.is_terminal:
            console.print(_table(title, list(group)))
        else:
            console.say(title)
            console.table([Column(head) for head, _ in _HEADS], [_cells(one) for one in group])
        console.print()
    if left_out := len(registry.encoders) - len(encoders):
        few = counted(left_out, "encoder", "are")
        console.print(f"{few} left out, which read other kinds of data; --all lists all.")


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
    from widemargin.runs.targets import use_case_of

    console = Console(json=json)
    document = read(file)
    registry = discover()
    config = resolve(
        use_case_of(document, registry),
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


def _kinds(use_case: UseCase, registry: Registry) -> set[str]:
    """Return the kinds that the columns of the use case's own example have; none where unknown."""
    from widemargin.config import resolve
    from widemargin.data.assets import data_home

    try:
        config = resolve(
            use_case,
            [{"data": dict(use_case.fixture)}],
            encoders=registry.encoders,
            kernels=registry.kernels,
        )
        return set(config.data.load(data_home()).kinds.values())
    except Exception:  # noqa: BLE001  # whatever a plugin does wrong, its settings can be listed
        return set()


def _cells(setting: Setting) -> tuple[str, ...]:
    # The title names the section.
    return setting.path.rpartition(".")[2], setting.default, setting.takes, setting.help


def _table(title: str, settings: list[Setting]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", expand=True)
    for heading, share in _HEADS:
        table.add_column(heading, overflow="fold", ratio=share)
    for setting in settings:
        # `Text`, because brackets would be taken for markup.
        table.add_row(*map(Text, _cells(setting)))
    return table
