"""Schemes: which rows, signs and bounds each function's problem has, and what is made of them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import svm as libsvm

from widemargin.svm.duals import Duals
from widemargin.svm.engines import choose_engine
from widemargin.svm.machine import Solution, combine, duels, violations, vote
from widemargin.svm.schemes import (
    Scheme,
    classification,
    count_functions,
    one_class,
    regression,
    scheme_of,
    solution,
    targets,
)
from widemargin.svm.solver import Solver

NONE = np.empty(0, dtype=np.intp)
CODES = np.array([0, 1, 2, 0, 1, 2, 2])


def problem(duals: Duals, k: int) -> dict[str, list[float]]:
    own = duals.own(k)
    names = ("rows", "target", "lower", "upper")
    return {name: getattr(duals, name)[own].tolist() for name in names}


def test_two_classes_are_one_function_and_the_second_is_above_0() -> None:
    duals = classification(np.array([0, 1, 1]), 2, "single", None, [(np.arange(3), NONE)])
    assert problem(duals, 0) == {
        "rows": [1, 2, 0],
        "target": [1, 1, -1],
        "lower": [0, 0, -1],
        "upper": [1, 1, 0],
    }


def test_a_duel_sees_its_two_classes_and_the_first_is_above_0() -> None:
    parts = [(np.array([6, 0, 1, 2]), np.array([3, 4])), (np.arange(4), np.array([5]))]
    duals = classification(CODES, 3, "one-vs-one", None, parts)
    assert len(duals) == 6
    assert problem(duals, 0) == {
        "rows": [0, 1],
        "target": [1, -1],
        "lower": [0, -1],
        "upper": [1, 0],
    }
    assert problem(duals, 1)["rows"] == [0, 6, 2]
    assert problem(duals, 1)["target"] == [1, -1, -1]
    assert problem(duals, 5)["rows"] == [1, 2]
    held = [duals.held_out[duals.decided(k)].tolist() for k in range(6)]
    assert held == [[3, 4]] * 3 + [[5]] * 3


def test_one_against_the_rest_sees_all_rows() -> None:
    duals = classification(CODES, 3, "one-vs-rest", None, [(np.arange(7), NONE)])
    for code in range(3):
        own = problem(duals, code)
        order = [*np.flatnonzero(code == CODES).tolist(), *np.flatnonzero(code != CODES).tolist()]
        assert own["rows"] == order
        assert own["target"] == np.where(code == CODES[order], 1, -1).tolist()


@pytest.mark.parametrize("scheme", ["one-vs-one", "one-vs-rest"])
@pytest.mark.parametrize("weight", [None, np.arange(7.0)])
def test_arrays_are_laid_out_as_the_native_engine_reads_them(scheme: Scheme, weight: Any) -> None:
    parts = [(np.arange(7)[::-1], np.arange(7)[::2]), (np.arange(7)[::2], np.arange(2))]
    for duals in (
        classification(CODES, 3, scheme, weight, parts),
        regression(np.arange(14.0)[::2], 0.1, weight, parts),
        one_class(0.5, weight, 7),
    ):
        for name in ("rows", "starts", "held_out", "held_out_starts"):
            assert getattr(duals, name).dtype == np.int64
            assert getattr(duals, name).flags.c_contiguous
        for name in ("target", "lower", "upper"):
            assert getattr(duals, name).dtype == np.float64
            assert getattr(duals, name).flags.c_contiguous


@pytest.mark.parametrize("weight", [None, np.array([1, 0.5, 0, 1, 1, 1, 1])])
def test_a_row_that_is_there_twice_is_a_row_of_double_weight(weight: Any) -> None:
    train = np.array([0, 1, 0, 2, 1, 1, 5])
    by_row = {0: 2.0, 1: 3.0, 2: 1.0, 5: 1.0} if weight is None else {0: 2.0, 1: 1.5, 5: 1.0}
    for duals in (
        classification(CODES, 3, "one-vs-rest", weight, [(train, NONE)]).take([1]),
        regression(np.arange(7.0), 0.1, weight, [(train, NONE)]),
    ):
        bound = np.maximum(duals.upper, -duals.lower)
        assert dict(zip(duals.rows.tolist(), bound.tolist(), strict=True)) == by_row
        assert len(duals.rows) == len(by_row)


@pytest.mark.parametrize("scheme", ["one-vs-one", "one-vs-rest"])
def test_weights_are_bounds_and_rows_of_weight_0_take_no_part(scheme: Scheme) -> None:
    weight = np.array([0.5, 2, 0, 0, 1, 3, 4])
    duals = classification(CODES, 3, scheme, weight, [(np.arange(7), np.arange(7))])
    assert not np.isin(duals.rows, [2, 3]).any()
    np.testing.assert_array_equal(duals.upper - duals.lower, weight[duals.rows])
    np.testing.assert_array_equal(duals.target > 0, duals.upper > 0)
    # Such rows are decided all the same.
    np.testing.assert_array_equal(duals.held_out, np.tile(np.arange(7), 3))


def test_a_part_that_lacks_a_class_has_problems_of_one_class() -> None:
    duals = classification(CODES, 3, "one-vs-one", None, [(np.array([0, 1, 3]), np.array([2]))])
    assert [problem(duals, k)["target"] for k in range(3)] == [[1, 1, -1], [1, 1], [1]]


@given(
    codes=st.lists(st.integers(0, 3), min_size=1, max_size=20),
    scheme=st.sampled_from(["one-vs-one", "one-vs-rest"]),
)
@settings(max_examples=30)
def test_every_problem_is_what_its_target_says(
    codes: list[int], scheme: Literal["one-vs-one", "one-vs-rest"]
) -> None:
    known = np.array(codes)
    every = np.arange(len(known))
    parts = [(every, NONE), (every[::-1], every[:1])]
    duals = classification(known, 4, scheme, None, parts)
    functions = targets(known, 4, scheme)
    assert len(functions) == count_functions(4, scheme_of(4, scheme))
    assert len(duals) == 2 * len(functions)
    for k in range(len(duals)):
        own = problem(duals, k)
        function, train = functions[k % len(functions)], parts[k // len(functions)][0]
        assert own["rows"] == [*train[function[train] > 0], *train[function[train] < 0]]
        assert own["target"] == function[np.array(own["rows"], dtype=int)].tolist()


def test_a_regression_is_bounded_on_both_sides() -> None:
    weight = np.array([1, 0, 2.0])
    duals = regression(np.array([5.0, 6, 7]), 0.2, weight, [(np.array([2, 1, 0]), np.array([1]))])
    assert problem(duals, 0) == {
        "rows": [2, 0],
        "target": [7, 5],
        "lower": [-2, -1],
        "upper": [2, 1],
    }
    assert (duals.epsilon, duals.total) == (0.2, 0)


def test_one_class_shares_out_its_multipliers() -> None:
    duals = one_class(0.25, np.array([1.0, 0, 3]), 3)
    assert problem(duals, 0) == {"rows": [0, 2], "target": [0, 0], "lower": [0, 0], "upper": [1, 3]}
    assert duals.total == 1.0


def test_some_of_the_problems_can_be_taken() -> None:
    duals = classification(CODES, 3, "one-vs-one", None, [(np.arange(7), np.array([1, 2]))] * 2)
    taken = duals.take([4, 1])
    assert len(taken) == 2
    assert [problem(taken, 0), problem(taken, 1)] == [problem(duals, 4), problem(duals, 1)]
    assert taken.held_out[taken.decided(1)].tolist() == [1, 2]


def make(n_classes: int) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(n_classes)
    codes = np.arange(50) % n_classes
    X = rng.normal(size=(50, 3)) + 1.5 * rng.normal(size=(n_classes, 3))[codes]
    return X @ X.T, codes


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_a_solution_is_the_machine_that_libsvm_finds(n_classes: int) -> None:
    gram, codes = make(n_classes)
    solver = Solver(y=codes, n_classes=n_classes, engine=choose_engine("reference"))
    found = solver.fit_gram(gram, 0.7)
    other = libsvm.SVC(kernel="precomputed", C=0.7, break_ties=True, tol=1e-6).fit(gram, codes)
    np.testing.assert_array_equal(found.support, np.sort(other.support_))
    assert found.dual_coef is not None
    functions = gram[:, found.support] @ found.dual_coef.T + found.intercept
    decided = combine(functions.T, n_classes, found.scheme)
    np.testing.assert_allclose(decided, other.decision_function(gram), atol=3e-3)


def test_each_part_has_a_solution_of_its_own() -> None:
    gram, codes = make(3)
    every = np.arange(50)
    parts = [(every[:30], NONE), (every[20:][::-1], NONE)]
    engine = choose_engine("reference")
    duals = classification(codes, 3, "one-vs-one", None, parts)
    solved = engine.solve([np.eye(50), gram], duals, np.array([0.1, 2.0]), tol=1e-9)
    for at, (train, _) in enumerate(parts):
        found = solution(duals, solved, "one-vs-one", 3, gram=1, C=1, part=at)
        assert found.dual_coef is not None
        assert np.isin(found.support, train).all()
        own = duals.take(range(3 * at, 3 * at + 3))
        alone = engine.solve([gram], own, np.array([2.0]), tol=1e-9)
        np.testing.assert_allclose(
            found.dual_coef @ gram[found.support],
            expanded(own, alone.beta[0, 0]) @ gram,
            atol=1e-7,
        )
        np.testing.assert_allclose(found.intercept, alone.intercept[0, 0], atol=1e-7)


def expanded(duals: Duals, beta: NDArray[np.float64]) -> NDArray[np.float64]:
    full = np.zeros((len(duals), 50))
    for k in range(len(duals)):
        full[k, duals.rows[duals.own(k)]] = beta[duals.own(k)]
    return full


def test_decisions_are_put_together_part_by_part() -> None:
    gram, codes = make(3)
    every = np.arange(50)
    parts = [(every[10:], every[:10]), (every[:45], every[45:])]
    solver = Solver(y=codes, n_classes=3, engine=choose_engine("reference"))
    duals = solver.duals(parts)
    decided = solver.decisions(duals, solver.solve([gram], duals, [0.3, 1.0]))
    assert decided.shape == (1, 2, 15, 3)
    for at, (train, held_out) in enumerate(parts):
        alone = solver.at(train).fit_gram(gram[np.ix_(train, train)], 0.3)
        assert alone.dual_coef is not None
        values = gram[np.ix_(held_out, train[alone.support])] @ alone.dual_coef.T + alone.intercept
        np.testing.assert_allclose(
            decided[0, 0, slice(0, 10) if at == 0 else slice(10, 15)], vote(values.T, 3), atol=1e-9
        )


@pytest.mark.parametrize(
    ("n_classes", "expected"),
    [(0, [[1.5], [2.5]]), (2, [[-1], [1]]), (3, [[1, -1, -1], [-1, 1, -1]])],
)
def test_kernels_are_weighed_by_numbers_or_by_each_class(
    n_classes: int, expected: list[list[float]]
) -> None:
    y = np.array([1.5, 2.5, 3.5]) if n_classes == 0 else np.array([0, 1, min(2, n_classes - 1)])
    solver = Solver(y=y, n_classes=n_classes, engine=choose_engine("reference"))
    np.testing.assert_array_equal(solver.targets(np.arange(2)), expected)


def test_a_solver_of_some_rows_has_their_weights_and_settings() -> None:
    solver = Solver(
        y=CODES,
        n_classes=3,
        engine=choose_engine("reference"),
        scheme="one-vs-rest",
        epsilon=0.5,
        sample_weight=np.arange(7.0),
        random_state=3,
        n_threads=2,
    )
    own = solver.at(np.array([4, 2]))
    assert own.y.tolist() == [1, 2]
    assert own.sample_weight is not None
    assert own.sample_weight.tolist() == [4, 2]
    for name in ("n_classes", "engine", "scheme", "epsilon", "random_state", "n_threads"):
        assert getattr(own, name) == getattr(solver, name)


@pytest.mark.parametrize("n_classes", [0, 2])
@pytest.mark.parametrize("engine", ["reference", "scikit-learn"])
def test_weights_of_features_come_part_by_part_and_price_by_price(
    n_classes: int, engine: str
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = X @ [1.0, -1, 0] + 0.3 * rng.normal(size=40)
    y = (y > 0).astype(int) if n_classes else y
    every = np.arange(40)
    parts = [(every[:30], every[30:]), (every[10:], every[:10])]
    solver = Solver(y=y, n_classes=n_classes, engine=choose_engine(engine), epsilon=0.05)
    coef, intercept, converged, n_iter = solver.fit_rows(X, parts, [0.1, 3.0, 5.0])
    assert coef.shape == (2, 3, 1, 3)
    assert (intercept.shape, converged.shape, n_iter.shape) == ((2, 3, 1), (2, 3), (2, 3))
    for at, (train, _) in enumerate(parts):
        alone, constant, _, _ = solver.at(train).fit_rows(X[train], [(np.arange(30), NONE)], [3.0])
        np.testing.assert_allclose(coef[at, 1], alone[0, 0], atol=1e-3)
        np.testing.assert_allclose(intercept[at, 1], constant[0, 0], atol=1e-3)


def violations_one_by_one(
    scheme: Scheme, functions: NDArray[np.float64], codes: NDArray[Any]
) -> list[float]:
    worst = []
    for row, code in zip(functions, codes, strict=True):
        own = [0.0]
        for column, first, second in duels(3) if scheme == "one-vs-one" else []:
            if code in (first, second):
                own.append(1 - row[column] * (1 if code == first else -1))
        if scheme == "one-vs-rest":
            own.extend(1 - row[column] * (1 if code == column else -1) for column in range(3))
        worst.append(max(own))
    return worst


@pytest.mark.parametrize("scheme", ["one-vs-one", "one-vs-rest"])
def test_a_rows_violation_is_the_worst_of_its_functions(scheme: Scheme) -> None:
    rng = np.random.default_rng(1)
    X, codes = rng.normal(size=(12, 2)), np.arange(12) % 3
    found = Solution(
        scheme=scheme,
        support=NONE,
        dual_coef=None,
        coef=rng.normal(size=(3, 2)),
        intercept=rng.normal(size=3),
        n_iter=1,
    )
    assert found.coef is not None
    functions = X @ found.coef.T + found.intercept
    np.testing.assert_allclose(
        violations(found, X, codes, 3, 0.0), violations_one_by_one(scheme, functions, codes)
    )
