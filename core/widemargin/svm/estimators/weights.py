"""Weights of rows and of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import _check_sample_weight

from widemargin.svm.estimators.parameters import refuse

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_weight", "times_class_weight", "weights_of_classes"]


def check_weight(sample_weight: Any, X: Any) -> NDArray[np.float64] | None:
    """Return checked weights of rows.

    Raises
    ------
    ValueError
        Where they are negative, not finite, all 0, or too few or many.

    Examples
    --------
    >>> check_weight([1, 2], np.zeros((2, 1)))
    array([1., 2.])
    """
    if sample_weight is None:
        return None
    weight: NDArray[np.float64] = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    if not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


def weights_of_classes(
    owner: Any, codes: NDArray[np.int64], weight: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return what an estimator's ``class_weight`` says of each of its ``classes_``.

    Raises
    ------
    ValueError
        Where it cannot be used.
    """
    given, n_classes = owner.class_weight, len(owner.classes_)
    if given is None:
        return np.ones(n_classes)
    if isinstance(given, str) and given == "balanced":
        counts = np.bincount(codes, weight, n_classes)
        balanced: NDArray[np.float64] = np.divide(
            counts.sum(), n_classes * counts, out=np.zeros(n_classes), where=counts > 0
        )
        return balanced
    if not isinstance(given, dict):
        refuse(owner, "class_weight", "an instance of 'dict', the str 'balanced' or None")
    by_class: NDArray[np.float64] = compute_class_weight(
        given, classes=owner.classes_, y=owner.classes_[codes]
    )
    if by_class.min() < 0:
        raise ValueError("Negative values in data passed to `class_weight`.")
    return by_class


def times_class_weight(
    by_class: NDArray[np.float64],
    codes: NDArray[np.int64],
    weight: NDArray[np.float64] | None,
) -> NDArray[np.float64] | None:
    """Return the rows' weights times those of their classes; None where all are 1.

    Raises
    ------
    ValueError
        Where fewer than two classes are left.

    Examples
    --------
    >>> times_class_weight(np.array([1.0, 2.0]), np.array([0, 1, 1]), None)
    array([1., 2., 2.])
    """
    if (by_class != 1).any():
        own = by_class[codes]
        weight = own if weight is None else weight * own
    if weight is not None and len(np.unique(codes[weight > 0])) < 2:
        raise ValueError(
            "Invalid input - all samples with positive weights belong to the same class."
        )
    return weight
