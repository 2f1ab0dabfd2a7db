"""Items that cannot be read: found one by one, and told all at once.

Whoever reads many items gathers what is wrong with each in an `Unreadable`, reads on, and raises
one `ItemsError` at the end. So a user hears of all bad files at once, and whoever predicts can
leave them out and answer the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from widemargin.contracts import Columns
from widemargin.errors import DataError, ItemsError, LibraryError

__all__ = ["Unreadable", "count_rows", "reason_of", "take_rows"]


class Unreadable:
    """What is wrong with the items that cannot be read.

    Parameters
    ----------
    n_items : int
        How many items there are, the good ones included.

    Examples
    --------
    >>> found = Unreadable(2)
    >>> with found.at([1]):
    ...     raise DataError("b.png: is empty.")
    >>> found.problems
    {1: 'b.png: is empty.'}
    >>> found.check()
    Traceback (most recent call last):
    widemargin.errors.ItemsError: row 2: b.png: is empty.
    """

    def __init__(self, n_items: int) -> None:
        self.n_items = n_items
        self.problems: dict[int, str] = {}

    @contextmanager
    def at(self, rows: Sequence[int]) -> Iterator[None]:
        """Note what is wrong with these rows, where it is known of which it is."""
        try:
            yield
        except ItemsError as error:
            for place, why in error.problems.items():
                self.problems.setdefault(rows[place], why)
        except LibraryError:
            raise
        except DataError as error:
            if len(rows) != 1:
                raise
            self.problems.setdefault(rows[0], reason_of(error))

    def items(
        self, items_of: Callable[[Any], Sequence[Any]], X: Columns | Sequence[Any]
    ) -> dict[int, Any]:
        """Return the items by row, without the rows that hold none."""
        rows: Sequence[int] = range(self.n_items)
        try:
            return dict(zip(rows, items_of(X), strict=True))
        except ItemsError as error:
            self.problems.update(error.problems)
        rows = [row for row in rows if row not in self.problems]
        return dict(zip(rows, items_of(take_rows(X, rows)), strict=True)) if rows else {}

    def alike(self, rows: Sequence[int]) -> str:
        """Return the one reason why each of several rows cannot be read; empty where they differ.

        It is then not the items that are at fault, but a library or a weight file.
        """
        reasons = {self.problems.get(row, "") for row in rows}
        return reasons.pop() if len(reasons) == 1 and len(rows) > 1 else ""

    def check(self) -> None:
        """Raise what was found, if anything was.

        Raises
        ------
        ItemsError
            Where some items cannot be read.
        DataError
            Where none can, all for one reason.
        """
        if reason := self.alike(range(self.n_items)):
            raise DataError(reason)
        if self.problems:
            raise ItemsError(self.problems, self.n_items)


def reason_of(error: DataError) -> str:
    """Return an error of one row without the row's number, which is 1 wherever it stood."""
    if isinstance(error, ItemsError) and len(error.problems) == 1:
        return next(iter(error.problems.values()))
    return str(error).removeprefix("row 1: ")


def count_rows(X: Columns | Sequence[Any]) -> int:
    """Count the items of columns or of a plain sequence.

    Examples
    --------
    >>> count_rows({"a": [1, 2]}), count_rows([1, 2, 3])
    (2, 3)
    """
    by_name: Any = X
    if isinstance(X, dict):
        return len(next(iter(by_name.values()), ()))
    return len(by_name)


def take_rows(X: Columns | Sequence[Any], rows: Sequence[int]) -> Any:
    """Return some rows of columns or of a plain sequence.

    Examples
    --------
    >>> take_rows({"a": ["x", "y", "z"]}, [0, 2])
    {'a': ['x', 'z']}
    """
    by_name: Any = X
    if hasattr(by_name, "iloc"):
        return by_name.iloc[list(rows)]
    if isinstance(by_name, dict):
        return {name: take_rows(column, rows) for name, column in by_name.items()}
    if hasattr(by_name, "shape"):
        return by_name[list(rows)]
    return [by_name[row] for row in rows]
