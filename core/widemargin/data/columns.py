"""Columns: which are numbers, which are categories, and which say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.data.readers import parse_numbers
from widemargin.data.target import cell_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["find_columns", "plain_cells"]

# Many distinct numbers are a measurement with slips in it; few may be the names of categories, of
# which one or two happen to be letters.
_MANY = 20
_SHARE_OF_MANY = 0.8
_SHARE_OF_FEW = 0.99
_FEW_ROWS = 20


def find_columns(table: pd.DataFrame, keep: bool = False) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Find the columns that a model can use.

    A column is numeric where at least 99% of its values are numbers, or 80% and more than 20
    different ones; otherwise it is categorical. Left
    out are columns without any value, with the same value everywhere, categories that are all
    distinct (names, identifiers) and row counters.

    Parameters
    ----------
    table : pandas.DataFrame of shape (n_rows, n_columns)
        Cells as they were read; the index is each row's place in the file, from 0.
    keep : bool
        Whether to leave out only the columns without any value, because the user named them all.

    Returns
    -------
    X : pandas.DataFrame of shape (n_rows, n_found)
        float64 or object columns; NaN is a missing value.
    notes : tuple of str
        What was found and what was left out.

    Examples
    --------
    >>> import pandas as pd
    >>> X, notes = find_columns(pd.DataFrame({"age": ["31", "?", "50"], "job": ["a", "b", "a"]}))
    >>> [str(dtype) for dtype in X.dtypes], X["age"].tolist()
    (['float64', 'object'], [31.0, nan, 50.0])
    """
    import pandas as pd

    found: dict[str, Any] = {}
    left_out: list[str] = []
    slips: list[str] = []
    for name in map(str, table.columns):
        values, n_slips = _parse(table[name])
        reason = _why_useless(values)
        if reason and (not keep or reason == "no value"):
            left_out.append(f"{name} ({reason})")
            continue
        found[name] = values
        if n_slips:
            slips.append(f"{name} ({n_slips} taken for missing)")
    X = pd.DataFrame(found, index=table.index)
    numeric = [name for name, values in found.items() if values.dtype.kind == "f"]
    categorical = [name for name in found if name not in numeric]
    missing = int(X.isna().to_numpy().sum())
    notes = [
        f"{kind} columns ({len(names)}): {_shown(names)}."
        for kind, names in (("Numeric", numeric), ("Categorical", categorical))
        if names
    ]
    if missing:
        notes.append(f"{missing} of {X.size} values are missing.")
    if slips:
        notes.append(f"Not every value is a number in {_shown(slips)}.")
    crowded = [
        f"{name} ({found[name].nunique()} values in {len(X)} rows)"
        for name in categorical
        if len(X) >= _FEW_ROWS and found[name].nunique() > len(X) / 2
    ]
    if crowded:
        notes.append(f"Categories with hardly a value twice say little: {_shown(crowded)}.")
    if left_out:
        notes.append(f"Columns left out: {_shown(left_out)}.")
    return X, tuple(notes)


def plain_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Spell missing values as NaN and strip texts; numbers stay as they are.

    Every cell is treated by itself, so that a row reads the same in whatever batch it comes.

    Parameters
    ----------
    table : pandas.DataFrame
        Cells as they were read.

    Returns
    -------
    pandas.DataFrame
        Of the same rows and columns.
    """
    import numpy as np
    import pandas as pd

    def plain(values: pd.Series[Any]) -> pd.Series[Any]:
        if values.dtype.kind in "iuf":
            return values
        cells = [cell_text(value) or np.nan for value in values]
        return pd.Series(cells, index=values.index, dtype=object)

    return pd.DataFrame({str(name): plain(table[name]) for name in table.columns})


def _parse(values: pd.Series[Any]) -> tuple[pd.Series[Any], int]:
    """Return a float64 or an object column, and how many values are no number among numbers."""
    import numpy as np
    import pandas as pd

    if values.dtype.kind in "iuf":
        numbers = values.astype(np.float64)
        return numbers.where(np.isfinite(numbers)), int(np.isinf(numbers).sum())
    texts = plain_cells(values.to_frame()).iloc[:, 0]
    numbers = pd.Series(parse_numbers(texts), index=texts.index)
    present = texts.notna()
    n_slips = int((present & numbers.isna()).sum())
    share = _SHARE_OF_MANY if numbers.nunique() > _MANY else _SHARE_OF_FEW
    if n_slips <= (1 - share) * present.sum():
        return numbers, n_slips
    return texts, 0


def _why_useless(values: pd.Series[Any]) -> str:
    present = values.dropna()
    distinct = present.nunique()
    if distinct == 0:
        return "no value"
    if distinct == 1 and 1 < len(values) == len(present):
        return "the same everywhere"
    if len(values) < _FEW_ROWS:
        return ""  # too few rows to tell a name from a category
    if values.dtype.kind != "f":
        return "all values differ" if distinct == len(present) else ""
    counts = set((present - present.index).unique())
    return "a row counter" if len(present) == len(values) and counts in ({0.0}, {1.0}) else ""


def _shown(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
