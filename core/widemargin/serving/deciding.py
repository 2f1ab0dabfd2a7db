"""Deciding: the margin from which on the label of two classes is the positive one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from widemargin.svm.calibration import Calibration, least_cost

__all__ = ["deciding_margin"]

# A margin's edge is at 1; nothing that a machine says lies so far out.
_FURTHEST = 1e9


def deciding_margin(
    calibration: Calibration, positive: int, label_weights: Sequence[float] = ()
) -> float:
    """Return the margin above which the label is the positive class.

    The calibrated probability decides, so that it is 0 only by chance. It is found by halving,
    which serves every calibration, as each rises with the margin.

    Parameters
    ----------
    calibration : Calibration
        Of two classes.
    positive : int
        Code of the class that a margin above 0 speaks for.
    label_weights : sequence of float
        By what the probabilities are multiplied, of which the largest is the label's; alike where
        there are none.

    Returns
    -------
    float
        Infinite where no margin makes the positive class the label, and minus infinity where every
        margin does.

    Examples
    --------
    >>> from widemargin.svm.calibration import Sigmoid
    >>> round(deciding_margin(Sigmoid(-2.0, -1.0), 1), 6), deciding_margin(Sigmoid(0.0, 1.0), 1)
    (-0.5, inf)
    """
    sign = 1.0 if positive == 1 else -1.0

    def is_positive(margin: float) -> bool:
        probability = calibration.probabilities(np.array([sign * margin]))
        return int(least_cost(probability, label_weights)[0]) == positive

    low, high = -_FURTHEST, _FURTHEST
    if is_positive(low):
        return -math.inf
    if not is_positive(high):
        return math.inf
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (low, middle) if is_positive(middle) else (middle, high)
    return high
