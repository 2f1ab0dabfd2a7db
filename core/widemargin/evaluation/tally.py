"""Weighted counts of predictions under many sets of weights at once.

A bootstrap resample is nothing but other weights for the same rows. What does not depend on the
weights (the order of the decisions, who was right) is therefore worked out once for a whole block
of resamples, and a metric is one formula over rows of counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from widemargin.contracts import Predictions

__all__ = ["Climb", "Formula", "Numbers", "Tally", "ratio"]

Numbers: TypeAlias = NDArray[np.float64]


def ratio(part: Numbers, whole: Numbers) -> Numbers:
    """Divide; nan where the whole is not above 0, without a warning.

    Examples
    --------
    >>> ratio(np.array([1.0, 1.0]), np.array([4.0, 0.0]))
    array([0.25,  nan])
    """
    part, whole = np.broadcast_arrays(part, whole)
    out: Numbers = np.full(part.shape, np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


@dataclass(frozen=True)
class Climb:
    """What lies above each threshold, from the strictest threshold to the laxest.

    Parameters
    ----------
    positive, negative : ndarray of shape (n_weightings, n_thresholds)
        Weight of the positives and of the negatives whose score is at least the threshold.
    thresholds : ndarray of shape (n_thresholds,)
        The distinct scores, falling.
    """

    positive: Numbers
    negative: Numbers
    thresholds: Numbers


@dataclass(frozen=True)
class Tally:
    """Predictions counted under each of several weightings.

    Parameters
    ----------
    predictions : Predictions
        What is counted; its own weight is not looked at.
    weight : ndarray of shape (n_weightings, n_samples)
        One weighting a row.
    """

    predictions: Predictions
    weight: Numbers

    @cached_property
    def total(self) -> Numbers:
        """Weight of all rows, of shape (n_weightings,)."""
        return np.asarray(self.weight.sum(axis=1))

    def mean(self, values: Numbers) -> Numbers:
        """Average one value a row, of shape (n_samples,), under each weighting."""
        return ratio(self.weight @ values, self.total)

    @cached_property
    def _by_class(self) -> Numbers:
        codes = np.arange(len(self.predictions.classes))
        is_true = self.predictions.y_true[:, np.newaxis] == codes
        is_pred = self.predictions.y_pred[:, np.newaxis] == codes
        sums = self.weight @ np.hstack([is_true, is_pred, is_true & is_pred]).astype(np.float64)
        return sums.reshape(len(self.weight), 3, len(codes))

    @property
    def actual(self) -> Numbers:
        """Weight of each true class, of shape (n_weightings, n_classes)."""
        return self._by_class[:, 0]

    @property
    def predicted(self) -> Numbers:
        """Weight of each predicted class, of shape (n_weightings, n_classes)."""
        return self._by_class[:, 1]

    @property
    def hits(self) -> Numbers:
        """Weight of each class where it was predicted rightly, of that shape."""
        return self._by_class[:, 2]

    @cached_property
    def climbs(self) -> tuple[Climb, ...]:
        """The climb of the positive class, or where there are not two, of each class."""
        everything = np.arange(len(self.predictions))
        return tuple(
            self._climb(everything, score, is_positive) for score, is_positive in self._rankings
        )

    @cached_property
    def climbs_by_part(self) -> tuple[tuple[Climb, ...], ...]:
        """The climbs of each class, one a held-out part that has both it and others.

        One climb of all rows where parts seldom have: where neither half of the class nor half of
        the others lie in such parts, as where each part is one item or one patient.
        """
        part = self.predictions.part
        if part is None:
            return tuple((climb,) for climb in self.climbs)
        parts = [np.flatnonzero(part == one) for one in np.unique(part)]
        found: list[tuple[Climb, ...]] = []
        for at, (score, is_positive) in enumerate(self._rankings):
            both = [rows for rows in parts if 0 < is_positive[rows].sum() < len(rows)]
            ranked = is_positive[np.concatenate([*both, np.zeros(0, np.intp)])]
            shares = (
                ranked.sum() / max(1, is_positive.sum()),
                (~ranked).sum() / max(1, (~is_positive).sum()),
            )
            if max(shares) < 0.5:
                found.append((self.climbs[at],))
                continue
            found.append(tuple(self._climb(rows, score, is_positive) for rows in both))
        return tuple(found)

    @cached_property
    def _rankings(self) -> tuple[tuple[Numbers, NDArray[np.bool_]], ...]:
        """Scores, and who should have the high ones."""
        truth, decision = self.predictions.y_true, self.predictions.decision
        if decision.ndim == 1:
            return ((decision, truth == self.predictions.positive),)
        codes = range(len(self.predictions.classes))
        return tuple((decision[:, code], truth == code) for code in codes)

    def _climb(
        self, rows: NDArray[np.intp], score: Numbers, is_positive: NDArray[np.bool_]
    ) -> Climb:
        order = rows[np.argsort(-score[rows])]
        falling = score[order]
        # Rows with equal scores pass a threshold together.
        last = np.append(np.flatnonzero(falling[1:] != falling[:-1]), len(falling) - 1)
        weight = self.weight[:, order]
        positive = np.cumsum(weight * is_positive[order], axis=1)
        negative = np.cumsum(weight * ~is_positive[order], axis=1)
        if len(last) < len(falling):
            positive, negative = positive[:, last], negative[:, last]
        return Climb(positive, negative, falling[last])


@dataclass(frozen=True)
class Formula:
    """A metric's formula: computes one value, or one under each weighting of a tally.

    Parameters
    ----------
    of : callable
        ``of(tally) -> ndarray of shape (n_weightings,)``; nan where undefined.
    """

    of: Callable[[Tally], Numbers]

    def __call__(self, predictions: Predictions) -> float:
        """Return the value under the predictions' own weight."""
        if not len(predictions):
            return float("nan")
        weight = np.asarray(predictions.weight, dtype=np.float64)
        return float(self.of(Tally(predictions, weight[np.newaxis]))[0])
