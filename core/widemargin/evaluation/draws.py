"""Draws: metrics under many weightings, and what two models differ by under the same ones.

What is drawn, or left out, is a unit: a row, or all rows that belong together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation.tally import Formula, Numbers, Tally

__all__ = ["FEW", "LEAST", "Gap", "drawn_times", "gaps", "units_of", "values_under"]

# Weights held at once. Small enough for the processor's cache, which is what the time goes by.
_BLOCK = 100_000

FEW = 20
"""Of fewer units the bootstrap is too sure: with five it finds a difference that is none thrice as
often as it should."""
LEAST = 3
"""Of fewer units nothing tells how much they differ: two give one distance, and one gives none."""


@dataclass(frozen=True)
class Gap:
    """By how much one model's metric is more than another's.

    Parameters
    ----------
    value : float
        The first's less the other's; nan where undefined.
    low, high : float
        Ends of its interval; nan where the units cannot tell.
    p : float
        How often the two differ at least as much where the models do not; nan likewise.
    n_units : int
        Units that were drawn, or left out; those without weight do not count.
    left_out : int
        Draws that do not define the metric.
    """

    value: float
    low: float
    high: float
    p: float
    n_units: int
    left_out: int = 0


def gaps(
    predictions: Predictions,
    others: Predictions,
    metrics: Sequence[Metric],
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    groups: NDArray[Any] | None = None,
    other_groups: NDArray[Any] | None = None,
    random_state: int = 0,
) -> dict[str, Gap]:
    r"""Compare two models' metrics under the same draws of the same units.

    From `FEW` units on by the percentile bootstrap, p being twice the share of draws in which the
    model that is better over all is not (Efron and Tibshirani, "An Introduction to the Bootstrap",
    1993, chapters 13 and 15), the units as they are being one of the draws.

    Of fewer units resamples differ too little. Each is left out once instead (the jackknife,
    chapter 11): with :math:`d_{-g}` the difference without unit :math:`g`, the variance of the
    difference :math:`d` is taken as :math:`\frac{G - 1}{G} \sum_g (d_{-g} - d)^2`, and compared
    with Student's distribution of :math:`G - 1` degrees of freedom. For a mean over units of one
    size that is the paired t-test of the units' differences.

    Parameters
    ----------
    predictions, others : Predictions
        Out-of-sample predictions of two models. Without `other_groups` of the same rows, in one
        order; with them of the same units.
    metrics : sequence of Metric
        What to compare.
    resamples, confidence, random_state
        As for `bootstrap_intervals`.
    groups : array of shape (n_samples,), optional
        The unit of each row; each is one of its own without.
    other_groups : array, optional
        The unit of each row of `others`, where its rows are not those of `predictions`.

    Returns
    -------
    dict of str to Gap
        By the metric's name. Interval and p are nan with fewer than `LEAST` units, and where all
        of few differ by the same amount other than 0, of which no variance can be taken.

    Raises
    ------
    ValueError
        Where there are no predictions, or the two are not of the same items.
    """
    members = _members(predictions, others, groups, other_groups)
    counting = np.unique(members[0][predictions.weight > 0])
    n_all, few = int(members[0].max()) + 1, len(counting) < FEW
    drawn: dict[str, list[Numbers]] = {metric.name: [] for metric in metrics}
    for times in (
        _left_out_once(n_all, counting)
        if few
        else drawn_times(n_all, resamples, max(map(len, members)), random_state)
    ):
        one, other = (
            Tally(own, times[:, member] * own.weight)
            for own, member in zip((predictions, others), members, strict=True)
        )
        for metric in metrics:
            drawn[metric.name].append(values_under(metric, one) - values_under(metric, other))
    summed = _of_few if few else _of_many
    return {
        metric.name: summed(
            float(metric.compute(predictions)),
            float(metric.compute(others)),
            np.concatenate(drawn[metric.name]),
            len(counting),
            confidence,
        )
        for metric in metrics
    }


def units_of(groups: NDArray[Any] | None, n_samples: int) -> NDArray[np.intp]:
    """Give each row the number of its unit, from 0."""
    if groups is None:
        return np.arange(n_samples)
    return np.unique(groups, return_inverse=True)[1].reshape(-1)


def drawn_times(
    n_units: int, resamples: int, n_samples: int, random_state: int
) -> Iterator[NDArray[np.intp]]:
    """Draw units with replacement as many times as there are, and count how often each is drawn.

    Parameters
    ----------
    n_units, resamples : int
        How many units there are, and how often they are drawn.
    n_samples : int
        Rows that will be weighted, which says how many draws are made at once.
    random_state : int
        Seed of the draws.

    Yields
    ------
    ndarray of shape (n_draws, n_units)
    """
    rng = np.random.default_rng(random_state)
    block = max(1, _BLOCK // n_samples)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        draws = rng.integers(0, n_units, size=(rows, n_units))
        draws += n_units * np.arange(rows)[:, np.newaxis]
        yield np.bincount(draws.reshape(-1), minlength=rows * n_units).reshape(rows, n_units)


def values_under(metric: Metric, tally: Tally) -> Numbers:
    """Compute a metric under each weighting."""
    if isinstance(metric.compute, Formula):
        return metric.compute.of(tally)
    # A plugin's metric knows one weighting at a time.
    return np.array(
        [float(metric.compute(tally.predictions.with_weight(weight))) for weight in tally.weight]
    )


def _members(
    predictions: Predictions,
    others: Predictions,
    groups: NDArray[Any] | None,
    other_groups: NDArray[Any] | None,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give each row of both the number of its unit, which is the same in both."""
    if not len(predictions):
        raise ValueError("there are no predictions to resample")
    if groups is None or other_groups is None:
        if len(predictions) != len(others) or (predictions.ids != others.ids).any():
            raise ValueError("the two models' predictions are not of the same items")
        member = units_of(groups, len(predictions))
        return member, member
    both = units_of(np.concatenate([groups, other_groups]), 0)
    one, other = both[: len(groups)], both[len(groups) :]
    if set(one.tolist()) != set(other.tolist()):
        raise ValueError("the two models' predictions are not of the same units")
    return one, other


def _left_out_once(n_units: int, counting: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for unit in counting:
        times = np.ones((1, n_units), dtype=np.intp)
        times[0, unit] = 0
        yield times


def _of_many(one: float, other: float, drawn: Numbers, n_units: int, confidence: float) -> Gap:
    value, defined = one - other, drawn[np.isfinite(drawn)]
    left_out = len(drawn) - len(defined)
    if not len(defined) or not math.isfinite(value):
        return Gap(value, math.nan, math.nan, math.nan, n_units, left_out)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    beyond = min(int((defined <= 0).sum()), int((defined >= 0).sum()))
    p = min(1.0, 2 * (1 + beyond) / (1 + len(defined)))
    return Gap(value, float(low), float(high), p, n_units, left_out)


def _of_few(one: float, other: float, without: Numbers, n_units: int, confidence: float) -> Gap:
    value, left_out = one - other, int((~np.isfinite(without)).sum())
    unsure = Gap(value, math.nan, math.nan, math.nan, n_units, left_out)
    if n_units < LEAST or left_out or not math.isfinite(value):
        return unsure
    # What is left of equal differences is rounding, of some 1e-16 of the scores themselves.
    rounding = 1e-12 * max(abs(one), abs(other))
    if np.abs(without - value).max() <= rounding:
        return Gap(0.0, 0.0, 0.0, 1.0, n_units) if abs(value) <= rounding else unsure
    from scipy.special import stdtr, stdtrit

    error = math.sqrt((n_units - 1) / n_units * float(np.square(without - value).sum()))
    reach = error * float(stdtrit(n_units - 1, (1 + confidence) / 2))
    p = 2 * float(stdtr(n_units - 1, -abs(value) / error))
    return Gap(value, value - reach, value + reach, p, n_units)
