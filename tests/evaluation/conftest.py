"""Predictions to test with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.contracts import Predictions

Make = Callable[..., Predictions]


@pytest.fixture(scope="session")
def binary() -> Make:
    """Build predictions of a binary task from the truth and the decisions."""

    def make(
        y_true: NDArray[Any],
        decision: NDArray[Any],
        weight: NDArray[Any] | None = None,
        probability: NDArray[Any] | None = None,
        positive: int = 1,
    ) -> Predictions:
        y_true = np.asarray(y_true, dtype=np.int64)
        decision = np.asarray(decision, dtype=np.float64)
        p = 1 / (1 + np.exp(-decision)) if probability is None else np.asarray(probability)
        both = np.column_stack([1 - p, p])
        return Predictions(
            y_true=y_true,
            y_pred=np.where(decision > 0, positive, 1 - positive),
            decision=decision,
            probability=both if positive == 1 else both[:, ::-1],
            classes=("ham", "spam"),
            positive=positive,
            ids=np.arange(len(y_true)).astype(str),
            weight=np.ones(len(y_true)) if weight is None else np.asarray(weight, np.float64),
        )

    return make


@pytest.fixture(scope="session")
def multiclass() -> Make:
    """Build predictions of three classes from the truth and the probabilities."""

    def make(
        y_true: NDArray[Any], probability: NDArray[Any], weight: NDArray[Any] | None = None
    ) -> Predictions:
        probability = np.asarray(probability, dtype=np.float64)
        return Predictions(
            y_true=np.asarray(y_true, dtype=np.int64),
            y_pred=probability.argmax(axis=1),
            decision=probability,
            probability=probability,
            classes=("cat", "cow", "dog"),
            positive=1,
            ids=np.arange(len(y_true)).astype(str),
            weight=np.ones(len(y_true)) if weight is None else np.asarray(weight, np.float64),
        )

    return make


@pytest.fixture(scope="session")
def numeric() -> Make:
    """Build predictions of a number."""

    def make(
        y_true: NDArray[Any], y_pred: NDArray[Any], weight: NDArray[Any] | None = None
    ) -> Predictions:
        y_pred = np.asarray(y_pred, dtype=np.float64)
        return Predictions(
            y_true=np.asarray(y_true, dtype=np.float64),
            y_pred=y_pred,
            decision=y_pred,
            probability=None,
            classes=(),
            positive=1,
            ids=np.arange(len(y_pred)).astype(str),
            weight=np.ones(len(y_pred)) if weight is None else np.asarray(weight, np.float64),
        )

    return make
