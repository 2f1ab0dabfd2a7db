"""Everything that widemargin raises on purpose.

::

    WidemarginError                what a caller may catch
    └── InputError                 the user can mend it (exit code 2)
        ├── ConfigError            a config or a --set does not fit the schema
        ├── DataError              a data set cannot be used as it is
        │   ├── ItemsError         some items cannot be read, and the others can
        │   ├── LibraryError       a library that an encoder needs is not installed
        │   └── ParameterError     a parameter does not go with the data
        ├── AssetError             a data set or weight file is absent or not what it should be
        ├── PluginError            a plugin is broken, absent or clashes with another
        ├── ModelError             a saved model is refused
        └── RunNotFoundError       no run answers to that name

Whatever else is raised is a defect, and the command line ends with exit code 1. A message says what
was wrong, where, what is allowed, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = [
    "AssetError",
    "ConfigError",
    "DataError",
    "InputError",
    "ItemsError",
    "LibraryError",
    "ModelError",
    "ParameterError",
    "PluginError",
    "Problem",
    "RunNotFoundError",
    "WidemarginError",
    "nearest",
]


class WidemarginError(Exception):
    """Base of every error that widemargin raises on purpose."""

    exit_code = 1


class InputError(WidemarginError):
    """What was given cannot be used; the message says how to mend it."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a config.

    Parameters
    ----------
    message : str
        What is wrong, what is allowed and what to do.
    path : str
        Where in the config, as in ``svm.C``; empty for the whole document.
    file : str
        The file's name, ``--set`` for an override, empty where neither applies.
    line : int or None
        The line in the file, from 1.
    """

    message: str
    path: str = ""
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        where = self.file + (f":{self.line}" if self.line else "")
        return ": ".join(part for part in (where, self.path, self.message) if part)


class ConfigError(InputError):
    """A config is refused; `problems` names every reason, each once.

    Examples
    --------
    >>> print(ConfigError([Problem("must be above 0", "svm.C", "my.yaml", 3)]))
    my.yaml:3: svm.C: must be above 0
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class DataError(InputError):
    """A data set cannot be used as it is."""


class LibraryError(DataError):
    """A library is not installed: no item is at fault."""


class ItemsError(DataError):
    """Some items cannot be read; `problems` says of each why, and all others can be.

    Parameters
    ----------
    problems : mapping of int to str
        Why a row cannot be read, by its place from 0.
    n_items : int
        How many items were read, these included.
    names : sequence of str, or mapping of int to str
        What the items are called, or those of them that cannot be read; ``row 1`` and so on where
        it is empty.
    item : str
        What one of them is.

    Examples
    --------
    >>> print(ItemsError({1: "is empty."}, 2))
    row 2: is empty.
    >>> print(ItemsError({0: "is empty.", 1: "a.png: is torn."}, 2, ["1.png", "a.png"], "picture"))
    2 of 2 pictures cannot be read:
      1.png: is empty.
      a.png: is torn.
    Mend them or leave them out, and give the command again.
    """

    SHOWN = 10

    def __init__(
        self,
        problems: Mapping[int, str],
        n_items: int,
        names: Sequence[str] | Mapping[int, str] = (),
        item: str = "item",
    ) -> None:
        self.problems = dict(sorted(problems.items()))
        self.n_items, self.names, self.item = n_items, names, item
        lines = [self.line(row) for row in list(self.problems)[: self.SHOWN]]
        if len(self.problems) > 1:
            lines = [
                f"{len(self.problems):,} of {n_items:,} {item}s cannot be read:",
                *(f"  {line}" for line in lines),
                "Mend them or leave them out, and give the command again.",
            ]
            if more := len(self.problems) - self.SHOWN:
                lines[-1:-1] = [f"  and {more:,} more."] if more > 0 else []
        super().__init__("\n".join(lines))

    def line(self, row: int) -> str:
        """Say what is wrong with a row, under its name unless the reason gives that."""
        name = self.names[row] if len(self.names) else f"row {row + 1}"
        why = self.problems[row]
        return why if name in why.partition(": ")[0] else f"{name}: {why}"

    def named(self, names: Sequence[str], item: str = "item") -> ItemsError:
        """Return the same by the names that people know."""
        return ItemsError(self.problems, self.n_items, names, item)

    # Exceptions are else pickled by their message alone.
    def __reduce__(self) -> tuple[type[ItemsError], tuple[object, ...]]:
        return ItemsError, (self.problems, self.n_items, self.names, self.item)


class ParameterError(DataError, ValueError):
    """A parameter does not go with the data; a ValueError, as scikit-learn's callers expect.

    The message names the parameter as Python's callers know it. Whoever has it from a config adds
    where it stands there (`widemargin.runs.parameters`).

    Parameters
    ----------
    message : str
        What is wrong, what is allowed and what to do.
    parameter : str
        Its name, as in ``gamma``.
    block : str or None
        The block of features whose own it is.

    Examples
    --------
    >>> error = ParameterError("there are no folds; give at least 2", "cv")
    >>> error.parameter, str(error)
    ('cv', 'there are no folds; give at least 2')
    """

    # Exceptions are pickled by their message; the rest follows in their state.
    def __init__(self, message: str, parameter: str = "", block: str | None = None) -> None:
        super().__init__(message)
        self.parameter, self.block = parameter, block


class AssetError(InputError):
    """An asset is absent, or is not what its pinned hash says."""


class PluginError(InputError):
    """A plugin is broken, absent, or clashes with another.

    Parameters
    ----------
    message : str
        What is wrong and what to do.
    place : str
        Where in the plugin's code, as in ``data.py, line 12``; empty where that cannot be said.

    Examples
    --------
    >>> print(PluginError("load returned None; it must return a Dataset.", "data.py, line 12"))
    load returned None; it must return a Dataset. (data.py, line 12)
    """

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(f"{message} ({place})" if place else message)
        self.message, self.place = message, place


class ModelError(InputError):
    """A saved model is refused."""


class RunNotFoundError(InputError):
    """No run answers to that name."""


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Say which allowed name is nearest to a wrong one.

    Parameters
    ----------
    name : str
        What was given.
    allowed : iterable of str
        What may be given.

    Returns
    -------
    str
        ``" Did you mean 'C'?"``, with its leading space, or nothing.

    Notes
    -----
    A slip is up to one letter in three that is wrong, absent, too many, or changed places with its
    neighbour; or what was given is the beginning. Names of other digits are other things, as
    ``row 12`` and ``row 17``.

    Examples
    --------
    >>> nearest("kernal", ["kernel", "C"])
    " Did you mean 'kernel'?"
    >>> nearest("zzz", ["kernel", "C"]), nearest("label", ["table"]), nearest("row 12", ["row 17"])
    ('', '', '')
    """
    wanted = name.casefold()
    by_folded = {candidate.casefold(): candidate for candidate in allowed}
    close = difflib.get_close_matches(wanted, by_folded, n=5, cutoff=0.6)
    least = [(_slips(wanted, one), place) for place, one in enumerate(close)]
    slips, place = min(least, default=(len(wanted), 0))
    if slips > max(1, len(wanted) // 3) or slips >= len(wanted):
        return ""
    return f" Did you mean {by_folded[close[place]]!r}?"


def _slips(one: str, other: str) -> int:
    """Count the letters that are wrong, absent, too many, or changed places with the next one.

    One, where the other goes on; many, where it has other digits: those tell things apart.
    """
    if (numbers := _digits(one)) and (others := _digits(other)) and numbers != others:
        return max(len(one), len(other))
    if other.startswith(one):
        return min(1, len(other) - len(one))
    before, row = list[int](), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, own in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != own))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], own):
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _digits(text: str) -> str:
    # In any order, since two may have changed places.
    return "".join(sorted(filter(str.isdigit, text)))
