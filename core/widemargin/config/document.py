"""Documents: YAML read into plain values that remember their lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from widemargin.config.scalars import parse_scalar
from widemargin.errors import ConfigError, Problem, nearest

__all__ = ["Composed", "ConfigPath", "Document", "compose", "path_words", "read"]

ConfigPath = tuple[str | int, ...]
"""Where a value stands: the keys, and the positions in lists, that lead to it."""

_DEEPEST = 50
_REFUSED = object()

# What the parser says, and what a person does about it; the first that fits is taken.
_ADVICE = {
    r"character '\t'": "a tab cannot indent a line; use spaces",
    "cannot start any token": "a text that begins with this character needs quotes",
    "mapping values are not allowed": "a ': ' has no place here; put quotes around a text that "
    "holds one, put a space behind each key's ':', and indent the keys of a section alike",
    "could not find expected ':'": "a key needs ': ' and a value behind it",
    "while scanning a quoted scalar": "a text in quotes is not closed",
    "while scanning a double-quoted scalar": "double quotes give the backslash a meaning; use "
    "single quotes around this text",
    "while parsing a flow node": "a list in [ ] or a mapping in { } is not closed",
    "while parsing a flow sequence": "a list in [ ] needs commas between its values and a ']'",
    "while parsing a flow mapping": "a mapping in { } needs commas between its keys and a '}'",
    "expected <block end>": "this line does not fit the lines above it; indent the keys of a "
    "section alike, and put the whole of a text that begins with a quote into the quotes",
}


def path_words(path: ConfigPath) -> str:
    """Write a path as people read it.

    Examples
    --------
    >>> path_words(("svm", "C", 1))
    'svm.C[1]'
    """
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return words.removeprefix(".")


@dataclass(frozen=True)
class Document:
    """One layer of a config: plain values, and where each of them was written.

    Parameters
    ----------
    values : dict
        What the document says.
    name : str
        The file's name, ``--set`` for overrides, empty for values from Python.
    lines : mapping of path to int
        The line of each key and of each value in a list, from 1.
    problems : tuple of Problem
        What is wrong with it though it can be read, as a key that is given twice;
        `resolve` reports these together with its own.
    written : mapping of path to str
        How a number, true or false was written without quotes. Where a setting is text, as the name
        of a column or a class, that is what it is: `resolve` knows which settings are.
    """

    values: dict[str, Any]
    name: str = ""
    lines: Mapping[ConfigPath, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    written: Mapping[ConfigPath, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, name: str = "") -> Document:
        r"""Read YAML text.

        Parameters
        ----------
        text : str
            The text of the file.
        name : str
            What messages call it.

        Raises
        ------
        ConfigError
            Where the text is empty, no YAML, or not a mapping.

        Examples
        --------
        >>> document = Document.parse("svm:\n  C: 1e-3\n", "my.yaml")
        >>> document.values, document.line_of(("svm", "C"))
        ({'svm': {'C': 0.001}}, 2)
        """
        made = compose(text, name)
        value, lines, problems = made.value, made.lines, made.problems
        if value is None and not problems:
            raise ConfigError(
                [Problem("is empty; `widemargin config new NAME` prints a config", file=name)]
            )
        if not isinstance(value, dict):
            kind = "a list" if isinstance(value, list) else "a single value"
            message = f"must hold settings such as 'use_case: spam'; it holds {kind}"
            raise ConfigError([*problems, Problem(message, file=name, line=lines.get(()))])
        return cls(value, name, lines, tuple(problems), made.written)

    def line_of(self, path: ConfigPath) -> int | None:
        """Return the line that a path was written on, or None."""
        return self.lines.get(path)

    def use_case(self) -> str:
        """Return the name of the use case that the document is for.

        Raises
        ------
        ConfigError
            Where it is absent or no text.

        Examples
        --------
        >>> Document.parse("use_case: spam").use_case()
        'spam'
        """
        name = self.values.get("use_case")
        if isinstance(name, str) and name:
            return name
        message = "must be the name of a use case, as in 'use_case: spam'; "
        message += "`widemargin list` names them"
        slips = [key for key in self.values if nearest(str(key), ("use_case", "runs"))]
        if "use_case" not in self.values and slips:
            message = f"is absent, and {slips[0]!r} is no setting."
            message += nearest(str(slips[0]), ("use_case", "runs"))
        if "runs" in self.values:
            message = "is absent: this file lists the runs of a comparison, for "
            message += "`widemargin compare`"
        problem = Problem(message, "use_case", self.name, self.line_of(("use_case",)))
        raise ConfigError([*self.problems, problem])


def read(path: Path) -> Document:
    """Read a YAML file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Document
        Its values with their lines.

    Raises
    ------
    ConfigError
        Where the file is absent, a folder, not UTF-8, empty, or no YAML.
    """
    name = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        message = "there is no such file; `widemargin config new NAME` prints a config"
        raise ConfigError([Problem(message, file=name)]) from None
    except IsADirectoryError:
        raise ConfigError([Problem("is a folder; name a YAML file in it", file=name)]) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise ConfigError([Problem(message, file=name)]) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise ConfigError([Problem(message, file=name, line=line)]) from None
    return Document.parse(text, name)


class Composed(NamedTuple):
    """A value that was read: the line of every path in it, what was left out of it and why.

    `written` is what `Document` has under that name.
    """

    value: Any
    lines: dict[ConfigPath, int]
    problems: list[Problem]
    written: dict[ConfigPath, str]


def compose(text: str, name: str, root: ConfigPath = ()) -> Composed:
    """Read one YAML value.

    Parameters
    ----------
    text : str
        YAML.
    name : str
        What messages call it.
    root : tuple of str or int
        The path that the value will stand at.

    Returns
    -------
    Composed
        The plain value, and what there is to say of its parts.

    Raises
    ------
    ConfigError
        Where the text is no YAML.
    """
    builder = _Builder(name)
    try:
        value = builder.build(text, root)
        return Composed(value, builder.lines, builder.problems, builder.written)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        said = f"{error.context or ''} {error.problem or ''}".strip()
        advice = next((words for sign, words in _ADVICE.items() if sign in said), said)
        start = error.context_mark.line + 1 if error.context_mark else line
        since = f" (it begins on line {start})" if start != line else ""
        problem = Problem(f"is not YAML: {advice}{since}", path_words(root), name, line)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML; "
        problem = Problem(message + "remove it", path_words(root), name, line)
    raise ConfigError([*builder.problems, problem])


def _line(event: yaml.Event) -> int:
    # The parser marks every event; only its type hints doubt it.
    return event.start_mark.line + 1 if event.start_mark else 1


class _Builder:
    """Turns the parser's events into plain values; nothing else can come out of it.

    Events rather than nodes: an event still knows whether a tag or an anchor was written, and
    an alias is refused before it is expanded.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[ConfigPath, int] = {}
        self.problems: list[Problem] = []
        self.written: dict[ConfigPath, str] = {}

    def build(self, text: str, root: ConfigPath) -> Any:
        self.events = iter(yaml.parse(text, Loader=yaml.SafeLoader))
        value = None
        for event in self.events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            if self.lines:
                self._refuse("holds a second document behind '---'; keep one", root, event)
                break
            value = self._node(next(self.events), root)
        return None if value is _REFUSED else value

    def _refuse(self, message: str, path: ConfigPath, event: yaml.Event) -> None:
        line = _line(event)
        self.problems.append(Problem(message, path_words(path), self.name, line))

    def _node(self, event: yaml.Event, path: ConfigPath) -> Any:
        self.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.AliasEvent):
            self._refuse(f"the alias *{event.anchor} is not allowed; write the value", path, event)
            return _REFUSED
        assert isinstance(event, yaml.NodeEvent)
        if event.anchor:
            self._refuse(f"the anchor &{event.anchor} is not allowed; remove it", path, event)
        tag = getattr(event, "tag", None)
        if tag:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(f"the tag {shown} is not allowed; remove it", path, event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if len(path) >= _DEEPEST:
            where = Problem(
                f"is nested more than {_DEEPEST} deep",
                path_words(path[:2]) + " ...",
                self.name,
                _line(event),
            )
            raise ConfigError([*self.problems, where])
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._mapping(path)

    def _scalar(self, event: yaml.ScalarEvent, path: ConfigPath) -> Any:
        if event.style:
            return event.value
        value = parse_scalar(event.value)
        if isinstance(value, bool | int | float):
            self.written[path] = event.value
        return value

    def _sequence(self, path: ConfigPath) -> list[Any]:
        values: list[Any] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            value = self._node(event, (*path, len(values)))
            values.append(None if value is _REFUSED else value)
        return values

    def _mapping(self, path: ConfigPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, path)
            if key is None:
                self._skip(next(self.events))
                continue
            here = (*path, key)
            if key in values or here in self.lines:
                first, again = self.lines[here], _line(event)
                message = f"is given twice, on lines {first} and {again}; keep one"
                self._refuse(message, here, event)
                self._skip(next(self.events))
                continue
            self.lines[here] = _line(event)
            value = self._node(next(self.events), here)
            if value is not _REFUSED:
                values[key] = value
        return values

    def _key(self, event: yaml.Event, path: ConfigPath) -> str | None:
        if isinstance(event, yaml.ScalarEvent) and not (event.anchor or event.tag):
            # A key is a name, though it may look like a number, as that of the class 1.
            named = event.style or parse_scalar(event.value) is not None
            if named:
                return event.value
        wanted = f"write '{event.value}' in quotes" if isinstance(event, yaml.ScalarEvent) else ""
        self._refuse(f"a key must be text{f'; {wanted}' if wanted else ''}", path, event)
        self._skip(event)
        return None

    def _skip(self, event: yaml.Event) -> None:
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return
            event = next(self.events)
