"""Fits on growing sets of rows are fits to all rows."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin import native
from widemargin.contracts import KernelParameters
from widemargin.svm import SVC, SVR
from widemargin.svm.duals import Duals
from widemargin.svm.fitted import FittedTerm
from widemargin.svm.kernels import RBF
from widemargin.svm.schemes import classification, one_class, regression

if native.library() is None:
    pytest.skip("there is no native engine to grow with", allow_module_level=True)

from widemargin.native import jobs, products
from widemargin.native.products import rbf_values
from widemargin.svm.engines import growing
from widemargin.svm.engines.native import Native
from widemargin.svm.engines.optimality import Problem


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few hundred rows be many."""
    monkeypatch.setattr(growing, "_ROWS", 100)
    monkeypatch.setattr(growing, "_PRODUCTS", 1)
    monkeypatch.setattr(growing, "_SAMPLE", 120)
    monkeypatch.setattr(growing, "_MOST_SUPPORT", 0.95)


def _rows(dtype: type = np.float64, n: int = 500) -> tuple[NDArray[Any], NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, n)
    X = rng.normal(size=(n, 10)) + 1.5 * codes[:, None] * (np.arange(10) < 4)
    return X.astype(dtype), codes


def _kernel(gamma: float = 0.03) -> FittedTerm:
    return FittedTerm(kernel=RBF, parameters=KernelParameters(gamma=gamma))


def _classes(codes: NDArray[np.int64], weight: NDArray[np.float64] | None = None) -> Duals:
    whole = np.arange(len(codes)), np.empty(0, dtype=np.intp)
    return classification(codes, 2, "single", weight, [whole])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("C", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_what_grew_is_optimal_over_all_rows(dtype: type, C: float, weighted: bool) -> None:
    X, codes = _rows(dtype)
    weight = np.random.default_rng(1).integers(0, 4, 500) / 2 if weighted else None
    duals, kernel = _classes(codes, weight), _kernel()
    grown = growing.grow(X, kernel, duals, C, tol=1e-3)
    assert grown is not None
    gram = kernel.gram(X, X).astype(np.float64)
    beta, own = np.zeros(500), duals.rows
    beta[own] = grown.beta[0, 0]
    problem = Problem(
        target=duals.target,
        lower=C * duals.lower,
        upper=C * duals.upper,
        epsilon=0.0,
        total=0.0,
    )
    v = duals.target - (gram @ beta)[own]
    assert problem.violation(beta[own], v) < 1.01e-3
    assert abs(beta.sum()) < 1e-9
    assert ((beta[own] >= problem.lower) & (beta[own] <= problem.upper)).all()
    whole = Native().solve([gram], duals, np.array([C]), tol=1e-6)
    assert grown.objective[0, 0, 0] == pytest.approx(whole.objective[0, 0, 0], rel=1e-5)
    assert grown.objective[0, 0, 0] == pytest.approx(problem.objective(beta[own], v), rel=1e-5)
    assert grown.intercept[0, 0, 0] == pytest.approx(whole.intercept[0, 0, 0], abs=2e-3)
    assert 0 <= grown.gap[0, 0, 0] < 1e-3


@pytest.mark.usefixtures("small")
def test_a_regression_of_few_support_vectors_grows_too() -> None:
    X, _ = _rows()
    y = np.sin(X[:, 0]) + 0.1 * X[:, 1]
    whole = np.arange(500), np.empty(0, dtype=np.intp)
    duals, kernel = regression(y, 0.15, None, [whole]), _kernel()
    grown = growing.grow(X, kernel, duals, 10.0, tol=1e-4)
    assert grown is not None
    exact = Native().solve([kernel.gram(X, X)], duals, np.array([10.0]), tol=1e-6)
    assert grown.objective[0, 0, 0] == pytest.approx(exact.objective[0, 0, 0], rel=1e-6)


@pytest.mark.usefixtures("small")
def test_growing_computes_fewer_kernel_values(monkeypatch: pytest.MonkeyPatch) -> None:
    X, codes = _rows()
    computed = []

    def count(X: Any, rows: Any, columns: Any, *rest: Any) -> bool:
        computed.append(len(rows) * len(columns) / (2 if rows is columns else 1))
        return rbf_values(X, rows, columns, *rest)

    monkeypatch.setattr(growing, "rbf_values", count)
    assert growing.grow(X, _kernel(), _classes(codes), 1.0) is not None
    assert len(computed) > 2
    assert sum(computed) < 0.9 * 500 * 500 / 2


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("machine", [SVC, SVR])
def test_estimators_grow_to_what_they_learn_at_once(
    machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, codes = _rows()
    target = codes if machine is SVC else np.sin(X[:, 0])
    grown = machine(C=2.0, tol=1e-5, engine="native").fit(X, target)
    monkeypatch.setattr(growing, "_ROWS", 10_000)
    plain = machine(C=2.0, tol=1e-5, engine="native").fit(X, target)
    ask = "decision_function" if machine is SVC else "predict"
    np.testing.assert_allclose(getattr(grown, ask)(X), getattr(plain, ask)(X), atol=2e-4)
    assert grown.converged_


class Together:
    """Lets every native job of growing sets be worked on by several threads at the same time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
        # Work for one thread only is for several here, and none begins before all are there.
        monkeypatch.setattr(products, "_SMALL_PRODUCTS", 0)
        monkeypatch.setattr(products, "run_job", self._run)
        monkeypatch.setattr(jobs, "available_threads", lambda: count)
        self.count = count
        self.workers: dict[str, set[int]] = {}

    def _run(self, work: Any, job: Any, *, brief: bool = False, small: bool = False) -> None:
        assert not small
        barrier, seen = threading.Barrier(self.count), set()

        def meet(reference: Any) -> None:
            barrier.wait(timeout=30)
            seen.add(threading.get_ident())
            work(reference)

        jobs.run_job(meet, job, brief=brief)
        assert len(seen) == self.count
        self.workers[work.__name__] = seen


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_grew_does_not_depend_on_threads(dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    # A thread takes 16 rows, 1,024 numbers or 192 rows of products and 1,024 columns at a time.
    X, codes = _rows(dtype, 2500)
    duals = _classes(codes)
    found = []
    for count in (1, 2, 3, 7):
        with monkeypatch.context() as patch:
            together = Together(patch, count)
            found.append(growing.grow(X, _kernel(), duals, 1.0))
        assert set(together.workers) == {
            "wm_products_pack",
            "wm_products_work",
            "wm_mirror",
            "wm_subtract",
        }
    for grown in found:
        assert grown is not None
        assert found[0] is not None
        np.testing.assert_array_equal(grown.beta, found[0].beta)
        np.testing.assert_array_equal(grown.intercept, found[0].intercept)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[NDArray[np.int64], ...]]:
    """Return a list that gets the rows and columns of all values that are computed."""
    asked: list[tuple[NDArray[np.int64], ...]] = []

    def count(X: Any, rows: Any, columns: Any, *rest: Any) -> bool:
        asked.append((rows.copy(), columns.copy()))
        return rbf_values(X, rows, columns, *rest)

    monkeypatch.setattr(growing, "rbf_values", count)
    return asked


# Powers of two scale every number exactly. Below a `tol` of 2e-5 the solver counts more exactly.
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [2.0**-5, 2.0**10, 2.0**20])
def test_a_regression_in_other_units_grows_to_the_same_machine(
    computed: list[tuple[NDArray[np.int64], ...]], dtype: type, scale: float
) -> None:
    X, _ = _rows(dtype)
    y = np.sin(X[:, 0].astype(np.float64)) + 0.1 * X[:, 1]
    whole = np.arange(500), np.empty(0, dtype=np.intp)
    grown, asked = [], []
    for unit in (1.0, scale):
        duals = regression(unit * y, unit * 0.15, None, [whole])
        grown.append(growing.grow(X, _kernel(), duals, unit * 10.0, tol=unit * 1e-3))
        asked.append(computed[:])
        computed.clear()
    plain, scaled = grown
    assert plain is not None
    assert scaled is not None
    np.testing.assert_array_equal(scaled.beta, scale * plain.beta)
    np.testing.assert_array_equal(scaled.intercept, scale * plain.intercept)
    np.testing.assert_array_equal(scaled.objective, scale**2 * plain.objective)
    np.testing.assert_array_equal(scaled.n_iter, plain.n_iter)
    # By the same rows, step by step.
    assert len(asked[0]) == len(asked[1]) > 3
    for one, other in zip(*asked, strict=True):
        for own, others in zip(one, other, strict=True):
            np.testing.assert_array_equal(own, others)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("epsilon", [0.15, 0.0])
def test_a_target_in_thousandths_is_learned_as_the_target_is(epsilon: float) -> None:
    X, _ = _rows()
    y = np.sin(X[:, 0]) + 0.1 * X[:, 1]
    plain = SVR(C=10.0, epsilon=epsilon, tol=1e-4, engine="native").fit(X, y)
    scaled = SVR(C=1e4, epsilon=1e3 * epsilon, tol=1e-1, engine="native").fit(X, 1e3 * y + 5e3)
    np.testing.assert_allclose(scaled.predict(X) / 1e3 - 5, plain.predict(X), atol=3e-4)
    assert scaled.converged_


@pytest.mark.usefixtures("small")
def test_what_is_better_solved_at_once_does_not_grow() -> None:
    X, codes = _rows()
    duals = _classes(codes)
    assert growing.grow(X, _kernel(50.0), duals, 1.0) is None  # all are support vectors
    assert growing.grow(X, None, duals, 1.0) is None
    assert growing.grow(X, _kernel(), one_class(0.5, None, 500), 1.0) is None
    assert growing.grow(X[:50], _kernel(), _classes(codes[:50]), 1.0) is None
    assert growing.grow((1e30 * X).astype(np.float32), _kernel(), duals, 1.0) is None
