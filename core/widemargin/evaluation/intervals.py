"""Intervals of metrics: the bootstrap, or of few units the jackknife."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation.draws import (
    drawn_values,
    error_of_few,
    method_of,
    student_reach,
    units_of,
)
from widemargin.evaluation.flawless import is_flawless, perfected, with_unseen_mistakes
from widemargin.evaluation.gaps import gaps
from widemargin.evaluation.tally import Numbers

__all__ = ["Interval", "bootstrap_intervals", "paired_intervals"]


@dataclass(frozen=True)
class Interval:
    """A metric's value with its interval.

    Parameters
    ----------
    value : float
        The metric of the predictions themselves; nan where undefined.
    low, high : float
        Ends of the interval; nan where there is none.
    left_out : int
        Draws that do not define the metric, as where a class was not drawn.

    Examples
    --------
    >>> 0.95 in Interval(0.96, 0.94, 0.97)
    True
    """

    value: float
    low: float
    high: float
    left_out: int = 0

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def width(self) -> float:
        """From one end to the other."""
        return self.high - self.low


def bootstrap_intervals(
    predictions: Predictions,
    metrics: Sequence[Metric],
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    groups: NDArray[Any] | None = None,
    random_state: int = 0,
) -> dict[str, Interval]:
    r"""Give each metric an interval by resampling the items or, of few, by leaving out each.

    The percentile bootstrap of Efron and Tibshirani, "An Introduction to the Bootstrap" (1993),
    chapter 13: the items are drawn with replacement as many times as there are, the metric is
    computed, and the interval is what the middle `confidence` of the resamples span. The model
    is not trained anew, so the interval tells how sure the number is for this model, and not how
    much another training set would change it.

    Resamples of fewer than 20 items, or groups, differ too little. Each is left out once instead,
    as where two models are compared (`gaps.gaps`): the jackknife's standard error and Student's
    distribution say how far the interval reaches to either side. A metric with two bounds has it
    on the scale of its log odds (:math:`x` being its share of the way from one bound to the other,
    :math:`\log \frac{x}{1 - x}`, on which an error of :math:`e` is one of :math:`e / (x(1 - x))`),
    so that it ends before the bounds; one with a single bound is cut off there. There is no
    interval of fewer than 3, where one of few leaves the metric undefined, and where all of few
    leave it as it is.

    Where no prediction is wrong, no resample has a mistake in it. A metric that does not vary for
    that reason has its other end where as many mistakes as none among so many items can hide
    would put it (`flawless.unseen_mistakes`), or among those of one class: 20 of 20 right is an
    accuracy of 0.832 to 1, and where 5 of them are spam the recall of spam is 0.478 to 1.

    Parameters
    ----------
    predictions : Predictions
        Out-of-sample predictions of n_samples items.
    metrics : sequence of Metric
        What to compute.
    resamples : int
        How many resamples to draw, of 20 items or more.
    confidence : float
        Coverage, between 0 and 1.
    groups : array of shape (n_samples,), optional
        Rows of one group are drawn, or left out, together, and are one of few; for rows that
        resemble each other, and for repeated cross-validation (the group is the item).
    random_state : int
        Seed of the draws.

    Returns
    -------
    dict of str to Interval
        By the metric's name, in the order given.

    Raises
    ------
    ValueError
        Where there are no predictions, or `groups` has another length than they.

    Examples
    --------
    >>> y = np.repeat([0, 1], 50)
    >>> predictions = Predictions(
    ...     y_true=y, y_pred=np.roll(y, 5), decision=np.roll(y, 5) - 0.5, probability=None,
    ...     classes=("ham", "spam"), positive=1, ids=y.astype(str), weight=np.ones(100))
    >>> from widemargin.evaluation import METRICS
    >>> interval = bootstrap_intervals(predictions, METRICS[:1], random_state=0)["accuracy"]
    >>> interval.value, interval.low < 0.9 < interval.high
    (0.9, True)
    """
    if not len(predictions):
        raise ValueError("there are no predictions to resample")
    if groups is not None and len(groups) != len(predictions):
        raise ValueError(
            f"groups has {len(groups)} rows and there are {len(predictions)} predictions"
        )
    side = (predictions, units_of(groups, len(predictions)))
    (drawn,), n_units = drawn_values(
        [side], metrics, resamples=resamples, random_state=random_state
    )
    few = method_of(n_units) != "bootstrap"
    of = _of_few if few else _of_many
    found = {
        metric.name: of(metric, metric.value(predictions), drawn[metric.name], confidence)
        for metric in metrics
    }
    if predictions.task == "classification":
        # What ranks all rightly is at its best, though some labels may be wrong.
        best = predictions if is_flawless(predictions) else perfected(predictions)
        worse = list(with_unseen_mistakes(best, groups, confidence))
        for metric in metrics:
            own = found[metric.name]
            if _is_flat(own) and np.isclose(own.value, metric.value(best)):
                found[metric.name] = _widened(own, *map(metric.value, worse))
    if few:
        # What few leave as it is may be chance.
        for name, own in found.items():
            if _is_flat(own):
                found[name] = replace(own, low=math.nan, high=math.nan)
    return found


def paired_intervals(
    predictions: Predictions,
    others: Predictions,
    metrics: Sequence[Metric],
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    groups: NDArray[Any] | None = None,
    random_state: int = 0,
) -> dict[str, Interval]:
    """Give the difference of two models' metrics on the same items an interval.

    As `bootstrap_intervals`, every resample being drawn for both: what makes an item easy or hard
    for both leaves the difference alone. Of fewer than 20 items, or groups, by leaving out each
    once, and of fewer than 3 there is no interval (`gaps.gaps`).

    Parameters
    ----------
    predictions, others : Predictions
        Out-of-sample predictions of the same n_samples items, in one order.
    metrics : sequence of Metric
        What to compute.
    resamples, confidence, groups, random_state
        As for `bootstrap_intervals`.

    Returns
    -------
    dict of str to Interval
        By the metric's name: that of `predictions` less that of `others`.

    Raises
    ------
    ValueError
        Where there are no predictions, or the two are not of the same items.

    Examples
    --------
    >>> from dataclasses import replace
    >>> y = np.repeat([0, 1], 50)
    >>> right = Predictions(
    ...     y_true=y, y_pred=y, decision=y - 0.5, probability=None,
    ...     classes=("ham", "spam"), positive=1, ids=y.astype(str), weight=np.ones(100))
    >>> worse = replace(right, y_pred=np.roll(y, 5))
    >>> from widemargin.evaluation import METRICS
    >>> gain = paired_intervals(right, worse, METRICS[:1])["accuracy"]
    >>> round(gain.value, 2), gain.low > 0
    (0.1, True)
    """
    drawn = gaps(
        predictions,
        others,
        metrics,
        resamples=resamples,
        confidence=confidence,
        groups=groups,
        random_state=random_state,
    )
    found = {
        name: Interval(gap.value, gap.low, gap.high, gap.left_out) for name, gap in drawn.items()
    }
    if is_flawless(predictions) and is_flawless(others):
        worse = list(with_unseen_mistakes(predictions, groups, confidence))
        for metric in metrics:
            if _is_flat(found[metric.name]):
                losses = [metric.value(one) - metric.value(predictions) for one in worse]
                losses += [-loss for loss in losses]
                found[metric.name] = _widened(found[metric.name], *losses)
    return found


def _is_flat(interval: Interval) -> bool:
    return bool(np.isclose(interval.low, interval.high, rtol=1e-9, atol=1e-12))


def _widened(interval: Interval, *values: float) -> Interval:
    low, high = np.fmin.reduce([interval.low, *values]), np.fmax.reduce([interval.high, *values])
    return replace(interval, low=float(low), high=float(high))


def _of_many(metric: Metric, value: float, drawn: Numbers, confidence: float) -> Interval:
    defined = drawn[np.isfinite(drawn)]
    left_out = len(drawn) - len(defined)
    if not len(defined) or not math.isfinite(value):
        return Interval(value, math.nan, math.nan, left_out)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high), left_out)


def _of_few(metric: Metric, value: float, without: Numbers, confidence: float) -> Interval:
    left_out = int((~np.isfinite(without)).sum())
    error = error_of_few(value, without, abs(value))
    if not math.isfinite(value) or math.isnan(error):
        return Interval(value, math.nan, math.nan, left_out)
    if not error:
        return Interval(value, value, value, left_out)
    low, high = _within(metric.bounds, value, student_reach(error, len(without), confidence))
    return Interval(value, low, high, left_out)


def _within(bounds: tuple[float, float], value: float, reach: float) -> tuple[float, float]:
    """Return the ends of an interval that reaches so far to either side, kept within bounds."""
    least, most = bounds
    length = most - least
    if not (math.isfinite(length) and least < value < most):
        return max(value - reach, min(least, value)), min(value + reach, max(most, value))
    from scipy.special import expit, logit

    share = (value - least) / length
    step = reach / length / (share * (1 - share))
    low, high = expit(logit(share) + np.array([-step, step]))
    return least + length * float(low), least + length * float(high)
