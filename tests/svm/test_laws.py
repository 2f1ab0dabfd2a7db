"""Laws that every support vector machine keeps, whatever solves it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, minimize

from widemargin import native
from widemargin.svm import SVC, SVR, KernelParameters, OneClassSVM
from widemargin.svm.engines import choose_engine
from widemargin.svm.kernels import RBF
from widemargin.svm.schemes import classification, regression

ENGINES = [
    "reference",
    "scikit-learn",
    pytest.param(
        "native", marks=pytest.mark.skipif(native.library() is None, reason="not compiled")
    ),
]
every_engine = pytest.mark.parametrize("engine", ENGINES)
few = settings(max_examples=8, deadline=None)
seeds = st.integers(0, 2**32 - 1)

# LIBSVM's kernel values are float32 inside; the laws hold as far as these go.
PRECISION = {"reference": 1e-10, "native": 1e-10, "scikit-learn": 1e-5}


def make(seed: int, n: int = 36) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return rows, classes that overlap, and numbers."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    X = rng.normal(size=(n, 3)) + rng.normal(size=(3, 3))[codes]
    return X, codes, X[:, 0] + np.sin(X[:, 1]) + 0.3 * rng.normal(size=n)


def machines(engine: str, **options: Any) -> list[Any]:
    """Return one estimator of each kind, solved closely."""
    tol = 1e-8 if engine == "scikit-learn" else 1e-12
    options = {"engine": engine, "tol": tol, "gamma": 0.4, **options}
    return [
        SVC(C=3.0, **options),
        SVC(C=3.0, scheme="one-vs-rest", **options),
        SVR(C=3.0, **options),
        OneClassSVM(nu=0.4, **options),
    ]


def values(machine: Any, X: Any) -> NDArray[np.float64]:
    """Return decisions that are smooth: the functions themselves, where votes would be counted."""
    gram = machine.machine_.kernel.gram(X, machine.support_vectors_)
    decided: NDArray[np.float64] = gram @ machine.dual_coef_.T + machine.intercept_
    return decided


def fit(machine: Any, X: Any, codes: Any, numbers: Any, **options: Any) -> Any:
    return machine.fit(X, numbers if isinstance(machine, SVR) else codes, **options)


@every_engine
@given(seed=seeds)
@few
def test_the_order_of_rows_does_not_matter(engine: str, seed: int) -> None:
    X, codes, numbers = make(seed)
    order = np.random.default_rng(seed).permutation(len(X))
    for machine in machines(engine):
        plain = values(fit(machine, X, codes, numbers), X)
        mixed = values(fit(machine, X[order], codes[order], numbers[order]), X)
        scale = np.abs(plain).max()
        np.testing.assert_allclose(mixed, plain, atol=PRECISION[engine] * scale, rtol=0)


@every_engine
@given(seed=seeds, shift=st.floats(-100, 100))
@few
def test_a_common_shift_of_the_features_does_not_matter(
    engine: str, seed: int, shift: float
) -> None:
    X, codes, numbers = make(seed)
    for machine in machines(engine):
        plain = values(fit(machine, X, codes, numbers), X)
        moved = values(fit(machine, X + shift, codes, numbers), X + shift)
        scale = np.abs(plain).max()
        np.testing.assert_allclose(moved, plain, atol=PRECISION[engine] * scale, rtol=0)


@every_engine
@given(seed=seeds, shift=st.integers(-4, 4))
@few
def test_a_common_shift_does_not_matter_in_float32(engine: str, seed: int, shift: int) -> None:
    """Shifts by powers of two that lose no bit of the rows, so that only the machine is tested."""
    X, codes, numbers = make(seed)
    X = (np.round(X * 2**10) / 2**10).astype(np.float32)
    for machine in machines(engine, tol=1e-8):
        plain = values(fit(machine, X, codes, numbers), X)
        assert machine.support_vectors_.dtype == np.float32
        moved = values(fit(machine, X + np.float32(shift), codes, numbers), X + np.float32(shift))
        scale = np.abs(plain).max()
        np.testing.assert_allclose(moved, plain, atol=1e-5 * scale, rtol=0)


@every_engine
@given(seed=seeds, data=st.data())
@few
def test_a_row_twice_is_a_row_of_double_weight(engine: str, seed: int, data: Any) -> None:
    X, codes, numbers = make(seed)
    times = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(X), max_size=len(X))))
    times[:3] = 1
    # Equal rows leave the direction between them without curvature: closer than this, rounding
    # errors are all that there is to follow.
    for machine in machines(engine, tol=1e-8 if engine == "scikit-learn" else 1e-9):
        weighted = fit(machine, X, codes, numbers, sample_weight=times.astype(float))
        once = values(weighted, X)
        rows = np.repeat(np.arange(len(X)), times)
        repeated = values(fit(machine, X[rows], codes[rows], numbers[rows]), X)
        scale = np.abs(once).max()
        np.testing.assert_allclose(repeated, once, atol=100 * PRECISION[engine] * scale, rtol=0)


@every_engine
@given(seed=seeds)
@few
def test_a_great_price_gives_the_hard_margin(engine: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = np.arange(20) % 2
    X = rng.normal(size=(20, 2)) + 6.0 * np.outer(2 * y - 1, [1.0, 0.5])
    machine = SVC(C=1e6, kernel="linear", tol=1e-6, engine=engine).fit(X, y)
    signs = 2 * y - 1
    # min |w|^2 / 2 subject to y (w x + b) >= 1.
    quadratic: Any = {"fun": lambda w: 0.5 * w[:2] @ w[:2], "jac": lambda w: np.append(w[:2], 0)}
    hard = minimize(
        **quadratic,
        x0=np.append(machine.coef_[0], machine.intercept_) + 0.1,
        constraints=[LinearConstraint(signs[:, None] * np.column_stack([X, np.ones(20)]), 1.0)],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    np.testing.assert_allclose(machine.coef_[0], hard.x[:2], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(machine.intercept_[0], hard.x[2], rtol=1e-3, atol=1e-4)
    assert (signs * machine.decision_function(X) > 1 - 1e-4).all()
    assert np.abs(machine.dual_coef_).max() < 1e6


@every_engine
@given(seed=seeds, factor=st.floats(0.01, 100))
@few
def test_the_unit_of_the_target_does_not_matter(engine: str, seed: int, factor: float) -> None:
    X, _, numbers = make(seed)
    tight = 1e-8 if engine == "scikit-learn" else 1e-11
    options: dict[str, Any] = {"engine": engine, "gamma": 0.4}
    plain = SVR(C=3.0, epsilon=0.1, tol=tight, **options).fit(X, numbers)
    other = SVR(C=3.0 * factor, epsilon=0.1 * factor, tol=tight * factor, **options)
    scaled = other.fit(X, numbers * factor).predict(X) / factor
    np.testing.assert_allclose(
        scaled, plain.predict(X), rtol=0, atol=PRECISION[engine] * np.abs(numbers).max() * 10
    )


@every_engine
@given(seed=seeds)
@few
def test_names_of_two_classes_change_the_sign_alone(engine: str, seed: int) -> None:
    X, codes, _ = make(seed)
    two = codes > 0
    one = SVC(engine=engine, tol=1e-10).fit(X, two).decision_function(X)
    other = SVC(engine=engine, tol=1e-10).fit(X, ~two).decision_function(X)
    np.testing.assert_allclose(one, -other, atol=PRECISION[engine] * 10)


@every_engine
def test_the_number_of_threads_does_not_matter(engine: str) -> None:
    X, codes, numbers = make(1, n=600)
    gram = RBF.gram(X, X, KernelParameters(gamma=0.4))
    every = np.arange(len(X))
    parts = [(every[every % 4 != k], every[every % 4 == k]) for k in range(4)]
    prices = np.array([0.1, 1.0, 10.0])
    if engine != "native":
        # No threads there: small enough to wait for.
        parts, prices = parts[:1], prices[:1]
    for duals in (
        classification(codes, 3, "one-vs-one", None, parts),
        classification(codes, 3, "one-vs-rest", None, parts),
        regression(numbers, 0.1, None, parts),
    ):
        one, four = (
            choose_engine(engine).solve([gram, gram * gram], duals, prices, n_threads=n)
            for n in (1, 4)
        )
        for name in ("beta", "intercept", "decision", "objective", "gap", "n_iter", "converged"):
            np.testing.assert_array_equal(getattr(one, name), getattr(four, name), name)


@every_engine
def test_the_number_of_jobs_does_not_matter(engine: str) -> None:
    X, codes, numbers = make(2)
    for few_jobs, many in zip(machines(engine, n_jobs=1), machines(engine, n_jobs=-1), strict=True):
        np.testing.assert_array_equal(
            values(fit(few_jobs, X, codes, numbers), X), values(fit(many, X, codes, numbers), X)
        )
