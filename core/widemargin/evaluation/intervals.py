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
    ends_of,
    error_of_few,
    method_of,
    student_reach,
    tells_quantile,
    units_of,
)
from widemargin.evaluation.flawless import is_flawless, perfected, with_unseen_mistakes
from widemargin.evaluation.gaps import gaps
from widemargin.evaluation.tally import Numbers

__all__ = ["Interval", "bootstrap_intervals", "paired_intervals"]

# More than e^700 is no number.
_FURTHEST = 700


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

    Resamples of fewer than 100 items, or groups, differ too little. Each is left out once instead,
    as where two models are compared (`gaps.gaps`): the jackknife's standard error and Student's
    distribution say how far the interval reaches to either side. A metric with two bounds has it
    on the scale of its log odds (:math:`x` being its share of the way from one bound to the other,
    :math:`\log \frac{x}{1 - x}`, on which an error of :math:`e` is one of :math:`e / (x(1 - x))`),
    so that it ends before the bounds, and one that is never below a bound, as an error, on the
    scale of the logarithm of its distance from it; one that is never above one is cut off there.
    There is no interval of fewer than 3, where one of few leaves the metric undefined, and where
    all of few leave it as it is.

    A metric that rests on a quantile (`Metric.quantile`) is resampled however few there are, its
    percentiles being taken further out (`draws.ends_of`). It has no interval where fewer than 3
    are to be expected beyond the quantile: of a median with fewer than 6 items, of what is caught
    at 0.1% blocked with fewer than 3,000 negatives.

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
        How many resamples to draw, of 100 items or more.
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
    found = {
        metric.name: _interval(metric, side, drawn[metric.name], n_units, confidence)
        for metric in metrics
    }
    settled: set[str] = set()
    if predictions.task == "classification":
        # What ranks all rightly is at its best, though some labels may be wrong.
        best = predictions if is_flawless(predictions) else perfected(predictions)
        worse = list(with_unseen_mistakes(best, groups, confidence))
        for metric in metrics:
            own = found[metric.name]
            if _is_flat(own) and np.isclose(own.value, metric.value(best)):
                found[metric.name] = _widened(own, *map(metric.value, worse))
                settled.add(metric.name)
    for metric in metrics:
        # What few leave as it is may be chance.
        flat = method_of(n_units) != "bootstrap" and _is_flat(found[metric.name])
        if metric.name not in settled and (flat or not tells_quantile(metric, *side)):
            found[metric.name] = replace(found[metric.name], low=math.nan, high=math.nan)
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
    for both leaves the difference alone. Of fewer than 100 items, or groups, by leaving out each
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


def _interval(
    metric: Metric,
    side: tuple[Predictions, NDArray[np.intp]],
    drawn: Numbers,
    n_units: int,
    confidence: float,
) -> Interval:
    value, defined = metric.value(side[0]), drawn[np.isfinite(drawn)]
    left_out = len(drawn) - len(defined)
    if not len(defined) or not math.isfinite(value):
        return Interval(value, math.nan, math.nan, left_out)
    if method_of(n_units, quantile=metric.quantile is not None) == "bootstrap":
        return Interval(value, *ends_of(defined, n_units, confidence), left_out)
    error = error_of_few(value, drawn, abs(value))
    if math.isnan(error):
        return Interval(value, math.nan, math.nan, left_out)
    if not error:
        return Interval(value, value, value, left_out)
    reach = student_reach(error, len(drawn), confidence)
    return Interval(value, *_within(metric.bounds, value, reach), left_out)


def _within(bounds: tuple[float, float], value: float, reach: float) -> tuple[float, float]:
    """Return the ends of an interval that reaches so far to either side, kept within bounds."""
    least, most = bounds
    from scipy.special import expit, logit

    if math.isfinite(least) and least < value < most:
        if math.isfinite(most):
            length = most - least
            share = (value - least) / length
            step = reach / length / (share * (1 - share))
            low, high = expit(logit(share) + np.array([-step, step]))
            return least + length * float(low), least + length * float(high)
        times = math.exp(min(reach / (value - least), _FURTHEST))
        return least + (value - least) / times, least + (value - least) * times
    return max(value - reach, min(least, value)), min(value + reach, max(most, value))
