"""The classes that training learns to tell apart, and the items that are held out together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["class_numbers", "group_equal"]


def class_numbers(
    y: Any, n_items: int, *, learner: str, items: str = "items", instead: str
) -> tuple[NDArray[np.str_], NDArray[np.intp]]:
    """Return the names of the classes and each item's class number.

    Parameters
    ----------
    y : array-like of shape (n_items,), or None
        Labels.
    n_items : int
        How many there must be.
    learner, items : str
        What learns, and what from, for people.
    instead : str
        What to do where the target is a number.

    Raises
    ------
    DataError
        Where labels are absent, too few, numbers, or all the same.

    Examples
    --------
    >>> names, codes = class_numbers(["spam", "ham"], 2, learner="cnn", instead="Use another.")
    >>> names.tolist(), codes.tolist()
    (['ham', 'spam'], [1, 0])
    """
    labels = np.asarray(y) if y is not None else np.empty(0, dtype=str)
    if len(labels) != n_items:
        raise DataError(f"{learner} learns from labels: got {len(labels)} for {n_items} {items}.")
    if labels.dtype.kind == "f":
        raise DataError(f"{learner} learns classes, and the target is a number. {instead}")
    names, codes = np.unique(labels.astype(str), return_inverse=True)
    if len(names) < 2:
        raise DataError(
            f"{learner} learns to tell classes apart, and the training rows have {len(names)}. "
            "It needs 2 or more."
        )
    return names, codes.astype(np.intp)


def group_equal(keys: Iterable[bytes], target: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give equal items of a class one number: none of them is held out alone.

    Examples
    --------
    >>> group_equal([b"a", b"b", b"a", b"a"], np.array([0, 0, 0, 1])).tolist()
    [0, 1, 0, 2]
    """
    numbers: dict[tuple[bytes, int], int] = {}
    pairs = zip(keys, target.tolist(), strict=True)
    return np.array([numbers.setdefault(pair, len(numbers)) for pair in pairs], dtype=np.intp)
