"""Look-ahead: which features of the past change when the future does. None may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin_trading.prices import Prices

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["looking_ahead", "with_other_future"]

Made = tuple["NDArray[np.datetime64]", Sequence[str], "NDArray[np.floating[Any]]"]
"""The day of each row, the name of each feature, and the features."""


def with_other_future(prices: Prices, day: np.datetime64, rng: np.random.Generator) -> Prices:
    """Shuffle and change all days after one, so that nothing of them is as it was.

    Parameters
    ----------
    prices : Prices
        A series.
    day : numpy.datetime64
        The last day that stays.
    rng : numpy.random.Generator
        What shuffles.
    """
    later = np.flatnonzero(prices.days > day)
    rows = prices.rows.copy()
    # Another factor for each day: prices of one day stay in order, and volumes change too.
    factor = np.exp(rng.normal(0, 0.3, (len(later), 1)))
    rows[later] = rows[rng.permutation(later)] * factor
    return Prices(symbol=prices.symbol, days=prices.days, rows=rows, adjusted=prices.adjusted)


def looking_ahead(
    make: Callable[[Sequence[Prices]], Made],
    series: Sequence[Prices],
    day: np.datetime64,
    *,
    random_state: int = 0,
) -> tuple[str, ...]:
    """Name the features that look ahead: those of a day up to `day` that a later day changes.

    Parameters
    ----------
    make : callable
        ``make(series) -> (days, names, features)``: the whole way from prices to features.
    series : sequence of Prices
        Prices of some shares.
    day : numpy.datetime64
        Where the future begins, after this day.
    random_state : int, default=0
        Seed of the other future.

    Returns
    -------
    tuple of str
        Their names, or ``rows`` where another future makes other rows of the past; empty where no
        feature looks ahead.
    """
    rng = np.random.default_rng(random_state)
    days, names, before = make(series)
    other_days, _, after = make([with_other_future(one, day, rng) for one in series])
    past, other_past = days <= day, other_days <= day
    if not past.any():
        raise ValueError(f"no row is of {day} or before")
    if not np.array_equal(days[past], other_days[other_past]):
        return ("rows",)
    known, again = before[past], after[other_past]
    # What is missing in both futures is the same.
    same = ((known == again) | (np.isnan(known) & np.isnan(again))).all(axis=0)
    return tuple(name for name, kept in zip(names, same, strict=True) if not kept)
