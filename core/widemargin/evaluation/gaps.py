"""What two models differ by under the same draws of the same units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation.draws import (
    FEW,
    LEAST,
    drawn_values,
    ends_of,
    error_of_few,
    method_of,
    student_level,
    student_reach,
    tells_quantile,
    units_of,
)
from widemargin.evaluation.tally import Numbers

__all__ = ["Gap", "gaps"]

Sides: TypeAlias = tuple[tuple[Predictions, NDArray[np.intp]], ...]

_ROUNDING = 1e-12
"""What is left of equal numbers, as a share of what they are made of."""


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
    size that is the paired t-test of the units' differences. Of a metric that rests on a quantile
    (`Metric.quantile`) few units are resampled too, the interval and p being taken from Student's
    distribution (`draws.ends_of`).

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
        By the metric's name. Interval and p are nan with fewer than `LEAST` units, or too few for
        a quantile, and where all of few differ by the same amount other than 0, of which no
        variance can be taken.

    Raises
    ------
    ValueError
        Where there are no predictions, or the two are not of the same items.
    """
    sides = _sides(predictions, others, groups, other_groups)
    (one, other), n_units = drawn_values(
        sides, metrics, resamples=resamples, random_state=random_state
    )
    return {
        metric.name: _gap(metric, sides, one[metric.name] - other[metric.name], n_units, confidence)
        for metric in metrics
    }


def _gap(metric: Metric, sides: Sides, drawn: Numbers, n_units: int, confidence: float) -> Gap:
    one, other = (metric.value(predictions) for predictions, _ in sides)
    if method_of(n_units, quantile=metric.quantile is not None) != "bootstrap":
        return _of_few(one, other, drawn, n_units, confidence)
    # Models that never differ are alike, however little a quantile tells.
    if not drawn.any() or all(tells_quantile(metric, *side) for side in sides):
        return _of_many(one, other, drawn, n_units, confidence)
    return Gap(one - other, math.nan, math.nan, math.nan, n_units)


def _sides(
    predictions: Predictions,
    others: Predictions,
    groups: NDArray[Any] | None,
    other_groups: NDArray[Any] | None,
) -> Sides:
    """Give each row of both the number of its unit, which is the same in both."""
    if not len(predictions):
        raise ValueError("there are no predictions to resample")
    if groups is None or other_groups is None:
        if len(predictions) != len(others) or (predictions.ids != others.ids).any():
            raise ValueError("the two models' predictions are not of the same items")
        member = units_of(groups, len(predictions))
        return (predictions, member), (others, member)
    both = units_of(np.concatenate([groups, other_groups]), 0)
    one, other = both[: len(groups)], both[len(groups) :]
    if set(one.tolist()) != set(other.tolist()):
        raise ValueError("the two models' predictions are not of the same units")
    return (predictions, one), (others, other)


def _of_many(one: float, other: float, drawn: Numbers, n_units: int, confidence: float) -> Gap:
    value, defined = one - other, drawn[np.isfinite(drawn)]
    left_out = len(drawn) - len(defined)
    if not len(defined) or not math.isfinite(value):
        return Gap(value, math.nan, math.nan, math.nan, n_units, left_out)
    size = max(abs(one), abs(other))
    if n_units < FEW and np.ptp(defined) <= _ROUNDING * size:
        return _of_the_same(value, size, n_units, left_out)
    low, high = ends_of(defined, n_units, confidence)
    beyond = min(int((defined <= 0).sum()), int((defined >= 0).sum()))
    p = student_level(min(1.0, 2 * (1 + beyond) / (1 + len(defined))), n_units)
    return Gap(value, low, high, p, n_units, left_out)


def _of_few(one: float, other: float, without: Numbers, n_units: int, confidence: float) -> Gap:
    value, left_out = one - other, int((~np.isfinite(without)).sum())
    unsure = Gap(value, math.nan, math.nan, math.nan, n_units, left_out)
    size = max(abs(one), abs(other))
    if n_units < LEAST or left_out or not math.isfinite(value):
        return unsure
    error = error_of_few(value, without, size)
    if not error:
        return _of_the_same(value, size, n_units)
    from scipy.special import stdtr

    reach = student_reach(error, n_units, confidence)
    p = 2 * float(stdtr(n_units - 1, -abs(value) / error))
    return Gap(value, value - reach, value + reach, p, n_units)


def _of_the_same(value: float, size: float, n_units: int, left_out: int = 0) -> Gap:
    """Say what few units tell that all differ by the same amount: nothing, unless that is 0."""
    if abs(value) <= _ROUNDING * size:
        return Gap(0.0, 0.0, 0.0, 1.0, n_units, left_out)
    return Gap(value, math.nan, math.nan, math.nan, n_units, left_out)
