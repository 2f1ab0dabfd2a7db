"""The plan of a comparison: its cells, each the config of one ordinary run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from widemargin.config import Document, parse_overrides
from widemargin.errors import ConfigError, InputError, Problem
from widemargin.runs.identity import hash_of

if TYPE_CHECKING:
    from widemargin.config import RunConfig

__all__ = ["AXES", "Axis", "Cell", "Plan", "make_plan"]


@dataclass(frozen=True)
class Axis:
    """What cells may differ in.

    Parameters
    ----------
    name : str
        What a column of the table is called.
    option : str
        What the command line calls it.
    setting : str
        The setting that it varies.
    example : str
        Two values, as they are typed.
    """

    name: str
    option: str
    setting: str
    example: str


AXES = {
    axis.name: axis
    for axis in (
        Axis("encoder", "--encoders", "features.encoder", "tfidf,minilm"),
        Axis("kernel", "--kernels", "svm.kernel", "linear,rbf"),
    )
}
"""By name, in the order of the columns."""

Resolve = Callable[[Document], "tuple[RunConfig, str]"]
"""Lays one more document over all others, and returns the config and its use case's name."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run of a comparison.

    Parameters
    ----------
    values : mapping of str to str
        Its value on each axis, as people read it.
    use_case : str
        The problem that it solves.
    config : RunConfig
        The resolved config of its run.
    """

    values: Mapping[str, str]
    use_case: str
    config: RunConfig

    @property
    def name(self) -> str:
        """What tells it from the other cells."""
        return " with ".join(self.values.values())

    @property
    def config_sha256(self) -> str:
        """Hash of its config, as the run's manifest has it."""
        return hash_of(self.config.to_dict())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is compared.

    Parameters
    ----------
    use_case : str
        The problem that all cells solve.
    axes : tuple of str
        Names of `AXES` that differ from cell to cell.
    cells : tuple of Cell
        All combinations of the axes' values, in the order given.
    """

    use_case: str
    axes: tuple[str, ...]
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """The folder that it is kept in: the same cells in any order have the same one."""
        return f"{self.use_case}-{hash_of(sorted(cell.config_sha256 for cell in self.cells))[:8]}"


def make_plan(resolve: Resolve, given: Mapping[str, str], overrides: Document) -> Plan:
    """Make the cells: every combination of the axes' values, each laid over one base config.

    Parameters
    ----------
    resolve : callable
        Lays a document over the target and the overrides, and resolves.
    given : mapping of str to str
        Values by axis as they were typed: what would stand in a list in a config file, as in
        ``{"encoder": "tfidf,{name: glove, vectors: corpus}"}``. Beside an encoder's settings
        ``train`` says what ``features.train`` does, as in ``"minilm,{name: minilm, train: {}}"``.
    overrides : Document
        The settings that all cells share; none may be what an axis varies.

    Raises
    ------
    InputError
        Where there are fewer than two cells, or two are equal.
    ConfigError
        Where a value is none that its setting takes; it names the problems of all cells.
    """
    if not given:
        said = " or ".join(f"{axis.option} {axis.example}" for axis in AXES.values())
        raise InputError(f"Say what to compare: {said}.")
    axes = tuple(name for name in AXES if name in given)
    values = {name: _values(AXES[name], given[name]) for name in axes}
    _check_shared(axes, overrides)
    documents = [
        (combination, _document(axes, [one[1] for one in combination]))
        for combination in itertools.product(*values.values())
    ]
    cells: list[Cell] = []
    problems: dict[Problem, None] = {}
    for combination, document in documents:
        try:
            config, use_case = resolve(document)
        except ConfigError as error:
            problems |= dict.fromkeys(error.problems)
            continue
        named = dict(zip(axes, (name for name, _ in combination), strict=True))
        cells.append(Cell(values=named, use_case=use_case, config=config))
    if problems:
        raise ConfigError(problems)
    if len(cells) < 2:
        only = AXES[axes[0]]
        raise InputError(
            f"{only.option} names {cells[0].name!r} only, and a comparison needs two or more, as "
            f"in {only.option} {only.example}."
        )
    _refuse_equal(cells)
    return Plan(use_case=cells[0].use_case, axes=axes, cells=tuple(cells))


def _values(axis: Axis, text: str) -> list[tuple[str, Any]]:
    """Read an axis' values, each with its name."""
    read = parse_overrides([f"{axis.setting}=[{text}]"])
    if read.problems:
        raise ConfigError(replace(problem, file=axis.option) for problem in read.problems)
    section, _, key = axis.setting.partition(".")
    found = [(value_name(value), value) for value in read.values[section][key]]
    if not found:
        raise InputError(
            f"{axis.option} names nothing; write it as in {axis.option} {axis.example}."
        )
    for _, value in found:
        if axis.name == "encoder" and isinstance(value, list) and any(map(_trains, value)):
            raise ConfigError([Problem(_TRAIN_IN_LIST, axis.setting, axis.option)])
    names = [name for name, _ in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{axis.option} names {name!r} twice; take out one of them.")
    return found


_TRAIN_IN_LIST = (
    "train stands with one encoder that is not in a list; encoders that are joined are fine-tuned "
    "all or none, in all runs, with --set features.train={}"
)


def _trains(value: Any) -> bool:
    return isinstance(value, dict) and "train" in value


def value_name(value: Any) -> str:
    """Name a value of an axis in a few words.

    Examples
    --------
    >>> value_name("tfidf"), value_name({"name": "glove", "vectors": "corpus"})
    ('tfidf', 'glove (vectors: corpus)')
    >>> value_name(["tfidf", "minilm"])
    'tfidf + minilm'
    >>> value_name({"name": "minilm", "train": {"method": "last"}})
    'minilm (fine-tuned, method: last)'
    """
    if isinstance(value, list):
        return " + ".join(map(value_name, value))
    if not isinstance(value, dict):
        return str(value)
    if "as" in value:
        return str(value["as"])
    told = [f"{key}: {part}" for key, part in value.items() if key not in ("name", "train")]
    if "train" in value:
        train = value["train"]
        told.append("frozen" if train is None else "fine-tuned")
        told += [f"{key}: {part}" for key, part in train.items()] if isinstance(train, dict) else []
    settings = ", ".join(told)
    name = str(value.get("name", ""))
    return f"{name} ({settings})" if settings else name


def _document(axes: Sequence[str], values: Sequence[Any]) -> Document:
    tree: dict[str, Any] = {}
    for name, value in zip(axes, values, strict=True):
        section, _, key = AXES[name].setting.partition(".")
        own = tree.setdefault(section, {})
        if name == "encoder" and _trains(value):
            own["train"] = value["train"]
            value = {part: one for part, one in value.items() if part != "train"}
        own[key] = value
    return Document(tree, " ".join(AXES[name].option for name in axes))


def _check_shared(axes: Sequence[str], overrides: Document) -> None:
    for name in axes:
        axis = AXES[name]
        section, _, key = axis.setting.partition(".")
        shared = overrides.values.get(section)
        if isinstance(shared, dict) and key in shared:
            message = f"is what {axis.option} varies; leave one of the two out"
            if axis.name == "encoder":
                message += (
                    ". An encoder's settings stand with it, as in "
                    "--encoders 'tfidf,{name: glove, vectors: corpus}'"
                )
            raise ConfigError([Problem(message, axis.setting, overrides.name)])


def _refuse_equal(cells: Sequence[Cell]) -> None:
    seen: dict[str, Cell] = {}
    for cell in cells:
        other = seen.setdefault(cell.config_sha256, cell)
        if other is not cell:
            raise InputError(
                f"{other.name!r} and {cell.name!r} have the same settings; take out one of them."
            )
