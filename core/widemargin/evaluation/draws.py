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
    "error_of_few",
    "method_of",
    "n_counting",
    "student_reach",
    "units_of",
]

Method: TypeAlias = Literal["bootstrap", "jackknife", ""]
"""How an interval is made; empty where there is none."""

# Weights held at once. Small enough for the processor's cache, which is what the time goes by.
_BLOCK = 100_000

FEW = 20
"""Of fewer units the bootstrap is too sure: with five it finds a difference that is none thrice as
often as it should, and one interval of 95% in six misses what it is of."""
LEAST = 3
"""Of fewer units nothing tells how much they differ: two give one distance, and one gives none."""


def method_of(n_units: int) -> Method:
    """Say how an interval over so many units is made; empty where they cannot tell."""
    if n_units >= FEW:
        return "bootstrap"
    return "jackknife" if n_units >= LEAST else ""


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
        Of each side, by the metric's name: a value a draw. Of fewer than `LEAST` units the one of
        all, which says what does not depend on the draw.
    int
        Units that were drawn, or left out; those without weight do not count.
    """
    first, member = sides[0]
    counting = np.unique(member[first.weight > 0])
    n_all, most = int(member.max()) + 1, max(len(own) for own, _ in sides)
    drawn: list[dict[str, list[Numbers]]] = [{one.name: [] for one in metrics} for _ in sides]
    method = method_of(len(counting))
    if method == "bootstrap":
        draws = _drawn_times(n_all, resamples, most, random_state)
    else:
        # Nothing is left without the only one, and some metrics fail on nothing.
        draws = _left_out_once(n_all, counting if method else counting[:0])
    for times in draws:
        for (own, unit), values in zip(sides, drawn, strict=True):
            tally = Tally(own, times[:, unit] * own.weight)
            for metric in metrics:
                values[metric.name].append(_values_under(metric, tally))
    none = np.zeros(0)
    return [
        {name: np.concatenate([none, *some]) for name, some in values.items()} for values in drawn
    ], len(counting)


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
