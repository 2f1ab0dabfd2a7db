"""Words: columns and values as people say them."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["in_words", "value_in_words"]


def in_words(column: str) -> str:
    """Write a column's name as people say it.

    Examples
    --------
    >>> in_words("credit_amount")
    'credit amount'
    """
    return column.replace("_", " ").strip()


def value_in_words(value: Any) -> str:
    """Write a cell's value.

    Examples
    --------
    >>> value_in_words(12000.0), value_in_words("rent"), value_in_words(None)
    ('12,000', 'rent', 'missing')
    """
    if value is None or value != value:  # NaN
        return "missing"
    if isinstance(value, int | float | np.number):
        return f"{value:,.6g}" if abs(float(value)) < 1e6 else f"{value:,.0f}"
    return str(value)
