"""Bootstrap intervals of metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation.draws import drawn_times, gaps, units_of, values_under
from widemargin.evaluation.flawless import is_flawless, perfected, unseen_mistakes, with_mistakes
from widemargin.evaluation.tally import Numbers, Tally

__all__ = ["Interval", "bootstrap_intervals", "paired_intervals"]


@dataclass(frozen=True)
class Interval:
    """A metric's value with its bootstrap interval.

    Parameters
    ----------
    value : float
        The metric of the predictions themselves; nan where undefined.
    low, high : float
        Ends of the interval; nan where no resample defines the metric.
    left_out : int
        Resamples that do not define the metric, as where a class was not drawn.

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
    """Give each metric an interval by resampling the items.

    The percentile bootstrap of Efron and Tibshirani, "An Introduction to the Bootstrap" (1993),
    chapter 13: the items are drawn with replacement as many times as there are, the metric is
    computed, and the interval is what the middle `confidence` of the resamples span. The model
    is not trained anew, so the interval tells how sure the number is for this model, and not how
    much another training set would change it.

    Where no prediction is wrong, no resample has a mistake in it. A metric that does not vary for
    that reason has its other end where as many mistakes as none among so many items can hide
    would put it (`flawless.unseen_mistakes`): 20 of 20 right is an accuracy of 0.832 to 1.

    Parameters
    ----------
    predictions : Predictions
        Out-of-sample predictions of n_samples items.
    metrics : sequence of Metric
        What to compute.
    resamples : int
        How many resamples to draw.
    confidence : float
        Coverage, between 0 and 1.
    groups : array of shape (n_samples,), optional
        Rows of one group are drawn together, as many groups as there are; for rows that
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
    drawn: dict[str, list[Numbers]] = {metric.name: [] for metric in metrics}
    member = units_of(groups, len(predictions))
    for times in drawn_times(int(member.max()) + 1, resamples, len(member), random_state):
        tally = Tally(predictions, times[:, member] * predictions.weight)
        for metric in metrics:
            drawn[metric.name].append(values_under(metric, tally))
    found = {
        metric.name: _interval(
            float(metric.compute(predictions)), np.concatenate(drawn[metric.name]), confidence
        )
        for metric in metrics
    }
    if predictions.task == "classification":
        # What ranks all rightly is at its best, though some labels may be wrong.
        best = predictions if is_flawless(predictions) else perfected(predictions)
        worse = with_mistakes(best, unseen_mistakes(_n_drawn(predictions, groups), confidence))
        for metric in metrics:
            own = found[metric.name]
            if _is_flat(own) and np.isclose(own.value, float(metric.compute(best))):
                found[metric.name] = _widened(own, float(metric.compute(worse)))
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
    once, and of fewer than 3 there is no interval (`draws.gaps`).

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
        worse = with_mistakes(
            predictions, unseen_mistakes(_n_drawn(predictions, groups), confidence)
        )
        for metric in metrics:
            if _is_flat(found[metric.name]):
                loss = float(metric.compute(worse)) - float(metric.compute(predictions))
                found[metric.name] = _widened(_widened(found[metric.name], loss), -loss)
    return found


def _n_drawn(predictions: Predictions, groups: NDArray[Any] | None) -> int:
    """Count what resamples draw and what counts: rows, or groups, of any weight."""
    counts = predictions.weight > 0
    return int(counts.sum()) if groups is None else len(np.unique(groups[counts]))


def _is_flat(interval: Interval) -> bool:
    return bool(np.isclose(interval.low, interval.high, rtol=1e-9, atol=1e-12))


def _widened(interval: Interval, value: float) -> Interval:
    low, high = np.fmin(interval.low, value), np.fmax(interval.high, value)
    return replace(interval, low=float(low), high=float(high))


def _interval(value: float, drawn: Numbers, confidence: float) -> Interval:
    defined = drawn[np.isfinite(drawn)]
    left_out = len(drawn) - len(defined)
    if not len(defined) or not np.isfinite(value):
        return Interval(value, float("nan"), float("nan"), left_out)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high), left_out)
