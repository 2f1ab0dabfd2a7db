"""Daily prices: a table of them read into one series a share, checked row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from widemargin import DataError
from widemargin.data import counted
from widemargin_trading.price_columns import (
    find_columns,
    read_days,
    read_numbers,
    read_symbols,
    without_prices,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Prices", "parse_prices", "without_days"]

_SPLIT = 1.8
"""A quotient of two days' closes beyond which a split is likelier than a day's trade."""

_ROUNDING = 0.01
"""How far vendors' prices may lie outside the day's range."""


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
    counted : bool
        Whether it had volumes.
    ranged : bool
        Whether it had more prices of a day than the close.
    left_out : int
        Days of the table without any price.
    """

    symbol: str
    days: NDArray[np.datetime64]
    rows: NDArray[np.float64]
    adjusted: bool = True
    counted: bool = True
    ranged: bool = True
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.days)

    @property
    def close(self) -> NDArray[np.float64]:
        """The adjusted close."""
        return self.rows[:, 3]

    def notes(self) -> Iterator[str]:
        """Say what a reader should know of it."""
        if self.left_out:
            of = f"{self.symbol}: " if self.symbol else ""
            yield f"{of}{counted(self.left_out, 'day', 'were')} left out, which had no price."
        if not self.adjusted and (note := self._split_note()):
            yield note

    def _split_note(self) -> str:
        """Name the first day that looks like a split; else empty."""
        import numpy as np

        step = self.close[1:] / self.close[:-1]
        odd = np.flatnonzero((step > _SPLIT) | (step < 1 / _SPLIT))
        if not len(odd):
            return ""
        day = self.days[odd[0] + 1]
        return (
            f"{self.symbol or 'The price'} went to {step[odd[0]]:.2f} times what it was on {day}: "
            "if that was a split, give a column of adjusted closes (adj close)."
        )


def without_days(symbol: str) -> Prices:
    """Return the prices of a share that is nowhere."""
    import numpy as np

    return Prices(symbol=symbol, days=np.array([], dtype="datetime64[D]"), rows=np.empty((0, 5)))


def parse_prices(
    table: pd.DataFrame,
    where: str,
    *,
    symbols: Sequence[str] = (),
    max_gap: int = 14,
    name: str = "",
    columns: Mapping[str, str] | None = None,
) -> list[Prices]:
    """Read a table of daily prices.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a day (and share), the oldest first or the newest, its index the lines of the file.
        Columns date, open, high, low and close, or date and close alone; volume where it is known;
        symbol (or ticker) where there are several shares; and adj close. Case, blanks and signs in
        the names do not matter.
    where : str
        The file, for messages.
    symbols : sequence of str, optional
        The shares to take, each of them there, in this order; by default all, in the table's.
    max_gap : int, default=14
        The most days of the calendar from one row to the next.
    name : str, optional
        The share where no column tells it.
    columns : mapping of str to str, optional
        What columns are called that are called otherwise, such as ``{"date": "Datum"}``.

    Raises
    ------
    DataError
        Where a column is absent, dates do not rise, prices are no prices, or days are missing;
        with file and line.

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

    found = find_columns(table, where, columns or {})
    names = read_symbols(table, found, name, where)
    symbols = symbols or list(dict.fromkeys(names.tolist()))
    lines = np.array([f"{where}:{line}" for line in table.index], dtype=np.str_)
    empty = without_prices(table, found)
    kept = np.flatnonzero(np.isin(names, symbols) & ~empty)
    days = read_days(table[found["date"]].iloc[kept], lines[kept])
    numbers = read_numbers(table.iloc[kept], found, lines[kept])
    series = []
    for symbol in symbols:
        own = np.flatnonzero(names[kept] == symbol)
        if len(own) > 1 and (np.diff(days[own]).astype(np.int64) < 0).all():
            own = own[::-1]
        part = {column: values[own] for column, values in numbers.items()}
        _check_days(days[own], lines[kept][own], max_gap, symbol)
        _check_prices(part, lines[kept][own], found)
        series.append(
            Prices(
                symbol=symbol,
                days=days[own],
                rows=_rows(part),
                adjusted="adjusted" in found,
                counted="volume" in found,
                ranged=found["high"] != found["close"],
                left_out=int((empty & (names == symbol)).sum()),
            )
        )
    return series


def _rows(part: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    import numpy as np

    factor = part.get("adjusted", part["close"]) / part["close"]
    prices = [part[name] * factor for name in ("open", "high", "low", "close")]
    volume = part.get("volume", np.zeros(len(factor)))
    return np.stack([*prices, part["close"] * volume], axis=1)


def _check_days(
    days: NDArray[np.datetime64], at: NDArray[np.str_], max_gap: int, symbol: str
) -> None:
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
    part: Mapping[str, NDArray[np.float64]], at: NDArray[np.str_], found: Mapping[str, str]
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
    for name in ("open", "close"):
        low, high = part["low"] * (1 - _ROUNDING), part["high"] * (1 + _ROUNDING)
        outside = np.flatnonzero((part[name] < low) | (part[name] > high))
        if outside.size:
            row = int(outside[0])
            raise DataError(
                f"{at[row]}: the {name}, {part[name][row]:g}, is not within that day's low and "
                f"high, {part['low'][row]:g} and {part['high'][row]:g}. Correct it, leave the day "
                "out, or leave the columns open, high and low out."
            )
