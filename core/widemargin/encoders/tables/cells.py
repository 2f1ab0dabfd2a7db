"""Cells of a table: numbers with NaN and texts with None where they are missing."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["is_numeric", "numbers_of", "shown", "words_of"]


def is_numeric(column: Any) -> bool:
    """Whether a column holds numbers; truth values are none."""
    import pandas as pd
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    values = pd.Series(column)
    return bool(is_numeric_dtype(values) and not is_bool_dtype(values))


def numbers_of(name: str, column: Any) -> NDArray[np.float64]:
    """Return the numbers of a column; what is missing is NaN, and so is what is no number.

    Parameters
    ----------
    name : str
        The column's name, for the warning.
    column : sequence
        Numbers, or text that is read as numbers.

    Warns
    -----
    UserWarning
        Where a value that is not marked as missing is no number.
    """
    import pandas as pd

    from widemargin.data import MISSING, parse_numbers

    # Expression has tens of thousands of columns, which are numbers already.
    dtype = getattr(column, "dtype", None)
    plain_list = isinstance(column, list) and set(map(type, column)) <= {int, float}
    if plain_list or (isinstance(dtype, np.dtype) and dtype.kind in "iuf"):
        plain = np.array(column, dtype=np.float64)
        if not np.isinf(plain).any():
            return plain
    given = pd.Series(column)
    numbers = parse_numbers(given)
    text = np.array([str(value).strip() not in MISSING for value in given], dtype=bool)
    said = given.notna().to_numpy() & text
    wrong = np.flatnonzero(np.isnan(numbers) & said)
    if len(wrong):
        warnings.warn(
            f"{len(wrong)} values of the numeric column {name!r} are no numbers and count as "
            f"missing, the first of them {given.iloc[wrong[0]]!r}.",
            UserWarning,
            stacklevel=3,
        )
    return numbers


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
