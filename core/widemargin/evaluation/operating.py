"""Thresholds for a given price in wrongly blocked items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from widemargin.contracts import Predictions
from widemargin.evaluation.tally import Tally, ratio

__all__ = ["OperatingPoint", "operating_points"]


@dataclass(frozen=True)
class OperatingPoint:
    """What one threshold would do.

    Parameters
    ----------
    limit : float
        Share of the negatives that may be blocked.
    threshold : float
        Items whose decision is strictly above it are blocked.
    blocked, caught : float
        Share of the negatives and of the positives that it blocks.
    """

    limit: float
    threshold: float
    blocked: float
    caught: float


def operating_points(
    predictions: Predictions, blocked: Sequence[float] = (0.001, 0.005, 0.01)
) -> tuple[OperatingPoint, ...]:
    """Find for each limit the lowest threshold that keeps to it, and what it catches.

    Parameters
    ----------
    predictions : Predictions
        Predictions of a binary task.
    blocked : sequence of float
        Shares of the negatives' weight that may be blocked, each from 0 up to below 1.

    Returns
    -------
    tuple of OperatingPoint
        One a limit, in the order given; `caught` is what the metric ``caught_at_...`` says.
        There are none where a class is absent.

    Raises
    ------
    ValueError
        Where there are not exactly two classes, or a limit is not between 0 and 1.

    Examples
    --------
    >>> y = np.array([0, 0, 1, 1])
    >>> predictions = Predictions(
    ...     y_true=y, y_pred=y, decision=np.array([-2.0, 0.5, 0.3, 1.0]), probability=None,
    ...     classes=("ham", "spam"), positive=1, ids=y.astype(str), weight=np.ones(4))
    >>> operating_points(predictions, [0, 0.5])
    (OperatingPoint(limit=0, threshold=0.5, blocked=0.0, caught=0.5),
     OperatingPoint(limit=0.5, threshold=-2.0, blocked=0.5, caught=1.0))
    """
    if not predictions.is_binary:
        raise ValueError(f"operating points need two classes; there are {len(predictions.classes)}")
    for limit in blocked:
        if not 0 <= limit < 1:
            raise ValueError(f"a share that may be blocked lies from 0 to below 1; got {limit!r}")
    if not len(predictions):
        return ()
    (climb,) = Tally(predictions, predictions.weight[np.newaxis]).climbs
    blocked_at = ratio(climb.negative, climb.negative[:, -1:])[0]
    caught_at = ratio(climb.positive, climb.positive[:, -1:])[0]
    if np.isnan(blocked_at[-1]) or np.isnan(caught_at[-1]):
        return ()
    points = []
    for limit in blocked:
        # All negatives together exceed any limit below 1, so there is a step beyond the last.
        steps = int((blocked_at <= limit).sum())
        shares = (blocked_at[steps - 1], caught_at[steps - 1]) if steps else (0.0, 0.0)
        points.append(
            OperatingPoint(
                limit, float(climb.thresholds[steps]), float(shares[0]), float(shares[1])
            )
        )
    return tuple(points)
