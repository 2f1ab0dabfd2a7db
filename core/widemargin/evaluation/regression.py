"""Formulas of the regression metrics; each takes a tally and honours its weights."""

from __future__ import annotations

import numpy as np

from widemargin.evaluation.tally import Numbers, Tally, ratio

__all__ = ["mae", "median_ae", "r2", "rmse"]


def mae(tally: Tally) -> Numbers:
    """Mean absolute error."""
    return tally.mean(np.abs(_error(tally)))


def rmse(tally: Tally) -> Numbers:
    """Root of the mean squared error."""
    return np.sqrt(tally.mean(_error(tally) ** 2))


def median_ae(tally: Tally) -> Numbers:
    """Absolute error that half of the weight stays below."""
    error = np.abs(_error(tally))
    order = np.argsort(error)
    below = np.cumsum(tally.weight[:, order], axis=1)
    half = below[:, -1:] / 2
    # Where the weight splits evenly between two errors, the median is their mean; weights such
    # as 0.1 do not add up exactly, hence the tolerance.
    last = len(error) - 1
    low = np.minimum((below < half * (1 - 1e-12)).sum(axis=1), last)
    high = np.minimum((below <= half * (1 + 1e-12)).sum(axis=1), last)
    middle = (error[order[low]] + error[order[high]]) / 2
    return np.where(tally.total > 0, middle, np.nan)


def r2(tally: Tally) -> Numbers:
    """Share of the target's variance that is predicted; nan for a constant target."""
    y = tally.predictions.y_true
    squares = tally.weight @ _error(tally) ** 2
    # Centred first, or the difference below would lose its digits for a target far from 0.
    centred = y - y.mean() if np.ptp(y) > 0 else np.zeros_like(y)
    moment = tally.weight @ centred**2
    spread = moment - (tally.weight @ centred) ** 2 / np.where(tally.total > 0, tally.total, 1.0)
    # What rounding leaves of a target that is constant where the weight lies is no variance.
    real = np.where(spread > 1e-12 * moment, spread, 0.0)
    return 1 - ratio(squares, real)


def _error(tally: Tally) -> Numbers:
    return np.asarray(tally.predictions.y_pred - tally.predictions.y_true, dtype=np.float64)
