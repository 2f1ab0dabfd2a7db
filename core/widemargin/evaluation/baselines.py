"""Baselines: the simplest models that a wide margin has to beat on the same folds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from widemargin.contracts import Task
from widemargin.evaluation.tally import Numbers

__all__ = ["Baseline", "Fitted", "baselines"]

_C = (0.1, 1.0, 10.0, 100.0)
_ALPHAS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0)
_TINY = 1e-12
_MANY = 5000

Fitted: TypeAlias = tuple[NDArray[Any], Numbers, Numbers | None]
"""``(y_pred, decision, probability)`` of the test rows, shaped as in `Predictions`."""

InnerSplits: TypeAlias = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]


class FitPredict(Protocol):
    """What a baseline does: learn the training rows, predict the others."""

    def __call__(
        self,
        X_train: Any,
        y_train: NDArray[Any],
        X_test: Any,
        n_classes: int,
        inner_splits: InnerSplits,
        sample_weight: Numbers | None,
        random_state: int,
        positive: int = 1,
        shares: Numbers | None = None,
    ) -> Fitted:
        """Fit on the training rows and predict the test rows.

        Parameters
        ----------
        X_train, X_test : ndarray or CSR of shape (n_train, n_features), (n_test, n_features)
            Features, as the support vector machine reads them.
        y_train : ndarray of shape (n_train,)
            Codes from 0 to ``n_classes - 1``, or numbers for regression.
        n_classes : int
            How many classes there are, absent ones included; 0 for regression.
        inner_splits : sequence of (train, test)
            Row indices into the training rows, for the choice of a setting.
        sample_weight : ndarray of shape (n_train,) or None
            Weight of each training row.
        random_state : int
            Seed.
        positive : int
            Code of the class that a decision above 0 of a binary task speaks for.
        shares : ndarray of shape (n_classes,) or None
            How common the classes are over all parts, for what looks at nothing else; None where
            only the training rows tell.
        """
        ...


@dataclass(frozen=True)
class Baseline:
    """A simple model to be compared with.

    Parameters
    ----------
    name : str
        What files call it.
    title : str
        What people read.
    fit_predict : FitPredict
        Learns the training rows and predicts the others.
    """

    name: str
    title: str
    fit_predict: FitPredict


def baselines(task: Task) -> tuple[Baseline, ...]:
    """Return the baselines of a task: one that knows nothing, and one that is linear.

    Parameters
    ----------
    task : {"classification", "regression"}
        Whose baselines.

    Examples
    --------
    >>> [baseline.name for baseline in baselines("classification")]
    ['dummy', 'logistic_regression']
    >>> y_pred, decision, probability = baselines("classification")[0].fit_predict(
    ...     np.zeros((4, 1)), np.array([0, 0, 0, 1]), np.zeros((2, 1)), 2, [], None, 0)
    >>> y_pred, probability[0]
    (array([0, 0]), array([0.75, 0.25]))
    """
    if task == "regression":
        return (
            Baseline("dummy", "always the training mean", _training_mean),
            Baseline("ridge", "ridge regression", _ridge),
        )
    return (
        Baseline("dummy", "always one class", _commonest_class),
        Baseline("logistic_regression", "logistic regression", _logistic_regression),
    )


_FEW_WEIGHTS = 600


def _commonest_class(
    X_train: Any,
    y_train: NDArray[Any],
    X_test: Any,
    n_classes: int,
    inner_splits: InnerSplits,
    sample_weight: Numbers | None,
    random_state: int,
    positive: int = 1,
    shares: Numbers | None = None,
) -> Fitted:
    # Where classes are about as common, a part that holds out more of one leaves fewer of it to
    # learn from: the rarer class of each part would be called the other, and the answers of all
    # parts together would be no single class.
    if shares is None:
        shares = np.bincount(y_train, sample_weight, n_classes).astype(np.float64)
    each = np.tile(shares / shares.sum(), (X_test.shape[0], 1))
    y_pred, decision, probability = _by_probability(each, positive)
    # It ranks no item above another, however the shares of the training parts differ.
    return y_pred, np.zeros_like(decision), probability


def _logistic_regression(
    X_train: Any,
    y_train: NDArray[Any],
    X_test: Any,
    n_classes: int,
    inner_splits: InnerSplits,
    sample_weight: Numbers | None,
    random_state: int,
    positive: int = 1,
    shares: Numbers | None = None,
) -> Fitted:
    weight = np.ones(len(y_train)) if sample_weight is None else sample_weight

    def predict(C: float, train: NDArray[np.intp], X: Any) -> Numbers:
        y = y_train[train]
        present = np.unique(y)
        probability = np.zeros((X.shape[0], n_classes))
        if len(present) == 1:
            probability[:, present[0]] = 1.0
        else:
            model = _build_logistic_regression(C, X_train, len(present), random_state)
            rows, others = _to_one_scale(X_train[train], X, weight[train])
            _fit_quietly(model, rows, y, weight[train])
            probability[:, present] = model.predict_proba(others)
        return probability

    def loss(C: float, train: NDArray[np.intp], test: NDArray[np.intp]) -> Numbers:
        probability = predict(C, train, X_train[test])
        true = probability[np.arange(len(test)), y_train[test]]
        return np.asarray(-np.log(np.maximum(true, _TINY)))

    chosen = _choose(_C, loss, inner_splits, weight, default=1.0)
    return _by_probability(predict(chosen, np.arange(len(y_train)), X_test), positive)


def _to_one_scale(X_train: Any, X: Any, weight: Numbers) -> tuple[Any, Any]:
    """Bring dense columns to mean 0 and deviation 1 of the training rows; sparse ones stay.

    Columns as they were measured, in tens of thousands beside thousandths, would cost the solver
    every iteration that it has and still leave it short of the optimum: a slow rival, and a weak
    one. Rows that are encoded to one scale already stay nearly as they are.
    """
    if hasattr(X_train, "tocsr"):
        return X_train, X
    centre = np.average(X_train, axis=0, weights=weight)
    scale = np.sqrt(np.average((X_train - centre) ** 2, axis=0, weights=weight))
    # A column that is constant but for rounding says nothing, and is not to be blown up.
    scale = np.where(scale > _TINY * np.maximum(1.0, np.abs(centre)), scale, 1.0)
    return (X_train - centre) / scale, (X - centre) / scale


def _build_logistic_regression(C: float, X: Any, n_classes: int, random_state: int) -> Any:
    from scipy.sparse import issparse
    from sklearn.linear_model import LogisticRegression

    # liblinear is the quickest on sparse rows, and knows two classes only. Newton's method takes
    # few steps, each of which costs the square of the number of weights.
    weights = X.shape[1] * (1 if n_classes == 2 else n_classes)
    if issparse(X):
        solver = "liblinear" if n_classes == 2 else "lbfgs"
    else:
        solver = "newton-cholesky" if weights <= _FEW_WEIGHTS else "lbfgs"
    return LogisticRegression(C=C, solver=solver, max_iter=300, random_state=random_state)


def _fit_quietly(model: Any, X: Any, y: NDArray[Any], weight: Numbers) -> None:
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    # Products of so few columns end before a second thread has woken.
    with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
        # At a large C the solver may stop short of the optimum. What it has reached by then is
        # judged on held-out rows like any other candidate, so nobody needs to act on it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y, sample_weight=weight)


def _by_probability(probability: Numbers, positive: int) -> Fitted:
    log = np.log(np.clip(probability, _TINY, 1.0))
    y_pred = probability.argmax(axis=1)
    if probability.shape[1] == 2:
        return y_pred, log[:, positive] - log[:, 1 - positive], probability
    return y_pred, log, probability


def _training_mean(
    X_train: Any,
    y_train: NDArray[Any],
    X_test: Any,
    n_classes: int,
    inner_splits: InnerSplits,
    sample_weight: Numbers | None,
    random_state: int,
    positive: int = 1,
    shares: Numbers | None = None,
) -> Fitted:
    y_pred = np.full(X_test.shape[0], np.average(y_train, weights=sample_weight))
    return y_pred, y_pred, None


def _ridge(
    X_train: Any,
    y_train: NDArray[Any],
    X_test: Any,
    n_classes: int,
    inner_splits: InnerSplits,
    sample_weight: Numbers | None,
    random_state: int,
    positive: int = 1,
    shares: Numbers | None = None,
) -> Fitted:
    from sklearn.linear_model import Ridge

    weight = np.ones(len(y_train)) if sample_weight is None else sample_weight

    def predict(alpha: float, train: NDArray[np.intp], X: Any) -> Numbers:
        model = Ridge(alpha=alpha, random_state=random_state)
        model.fit(X_train[train], y_train[train], sample_weight=weight[train])
        return np.asarray(model.predict(X), dtype=np.float64)

    def loss(alpha: float, train: NDArray[np.intp], test: NDArray[np.intp]) -> Numbers:
        error: Numbers = (predict(alpha, train, X_train[test]) - y_train[test]) ** 2
        return error

    chosen = _choose(_ALPHAS, loss, inner_splits, weight, default=1.0)
    y_pred = predict(chosen, np.arange(len(y_train)), X_test)
    return y_pred, y_pred, None


def _choose(
    candidates: Sequence[float],
    loss: Callable[[float, NDArray[np.intp], NDArray[np.intp]], Numbers],
    inner_splits: InnerSplits,
    weight: Numbers,
    default: float,
) -> float:
    """Return the candidate of the least held-out loss; the default without inner splits."""
    if not inner_splits:
        return default
    if len(weight) >= _MANY:
        # A thousand held-out rows tell four candidates apart; five times as many fits of 10,000
        # images by 1,296 numbers would take longer than the machine that they are compared with.
        inner_splits = inner_splits[:1]
    totals = [
        sum(float(weight[test] @ loss(candidate, train, test)) for train, test in inner_splits)
        for candidate in candidates
    ]
    return candidates[int(np.argmin(totals))]
