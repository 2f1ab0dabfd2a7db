"""Daily prices: a table of them read into one series a share, checked row by row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from widemargin import DataError
from widemargin.data import cell_text, parse_numbers

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Prices", "parse_prices"]

_NAMES = {
    "date": ("date", "day", "time", "timestamp"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume",),
    "symbol": ("symbol", "ticker"),
    "adjusted": ("adjclose", "adjustedclose"),
}
_NEEDED = ("date", "open", "high", "low", "close", "volume")
_SPLIT = 1.8
"""A quotient of two days' closes beyond which a split is likelier than a day's trade."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Daily prices of one share, as a holder who reinvests would have seen them.

    Parameters
    ----------
    symbol : str
        The share; empty where the table is about one alone.
    days : ndarray of shape (n_days,)
        Dates, rising.
    rows : ndarray of shape (n_days, 5)
        Open, high, low and close, all times the day's quotient of adjusted and plain close; and
        what was traded in money, close times volume, which no split changes.
    adjusted : bool
        Whether the table had adjusted closes.
    """

    symbol: str
    days: NDArray[np.datetime64]
    rows: NDArray[np.float64]
    adjusted: bool = True

    def __len__(self) -> int:
        return len(self.days)

    @property
    def close(self) -> NDArray[np.float64]:
        """The adjusted close."""
        return self.rows[:, 3]

    def split_note(self) -> str:
        """Name the first day that looks like a split which nobody adjusted for; else empty."""
        import numpy as np

        if self.adjusted:
            return ""
        step = self.close[1:] / self.close[:-1]
        odd = np.flatnonzero((step > _SPLIT) | (step < 1 / _SPLIT))
        if not len(odd):
            return ""
        day = self.days[odd[0] + 1]
        return (
            f"{self.symbol or 'The price'} went to {step[odd[0]]:.2f} times what it was on {day}: "
            "if that was a split, give a column of adjusted closes (adj close)."
        )


def parse_prices(
    table: pd.DataFrame, where: str, *, symbols: Sequence[str] = (), max_gap: int = 14
) -> list[Prices]:
    """Read a table of daily prices.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a day (and share), its index the lines of the file. Columns date, open, high, low,
        close and volume; symbol (or ticker) where there are several shares; and adj close. Case,
        blanks and underscores in the names do not matter.
    where : str
        The file, for messages.
    symbols : sequence of str, optional
        The shares to take, in this order; by default all, in the table's order.
    max_gap : int, default=14
        The most days of the calendar from one row to the next.

    Raises
    ------
    DataError
        Where a column or a share is absent, dates do not rise, prices are no prices, or days are
        missing; with file and line.

    Examples
    --------
    >>> import pandas as pd
    >>> day = {"date": "2024-01-31", "open": "9", "high": "11", "low": "8", "close": "10"}
    >>> day |= {"Adj Close": "5", "volume": "3"}
    >>> (one,) = parse_prices(pd.DataFrame([day], index=[2]), "a.csv")
    >>> str(one.days[0]), one.rows[0].tolist()
    ('2024-01-31', [4.5, 5.5, 4.0, 5.0, 30.0])
    """
    import numpy as np

    found = _columns(table, where)
    lines = [str(line) for line in table.index]
    if "symbol" in found:
        names = np.array([cell_text(value) for value in table[found["symbol"]]], dtype=np.str_)
        if (empty := np.flatnonzero(names == "")).size:
            raise DataError(f"{where}:{lines[empty[0]]}: {found['symbol']} is empty.")
    else:
        names = np.full(len(table), "", dtype=np.str_)
    there = list(dict.fromkeys(names.tolist()))
    for symbol in symbols:
        if symbol not in there:
            shown = ", ".join(filter(None, there[:20])) or "a single series without names"
            raise DataError(f"{where}: has no share {symbol!r}; it has {shown}.")
    days = _days(table[found["date"]], lines, where)
    numbers: dict[str, NDArray[np.float64]] = {
        name: parse_numbers(table[found[name]])
        for name in ("open", "high", "low", "close", "volume", "adjusted")
        if name in found
    }
    series = []
    for symbol in symbols or there:
        own = np.flatnonzero(names == symbol)
        part: dict[str, NDArray[np.float64]] = {
            name: values[own] for name, values in numbers.items()
        }
        at = [f"{where}:{lines[row]}" for row in own]
        _check_days(days[own], at, max_gap, symbol)
        _check_prices(part, at, found)
        factor = part.get("adjusted", part["close"]) / part["close"]
        rows = np.stack(
            [
                *(part[name] * factor for name in ("open", "high", "low", "close")),
                part["close"] * part["volume"],
            ],
            axis=1,
        )
        adjusted = "adjusted" in found
        series.append(Prices(symbol=symbol, days=days[own], rows=rows, adjusted=adjusted))
    return series


def _columns(table: pd.DataFrame, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in table.columns:
        plain = re.sub(r"[\s_-]", "", str(column)).lower()
        for name, words in _NAMES.items():
            if plain in words:
                found.setdefault(name, column)
    if absent := [name for name in _NEEDED if name not in found]:
        raise DataError(
            f"{where}: has no column {absent[0]!r}; needed are {', '.join(_NEEDED)} (and symbol "
            f"for several shares; adj close is used where it is there). The columns are "
            f"{', '.join(map(str, table.columns))}."
        )
    return found


def _days(values: Any, lines: Sequence[str], where: str) -> NDArray[np.datetime64]:
    import numpy as np

    texts = [str(value).strip()[:10] for value in values]
    for text, line in zip(texts, lines, strict=True):
        good = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
        try:
            if not good:
                raise ValueError
            np.datetime64(text, "D")
        except ValueError:
            raise DataError(
                f"{where}:{line}: the date is {text!r}; write it as year, month and day, as in "
                "2024-01-31."
            ) from None
    return np.array(texts, dtype="datetime64[D]")


def _check_days(days: NDArray[np.datetime64], at: Sequence[str], max_gap: int, symbol: str) -> None:
    import numpy as np

    of = f" of {symbol}" if symbol else ""
    steps = np.diff(days).astype(np.int64)
    for row in np.flatnonzero((steps <= 0) | (steps > max_gap)).tolist():
        before, day, place = days[row], days[row + 1], at[row + 1]
        if steps[row] == 0:
            raise DataError(
                f"{place}: {day}{of} stands there twice, here and in the row before. Leave one out."
            )
        if steps[row] < 0:
            raise DataError(
                f"{place}: {day}{of} comes after {before}. Sort the rows{of} by date, the oldest "
                "first."
            )
        raise DataError(
            f"{place}: there is no day{of} between {before} and {day}, which are {steps[row]} days "
            f"apart; at most {max_gap} are allowed. Fill in the days, begin after them, or raise "
            "data.max_gap."
        )


def _check_prices(
    part: Mapping[str, NDArray[np.float64]], at: Sequence[str], found: dict[str, Any]
) -> None:
    import numpy as np

    for name, values in part.items():
        least = "at least 0" if name == "volume" else "above 0"
        bad = ~np.isfinite(values) | (values < 0 if name == "volume" else values <= 0)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            there = np.isfinite(values[row])
            said = f"is {values[row]:g}" if there else "is missing or no number"
            raise DataError(
                f"{at[row]}: {found[name]} {said}; it must be a number {least}. Correct it, or "
                "leave that day out."
            )
    if (below := np.flatnonzero(part["high"] < part["low"])).size:
        row = int(below[0])
        raise DataError(
            f"{at[row]}: the high, {part['high'][row]:g}, is below the low, {part['low'][row]:g}. "
            "Look whether columns are swapped."
        )
