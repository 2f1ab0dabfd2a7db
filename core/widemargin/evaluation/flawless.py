"""What predictions without a mistake leave open: resampling them can never show one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.contracts import Predictions

__all__ = ["is_flawless", "perfected", "unseen_mistakes", "with_unseen_mistakes"]


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


def with_unseen_mistakes(
    best: Predictions, groups: NDArray[Any] | None, confidence: float
) -> Iterator[Predictions]:
    """Give flawless predictions the mistakes that none among so many items, or groups, can hide.

    Spread evenly over all items first, and then over those of each class alone: that all five of
    a class were found says less of its recall than that all of 200 items are right.
    """
    for of in (None, *range(len(best.classes))):
        rows = best.weight > 0 if of is None else (best.weight > 0) & (best.y_true == of)
        n_drawn = int(rows.sum()) if groups is None else len(np.unique(groups[rows]))
        if n_drawn:
            share = unseen_mistakes(n_drawn, confidence)
            yield _with_mistakes(best, np.where(rows, share, 0.0))


def _with_mistakes(predictions: Predictions, share: NDArray[np.float64]) -> Predictions:
    """Return flawless predictions with a share of mistakes in each row, evenly over classes.

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
