"""Words: columns and values as people say them."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["exactly_in_words", "in_words", "value_in_words", "words_of_name", "written_number"]

_DIGITS = 6


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
        return f"{value:,.{_DIGITS}g}" if abs(float(value)) < 10**_DIGITS else f"{value:,.0f}"
    return str(value)


def exactly_in_words(value: Any) -> str:
    """Write a cell's value with all its digits.

    Examples
    --------
    >>> exactly_in_words(123456.78), exactly_in_words(12000.0), exactly_in_words("rent")
    ('123,456.78', '12,000', 'rent')
    """
    words = value_in_words(value)
    if isinstance(value, int | float | np.number) and value == value:
        return words if float(words.replace(",", "")) == value else f"{float(value):,}"
    return words


@lru_cache(1 << 14)
def written_number(value: float, *, upwards: bool) -> float:
    """Round a number up or down to one that `value_in_words` writes with all its digits.

    Examples
    --------
    >>> written_number(123456.78, upwards=False), written_number(123456.78, upwards=True)
    (123456.0, 123457.0)
    >>> written_number(0.1, upwards=True), written_number(1234567.8, upwards=False)
    (0.1, 1234567.0)
    """
    # The shortest digits that mean this number: 0.1 is not a little more than that.
    exact = Decimal(repr(float(value)))
    digits = max(_DIGITS, exact.adjusted() + 1)
    return float(Context(digits, ROUND_CEILING if upwards else ROUND_FLOOR).create_decimal(exact))


def words_of_name(column: str) -> set[str]:
    """Return the words of a column's name, in small letters.

    Examples
    --------
    >>> sorted(words_of_name("applicantAge_in years"))
    ['age', 'applicant', 'in', 'years']
    """
    parts = re.findall(r"[A-ZÄÖÜ]?[^\W\d_A-ZÄÖÜ]+|[A-ZÄÖÜ]+", column)
    return {part.casefold() for part in parts}
