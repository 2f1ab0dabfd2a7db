"""Held-out decisions as scorers ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.metrics import get_scorer

from widemargin.svm.calibration import Calibration
from widemargin.svm.estimators.undefined import leave_undefined_out
from widemargin.svm.schemes import Part
from widemargin.svm.selection import Scorer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.estimators.search import SupportVectorSearch

__all__ = ["Told", "label", "parts_of"]


class Told(ClassifierMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]  # no type hints
    """Held-out decisions in the shape of an estimator, which is what scorers ask."""

    def __init__(
        self,
        search: SupportVectorSearch,
        X: Any,
        y: NDArray[Any],
        target: NDArray[Any],
        parts: Sequence[Part],
        rows: NDArray[np.intp],
        weight: NDArray[np.float64] | None,
    ) -> None:
        self.search, self.X, self.y, self.target = search, X, y, target
        self.parts, self.rows, self.weight = parts, rows, weight
        # None is empty: `parts_of` has seen to it.
        self.sizes = np.array([len(held_out) for _, held_out in parts])
        self.ends = np.concatenate([[0], self.sizes.cumsum()])
        self.truth = target[rows]
        self.undefined: frozenset[int] = frozenset()
        if is_classifier(search):
            self.classes_ = search.classes_

    def scorer(self, stacklevel: int) -> Scorer:
        """Return what scores one cell's decisions, fold by fold.

        Folds that leave the score undefined are warned about at `stacklevel`, seen from here.
        """
        scoring = self.search.scoring
        is_classification = hasattr(self, "classes_")
        if scoring in (None, "accuracy") and is_classification:
            return self._accuracies
        if scoring is None:
            scoring = "r2"
        ask = get_scorer(scoring)
        leave_undefined_out(self, ask, stacklevel + 1)
        return lambda decisions: list(self._ask(ask, decisions))

    def _accuracies(self, decisions: NDArray[np.float64]) -> list[float]:
        codes = decisions > 0 if decisions.ndim == 1 else decisions.argmax(axis=-1)
        right = np.add.reduceat(codes == self.truth, self.ends[:-1], dtype=np.int64)
        shares: list[float] = (right / self.sizes).tolist()
        return shares

    def _ask(
        self, ask: Callable[[Any, Any, Any], float], decisions: NDArray[np.float64]
    ) -> Iterable[float]:
        self.decisions = decisions
        self.calibration: Calibration | None = None
        for k, (_, held_out) in enumerate(self.parts):
            if k in self.undefined:
                yield float("nan")
                continue
            self.own = slice(self.ends[k], self.ends[k + 1])
            yield float(ask(self, self.X[held_out], self.y[held_out]))

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier" if hasattr(self, "classes_") else "regressor"
        return tags

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        return self.decisions[self.own]

    def predict(self, X: Any) -> NDArray[Any]:
        decision = self.decisions[self.own]
        return label(self.classes_, decision) if hasattr(self, "classes_") else decision

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        fitted = self.calibration
        if fitted is None:
            fitted = self.calibration = self.search._calibrate(
                self.decisions,
                self.target[self.rows],
                None if self.weight is None else self.weight[self.rows],
            )
        return fitted.probabilities(self.decisions[self.own])


def parts_of(splits: Iterable[tuple[Any, Any]], n_samples: int) -> list[Part]:
    """Return checked row numbers, which the compiled engine follows blindly."""
    parts: list[Part] = []
    for split in splits:
        train, held_out = (np.asarray(rows) for rows in split)
        for rows in (train, held_out):
            whole = rows.ndim == 1 and rows.dtype.kind in "iu" and len(rows) > 0
            if not whole or rows.min() < 0 or rows.max() >= n_samples:
                raise ValueError(
                    "'cv' must give pairs of row numbers, to train on and to hold out: at least "
                    f"one of each, from 0 to {n_samples - 1}. Got {rows!r}."
                )
        parts.append((train.astype(np.intp), held_out.astype(np.intp)))
    if not parts:
        raise ValueError("'cv' gave no pairs of rows to train on and rows to hold out.")
    return parts


def label(classes: NDArray[Any], decision: NDArray[np.float64]) -> NDArray[Any]:
    codes = (decision > 0).astype(int) if decision.ndim == 1 else decision.argmax(axis=1)
    labels: NDArray[Any] = classes[codes]
    return labels
