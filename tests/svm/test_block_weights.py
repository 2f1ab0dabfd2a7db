"""Weights of blocks: aligned to the target, or learned with the machine, on training rows only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from widemargin.svm.block_weights import aligned_weights, learned_weights
from widemargin.svm.engines import choose_engine
from widemargin.svm.expression import Product, Sum, Term
from widemargin.svm.fitted import FittedSum
from widemargin.svm.kernels import LINEAR, RBF

BLOCKS = {"telling": slice(0, 5), "noise": slice(5, 10), "more noise": slice(10, 15)}
TERMS = tuple(Term(RBF, name) for name in BLOCKS)


def make_task(seed: int = 0, n: int = 120) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n) < 0.5, 1.0, -1.0)
    X = rng.normal(size=(n, 15))
    X[:, :5] += 0.8 * y[:, None]
    return X, y[:, None]


def weights_of(how: Any, X: Any, y: Any, rows: Any = None, n_classes: int = 2) -> tuple[float, ...]:
    prepared = Sum(TERMS, weights=how).prepare(X, blocks=BLOCKS, n_classes=n_classes)
    assert prepared.learns_y
    fitted = prepared.fit(1.0, y, rows)
    assert isinstance(fitted, FittedSum)
    return fitted.weights


def test_aligned_weights_have_the_greatest_alignment_there_is() -> None:
    X, y = make_task(n=40)
    y = np.concatenate([y, X[:, 5:6] > 0.5], axis=1)
    grams = [X[:, own] @ X[:, own].T for own in BLOCKS.values()]
    centre = np.eye(40) - 1 / 40
    centred = [centre @ gram @ centre for gram in grams]

    def alignment(weights: Any) -> float:
        both = sum(w * gram for w, gram in zip(weights, centred, strict=True))
        return float(np.vdot(both, y @ y.T) / np.linalg.norm(both))

    found = alignment(aligned_weights(grams, y, np.arange(40)))
    rng = np.random.default_rng(0)
    assert found >= max(alignment(own) for own in rng.dirichlet(np.ones(3), size=5000)) - 1e-9

    def loss(direction: NDArray[np.float64]) -> float:
        return -alignment(np.abs(direction))

    starts = [np.array(own) for own in ([1.0, 0.1, 0.1], [0.1, 1.0, 0.1], [0.1, 0.1, 1.0])]
    best = min(float(minimize(loss, start, method="Nelder-Mead").fun) for start in starts)
    assert found == pytest.approx(-best, rel=1e-4)


def test_equal_blocks_are_no_obstacle_to_alignment() -> None:
    X, y = make_task()
    gram = X[:, :5] @ X[:, :5].T
    weights = aligned_weights([gram, gram, np.eye(len(X))], y, np.arange(len(X)))
    assert weights[0] + weights[1] > 0.9
    assert sum(weights) == pytest.approx(1.0)


def test_blocks_that_tell_nothing_at_all_share_equally() -> None:
    y = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    rows = np.arange(4)
    assert aligned_weights([np.ones((4, 4))] * 2, y, rows) == (0.5, 0.5)
    assert aligned_weights([np.zeros((4, 4))] * 2, y, rows) == (0.5, 0.5)
    assert learned_weights([np.zeros((4, 4))] * 2, y, rows) == (0.5, 0.5)


@pytest.mark.parametrize("how", ["aligned", "learned"])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_the_telling_block_weighs_most(how: str, n_classes: int) -> None:
    X, y = make_task()
    if n_classes == 0:
        y = (X[:, :5].sum(axis=1, keepdims=True) - X[:, :5].sum(axis=1).mean()) / 3
    if n_classes == 3:
        codes = np.digitize(X[:, :5].sum(axis=1), [-2.0, 2.0])
        y = np.where(codes[:, None] == np.arange(3), 1.0, -1.0)
    weights = weights_of(how, X, y, n_classes=n_classes)
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) >= 0
    assert weights[0] > 0.5


@pytest.mark.parametrize("how", ["aligned", "learned"])
def test_weights_come_from_training_rows_alone(how: str) -> None:
    X, y = make_task()
    rows = np.arange(0, 120, 2)
    prepared = Sum(tuple(Term(LINEAR, name) for name in BLOCKS), weights=how).prepare(  # type: ignore[arg-type]  # a parameter of the test
        X, blocks=BLOCKS
    )
    changed = X.copy()
    changed[1::2] *= -100.0
    other = Sum(tuple(Term(LINEAR, name) for name in BLOCKS), weights=how).prepare(  # type: ignore[arg-type]  # as above
        changed, blocks=BLOCKS
    )
    first, second = prepared.fit(None, y[rows], rows), other.fit(None, y[rows], rows)
    assert isinstance(first, FittedSum)
    assert isinstance(second, FittedSum)
    np.testing.assert_allclose(second.weights, first.weights, rtol=1e-9)
    alone = Sum(tuple(Term(LINEAR, name) for name in BLOCKS), weights=how).prepare(  # type: ignore[arg-type]  # as above
        X[rows], blocks=BLOCKS
    )
    third = alone.fit(None, y[rows])
    assert isinstance(third, FittedSum)
    np.testing.assert_allclose(third.weights, first.weights, rtol=2e-3)


def test_learned_weights_are_a_fixed_point_of_the_papers_step() -> None:
    X, y = make_task()
    rows = np.arange(len(y))
    prepared = Sum(TERMS, weights="learned").prepare(X, blocks=BLOCKS)
    fitted = prepared.fit(1.0, y, rows)
    grams = [term.gram(X, X) for term in fitted.terms()]
    assert isinstance(fitted, FittedSum)
    weights = np.array(fitted.weights)
    from sklearn.svm import SVC

    combined = sum(w * gram for w, gram in zip(weights, grams, strict=True))
    machine = SVC(kernel="precomputed", C=1.0, tol=1e-6).fit(combined, y[:, 0])
    beta = np.zeros(len(y))
    beta[machine.support_] = machine.dual_coef_[0]
    step = np.array([(w**2 * beta @ gram @ beta) for w, gram in zip(weights, grams, strict=True)])
    step = step ** (1 / (4 / 3 + 1))
    np.testing.assert_allclose(step / step.sum(), weights, atol=5e-3)


@pytest.mark.parametrize("name", ["reference", "scikit-learn"])
def test_every_engine_learns_the_same_weights(name: str) -> None:
    X, y = make_task(n=60)
    grams = [term.gram(X, X) for term in Sum(TERMS).prepare(X, blocks=BLOCKS).fit(1.0).terms()]
    rows = np.arange(60)
    usual = learned_weights(grams, y, rows)
    np.testing.assert_allclose(
        learned_weights(grams, y, rows, engine=choose_engine(name)), usual, atol=5e-3
    )


def test_a_sum_within_a_product_learns_too() -> None:
    X, y = make_task()
    nested = Product((Term(RBF, "noise"), Sum(TERMS, weights="aligned")))
    prepared = nested.prepare(X, blocks=BLOCKS)
    assert prepared.learns_y
    inner = prepared.fit(1.0, y).factors[1]
    assert isinstance(inner, FittedSum)
    assert inner.weights == weights_of("aligned", X, y)
    assert not Sum(TERMS).prepare(X, blocks=BLOCKS).learns_y


def test_weights_that_need_a_target_say_so() -> None:
    X, _ = make_task()
    with pytest.raises(ValueError, match="aligned weights need the target"):
        Sum(TERMS, weights="aligned").prepare(X, blocks=BLOCKS).fit(1.0)
