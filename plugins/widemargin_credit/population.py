"""The population: which values a column has, and how often."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from widemargin.encoders import Population

__all__ = ["find_population"]

_MOST = 32


def find_population(column: Any, *, numeric: bool) -> Population:
    """Return a column's values with the share of rows that has each.

    Of more than 32 different numbers, 32 stand for equally many rows each. Of categories the 32
    commonest are told, with their shares of all rows; those of the rarer ones are in none. Missing
    values come beside the 32.

    Examples
    --------
    >>> find_population(["a", "b", "a", None], numeric=False)
    (('a', 'b', None), (0.5, 0.25, 0.25))
    """
    values = [None if value is None or value != value else value for value in column]
    known = [value for value in values if value is not None]
    counts: Counter[Any] = Counter(map(float, known) if numeric else known)
    if numeric and len(counts) > _MOST:
        parts = np.array_split(np.sort(known), _MOST)
        counts = Counter(float(part[(len(part) - 1) // 2]) for part in parts for _ in part)
    told: list[tuple[Any, int]] = counts.most_common(_MOST)
    if missing := len(values) - len(known):
        told = sorted([*told, (None, missing)], key=lambda own: -own[1])
    return tuple(value for value, _ in told), tuple(n / len(values) for _, n in told)
