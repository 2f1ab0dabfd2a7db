"""What predictions without a mistake leave open: resampling them can never show one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from widemargin.contracts import Predictions

__all__ = ["is_flawless", "perfected", "unseen_mistakes", "with_mistakes"]


def is_flawless(predictions: Predictions) -> bool:
    """Say whether these are predictions of classes, each of them right."""
    right = bool((predictions.y_pred == predictions.y_true).all())
    return right and predictions.task == "classification"


def perfected(predictions: Predictions) -> Predictions:
    """Return the best predictions that there could be of the same rows."""
    if predictions.task == "regression":
        return replace(predictions, y_pred=predictions.y_true, decision=predictions.y_true)
    classes = np.arange(len(predictions.classes))
    sure = (predictions.y_true[:, np.newaxis] == classes).astype(np.float64)
    is_positive = predictions.y_true == predictions.positive
    one_column = predictions.decision.ndim == 1
    return replace(
        predictions,
        y_pred=predictions.y_true,
        decision=np.where(is_positive, 1.0, -1.0) if one_column else sure,
        probability=None if predictions.probability is None else sure,
    )


def unseen_mistakes(n_drawn: int, confidence: float) -> float:
    """Return the largest share of mistakes that fits with none among `n_drawn`.

    The upper end of the exact binomial interval for no event, 1 - (alpha / 2)^(1/n): C. J. Clopper
    and E. S. Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of
    the binomial", Biometrika 26, 404-413.

    Examples
    --------
    >>> round(unseen_mistakes(20, 0.95), 3)
    0.168
    """
    return float(1 - ((1 - confidence) / 2) ** (1 / n_drawn))


def with_mistakes(predictions: Predictions, share: float) -> Predictions:
    """Return flawless predictions with a share of mistakes, spread evenly over items and classes.

    Each row stands there as it is with weight 1 - share, and once for every other class, its
    decisions and probabilities moved on to that class, with what is left of its weight.
    """
    n_classes = len(predictions.classes)
    steps = range(n_classes)
    decision, probability = predictions.decision, predictions.probability
    one_column = decision.ndim == 1
    return replace(
        predictions,
        y_true=np.tile(predictions.y_true, n_classes),
        y_pred=np.concatenate([(predictions.y_pred + step) % n_classes for step in steps]),
        decision=(
            np.concatenate([decision, -decision])
            if one_column
            else np.concatenate([np.roll(decision, step, axis=1) for step in steps])
        ),
        probability=(
            None
            if probability is None
            else np.concatenate([np.roll(probability, step, axis=1) for step in steps])
        ),
        ids=np.tile(predictions.ids, n_classes),
        part=None if predictions.part is None else np.tile(predictions.part, n_classes),
        drawn=None if predictions.drawn is None else np.tile(predictions.drawn, n_classes),
        weight=np.concatenate(
            [
                predictions.weight * (1 - share if step == 0 else share / (n_classes - 1))
                for step in steps
            ]
        ),
    )
