r"""Measures of a strategy's daily returns, and of how far they may be believed.

The Sharpe ratio is the mean daily return over its deviation, times the root of the days that a year
has, 252 on most exchanges (the return of money that lies idle counts as 0). The probabilistic
Sharpe ratio is the probability that the true one exceeds a threshold :math:`S^*`,

.. math:: \Phi\left(\frac{(\hat S - S^*) \sqrt{T - 1}}
    {\sqrt{1 - \gamma_3 \hat S + (\gamma_4 - 1) \hat S^2 / 4}}\right),

with daily ratios, T days, skewness :math:`\gamma_3` and kurtosis :math:`\gamma_4`. It is deflated
where the threshold is the largest ratio to be expected among N configurations without any merit,

.. math:: S^* = \sqrt{V} \left((1 - \gamma) \Phi^{-1}(1 - 1/N)
    + \gamma \Phi^{-1}(1 - 1/(N e))\right),

where :math:`\gamma` is Euler's constant and V the variance of the configurations' ratios (D. H.
Bailey and M. López de Prado 2014, "The Deflated Sharpe Ratio", Journal of Portfolio Management
40(5)). V is taken for 1/(T - 1), what it is for configurations without merit, each independent of
the others, which is the strictest reading of how many were tried.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "YEAR",
    "best_of_luck",
    "deflated_sharpe",
    "drawdown",
    "growth",
    "paired_interval",
    "sharpe",
    "volatility",
    "worth",
]

YEAR = 252
"""Trading days of a year on most exchanges."""

_EULER = 0.5772156649015329
_STILL = 1e-12


def worth(gained: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what 1 became by the end of each day; nothing comes back from ruin.

    Examples
    --------
    >>> worth(np.array([0.5, -1.2, 0.5])).tolist()
    [1.5, 0.0, 0.0]
    """
    return np.asarray(np.cumprod(np.maximum(1 + gained, 0)), dtype=np.float64)


def growth(gained: NDArray[np.float64], year: float = YEAR) -> float:
    """Return what the money grows by in a year, compounded.

    Examples
    --------
    >>> round(growth(np.full(252, 0.001)), 4)
    0.2864
    """
    if (gained <= -1).any():
        return -1.0
    return float(np.expm1(np.log1p(gained).mean() * year))


def volatility(gained: NDArray[np.float64], year: float = YEAR) -> float:
    """Return the deviation of daily returns, for a year."""
    return float(gained.std(ddof=1) * math.sqrt(year))


def sharpe(gained: NDArray[np.float64], year: float = YEAR) -> float:
    """Return the Sharpe ratio for a year; 0 where nothing moved.

    Examples
    --------
    >>> round(sharpe(np.array([0.01, -0.005, 0.01, -0.005])), 2)
    4.58
    """
    spread = gained.std(ddof=1)
    return float(gained.mean() / spread * math.sqrt(year)) if spread > _STILL else 0.0


def drawdown(gained: NDArray[np.float64]) -> float:
    """Return the largest loss from a peak, as a part of the peak.

    Examples
    --------
    >>> round(drawdown(np.array([0.1, -0.5, 0.2])), 4)
    0.5
    """
    became = np.concatenate([[1.0], worth(gained)])
    return float((1 - became / np.maximum.accumulate(became)).max())


def best_of_luck(n_days: int, n_tried: int, year: float = YEAR) -> float:
    """Return the best Sharpe ratio, for a year, to be expected of configurations without merit.

    Parameters
    ----------
    n_days : int
        Days that each was judged on.
    n_tried : int
        How many there were.
    year : float, default=252
        Days of a year.

    Examples
    --------
    >>> best_of_luck(2520, 1), round(best_of_luck(2520, 100), 2)
    (0.0, 0.8)
    """
    if n_tried < 2:
        return 0.0
    of = NormalDist().inv_cdf
    largest = (1 - _EULER) * of(1 - 1 / n_tried) + _EULER * of(1 - 1 / (n_tried * math.e))
    return largest * math.sqrt(year / (n_days - 1))


def deflated_sharpe(gained: NDArray[np.float64], n_tried: int) -> float:
    """Return the probability that there is merit, given how many configurations were tried.

    Parameters
    ----------
    gained : ndarray of shape (n_days,)
        Daily returns, or what they exceed a yardstick's by.
    n_tried : int
        Configurations tried; with 1 this is the probabilistic Sharpe ratio against 0.
    """
    spread = gained.std()
    if spread <= _STILL:
        return 0.0
    centred = (gained - gained.mean()) / spread
    daily = sharpe(gained) / math.sqrt(YEAR)
    skewness, kurtosis = float((centred**3).mean()), float((centred**4).mean())
    variance = 1 - skewness * daily + (kurtosis - 1) / 4 * daily**2
    threshold = best_of_luck(len(gained), n_tried) / math.sqrt(YEAR)
    apart = (daily - threshold) * math.sqrt(len(gained) - 1)
    return NormalDist().cdf(apart / math.sqrt(max(variance, _STILL)))


def paired_interval(
    own: NDArray[np.float64],
    other: NDArray[np.float64],
    measure: Callable[[NDArray[np.float64]], float],
    *,
    length: int = 20,
    resamples: int = 1000,
    confidence: float = 0.95,
    random_state: int = 0,
) -> tuple[float, float, float]:
    """Give the difference of a measure of two strategies on the same days an interval.

    Whole stretches of days are drawn, the same for both, round the end (the circular block
    bootstrap: D. N. Politis and J. P. Romano 1992, in "Exploring the Limits of Bootstrap").

    Parameters
    ----------
    own, other : ndarray of shape (n_days,)
        Daily returns.
    measure : callable
        ``measure(returns) -> float``.
    length : int, default=20
        Days of a stretch.
    resamples : int, default=1000
        How often to draw.
    confidence : float, default=0.95
        Coverage.
    random_state : int, default=0
        Seed of the draws.

    Returns
    -------
    value, low, high : float
        Of own less other.
    """
    rng = np.random.default_rng(random_state)
    n = len(own)
    length = max(1, min(length, n))
    pieces = -(-n // length)
    drawn = []
    for _ in range(resamples):
        starts = rng.integers(0, n, pieces)
        rows = ((starts[:, None] + np.arange(length)) % n).ravel()[:n]
        drawn.append(measure(own[rows]) - measure(other[rows]))
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return measure(own) - measure(other), float(low), float(high)
