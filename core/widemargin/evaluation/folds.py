"""Metrics fold by fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.contracts import Metric, Predictions

__all__ = ["fold_scores", "take"]


def take(predictions: Predictions, rows: NDArray[Any]) -> Predictions:
    """Return the predictions of some rows.

    Parameters
    ----------
    predictions : Predictions
        Predictions of n_samples items.
    rows : ndarray
        Indices, or a mask of shape (n_samples,).
    """
    probability = predictions.probability
    return replace(
        predictions,
        y_true=predictions.y_true[rows],
        y_pred=predictions.y_pred[rows],
        decision=predictions.decision[rows],
        probability=None if probability is None else probability[rows],
        ids=predictions.ids[rows],
        weight=predictions.weight[rows],
        part=None if predictions.part is None else predictions.part[rows],
        drawn=None if predictions.drawn is None else predictions.drawn[rows],
    )


def fold_scores(
    predictions: Predictions, folds: NDArray[Any], metrics: Sequence[Metric]
) -> dict[str, tuple[float, ...]]:
    """Compute each metric on each fold.

    Parameters
    ----------
    predictions : Predictions
        Out-of-fold predictions of n_samples items.
    folds : array of shape (n_samples,)
        The fold that each row was held out in.
    metrics : sequence of Metric
        What to compute.

    Returns
    -------
    dict of str to tuple of float
        By the metric's name, one value a fold in the sorted order of `folds`; nan where a fold
        does not define the metric.

    Raises
    ------
    ValueError
        Where `folds` has another length than the predictions.

    Examples
    --------
    >>> y = np.array([0, 1, 0, 1])
    >>> predictions = Predictions(
    ...     y_true=y, y_pred=np.array([0, 1, 1, 1]), decision=y - 0.5, probability=None,
    ...     classes=("ham", "spam"), positive=1, ids=y.astype(str), weight=np.ones(4))
    >>> from widemargin.evaluation import METRICS
    >>> fold_scores(predictions, np.array([0, 0, 1, 1]), METRICS[:1])
    {'accuracy': (1.0, 0.5)}
    """
    if len(folds) != len(predictions):
        raise ValueError(f"folds has {len(folds)} rows and there are {len(predictions)}")
    parts = [take(predictions, np.asarray(folds) == fold) for fold in np.unique(folds)]
    return {metric.name: tuple(metric.value(part) for part in parts) for metric in metrics}
