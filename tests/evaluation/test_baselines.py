"""Baselines: honest rivals on the same folds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from widemargin.evaluation import Baseline, baselines
from widemargin.evaluation.baselines import Fitted

DUMMY, LOGISTIC = baselines("classification")
MEAN, RIDGE = baselines("regression")

Splits = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def _splits(n: int, parts: int = 4) -> Splits:
    rows = np.arange(n)
    return [(rows[rows % parts != k], rows[rows % parts == k]) for k in range(parts)]


def _classes(n_classes: int, seed: int = 0, n: int = 200) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n)
    X = rng.normal(size=(n, 5))
    X[:, 0] += y
    return X, y


def _fit(
    baseline: Baseline,
    X: Any,
    y: NDArray[Any],
    X_test: Any,
    n_classes: int = 2,
    sample_weight: NDArray[np.float64] | None = None,
    positive: int = 1,
) -> Fitted:
    return baseline.fit_predict(
        X, y, X_test, n_classes, _splits(len(y)), sample_weight, 0, positive=positive
    )


def test_the_dummy_answers_one_class_in_all_parts_where_classes_tie() -> None:
    (dummy, _) = baselines("classification")
    y = np.arange(10) % 2
    shares = np.bincount(y).astype(float)
    told = [
        dummy.fit_predict(y[train, None], y[train], y[[k], None], 2, [], None, 0, 1, shares)[0][0]
        for k, train in ((k, np.arange(10) != k) for k in range(10))
    ]
    assert told == [0] * 10


def test_each_task_has_a_baseline_that_knows_nothing_and_a_linear_one() -> None:
    assert [baseline.name for baseline in baselines("classification")] == [
        "dummy",
        "logistic_regression",
    ]
    assert [baseline.name for baseline in baselines("regression")] == ["dummy", "ridge"]


def test_the_dummy_always_answers_the_commonest_class_by_weight() -> None:
    X, y = np.zeros((4, 1)), np.array([0, 0, 0, 1])
    y_pred, decision, probability = _fit(DUMMY, X, y, X[:2])
    assert y_pred.tolist() == [0, 0]
    assert decision.shape == (2,)
    assert probability is not None
    assert probability.tolist() == [[0.75, 0.25]] * 2
    weighted = _fit(DUMMY, X, y, X[:2], sample_weight=np.array([1.0, 1.0, 1.0, 9.0]))
    assert weighted[0].tolist() == [1, 1]


def test_the_dummy_ranks_no_item_above_another() -> None:
    X = np.zeros((4, 1))
    for y in (np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])):
        assert _fit(DUMMY, X, y, X)[1].tolist() == [0.0] * 4


def test_the_dummy_of_a_number_answers_the_weighted_training_mean() -> None:
    X, y = np.zeros((2, 1)), np.array([1.0, 4.0])
    assert _fit(MEAN, X, y, X, 0)[0].tolist() == [2.5, 2.5]
    y_pred, decision, probability = _fit(MEAN, X, y, X, 0, np.array([2.0, 1.0]))
    assert y_pred.tolist() == decision.tolist() == [2.0, 2.0]
    assert probability is None


@pytest.mark.parametrize("baseline", [LOGISTIC], ids=lambda b: b.name)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("positive", [0, 1])
def test_prediction_decision_and_probability_agree(
    baseline: Baseline, n_classes: int, sparse: bool, positive: int
) -> None:
    X, y = _classes(n_classes)
    rows = csr_matrix(X) if sparse else X
    y_pred, decision, probability = _fit(baseline, rows, y, rows[:50], n_classes, positive=positive)
    assert probability is not None
    assert probability.shape == (50, n_classes)
    assert np.allclose(probability.sum(axis=1), 1)
    assert np.isfinite(decision).all()
    assert (y_pred == probability.argmax(axis=1)).all()
    if n_classes == 2:
        assert decision.shape == (50,)
        assert ((decision > 0) == (y_pred == positive)).all()
    else:
        assert decision.shape == (50, n_classes)
        assert (y_pred == decision.argmax(axis=1)).all()


@pytest.mark.parametrize(("noise", "best"), [(3.0, 0.1), (0.0, 100.0)])
def test_logistic_regression_takes_the_penalty_of_the_least_inner_log_loss(
    noise: float, best: float
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    y = (X[:, 0] + noise * rng.normal(size=80) > 0).astype(int)

    def model(C: float) -> Any:
        solver = "newton-cholesky"
        return make_pipeline(StandardScaler(), LogisticRegression(C=C, solver=solver))

    losses = {
        C: np.mean(
            [
                log_loss(y[test], model(C).fit(X[a], y[a]).predict_proba(X[test]))
                for a, test in _splits(80)
            ]
        )
        for C in (0.1, 1.0, 10.0, 100.0)
    }
    assert min(losses, key=lambda C: losses[C]) == best
    expected = model(best).fit(X, y).predict_proba(X)
    probability = _fit(LOGISTIC, X, y, X)[2]
    assert probability is not None
    assert np.allclose(probability, expected, atol=1e-6)


def test_a_class_that_the_training_rows_lack_gets_no_probability() -> None:
    X, y = _classes(2)
    for baseline in (DUMMY, LOGISTIC):
        probability = _fit(baseline, X, 2 * y, X[:5], 3)[2]
        assert probability is not None
        assert probability.shape == (5, 3)
        assert (probability[:, 1] == 0).all()


def test_training_rows_of_one_class_only_are_answered_with_that_class() -> None:
    X = np.random.default_rng(0).normal(size=(8, 2))
    y_pred, decision, _ = _fit(LOGISTIC, X, np.ones(8, dtype=np.int64), X)
    assert (y_pred == 1).all()
    assert np.isfinite(decision).all()


def test_sample_weight_counts_like_repeated_rows() -> None:
    X, y = _classes(2, n=40)
    times = 1 + np.arange(40) % 3
    weight = times.astype(np.float64)
    twice = np.repeat(np.arange(40), times)
    weighted = LOGISTIC.fit_predict(X, y, X, 2, [], weight, 0)
    repeated = LOGISTIC.fit_predict(X[twice], y[twice], X, 2, [], None, 0)
    assert np.allclose(weighted[1], repeated[1], atol=1e-3)
    target = X[:, 0] * 2 + y
    weighted = RIDGE.fit_predict(X, target, X, 0, [], weight, 0)
    repeated = RIDGE.fit_predict(X[twice], target[twice], X, 0, [], None, 0)
    assert np.allclose(weighted[0], repeated[0])


@pytest.mark.parametrize("sparse", [False, True])
def test_ridge_takes_the_penalty_of_the_least_inner_error(sparse: bool) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 30))
    y = X[:, 0] + rng.normal(size=60)
    errors = {
        alpha: sum(
            ((Ridge(alpha=alpha).fit(X[a], y[a]).predict(X[test]) - y[test]) ** 2).sum()
            for a, test in _splits(60)
        )
        for alpha in (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0)
    }
    best = min(errors, key=lambda alpha: errors[alpha])
    assert best not in (0.01, 1.0, 10_000.0)
    rows = csr_matrix(X) if sparse else X
    y_pred, decision, probability = _fit(RIDGE, rows, y, rows, 0)
    assert np.allclose(y_pred, Ridge(alpha=best).fit(X, y).predict(X), atol=1e-2)
    assert (decision == y_pred).all()
    assert probability is None


def test_a_solver_that_stops_early_does_not_warn() -> None:
    # Columns of very different scale make the solver slow; warnings are errors here.
    dense, y = _classes(3, n=60)
    X = csr_matrix(dense * np.array([1.0, 1e2, 1e3, 1e-3, 1.0]))
    with pytest.warns(ConvergenceWarning):
        LogisticRegression(C=1.0, max_iter=300).fit(X, y)
    y_pred, _, _ = LOGISTIC.fit_predict(X, y, X, 3, [], None, 0)
    assert len(y_pred) == 60


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_reads_columns_of_any_scale_alike(n_classes: int) -> None:
    X, y = _classes(n_classes)
    measured = X * np.array([1.0, 1e4, 1e-3, 30.0, 1e6]) + np.array([0.0, 5e4, 1.0, -90.0, 1e5])
    weight = np.array(1.0 + np.arange(len(y)) % 3, dtype=np.float64)
    plain = _fit(LOGISTIC, X, y, X[:50], n_classes, weight)
    scaled = _fit(LOGISTIC, measured, y, measured[:50], n_classes, weight)
    assert plain[2] is not None
    assert scaled[2] is not None
    np.testing.assert_allclose(scaled[2], plain[2], atol=1e-4)


def test_a_column_that_is_constant_in_training_says_nothing_later() -> None:
    X, y = _classes(2)
    X[:, 4] = 0.1 + 0.2
    others = X[:20].copy()
    others[:, 4] += 1e-9
    np.testing.assert_allclose(
        _fit(LOGISTIC, X, y, others)[1], _fit(LOGISTIC, X, y, X[:20])[1], atol=1e-6
    )


def test_of_many_rows_one_inner_part_chooses_the_penalty() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5000, 3)), rng.normal(size=5000)
    beyond = np.array([10**6])

    def fit(n: int) -> None:
        splits = [*_splits(n)[:1], (beyond, beyond)]
        RIDGE.fit_predict(X[:n], y[:n], X[:2], 0, splits, None, 0)

    fit(5000)
    with pytest.raises(IndexError):
        fit(4999)
