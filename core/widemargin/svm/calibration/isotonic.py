r"""Isotonic regression: the best rising function of the decision, whatever its shape.

Zadrozny & Elkan 2002, "Transforming classifier scores into accurate multiclass probability
estimates", doi:10.1145/775047.775151. Blocks of rows get the share of the class among them, pooled
until the shares rise (Ayer et al. 1955), and decisions between two blocks are interpolated.
Two rows of weight 1 are added first, one of the class at the lowest decision and one of the rest at
the highest: so the outer blocks tell 1 in m + 1 where m rows agree, and never 0 or 1.

More than two classes: each class against the rest, divided by the sum over the classes. This may
change which class is the most probable. `widemargin.svm.calibration.temperature` has figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Isotonic", "fit_isotonic"]


@dataclass(frozen=True, eq=False)
class Isotonic:
    """A rising function of the decision; beyond two classes, one a class.

    Parameters
    ----------
    thresholds : tuple of ndarray of shape (n_thresholds,)
        Decisions, increasing; one array for two classes, else one a class.
    values : tuple of ndarray of shape (n_thresholds,)
        The probability at each, not decreasing, between 0 and 1.

    Examples
    --------
    >>> curve = Isotonic((np.array([-1.0, 1.0]),), (np.array([0.1, 0.9]),))
    >>> curve.probabilities(np.array([-7.0, 0.0, 0.5]))
    array([[0.9, 0.1],
           [0.5, 0.5],
           [0.3, 0.7]])
    """

    thresholds: tuple[NDArray[np.float64], ...]
    values: tuple[NDArray[np.float64], ...]

    def probabilities(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities of shape (n_samples, n_classes)."""
        columns = [decision] if decision.ndim == 1 else list(decision.T)
        told = np.stack(
            [
                np.interp(column, own, value)
                for column, own, value in zip(columns, self.thresholds, self.values, strict=True)
            ],
            axis=1,
        )
        if decision.ndim == 1:
            return np.concatenate([1 - told, told], axis=1)
        told /= told.sum(axis=1, keepdims=True)
        return told

    def to_data(self) -> dict[str, Any]:
        """Return JSON."""
        return {
            "method": "isotonic",
            "thresholds": [own.tolist() for own in self.thresholds],
            "values": [own.tolist() for own in self.values],
        }


def fit_isotonic(
    decision: NDArray[np.float64], codes: NDArray[np.int64], weight: NDArray[np.float64]
) -> Isotonic:
    """Fit to held-out decisions of shape (n_samples,) or (n_samples, n_classes).

    Examples
    --------
    >>> f, y = np.arange(6.0), np.array([0, 0, 1, 0, 1, 1])
    >>> fit_isotonic(f, y, np.ones(6)).probabilities(f)[:, 1].round(2)
    array([0.33, 0.33, 0.5 , 0.5 , 0.67, 0.67])
    """
    used = weight > 0
    decision, codes, weight = decision[used], codes[used], weight[used]
    columns = [decision] if decision.ndim == 1 else list(decision.T)
    first = 1 if decision.ndim == 1 else 0
    curves = [_fit_curve(column, codes == at, weight) for at, column in enumerate(columns, first)]
    return Isotonic(tuple(own for own, _ in curves), tuple(value for _, value in curves))


def _fit_curve(
    decision: NDArray[np.float64], own: NDArray[np.bool_], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.optimize import isotonic_regression

    levels, place = np.unique(decision, return_inverse=True)
    total = np.bincount(place, weight)
    hits = np.bincount(place, weight * own)
    hits[0] += 1
    total[0] += 1
    total[-1] += 1
    found = isotonic_regression(hits / total, weights=total)
    starts = found.blocks[:-1]
    ends = found.blocks[1:] - 1
    knots = np.unique(np.concatenate([starts, ends]))
    return levels[knots], np.asarray(found.x, dtype=np.float64)[knots]
