"""Strategies: decisions become positions, positions become daily returns after costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from widemargin_trading.measures import YEAR

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Book", "Outcome", "shifted"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a strategy did, day by day.

    Parameters
    ----------
    gained : ndarray of shape (n_days,)
        Returns after costs.
    traded : ndarray of shape (n_days,)
        What was bought and sold, as a part of all money.
    held : ndarray of shape (n_days,)
        What was held or sold short, likewise.
    year : float, default=252
        How many such days a year has.
    """

    gained: NDArray[np.float64]
    traded: NDArray[np.float64]
    held: NDArray[np.float64]
    year: float = YEAR


@dataclass(frozen=True, kw_only=True)
class Book:
    """Decisions of several shares, and the days on which each earns.

    The money is in equal parts, one for each share that is traded on the day, and stays so. Where
    decisions come before earlier ones have run out, a position is the mean of those that are under
    way: each moves its part of the share's money.

    Parameters
    ----------
    days : ndarray of shape (n_days,)
        All days on which a decision earns, rising.
    symbols : tuple of str
        The shares.
    returns : ndarray of shape (n_days, n_symbols)
        Each share's return on each day; 0 where it was not traded.
    alive : ndarray of shape (n_days, n_symbols)
        Whether the day lies between the share's first and last one.
    share : ndarray of shape (n_decisions,)
        Whose each decision is, in the order of time for each share.
    decision, place : ndarray of shape (n_spans,)
        Which decision earns on a day, and where in `days` that is: one pair for each of its days.
    """

    days: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    returns: NDArray[np.float64]
    alive: NDArray[np.bool_]
    share: NDArray[np.intp]
    decision: NDArray[np.intp]
    place: NDArray[np.intp]

    @property
    def year(self) -> float:
        """How many of the days a year has: 252 on most exchanges, 365 where none is a holiday."""
        if len(self.days) < 2:
            return YEAR
        between = (self.days[-1] - self.days[0]).astype(np.int64)
        return float((len(self.days) - 1) / between * 365.25)

    @classmethod
    def of(cls, aside: pd.DataFrame) -> Book:
        """Make the book of decisions.

        Parameters
        ----------
        aside : pandas.DataFrame of shape (n_decisions, 3)
            ``symbol``, and the ``days`` on which each decision earns, with the share's ``steps``.
        """
        symbols = tuple(dict.fromkeys(map(str, aside["symbol"])))
        share = np.array([symbols.index(str(one)) for one in aside["symbol"]], dtype=np.intp)
        lengths = [len(own) for own in aside["days"]]
        decision = np.repeat(np.arange(len(share)), lengths)
        days, place = np.unique(np.concatenate(list(aside["days"])), return_inverse=True)
        returns = np.zeros((len(days), len(symbols)))
        returns[place, share[decision]] = np.concatenate(list(aside["steps"]))
        alive = np.zeros(returns.shape, dtype=bool)
        for column in range(len(symbols)):
            own = place[share[decision] == column]
            alive[own.min() : own.max() + 1, column] = True
        return cls(
            days=days,
            symbols=symbols,
            returns=returns,
            alive=alive,
            share=share,
            decision=decision,
            place=place.astype(np.intp),
        )

    def positions(self, signals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is held of each share on each day, from what each decision says.

        Parameters
        ----------
        signals : ndarray of shape (n_decisions,)
            1 to hold, 0 to hold nothing, -1 to sell short.

        Returns
        -------
        ndarray of shape (n_days, n_symbols)
            Parts of the share's money, from -1 to 1.
        """
        said, under_way = np.zeros(self.returns.shape), np.zeros(self.returns.shape)
        cells = self.place, self.share[self.decision]
        np.add.at(said, cells, signals[self.decision])
        np.add.at(under_way, cells, 1.0)
        held: NDArray[np.float64] = said / np.maximum(under_way, 1)
        # A day on which only other shares were traded changes nothing.
        for day, column in np.argwhere(self.alive & (under_way == 0)):
            held[day, column] = held[day - 1, column]
        return held

    def always(self) -> NDArray[np.float64]:
        """Return the positions of buying at the beginning and holding."""
        return self.alive.astype(np.float64)

    def earn(self, positions: NDArray[np.float64], cost_bp: float) -> Outcome:
        """Follow the money day by day.

        Parameters
        ----------
        positions : ndarray of shape (n_days, n_symbols)
            As `positions` and `always` return them.
        cost_bp : float
            What trading takes, in hundredths of a per cent of what is traded; taken from the first
            day that the new position earns on. Keeping the parts of the shares equal costs nothing.

        Returns
        -------
        Outcome
            Of all shares together.
        """
        part = self.alive / np.maximum(self.alive.sum(axis=1, keepdims=True), 1)
        moved = np.abs(np.diff(positions, axis=0, prepend=0.0))
        traded = (part * moved).sum(axis=1)
        gained = (part * positions * self.returns).sum(axis=1) - traded * cost_bp / 1e4
        held = (part * np.abs(positions)).sum(axis=1)
        return Outcome(gained=gained, traded=traded, held=held, year=self.year)


def shifted(
    book: Book, signals: NDArray[np.float64], n: int, rng: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Draw the same decisions begun at other times: random entries of the same turnover.

    Each share's decisions are turned round by the same part of their number, so that how often they
    change, how long positions last and how shares go together stays, and only the time is random.

    Parameters
    ----------
    book : Book
        The decisions' shares.
    signals : ndarray of shape (n_decisions,)
        What each says.
    n : int
        How many to draw; no more than there are other times.
    rng : numpy.random.Generator
        What draws.
    """
    own = [np.flatnonzero(book.share == column) for column in range(len(book.symbols))]
    longest = max(map(len, own))
    for shift in rng.permutation(np.arange(1, longest))[:n]:
        turned = signals.copy()
        for rows in own:
            turned[rows] = np.roll(signals[rows], round(shift * len(rows) / longest))
        yield turned
