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

    Of more than 32 different numbers, 32 stand for equally many rows each; of categories the 32
    commonest count.

    Examples
    --------
    >>> find_population(["a", "b", "a", None], numeric=False)
    (('a', 'b', None), (0.5, 0.25, 0.25))
    """
    values = [None if value is None or value != value else value for value in column]
    counts: Counter[Any] = Counter(values)
    if numeric and len(counts) > _MOST:
        known = np.sort([value for value in values if value is not None])
        parts = np.array_split(known, _MOST)
        found: Counter[Any] = Counter(
            float(part[(len(part) - 1) // 2]) for part in parts for _ in part
        )
        if None in counts:
            found[None] = counts[None]
        counts = found
    told = [(float(v) if numeric and v is not None else v, n) for v, n in counts.most_common(_MOST)]
    total = sum(n for _, n in told)
    return tuple(v for v, _ in told), tuple(n / total for _, n in told)
