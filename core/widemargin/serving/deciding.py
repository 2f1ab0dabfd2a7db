"""Deciding: the margin from which on the label of two classes is the positive one."""

from __future__ import annotations

import math

import numpy as np

from widemargin.svm.calibration import Calibration

__all__ = ["deciding_margin"]

# A margin's edge is at 1; nothing that a machine says lies so far out.
_FURTHEST = 1e9


def deciding_margin(calibration: Calibration, positive: int) -> float:
    """Return the margin above which the positive class is the more probable one.

    The calibrated probability decides, so that it is 0 only by chance. It is found by halving,
    which serves every calibration, as each rises with the margin.

    Parameters
    ----------
    calibration : Calibration
        Of two classes.
    positive : int
        Code of the class that a margin above 0 speaks for.

    Returns
    -------
    float
        Infinite where no margin makes the positive class the more probable one, and minus infinity
        where every margin does.

    Examples
    --------
    >>> from widemargin.svm.calibration import Sigmoid
    >>> round(deciding_margin(Sigmoid(-2.0, -1.0), 1), 6), deciding_margin(Sigmoid(0.0, 1.0), 1)
    (-0.5, inf)
    """
    sign = 1.0 if positive == 1 else -1.0

    def is_positive(margin: float) -> bool:
        return int(calibration.probabilities(np.array([sign * margin]))[0].argmax()) == positive

    low, high = -_FURTHEST, _FURTHEST
    if is_positive(low):
        return -math.inf
    if not is_positive(high):
        return math.inf
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (low, middle) if is_positive(middle) else (middle, high)
    return high
