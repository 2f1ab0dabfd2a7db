"""Engines: each one's solutions against LIBSVM's and LIBLINEAR's, and what each says of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn import svm as libsvm
from sklearn.exceptions import ConvergenceWarning

from widemargin import native
from widemargin.svm import KERNELS, KernelParameters, Machine
from widemargin.svm.duals import Duals, SolvedDuals
from widemargin.svm.engines import Engine, choose_engine
from widemargin.svm.fitted import FittedTerm
from widemargin.svm.schemes import classification, count_functions, one_class, regression, solution

Task = Literal["two classes", "three classes", "regression", "one class"]
TASKS: list[Task] = ["two classes", "three classes", "regression", "one class"]
KERNEL_OF = {kernel.name: kernel for kernel in KERNELS}
# Small slopes keep poly well conditioned and sigmoid close to positive.
GAMMAS = {"poly": 0.5, "sigmoid": 0.01}
N, FOLD = 48, 12
C = np.array([0.1, 1.0, 10.0])

ENGINES = [
    "reference",
    "scikit-learn",
    pytest.param(
        "native", marks=pytest.mark.skipif(native.library() is None, reason="not compiled")
    ),
]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return choose_engine(request.param)


def rows() -> NDArray[np.float64]:
    """Return rows of numbers above 0, as chi2 needs them."""
    rng = np.random.default_rng(3)
    return rng.uniform(0.1, 1.5, size=(N, 4)) + 0.5 * np.eye(4)[np.arange(N) % 3]


def fitted(kernel: str) -> FittedTerm:
    parameters = KernelParameters(gamma=GAMMAS.get(kernel, 1.0), coef0=0.0)
    return FittedTerm(kernel=KERNEL_OF[kernel], parameters=parameters)


@cache
def gram_of(kernel: str, dtype: Any = np.float64) -> NDArray[Any]:
    X = rows()
    return np.ascontiguousarray(fitted(kernel).gram(X, X), dtype=dtype)


def folds() -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    every = np.arange(N)
    held = [every[:FOLD], every[FOLD : 2 * FOLD]]
    return [(np.setdiff1d(every, one), one) for one in held]


def weights() -> NDArray[np.float64]:
    return np.random.default_rng(5).uniform(0.5, 2.0, size=N)


def duals_of(task: Task) -> tuple[Duals, NDArray[np.float64]]:
    """Return problems, two folds of each function, and the values of C to solve for."""
    rng = np.random.default_rng(4)
    codes = np.arange(N) % 3
    flipped = rng.permutation(N)[:8]
    codes[flipped] = rng.integers(0, 3, size=8)
    if task == "one class":
        return one_class(0.3, weights(), N), np.ones(1)
    if task == "regression":
        X = rows()
        target = X[:, 0] * 2 + np.sin(4 * X[:, 1]) + 0.2 * rng.normal(size=N)
        return regression(target, 0.1, weights(), folds()), C
    if task == "two classes":
        return classification(np.minimum(codes, 1), 2, "single", weights(), folds()), C
    return classification(codes, 3, "one-vs-one", None, folds()), C


@cache
def libsvm_objectives(task: Task, kernel: str, dtype: Any) -> NDArray[np.float64]:
    """Return what scikit-learn's machines reach at a tight tolerance, (n_C, n_problems)."""
    duals, prices = duals_of(task)
    gram = gram_of(kernel, dtype).astype(np.float64)
    values = np.empty((len(prices), len(duals)))
    for k in range(len(duals)):
        own = duals.own(k)
        K = gram[np.ix_(duals.rows[own], duals.rows[own])]
        p, weight = duals.target[own], duals.upper[own] - duals.lower[own]
        for c, price in enumerate(prices):
            machine: Any
            if task == "one class":
                machine = libsvm.OneClassSVM(kernel="precomputed", nu=0.3, tol=1e-8)
            elif task == "regression":
                machine = libsvm.SVR(kernel="precomputed", C=price, epsilon=0.1, tol=1e-8)
                weight = duals.upper[own]
            else:
                machine = libsvm.SVC(kernel="precomputed", C=price, tol=1e-8)
            machine.fit(K, p, sample_weight=weight)
            beta = np.zeros(len(p))
            beta[machine.support_] = machine.dual_coef_[0]
            values[c, k] = 0.5 * beta @ K @ beta - p @ beta + duals.epsilon * np.abs(beta).sum()
    return values


def kinds() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("task", TASKS)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kernel", list(KERNEL_OF))
@kinds()
def test_the_objective_is_libsvms(engine: Engine, task: Task, kernel: str, dtype: Any) -> None:
    duals, prices = duals_of(task)
    solved = engine.solve([gram_of(kernel, dtype)], duals, prices, tol=1e-7)
    assert solved.converged.all()
    # sigmoid has directions of negative curvature, where a stationary point is all there is.
    np.testing.assert_allclose(
        solved.objective[0], libsvm_objectives(task, kernel, dtype), rtol=1e-6
    )


def rounding(engine: Engine, gram: NDArray[Any], beta: NDArray[np.float64]) -> float:
    """Return how far an engine's own gradient may be off: LIBSVM keeps rows of K as float32."""
    if engine.name == "scikit-learn":
        return float(1e-7 * np.abs(gram).max() * np.abs(beta).sum())
    return 1e-9


def worst_violation(
    gram: NDArray[Any], duals: Duals, beta: NDArray[np.float64], price: float
) -> float:
    """Return the greatest violation of the optimality conditions by any pair of rows."""
    worst = -np.inf
    for k in range(len(duals)):
        own = duals.own(k)
        K = gram[np.ix_(duals.rows[own], duals.rows[own])].astype(np.float64)
        b, low, high = beta[own], price * duals.lower[own], price * duals.upper[own]
        assert (b >= low - 1e-12 * price).all()
        assert (b <= high + 1e-12 * price).all()
        np.testing.assert_allclose(b.sum(), duals.total, atol=1e-9 * max(1, np.abs(b).sum()))
        slope = K @ b - duals.target[own]
        up = (slope + np.where(b >= 0, duals.epsilon, -duals.epsilon))[b < high]
        down = (slope + np.where(b > 0, duals.epsilon, -duals.epsilon))[b > low]
        worst = max(worst, down.max() - up.min())
    return worst


@pytest.mark.parametrize("tol", [1e-2, 1e-3, 1e-5])
@pytest.mark.parametrize("kernel", list(KERNEL_OF))
@kinds()
def test_no_pair_of_rows_violates_the_conditions_by_more_than_tol(
    engine: Engine, task: Task, kernel: str, tol: float
) -> None:
    duals, prices = duals_of(task)
    gram = gram_of(kernel)
    solved = engine.solve([gram], duals, prices, tol=tol)
    assert solved.converged.all()
    for c, price in enumerate(prices):
        beta = solved.beta[0, c]
        assert worst_violation(gram, duals, beta, price) < tol + rounding(engine, gram, beta)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("task", ["two classes", "three classes", "regression"])
def test_a_path_gives_what_each_price_gives_alone(engine: Engine, task: Task, kernel: str) -> None:
    duals, prices = duals_of(task)
    path = engine.solve([gram_of(kernel)], duals, prices, tol=1e-8)
    for c in range(len(prices)):
        alone = engine.solve([gram_of(kernel)], duals, prices[c : c + 1], tol=1e-8)
        np.testing.assert_allclose(path.objective[0, c], alone.objective[0, 0], rtol=1e-9)
        np.testing.assert_allclose(path.decision[0, c], alone.decision[0, 0], atol=1e-4)


def test_every_gram_matrix_is_solved_as_if_alone(engine: Engine) -> None:
    duals, prices = duals_of("three classes")
    grams = [gram_of("rbf"), gram_of("linear")]
    together = engine.solve(grams, duals, prices)
    for g, gram in enumerate(grams):
        alone = engine.solve([gram], duals, prices)
        np.testing.assert_array_equal(together.beta[g], alone.beta[0])
        np.testing.assert_array_equal(together.decision[g], alone.decision[0])


@pytest.mark.parametrize("scheme", ["one-vs-one", "one-vs-rest"])
def test_held_out_decisions_are_those_of_the_machine(
    engine: Engine, scheme: Literal["one-vs-one", "one-vs-rest"]
) -> None:
    X, codes = rows(), np.arange(N) % 3
    duals = classification(codes, 3, scheme, None, folds())
    n_functions = count_functions(3, scheme)
    solved = engine.solve([gram_of("rbf")], duals, C)
    for part, (_, held_out) in enumerate(folds()):
        found = solution(duals, solved, scheme, n_functions, C=1, part=part)
        assert found.dual_coef is not None
        assert not set(found.support) & set(held_out)
        kernel = fitted("rbf")
        functions = np.stack(
            [
                solved.decision[0, 1, duals.decided(part * n_functions + k)]
                for k in range(n_functions)
            ],
            axis=1,
        )
        gram = kernel.gram(X[held_out], X[found.support])
        np.testing.assert_allclose(gram @ found.dual_coef.T + found.intercept, functions, rtol=1e-9)
        machine = Machine(
            scheme=scheme,
            n_classes=3,
            intercept=found.intercept,
            kernel=kernel,
            vectors=X[found.support],
            dual_coef=found.dual_coef,
        )
        if scheme == "one-vs-rest":
            np.testing.assert_allclose(machine.decide(X[held_out]), functions, rtol=1e-9)


def test_held_out_decisions_of_regression_are_its_predictions(engine: Engine) -> None:
    duals, prices = duals_of("regression")
    solved = engine.solve([gram_of("rbf")], duals, prices, tol=1e-6)
    for part, (train, held_out) in enumerate(folds()):
        machine = libsvm.SVR(kernel="precomputed", C=1.0, epsilon=0.1, tol=1e-6)
        gram = gram_of("rbf")
        machine.fit(gram[np.ix_(train, train)], duals.target[duals.own(part)], weights()[train])
        np.testing.assert_allclose(
            solved.decision[0, 1, duals.decided(part)],
            machine.predict(gram[np.ix_(held_out, train)]),
            atol=1e-4,
        )


@kinds()
def test_any_start_leads_to_the_same_solution(engine: Engine, task: Task) -> None:
    duals, prices = duals_of(task)
    gram = gram_of("rbf")
    rng = np.random.default_rng(0)
    # Beyond the bounds and of the wrong sum, too.
    start = rng.normal(size=(1, len(prices), N)) * 20
    cold = engine.solve([gram], duals, prices, tol=1e-7)
    warm = engine.solve([gram], duals, prices, tol=1e-7, start=start)
    assert warm.converged.all()
    np.testing.assert_allclose(warm.objective, cold.objective, rtol=1e-9)
    np.testing.assert_allclose(warm.decision, cold.decision, atol=1e-4)
    for c, price in enumerate(prices):
        beta = warm.beta[0, c]
        assert worst_violation(gram, duals, beta, price) < 1e-7 + rounding(engine, gram, beta)


def test_a_solution_to_start_from_costs_few_steps(engine: Engine) -> None:
    duals, prices = duals_of("two classes")
    duals = classification(np.arange(N) % 2, 2, "single", None, [(np.arange(N), np.arange(0))])
    cold = engine.solve([gram_of("rbf")], duals, prices)
    # Solutions are packed by class, and a start has one number a row.
    start = np.zeros_like(cold.beta)
    start[..., duals.rows] = cold.beta
    again = engine.solve([gram_of("rbf")], duals, prices, start=start)
    if engine.name == "scikit-learn":
        # LIBSVM takes no start.
        assert (again.n_iter == cold.n_iter).all()
    else:
        assert again.n_iter.max() <= 2 < cold.n_iter.min()


@kinds()
def test_max_iter_ends_a_problem_and_says_so(engine: Engine, task: Task) -> None:
    duals, prices = duals_of(task)
    with warnings.catch_warnings():
        # Engines tell; whether to warn is for who asked.
        warnings.simplefilter("error", ConvergenceWarning)
        solved = engine.solve([gram_of("rbf")], duals, prices, tol=1e-9, max_iter=2)
    assert not solved.converged.any()
    assert solved.n_iter.max() <= 2
    assert (solved.gap > 1e-6).all()
    for c, price in enumerate(prices):
        # What there is so far is feasible.
        assert worst_violation(gram_of("rbf"), duals, solved.beta[0, c], price) > 1e-3


@pytest.mark.parametrize("kernel", list(KERNEL_OF))
@kinds()
def test_the_duality_gap_closes(engine: Engine, task: Task, kernel: str) -> None:
    duals, prices = duals_of(task)
    gaps = [
        engine.solve([gram_of(kernel)], duals, prices, tol=tol).gap for tol in (1e-1, 1e-3, 1e-7)
    ]
    assert all((gap >= -1e-9).all() for gap in gaps)
    assert gaps[-1].max() < 1e-5
    assert gaps[0].max() >= gaps[-1].max()


def primal(duals: Duals, solved: SolvedDuals, gram: NDArray[Any], price: float) -> float:
    """Return the value of the primal problem of the one function that there is."""
    own = duals.own(0)
    beta, b = solved.beta[0, 0, own], solved.intercept[0, 0, 0]
    K = gram[np.ix_(duals.rows[own], duals.rows[own])]
    f, p = K @ beta + b, duals.target[own]
    weight = price * np.maximum(duals.upper[own], -duals.lower[own])
    if duals.total:
        loss = weight * np.maximum(0, -f)
    elif duals.epsilon:
        loss = weight * np.maximum(0, np.abs(p - f) - duals.epsilon)
    else:
        loss = weight * np.maximum(0, 1 - p * f)
    return float(0.5 * beta @ K @ beta + loss.sum() + b * duals.total)


@pytest.mark.parametrize("max_iter", [5, -1])
@pytest.mark.parametrize("task", ["two classes", "regression", "one class"])
def test_the_gap_is_the_primal_value_less_the_dual(
    engine: Engine, task: Task, max_iter: int
) -> None:
    duals, _ = duals_of(task)
    solved = engine.solve([gram_of("rbf")], duals, np.ones(1), max_iter=max_iter)
    upper, lower = primal(duals, solved, gram_of("rbf"), 1.0), -solved.objective[0, 0, 0]
    assert upper >= lower
    gap = (upper - lower) / max(abs(upper), abs(lower))
    np.testing.assert_allclose(solved.gap[0, 0, 0], gap, rtol=1e-9, atol=1e-12)


def test_a_fold_without_one_of_the_classes_decides_for_the_other(engine: Engine) -> None:
    codes = np.array([1] * 10 + [0] * (N - 10))
    parts = [(np.arange(5), np.arange(5, 20)), (np.arange(20, 30), np.arange(20))]
    solved = engine.solve(
        [gram_of("rbf")], classification(codes, 2, "single", None, parts), np.ones(1)
    )
    assert not solved.beta.any()
    assert (solved.decision[0, 0, :15] > 0).all()
    assert (solved.decision[0, 0, 15:] < 0).all()
    assert solved.converged.all()


@pytest.mark.parametrize("epsilon", [0.0, 100.0])
def test_a_tube_may_be_closed_or_hold_all_targets(engine: Engine, epsilon: float) -> None:
    target = np.random.default_rng(1).normal(size=N)
    duals = regression(target, epsilon, None, [(np.arange(N), np.arange(0))])
    solved = engine.solve([gram_of("rbf")], duals, np.ones(1), tol=1e-6)
    assert worst_violation(gram_of("rbf"), duals, solved.beta[0, 0], 1.0) < 1.1e-6
    assert solved.beta.any() == (epsilon == 0)
    if epsilon:
        assert np.abs(target - solved.intercept[0, 0, 0]).max() <= epsilon


def test_a_share_of_all_rows_leaves_none_inside(engine: Engine) -> None:
    solved = engine.solve([gram_of("rbf")], one_class(1.0, None, N), np.ones(1))
    np.testing.assert_allclose(solved.beta, 1.0)
    assert np.isfinite(solved.intercept).all()


# Rows in the primal

FORMS: list[Callable[[Any], Any]] = [np.asarray, csr_matrix]


def squared_value(
    X: NDArray[Any], duals: Duals, k: int, coef: NDArray[Any], intercept: float, price: float
) -> float:
    own = duals.own(k)
    f, p = X[duals.rows[own]] @ coef + intercept, duals.target[own]
    weight = np.maximum(duals.upper[own], -duals.lower[own])
    out = np.abs(p - f) - duals.epsilon if duals.epsilon else 1 - p * f
    losses = weight * np.maximum(0, out) ** 2
    return float(0.5 * (coef @ coef + intercept**2) + price * losses.sum())


@cache
def liblinear_values(task: Task) -> NDArray[np.float64]:
    duals, prices = duals_of(task)
    X = rows()
    values = np.empty((len(prices), len(duals)))
    for k in range(len(duals)):
        own = duals.own(k)
        p, weight = duals.target[own], np.maximum(duals.upper[own], -duals.lower[own])
        for c, price in enumerate(prices):
            machine: Any
            if task == "regression":
                machine = libsvm.LinearSVR(
                    C=price, epsilon=0.1, loss="squared_epsilon_insensitive", dual=False, tol=1e-12
                )
            else:
                machine = libsvm.LinearSVC(C=price, dual=False, tol=1e-12)
            with warnings.catch_warnings():
                # Beyond a point LIBLINEAR's line search finds nothing to gain, and it warns.
                warnings.simplefilter("ignore", ConvergenceWarning)
                machine.fit(X[duals.rows[own]], p, sample_weight=weight)
            intercept = float(np.ravel(machine.intercept_)[0])
            values[c, k] = squared_value(X, duals, k, np.ravel(machine.coef_), intercept, price)
    return values


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("task", ["two classes", "three classes", "regression"])
def test_rows_reach_liblinears_objective(
    engine: Engine, task: Task, form: Callable[[Any], Any]
) -> None:
    duals, prices = duals_of(task)
    solved = engine.solve_rows(form(rows()), duals, prices, tol=1e-10, max_iter=100_000)
    assert solved.converged.all()
    values = [
        [
            squared_value(rows(), duals, k, solved.coef[c, k], solved.intercept[c, k], price)
            for k in range(len(duals))
        ]
        for c, price in enumerate(prices)
    ]
    np.testing.assert_allclose(values, liblinear_values(task), rtol=1e-8)


@pytest.mark.parametrize("form", FORMS)
def test_wide_rows_reach_liblinears_objective(engine: Engine, form: Callable[[Any], Any]) -> None:
    rng = np.random.default_rng(8)
    X = rng.normal(size=(30, 90)) * (rng.uniform(size=(30, 90)) < 0.3)
    duals = classification(np.arange(30) % 2, 2, "single", None, [(np.arange(30), np.arange(0))])
    solved = engine.solve_rows(form(X), duals, np.array([0.5]), tol=1e-10, max_iter=100_000)
    machine = libsvm.LinearSVC(C=0.5, dual=False, tol=1e-12).fit(X, np.arange(30) % 2)
    np.testing.assert_allclose(solved.coef[0, 0], machine.coef_[0], atol=1e-6)
    np.testing.assert_allclose(solved.intercept[0, 0], machine.intercept_[0], atol=1e-6)


def test_rows_that_have_not_converged_are_told(engine: Engine) -> None:
    duals, prices = duals_of("two classes")
    solved = engine.solve_rows(rows(), duals, prices, tol=1e-12, max_iter=1)
    assert not solved.converged.all()


def test_rows_of_one_class_alone_are_decided_for_it(engine: Engine) -> None:
    X, codes = rows(), np.array([1] * 10 + [0] * (N - 10))
    duals = classification(codes, 2, "single", None, [(np.arange(10), np.arange(0))])
    solved = engine.solve_rows(X, duals, np.ones(1))
    assert (X @ solved.coef[0, 0] + solved.intercept[0, 0] > 0).all()


# Choosing one


def test_auto_takes_the_native_engine_where_there_is_one() -> None:
    expected = "scikit-learn" if native.library() is None else "native"
    assert choose_engine("auto").name == expected


def test_the_suite_runs_without_the_native_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "library", lambda: None)
    monkeypatch.setattr(native, "reason", lambda: "it was not compiled; do this")
    assert choose_engine("auto").name == "scikit-learn"
    with pytest.raises(ValueError, match=r"^The native engine is not available: it was not comp"):
        choose_engine("native")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^The 'engine' parameter must be a str among \{'auto', "):
        choose_engine("cuda")
