"""Draws: metrics of one model, or of several alike, under many weightings.

What is drawn, or left out, is a unit: a row, or all rows that belong together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation.tally import Formula, Numbers, Tally

__all__ = [
    "FEW",
    "LEAST",
    "Method",
    "drawn_values",
    "ends_of",
    "error_of_few",
    "method_of",
    "n_counting",
    "student_level",
    "student_reach",
    "tells_quantile",
    "units_of",
]

Method: TypeAlias = Literal["bootstrap", "jackknife", ""]
"""How an interval is made; empty where there is none."""

# Weights held at once. Small enough for the processor's cache, which is what the time goes by.
_BLOCK = 100_000

FEW = 100
"""Of fewer units the bootstrap is too sure: with 50 one interval of 95% in twelve misses what it is
of, with 20 one in nine, and with five it finds a difference that is none thrice as often as it
should."""
LEAST = 3
"""Of fewer units nothing tells how much they differ: two give one distance, and one gives none.
Nor does anything where fewer are to be expected beyond a quantile."""


def method_of(n_units: int, *, quantile: bool = False) -> Method:
    """Say how an interval over so many units is made; empty where they cannot tell.

    A quantile stays where it is or jumps to the next row, whichever is left out, so that the spread
    of these says nothing of how far it may be off: it is resampled, of few units too.
    """
    if n_units < LEAST:
        return ""
    return "bootstrap" if quantile or n_units >= FEW else "jackknife"


def tells_quantile(metric: Metric, predictions: Predictions, unit: NDArray[np.intp]) -> bool:
    """Say whether there are units enough for the quantile that a metric rests on, if on any.

    With fewer than `LEAST` to be expected beyond it, resamples hardly differ there: a median needs
    six units, what is caught at 0.1% blocked the negatives of 3,000.
    """
    if metric.quantile is None:
        return True
    counts = predictions.weight > 0
    if metric.n_classes == "two":
        counts &= predictions.y_true != predictions.positive
    return metric.quantile * len(np.unique(unit[counts])) >= LEAST * (1 - 1e-12)


def drawn_values(
    sides: Sequence[tuple[Predictions, NDArray[np.intp]]],
    metrics: Sequence[Metric],
    *,
    resamples: int,
    random_state: int,
) -> tuple[list[dict[str, Numbers]], int]:
    """Compute metrics under draws of units or, where there are few, without each of them.

    Parameters
    ----------
    sides : sequence of (Predictions, ndarray of shape (n_samples,))
        One model's predictions with the unit of each row, or several models' whose units are the
        same; every draw is of all of them.
    metrics : sequence of Metric
        What to compute.
    resamples, random_state
        As for `bootstrap_intervals`.

    Returns
    -------
    list of dict of str to ndarray
        Of each side, by the metric's name: a value a draw, as `method_of` says. Of fewer than
        `LEAST` units the one of all, which says what does not depend on the draw.
    int
        Units that were drawn, or left out; those without weight do not count.
    """
    first, member = sides[0]
    counting = np.unique(member[first.weight > 0])
    n_all, most = int(member.max()) + 1, max(len(own) for own, _ in sides)
    drawn: list[dict[str, list[Numbers]]] = [{one.name: [] for one in metrics} for _ in sides]
    for method in ("bootstrap", "jackknife", ""):
        own = [
            metric
            for metric in metrics
            if method_of(len(counting), quantile=metric.quantile is not None) == method
        ]
        if not own:
            continue
        if method == "bootstrap":
            draws = _drawn_times(n_all, resamples, most, random_state)
        else:
            # Nothing is left without the only one, and some metrics fail on nothing.
            draws = _left_out_once(n_all, counting if method else counting[:0])
        for times in draws:
            for (told, unit), values in zip(sides, drawn, strict=True):
                tally = Tally(told, times[:, unit] * told.weight)
                for metric in own:
                    values[metric.name].append(_values_under(metric, tally))
    none = np.zeros(0)
    return [
        {name: np.concatenate([none, *some]) for name, some in values.items()} for values in drawn
    ], len(counting)


def ends_of(drawn: Numbers, n_units: int, confidence: float) -> tuple[float, float]:
    r"""Return the ends of the percentile interval of draws, expanded where there are few units.

    Draws of :math:`n` units spread :math:`\sqrt{(n - 1) / n}` times as far as they should, and the
    normal distribution's tails are thinner than Student's. T. C. Hesterberg (2015), "What teachers
    should know about the bootstrap", The American Statistician 69, takes percentiles further out
    by both.
    """
    tail = (1 - confidence) / 2
    if n_units < FEW:
        from scipy.special import ndtr, stdtrit

        tail = float(ndtr(math.sqrt(n_units / (n_units - 1)) * stdtrit(n_units - 1, tail)))
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def student_level(p: float, n_units: int) -> float:
    """Return the p-value of draws of so many units: the level at which `ends_of` reach 0."""
    if n_units >= FEW:
        return p
    from scipy.special import ndtri, stdtr

    return min(
        1.0, 2 * float(stdtr(n_units - 1, ndtri(p / 2) / math.sqrt(n_units / (n_units - 1))))
    )


def error_of_few(value: float, without: Numbers, size: float) -> float:
    r"""Return the standard error of a number by the jackknife: :math:`G` units, each left out once.

    Parameters
    ----------
    value : float
        The number over all units.
    without : ndarray of shape (n_units,)
        The number without each.
    size : float
        How large the numbers are that it is made of, for what is but rounding.

    Returns
    -------
    float
        0 where nothing changes it; nan of fewer than `LEAST` units, or where it is undefined
        without one of them.
    """
    # What is left of equal numbers is rounding, of some 1e-16 of them.
    if not (np.abs(without - value) > 1e-12 * size).any():
        return 0.0
    n_units = len(without)
    if n_units < LEAST or not np.isfinite(without).all():
        return math.nan
    return math.sqrt((n_units - 1) / n_units * float(np.square(without - value).sum()))


def student_reach(error: float, n_units: int, confidence: float) -> float:
    """Return how far an interval by Student's distribution reaches to either side."""
    from scipy.special import stdtrit

    return error * float(stdtrit(n_units - 1, (1 + confidence) / 2))


def n_counting(predictions: Predictions, groups: NDArray[Any] | None) -> int:
    """Count the units of any weight: rows, or groups."""
    counts = predictions.weight > 0
    return int(counts.sum()) if groups is None else len(np.unique(groups[counts]))


def units_of(groups: NDArray[Any] | None, n_samples: int) -> NDArray[np.intp]:
    """Give each row the number of its unit, from 0."""
    if groups is None:
        return np.arange(n_samples)
    return np.unique(groups, return_inverse=True)[1].reshape(-1)


def _drawn_times(
    n_units: int, resamples: int, n_samples: int, random_state: int
) -> Iterator[NDArray[np.intp]]:
    """Draw units with replacement as many times as there are, and count how often each is drawn.

    How many rows are weighted, `n_samples`, says how many draws are made at once.
    """
    rng = np.random.default_rng(random_state)
    block = max(1, _BLOCK // n_samples)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        draws = rng.integers(0, n_units, size=(rows, n_units))
        draws += n_units * np.arange(rows)[:, np.newaxis]
        yield np.bincount(draws.reshape(-1), minlength=rows * n_units).reshape(rows, n_units)


def _values_under(metric: Metric, tally: Tally) -> Numbers:
    """Compute a metric under each weighting."""
    if isinstance(metric.compute, Formula):
        return metric.compute.of(tally)
    # A plugin's metric knows one weighting at a time.
    return np.array(
        [metric.value(tally.predictions.with_weight(weight)) for weight in tally.weight]
    )


def _left_out_once(n_units: int, counting: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Leave out each; the units as they are where none is to be."""
    if not len(counting):
        yield np.ones((1, n_units), dtype=np.intp)
    for unit in counting:
        times = np.ones((1, n_units), dtype=np.intp)
        times[0, unit] = 0
        yield times
