"""Whether probabilities mean what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from widemargin.contracts import Predictions
from widemargin.evaluation.tally import Numbers

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
        How many there are.
    weight : float
        Their weight.
    place : int
        Which of the bins it is, from 0.
    """

    predicted: float
    observed: float
    n_samples: int
    weight: float
    place: int


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
    weight = np.bincount(place, predictions.weight, bins)
    claimed = np.bincount(place, predictions.weight * probability, bins)
    observed = np.bincount(place, predictions.weight * came_true, bins)
    count = np.bincount(place, minlength=bins)
    return tuple(
        CalibrationBin(
            float(claimed[i] / weight[i]),
            float(observed[i] / weight[i]),
            int(count[i]),
            float(weight[i]),
            int(i),
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
