"""Axes: what cells may differ in beside their target, and the values that were given for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from widemargin.config import Document, parse_overrides
from widemargin.config.document import ConfigPath
from widemargin.errors import ConfigError, InputError, Problem

__all__ = ["AXES", "Axis", "Values", "check_shared", "part", "typed_values", "value_name"]

T = TypeVar("T")


@dataclass(frozen=True)
class Axis:
    """What cells may differ in.

    Parameters
    ----------
    name : str
        What a column of the table is called.
    option : str
        What the command line calls it.
    key : str
        What a comparison's file calls it.
    setting : str
        The setting that it varies.
    example : str
        Two values, as they are typed.
    """

    name: str
    option: str
    key: str
    setting: str
    example: str


AXES = {
    axis.name: axis
    for axis in (
        Axis("encoder", "--encoders", "encoders", "features.encoder", "tfidf,minilm"),
        Axis("kernel", "--kernels", "kernels", "svm.kernel", "linear,rbf"),
    )
}
"""By name, in the order of the columns."""

_TRAIN_IN_LIST = (
    "train stands with one encoder that is not in a list; encoders that are joined are fine-tuned "
    "all or none, in all runs, with --set features.train={}"
)


@dataclass(frozen=True, kw_only=True)
class Values:
    """An axis' values, and where they were given.

    Parameters
    ----------
    axis : Axis
        What they are values of.
    source : Document
        Where they were given.
    root : path
        The place of their list in it.
    file : str
        The comparison's file; empty for the command line.
    """

    axis: Axis
    source: Document
    root: ConfigPath
    file: str = ""

    @property
    def values(self) -> Sequence[Any]:
        """The values as they would stand in a config."""
        value: Any = self.source.values
        for key in self.root:
            value = value[key]
        found: Sequence[Any] = value
        return found

    @property
    def said(self) -> str:
        """How messages call the place where they were given."""
        return f"{self.file}: {self.axis.key}" if self.file else self.axis.option

    def named(self) -> list[tuple[str, int]]:
        """Return each value's name with its place.

        Raises
        ------
        InputError
            Where there is none, or two have one name.
        ConfigError
            Where a value cannot be varied at all.
        """
        if not self.values:
            raise InputError(
                f"{self.said} names nothing; write it as in {self.axis.option} {self.axis.example}."
            )
        for place, value in enumerate(self.values):
            if self.axis.name == "encoder" and isinstance(value, list) and any(map(_trains, value)):
                problem = Problem(_TRAIN_IN_LIST, self.axis.setting, self.file or self.axis.option)
                line = self.source.line_of((*self.root, place)) if self.file else None
                raise ConfigError([replace(problem, line=line)])
        names = [value_name(value) for value in self.values]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{self.said} names {name!r} twice; take out one of them.")
        return [(name, place) for place, name in enumerate(names)]

    def document(self, place: int) -> Document:
        """Return one value as a layer of a config."""
        section, _, key = self.axis.setting.partition(".")
        value = self.values[place]
        tree: dict[str, Any] = {}
        if self.axis.name == "encoder" and _trains(value):
            tree["train"] = value["train"]
            value = {part: one for part, one in value.items() if part != "train"}
        tree[key] = value
        return part(
            self.source,
            (*self.root, place),
            {section: tree},
            to=(section, key),
            name=self.file or self.axis.option,
        )


def part(
    document: Document,
    root: ConfigPath,
    values: dict[str, Any],
    *,
    to: ConfigPath = (),
    name: str = "",
) -> Document:
    """Take a part of a document out as one of its own, its lines those of the file.

    Parameters
    ----------
    document : Document
        The whole.
    root : path
        Where the part stands in it.
    values : dict
        What the part says.
    to : path
        Where it stands in `values`.
    name : str
        What messages call it; as the whole by default.
    """

    def moved(told: Mapping[ConfigPath, T]) -> dict[ConfigPath, T]:
        return {
            (*to, *path[len(root) :]): one
            for path, one in told.items()
            if path[: len(root)] == root and len(to) + len(path) > len(root)
        }

    # What is typed stands on one line, whose number says nothing.
    lines = moved(document.lines) if not name.startswith("--") else {}
    return Document(values, name or document.name, lines, written=moved(document.written))


def typed_values(axis: Axis, text: str) -> Values:
    """Read an axis' values as they are typed.

    Raises
    ------
    ConfigError
        Where the text is no list of values.

    Examples
    --------
    >>> typed_values(AXES["encoder"], "tfidf, {name: glove, vectors: corpus}").values
    ['tfidf', {'name': 'glove', 'vectors': 'corpus'}]
    """
    read = parse_overrides([f"{axis.setting}=[{text}]"])
    if read.problems:
        raise ConfigError(replace(problem, file=axis.option) for problem in read.problems)
    section, _, key = axis.setting.partition(".")
    return Values(axis=axis, source=read, root=(section, key))


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


def check_shared(axes: Sequence[Axis], shared: Document) -> None:
    """Refuse shared settings that say what is compared: a use case, or what an axis varies.

    Raises
    ------
    ConfigError
        Naming the setting and where it was given.
    """
    if "use_case" in shared.values:
        message = "is no setting of a comparison, whose runs name their use cases; leave it out"
        raise ConfigError(
            [Problem(message, "use_case", shared.name, shared.line_of(("use_case",)))]
        )
    for axis in axes:
        section, _, key = axis.setting.partition(".")
        own = shared.values.get(section)
        if isinstance(own, dict) and key in own:
            message = f"is what {axis.option} varies; leave one of the two out"
            if axis.name == "encoder":
                message += (
                    ". An encoder's settings stand with it, as in "
                    "--encoders 'tfidf,{name: glove, vectors: corpus}'"
                )
            line = shared.line_of((section, key))
            raise ConfigError([Problem(message, axis.setting, shared.name, line)])


def _trains(value: Any) -> bool:
    return isinstance(value, dict) and "train" in value
