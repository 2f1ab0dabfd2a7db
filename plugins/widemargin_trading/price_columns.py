"""Columns of a table of prices: which is which, and the days, shares and numbers in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from widemargin import DataError
from widemargin.data import MISSING, how_written, parse_numbers

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "PRICE_COLUMNS",
    "find_columns",
    "read_days",
    "read_numbers",
    "read_symbols",
    "without_prices",
]

PRICE_COLUMNS = ("date", "open", "high", "low", "close", "volume", "symbol", "adjusted")
"""What columns of prices are about."""

_NAMES: dict[str, tuple[str, ...]] = {
    "date": ("date", "day", "timestamp", "time"),
    "volume": ("volume", "vol"),
    "symbol": ("symbol", "ticker"),
    "adjusted": ("adjclose", "adjustedclose"),
}
_RANGE = ("open", "high", "low")
_PRICES = (*_RANGE, "close")
_NEEDED = ("date", "close", *_RANGE)

_YEAR_FIRST = re.compile(r"(?P<y>\d{4})(?P<sign>[-/.]?)(?P<m>\d\d)(?P=sign)(?P<d>\d\d)(?:[ T].*)?")
_DAY_FIRST = re.compile(r"(?P<d>\d\d?)(?P<sign>[-/.])(?P<m>\d\d?)(?P=sign)(?P<y>\d{4})")
_MONTH_FIRST = re.compile(r"(?P<m>\d\d?)(?P<sign>[-/])(?P<d>\d\d?)(?P=sign)(?P<y>\d{4})")

_TIMES = {"k": 1e3, "m": 1e6, "b": 1e9}
_ROUNDED = re.compile(r"([\d.,]+) ?([kmb])", re.I)


def find_columns(table: pd.DataFrame, where: str, given: Mapping[str, str]) -> dict[str, str]:
    """Say which column is the date, the close and so on, by their names.

    Where there are closes alone, as of funds, the close is the open, the high and the low too.

    Parameters
    ----------
    table : pandas.DataFrame
        As it was read.
    where : str
        The file, for messages.
    given : mapping of str to str
        Names of columns that go by others.

    Raises
    ------
    DataError
        Where one is absent.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(columns=["<DATE>", "Open", "High", "Low", "Letzter"])
    >>> find_columns(table, "a.csv", {"close": "Letzter"})["date"]
    '<DATE>'
    """
    header = list(map(str, table.columns))
    by_word: dict[str, str] = {}
    for column in header:
        by_word.setdefault(re.sub(r"[\W_]", "", column).lower(), column)
    found: dict[str, str] = {}
    for what in PRICE_COLUMNS:
        if what in given:
            if given[what] not in header:
                raise DataError(
                    f"{where}: has no column {given[what]!r}, which data.columns names for {what}. "
                    f"The columns are {', '.join(header)}."
                )
            found[what] = given[what]
            continue
        words = [word for word in _NAMES.get(what, (what,)) if word in by_word]
        if words and by_word[words[0]] not in given.values():
            found[what] = by_word[words[0]]
    if "close" in found and not found.keys() & set(_RANGE):
        found |= dict.fromkeys(_RANGE, found["close"])
    if absent := [what for what in _NEEDED if what not in found]:
        raise DataError(
            f"{where}: has no column {absent[0]!r}; needed are date, open, high, low and close, or "
            "date and close alone (and symbol for several shares; volume and adj close are used "
            f"where they are there). The columns are {', '.join(header)}. Where one is called "
            "otherwise, rename it in the file or, for a run, say "
            f"--set 'data.columns={{{absent[0]}: NAME}}'."
        )
    return found


def without_prices(table: pd.DataFrame, found: Mapping[str, str]) -> NDArray[np.bool_]:
    """Mark rows in which every price is missing: days on which an exchange was closed."""
    import numpy as np

    def missing(cell: Any) -> bool:
        return cell is None or cell != cell or str(cell).strip() in MISSING

    empty = np.array([[missing(cell) for cell in table[found[name]]] for name in _PRICES])
    return np.asarray(empty.all(axis=0), dtype=bool)


def read_symbols(
    table: pd.DataFrame, found: Mapping[str, str], name: str, where: str
) -> NDArray[np.str_]:
    """Return the share of each row; NA and NULL are shares like others.

    Raises
    ------
    DataError
        Where there is a column of shares, and a cell of it is empty.
    """
    import numpy as np

    if "symbol" not in found:
        return np.full(len(table), name, dtype=f"<U{max(1, len(name))}")
    cells = table[found["symbol"]]
    if cells.dtype.kind == "f":  # whole numbers, some of them missing
        cells = cells.astype("Int64")
    missing = cells.isna().to_numpy()
    symbols = np.array(
        ["" if no else str(cell).strip() for cell, no in zip(cells, missing, strict=True)],
        dtype=np.str_,
    )
    if (empty := np.flatnonzero(symbols == "")).size:
        raise DataError(f"{where}:{table.index[empty[0]]}: {found['symbol']} is empty.")
    return symbols


def read_days(values: Any, lines: NDArray[np.str_]) -> NDArray[np.datetime64]:
    """Return the days, of shape (n_rows,).

    Where 1/2/2024 stands among them, one that can be read in one way only, as 1/31/2024, says how.

    Raises
    ------
    DataError
        Where one is none, or may be read in two ways.
    """
    import numpy as np

    texts = [str(value).strip() for value in values]
    readings = [[_day(text, form) for text in texts] for form in (_DAY_FIRST, _MONTH_FIRST)]
    whole = [days for days in readings if None not in days]
    if whole and whole[0] == whole[-1]:
        return np.array(whole[0], dtype="datetime64[D]")
    if whole:
        wrong = next(
            row for row, (one, other) in enumerate(zip(*whole, strict=True)) if one != other
        )
    else:
        wrong = max(days.index(None) for days in readings)
    raise DataError(
        f"{lines[wrong]}: the date is {texts[wrong]!r}; write it as year, month and day, as in "
        "2024-01-31."
    )


def _day(text: str, form: re.Pattern[str]) -> date | None:
    matched = _YEAR_FIRST.fullmatch(text) or form.fullmatch(text)
    try:
        return date(*(int(matched[part]) for part in "ymd")) if matched else None
    except ValueError:
        return None


def read_numbers(
    table: pd.DataFrame, found: Mapping[str, str], lines: NDArray[np.str_]
) -> dict[str, NDArray[np.float64]]:
    """Return the numbers of each column; NaN where there is none.

    Commas are decimal ones in all prices where one of theirs can be nothing else; likewise in
    volumes, which may be rounded, as 52.1M. Prices that may be read in either way are read as
    volumes are, and the other way about.

    Raises
    ------
    DataError
        Where a comma of the prices, or of the volumes, can only be the decimal one, and so can a
        point.
    """
    prices = {name: table[found[name]] for name in (*_PRICES, "adjusted") if name in found}
    own = _commas(prices, found, lines)
    if "volume" not in found:
        return {name: parse_numbers(cells, own or "sure") for name, cells in prices.items()}
    volumes, times = _unrounded(table[found["volume"]])
    others = _commas({"volume": volumes}, found, lines)
    read = {name: parse_numbers(cells, own or others or "sure") for name, cells in prices.items()}
    return read | {"volume": parse_numbers(volumes, others or own or "sure") * times}


def _commas(
    columns: Mapping[str, pd.Series[Any]], found: Mapping[str, str], lines: NDArray[np.str_]
) -> Literal["sure", "decimal"] | None:
    """Say how the numbers of these columns are written; nothing where they do not tell."""
    first: dict[str, str] = {}
    for name, cells in columns.items():
        for cell, line, number in zip(cells, lines, parse_numbers(cells, "sure"), strict=True):
            if isinstance(cell, str) and number == number:
                _, how = how_written(cell.strip())
                first.setdefault(how, f"{line}: {found[name]} is {cell.strip()!r}")
    if "comma" in first and "point" in first:
        raise DataError(
            f"{first['comma']}, where the comma can only be the decimal one; but {first['point']}, "
            "where the point is. Write both in one way."
        )
    return "decimal" if "comma" in first else "sure" if "point" in first else None


def _unrounded(cells: pd.Series[Any]) -> tuple[pd.Series[Any], NDArray[np.float64]]:
    """Part 52.1M into 52.1 and a million."""
    import numpy as np
    import pandas as pd

    matched = [_ROUNDED.fullmatch(str(cell).strip()) for cell in cells]
    plain = [one[1] if one else cell for one, cell in zip(matched, cells, strict=True)]
    times = np.array([_TIMES[one[2].lower()] if one else 1.0 for one in matched])
    return pd.Series(plain, index=cells.index, dtype=object), times
