"""Predictions beside the truth: what metrics, figures and checks read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from widemargin.contracts.dataset import Task

__all__ = ["Predictions"]


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Predictions of rows whose truth is known.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_samples,)
        Codes into `classes` (int64) for classification, numbers (float64) for regression.
    decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Signed distance to the margin's middle in units of the margin; above 0 speaks for
        ``classes[positive]``. One column a class where there are more than two. Equal to `y_pred`
        for regression.
    probability : ndarray of shape (n_samples, n_classes) or None
        Calibrated; None for regression.
    classes : tuple of str
        Class names in sorted order; empty for regression.
    positive : int
        Code of the positive class of a binary task; 1 otherwise.
    ids : ndarray of shape (n_samples,)
        The items' names.
    weight : ndarray of shape (n_samples,)
        Weight of each row; ones unless the data set has its own.
    costs : tuple of float
        What it costs to mistake an item of each class; empty where all mistakes are alike.
    label_weights : tuple of float
        By what the probabilities are multiplied, of which the largest is the label's: `costs`, or
        what each class weighs (``svm.class_weight``); empty where the most probable class is it.
    part : ndarray of shape (n_samples,) or None
        The held-out part that each row is of. Decisions of different parts are those of different
        models, each in units of its own; None where one model made all.
    drawn : ndarray of shape (n_samples,) or None
        What intervals draw as one: rows of one item, of one group or of one stretch of time bear
        the same value. None where each row is drawn by itself.
    """

    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    decision: NDArray[np.float64]
    probability: NDArray[np.float64] | None
    classes: tuple[str, ...]
    positive: int
    ids: NDArray[np.str_]
    weight: NDArray[np.float64]
    costs: tuple[float, ...] = ()
    label_weights: tuple[float, ...] = ()
    part: NDArray[Any] | None = None
    drawn: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.y_true)

    @property
    def task(self) -> Task:
        """Classification where there are classes."""
        return "classification" if self.classes else "regression"

    @property
    def is_binary(self) -> bool:
        """Whether there are exactly two classes."""
        return len(self.classes) == 2

    @cached_property
    def n_items(self) -> int:
        """How many items there are; repeated cross-validation predicts each several times."""
        return len(set(self.ids.tolist()))

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """What each row counts for among the items, of shape (n_samples,).

        Its weight, brought to a sum of `n_items`: without weights 1, or 1/5 in each of 5 repeats.
        """
        import numpy as np

        weight = np.asarray(self.weight, dtype=np.float64)
        return np.asarray(weight * (self.n_items / weight.sum()))

    def with_weight(self, weight: NDArray[np.float64]) -> Predictions:
        """Return the same predictions with other weights (a bootstrap resample is weights)."""
        return replace(self, weight=weight)
