"""Columns: which are numbers, which are categories, and which say nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from widemargin.data.readers import LARGEST, parse_numbers
from widemargin.data.spelling import (
    Reading,
    are_dates,
    read_column,
    several_spellings,
    spelling_notes,
)
from widemargin.data.target import cell_text

if TYPE_CHECKING:
    import pandas as pd

    from widemargin.contracts import Columns

__all__ = ["find_columns", "plain_cells", "read_decimal_commas"]

_FEW_ROWS = 20
_MOSTLY = 0.9
_TELL_APART = 0.5
# Whole numbers that all differ are an amount as well as an id: only the name tells.
_ID_WORDS = frozenset({"id", "ids", "uuid", "guid", "nr", "no", "number", "nummer", "key", "code"})
_ID_ENDS = ("nummer", "number")
_NAMED_ID = "named as an id is, with hardly a value twice"


def find_columns(
    table: pd.DataFrame, keep: bool = False, lines: Sequence[str] = ()
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Find the columns that a model can use.

    A column is numeric where at least 99% of its values are numbers, or 80% and more than 20
    different ones; otherwise it is categorical. A decimal comma, and a sign beside a number, are
    read as such where they can mean nothing else. A slip among numbers is missing, and so is a
    number that is infinite or beyond 1e75. Left out are columns without any value, with the
    same value everywhere, with dates, categories that are all distinct (names, identifiers), row
    counters, and under a name such as ``customer_id`` also categories of which most are distinct,
    and whole numbers that all are.

    Parameters
    ----------
    table : pandas.DataFrame of shape (n_rows, n_columns)
        Cells as they were read; the index is each row's place in the file, from 0. Rows under
        any other index, of texts or with repeats, are counted from 0.
    keep : bool
        Whether to leave out only the columns without any value, because the user named them all.
    lines : sequence of str
        The name of each row of the file, by its place there; rows are numbered by default.

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

    given = table.index
    table = table.rename(columns=str)
    if given.dtype.kind not in "iu" or not given.is_unique:
        table = table.reset_index(drop=True)
    names = list(map(str, table))
    once = _no_copies(table)
    readings: dict[str, Reading] = {}
    left_out: list[str] = []
    for name in names:
        own = _read(table[name])
        reason = _why_useless(name, own.values, once)
        if reason and (not keep or reason == "no value"):
            left_out.append(f"{name} ({reason})")
        else:
            readings[name] = own
    X = pd.DataFrame({name: own.values for name, own in readings.items()}, index=table.index)
    notes = [*_found_notes(X), *_missing_notes(X)]
    notes += [*_slip_notes(table, readings, lines), *spelling_notes(readings), *_word_notes(X)]
    if left_out:
        notes.append(f"Columns left out: {_shown(left_out)}.")
    return X.set_axis(given), tuple(notes)


def _found_notes(X: pd.DataFrame) -> list[str]:
    numeric = [str(name) for name in X if X[name].dtype.kind == "f"]
    categorical = [str(name) for name in X if X[name].dtype.kind != "f"]
    notes = [
        f"{kind} columns ({len(names)}): {_shown(names)}."
        for kind, names in (("Numeric", numeric), ("Categorical", categorical))
        if names
    ]
    crowded = [
        f"{name} ({X[name].nunique()} values in {len(X)} rows)"
        for name in categorical
        if len(X) >= _FEW_ROWS and X[name].nunique() > len(X) / 2
    ]
    if crowded:
        notes.append(
            f"Categories with hardly a value twice say little: {_shown(crowded)}. Names and free "
            "text are better left out, with data.ignore."
        )
    return notes


def _missing_notes(X: pd.DataFrame) -> list[str]:
    missing = X.isna()
    total = int(missing.to_numpy().sum())
    if not total:
        return []
    shares = missing.mean()
    mostly = [f"{name} ({share:.0%})" for name, share in shares.items() if share >= _MOSTLY]
    notes = [f"{total} of {X.size} values are missing."]
    if mostly:
        notes.append(f"Mostly missing: {_shown(mostly)}.")
    return notes


def _slip_notes(
    table: pd.DataFrame, readings: dict[str, Reading], lines: Sequence[str]
) -> list[str]:
    """Name the columns with slips among their numbers, and the first slip of each."""
    told, large = [], False
    for name, own in readings.items():
        if not own.slips:
            continue
        cells = [str(table[name][row]).strip() for row in own.slips]
        first = own.slips[0]
        where = lines[first] if lines else f"row {first + 1}"
        such = "" if len(cells) == 1 else "the first "
        told.append(f"{name} ({len(cells)} taken for missing, {such}{cells[0][:30]!r} at {where})")
        large = large or any(map(_is_large, cells))
    if not told:
        return []
    rule = " Infinite numbers, and those beyond 1e75, count as none." if large else ""
    return [f"Not every value is a number in {_shown(told)}.{rule} Correct what is a slip."]


def _is_large(cell: str) -> bool:
    try:
        return abs(float(cell)) > LARGEST
    except ValueError:
        return False


def _word_notes(X: pd.DataFrame) -> list[str]:
    """Name the columns of categories that are spelt in several ways."""
    told = {
        str(name): several_spellings(map(str, X[name].dropna()))
        for name in X
        if X[name].dtype.kind != "f"
    }
    found = [f"{name} ({said})" for name, said in told.items() if said]
    if not found:
        return []
    return [
        f"Spelt in several ways, each a category of its own: {_shown(found)}. Write alike what "
        "means the same."
    ]


def plain_cells(table: pd.DataFrame, decimal_commas: Sequence[str] = ()) -> pd.DataFrame:
    """Spell missing values as NaN and strip texts; numbers stay as they are.

    Every cell is treated by itself, so that a row reads the same in whatever batch it comes.

    Parameters
    ----------
    table : pandas.DataFrame
        Cells as they were read.
    decimal_commas : sequence of str
        Columns of numbers whose commas are decimal ones, even in 1,234; they become float64.

    Returns
    -------
    pandas.DataFrame
        Of the same rows and columns.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"price": ["1,234", "1.250,5"], "town": [" Bonn ", "?"]})
    >>> plain_cells(table, ["price"])
          price  town
    0     1.234  Bonn
    1  1250.500   NaN
    """
    import numpy as np
    import pandas as pd

    def plain(name: str) -> pd.Series[Any]:
        values = table[name]
        if values.dtype.kind in "iuf":
            return values
        cells = [cell_text(value) or np.nan for value in values]
        if name in decimal_commas:
            return pd.Series(parse_numbers(cells, "decimal"), index=values.index)
        return pd.Series(cells, index=values.index, dtype=object)

    return pd.DataFrame({str(name): plain(name) for name in table.columns})


def read_decimal_commas(X: Columns, names: Sequence[str]) -> Columns:
    """Return items whose columns of decimal commas are numbers, however they came.

    Parameters
    ----------
    X : Columns
        The items.
    names : sequence of str
        The columns; those that `X` lacks are passed over.

    Examples
    --------
    >>> read_decimal_commas({"price": ["1,234", "5"]}, ["price"])["price"].tolist()
    [1.234, 5.0]
    """
    read = {name: parse_numbers(X[name], "decimal") for name in names if name in X}
    if not read:
        return X
    if isinstance(X, dict):
        return {**X, **read}
    return X.assign(**read)  # type: ignore[attr-defined, no-any-return]  # a data frame


def _read(values: pd.Series[Any]) -> Reading:
    import numpy as np

    if values.dtype.kind in "iuf":
        numbers = values.astype(np.float64)
        large = numbers.abs() > LARGEST
        return Reading(numbers.mask(large), values.index[large].tolist())
    return read_column(plain_cells(values.to_frame()).iloc[:, 0])


def _no_copies(table: pd.DataFrame) -> pd.Series[bool]:
    """Mark all rows but copies, which have the id of the row that they are of, too."""
    once = ~table.duplicated()
    # Rows of few columns are alike without being copies.
    return once if len(table.columns) > 2 and once.mean() >= _TELL_APART else once | True


def _why_useless(name: str, values: pd.Series[Any], once: pd.Series[bool]) -> str:
    """Say why a column says nothing; `once` marks the rows that are no copies."""
    present = values.dropna()
    distinct = present.nunique()
    if distinct == 0:
        return "no value"
    if distinct == 1 and 1 < len(values) == len(present):
        return "the same everywhere"
    if len(values) < _FEW_ROWS:
        return ""  # too few rows to tell a name from a category
    values, present = values[once], values[once].dropna()
    if values.dtype.kind != "f":
        if are_dates(present):
            return "dates; give a number in their place, such as the days between two of them"
        if distinct == len(present):
            return "all values differ"
        return _NAMED_ID if distinct > len(present) / 2 and _is_id(name) else ""
    if len(present) < len(values):
        return ""
    if set((present - present.index).unique()) in ({0.0}, {1.0}):
        return "a row counter"
    whole = distinct == len(present) and bool((present % 1 == 0).all())
    return _NAMED_ID if whole and _is_id(name) else ""


def _is_id(name: str) -> bool:
    words = [word.casefold() for word in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+", name)]
    return bool(_ID_WORDS.intersection(words)) or name.casefold().endswith(_ID_ENDS)


def _shown(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
