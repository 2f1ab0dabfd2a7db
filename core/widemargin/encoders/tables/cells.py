"""Cells of a table: numbers with NaN and texts with None where they are missing."""

from __future__ import annotations

import warnings
from collections.abc import Container
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["doubts_of", "is_numeric", "learn_scale", "numbers_of", "shown", "words_of"]


def is_numeric(column: Any) -> bool:
    """Return whether a column holds numbers; truth values are none.

    Parameters
    ----------
    column : sequence
        Its cells.

    Examples
    --------
    >>> is_numeric([1, None]), is_numeric(["1"]), is_numeric([True])
    (True, False, False)
    """
    import pandas as pd
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    values = pd.Series(column)
    return bool(is_numeric_dtype(values) and not is_bool_dtype(values))


def numbers_of(name: str, column: Any, *, tell: bool = True) -> NDArray[np.float64]:
    """Return the numbers of a column; NaN is what is missing, no number, or beyond 1e75.

    Parameters
    ----------
    name : str
        The column's name, for the warning.
    column : sequence
        Numbers, or text that is read as numbers.
    tell : bool, default=True
        Whether to warn; of new rows `doubts_of` tells more.

    Warns
    -----
    UserWarning
        Where a value that is not marked as missing is no number, or beyond 1e75.
    """
    import pandas as pd

    from widemargin.data import LARGEST, parse_numbers

    # Expression has tens of thousands of columns, which are numbers already.
    dtype = getattr(column, "dtype", None)
    plain_list = isinstance(column, list) and set(map(type, column)) <= {int, float}
    if plain_list or (isinstance(dtype, np.dtype) and dtype.kind in "iuf"):
        try:
            plain = np.array(column, dtype=np.float64)
        except OverflowError:  # a whole number of Python's, past 1.8e308
            plain = np.array([np.inf])
        if not (np.abs(plain) > LARGEST).any():
            return plain
    given = pd.Series(column)
    numbers = parse_numbers(given, "sure")
    if tell and len(_unread(given, numbers)):
        # Without counts, rows and examples, which differ from one training part to the next.
        warnings.warn(
            f"cells of the numeric column {name!r} that hold no number up to 1e75 count as "
            "missing.",
            UserWarning,
            stacklevel=3,
        )
    return numbers


def _unread(given: Any, numbers: NDArray[np.float64]) -> NDArray[np.intp]:
    from widemargin.data import MISSING

    text = np.array([str(value).strip() not in MISSING for value in given], dtype=bool)
    return np.flatnonzero(np.isnan(numbers) & given.notna().to_numpy() & text)


def doubts_of(name: str, column: Any, known: Container[str] | None) -> dict[int, str]:
    """Say in which rows a cell counts otherwise than it is written.

    Parameters
    ----------
    name : str
        The column's name.
    column : sequence
        Its cells.
    known : container of str or None
        The categories that the model knows; None for a column of numbers.

    Returns
    -------
    dict of int to str
        By row, what the model makes of it.

    Examples
    --------
    >>> doubts_of("amount", ["12", "much", None], None)
    {1: "amount: 'much' is no number, and counts as missing"}
    >>> doubts_of("amount", ["1e300"], None)
    {0: "amount: '1e300' is beyond 1e75, the largest number, and counts as missing"}
    >>> doubts_of("town", ["Bonn", "Ulm"], {"Bonn"})
    {1: "town: 'Ulm' is new to the model or rare there, and counts as other"}
    """
    import pandas as pd

    from widemargin.data import LARGEST, parse_numbers

    if known is None:
        given = pd.Series(column)
        wrong = _unread(given, parse_numbers(given, "sure")).tolist()
        size = pd.to_numeric(given.iloc[wrong].astype(object).map(str), errors="coerce").abs()
        larger = size.to_numpy(dtype=np.float64) > LARGEST
        reasons = ("no number", "beyond 1e75, the largest number")
        return {
            row: f"{name}: {str(given.iloc[row])!r} is {reasons[large]}, and counts as missing"
            for row, large in zip(wrong, larger.tolist(), strict=True)
        }
    return {
        row: f"{name}: {word!r} is new to the model or rare there, and counts as other"
        for row, word in enumerate(words_of(column))
        if word is not None and word not in known
    }


def learn_scale(values: NDArray[np.float64], scale: str) -> dict[str, float]:
    """Return the median, centre and scale of numbers, and whether (1) any is missing.

    Examples
    --------
    >>> learn_scale(np.array([1.0, 3.0, np.nan]), "robust")
    {'median': 2.0, 'centre': 2.0, 'scale': 1.0, 'missing': 1.0}
    """
    known = values[np.isfinite(values)]
    if len(known) == 0:
        known = np.zeros(1)
    median = float(np.median(known))
    centre, width = 0.0, 1.0
    if scale == "standard":
        filled = np.where(np.isfinite(values), values, median)
        centre, width = float(filled.mean()), float(filled.std())
    elif scale == "robust":
        low, high = np.percentile(known, [25, 75])
        centre, width = median, float(high - low)
    # A column that is constant in training says nothing; dividing by 1 keeps it at 0.
    width = width if width > 1e-12 * max(1.0, abs(centre)) else 1.0
    return {
        "median": median,
        "centre": centre,
        "scale": width,
        "missing": float(not np.isfinite(values).all()),
    }


def words_of(column: Any) -> list[str | None]:
    """Return the texts of a column; None for what is missing.

    Examples
    --------
    >>> words_of(["Bonn", None, 3])
    ['Bonn', None, '3']
    """
    import pandas as pd

    return [None if pd.isna(value) else str(value) for value in column]


def shown(value: Any) -> str:
    """Return a cell as explanations show it.

    Examples
    --------
    >>> shown(81.123456789), shown(None), shown("Bonn")
    ('81.1235', 'missing', 'Bonn')
    """
    import pandas as pd

    if pd.isna(value):
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
