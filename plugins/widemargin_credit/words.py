"""Words: columns and values as people say them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

__all__ = ["in_words", "value_in_words", "words_of_name"]


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


def words_of_name(column: str) -> set[str]:
    """Return the words of a column's name, in small letters.

    Examples
    --------
    >>> sorted(words_of_name("applicantAge_in years"))
    ['age', 'applicant', 'in', 'years']
    """
    parts = re.findall(r"[A-ZÄÖÜ]?[^\W\d_A-ZÄÖÜ]+|[A-ZÄÖÜ]+", column)
    return {part.casefold() for part in parts}
