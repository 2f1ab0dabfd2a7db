"""Whether probabilities mean what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from widemargin.contracts import Predictions
from widemargin.evaluation.tally import Numbers, ratio

__all__ = ["CalibrationBin", "calibration_curve", "expected_calibration_error"]


@dataclass(frozen=True)
class CalibrationBin:
    """Items of about equal probability.

    Parameters
    ----------
    predicted : float
        Their mean probability.
    observed : float
        The share of them that came true.
    n_samples : int
        How many predictions of them there are.
    weight : float
        Their weight.
    place : int
        Which of the bins it is, from 0.
    n_items : float
        How many items they are; one that was predicted in each of 5 repeats counts 1/5 each time.
    n_independent : float
        As sure as of how many items, each drawn by itself, the observed share is: an item that was
        predicted several times is one, and those of one group tell less than as many strangers.
    """

    predicted: float
    observed: float
    n_samples: int
    weight: float
    place: int
    n_items: float
    n_independent: float


def calibration_curve(predictions: Predictions, bins: int = 10) -> tuple[CalibrationBin, ...]:
    """Compare probabilities with what came true, in bins of equal width.

    With two classes the probability is that of the positive class, and it comes true where the
    item is positive. With more it is that of the likeliest class, and it comes true where that
    class is the true one.

    Parameters
    ----------
    predictions : Predictions
        Predictions of n_samples items, with probabilities.
    bins : int
        Into how many bins 0 to 1 is cut.

    Returns
    -------
    tuple of CalibrationBin
        Rising; bins without weight are left out, and without probabilities there are none.

    Examples
    --------
    >>> probability = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.2, 0.8]])
    >>> predictions = Predictions(
    ...     y_true=np.array([0, 0, 1, 0]), y_pred=np.array([0, 0, 1, 1]),
    ...     decision=probability[:, 1] - 0.5, probability=probability, classes=("ham", "spam"),
    ...     positive=1, ids=np.array(list("abcd")), weight=np.ones(4))
    >>> [(round(bin.predicted, 2), bin.observed) for bin in calibration_curve(predictions)]
    [(0.1, 0.0), (0.8, 0.5)]
    """
    if predictions.probability is None or not len(predictions):
        return ()
    probability, came_true = _claims(predictions, predictions.probability)
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    weight, claimed, observed = (
        np.bincount(place, predictions.weight * values, bins).astype(np.float64)
        for values in (np.ones(len(place)), probability, came_true)
    )
    count = np.bincount(place, minlength=bins)
    each = predictions.n_items / len(predictions)
    share = ratio(observed, weight)
    independent = _independent(predictions, place, came_true, share)
    return tuple(
        CalibrationBin(
            predicted=float(claimed[i] / weight[i]),
            observed=float(share[i]),
            n_samples=int(count[i]),
            weight=float(weight[i]),
            place=int(i),
            n_items=float(count[i] * each),
            n_independent=float(independent[i]),
        )
        for i in np.flatnonzero(weight > 0)
    )


def expected_calibration_error(predictions: Predictions, bins: int = 10) -> float:
    """Mean distance between probability and what came true, over the bins by weight.

    Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian
    binning", AAAI (2015), for two classes; Guo, Pleiss, Sun and Weinberger, "On calibration of
    modern neural networks", ICML (2017), for more. On few items it is above 0 even for perfect
    probabilities.

    Parameters
    ----------
    predictions : Predictions
        Predictions with probabilities.
    bins : int
        Into how many bins 0 to 1 is cut.

    Returns
    -------
    float
        Between 0 and 1; nan without probabilities.

    Examples
    --------
    >>> probability = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.2, 0.8]])
    >>> predictions = Predictions(
    ...     y_true=np.array([0, 0, 1, 0]), y_pred=np.array([0, 0, 1, 1]),
    ...     decision=probability[:, 1] - 0.5, probability=probability, classes=("ham", "spam"),
    ...     positive=1, ids=np.array(list("abcd")), weight=np.ones(4))
    >>> round(expected_calibration_error(predictions), 4)
    0.2
    """
    curve = calibration_curve(predictions, bins)
    if not curve:
        return float("nan")
    gaps = [part.weight * abs(part.predicted - part.observed) for part in curve]
    return float(sum(gaps) / sum(part.weight for part in curve))


def _claims(predictions: Predictions, probability: Numbers) -> tuple[Numbers, Numbers]:
    if predictions.is_binary:
        code = predictions.positive
        return probability[:, code], (predictions.y_true == code).astype(np.float64)
    likeliest = probability.argmax(axis=1)
    return probability.max(axis=1), (predictions.y_true == likeliest).astype(np.float64)


def _independent(
    predictions: Predictions, place: NDArray[np.int64], came_true: Numbers, share: Numbers
) -> Numbers:
    """Return as sure as of how many items, each drawn by itself, the share of each bin is.

    Items of unequal weight count as (sum w)^2 / sum w^2, and so do groups. How far the number goes
    from that of the items to that of the groups is how alike the members of a group come out, their
    intraclass correlation within bins, over all bins (L. Kish (1965), "Survey Sampling", chapter
    5). Where nothing tells, as where every bin has one outcome, they are taken to be quite alike.

    Parameters
    ----------
    place : ndarray of shape (n_samples,)
        The bin of each prediction.
    came_true : ndarray of shape (n_samples,)
        1 where it did.
    share : ndarray of shape (n_bins,)
        The share of each bin that did.
    """
    counts = predictions.weight > 0
    items = np.unique(predictions.ids, return_inverse=True)[1].reshape(-1)
    drawn = items if predictions.drawn is None else predictions.drawn
    off = predictions.weight * (came_true - np.nan_to_num(share)[place])
    by_item, by_group = (
        _cells(place[counts], own[counts], predictions.weight[counts], off[counts], len(share))
        for own in (items, drawn)
    )
    variance = np.nan_to_num(share * (1 - share))
    # Of one group alone nothing can be told.
    told = by_group.number > 1
    # Residuals from a mean of few groups are too small.
    few = ratio(by_group.number, by_group.number - 1.0)[told]
    alike = (few * by_group.off[told] - by_item.off[told]).sum()
    quite = (variance * (by_group.squares - by_item.squares))[told].sum()
    correlation = min(1.0, max(0.0, alike / quite)) if quite > 0 else 1.0
    most, least = (ratio(own.weight**2, own.squares) for own in (by_item, by_group))
    return np.asarray(np.minimum(most, most / (1 + (most / least - 1) * correlation)))


class _Cells(NamedTuple):
    """Items or groups within each bin: how many, their weight, and sums of squares over them."""

    number: Numbers
    weight: Numbers
    squares: Numbers
    off: Numbers


def _cells(
    place: NDArray[np.int64], names: NDArray[Any], weight: Numbers, off: Numbers, bins: int
) -> _Cells:
    codes = np.unique(names, return_inverse=True)[1].reshape(-1)
    found, cell = np.unique(codes * bins + place, return_inverse=True)
    bin_of, cell = found % bins, cell.reshape(-1)
    own, residual = np.bincount(cell, weight), np.bincount(cell, off)
    number, total, squares, spread = (
        np.bincount(bin_of, values, bins).astype(np.float64)
        for values in (np.ones(len(found)), own, own**2, residual**2)
    )
    return _Cells(number, total, squares, spread)
