"""Machines: functions into decisions, and what each class and each summand adds to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from widemargin.contracts import Kernel, KernelParameters
from widemargin.svm.expansion import expand
from widemargin.svm.expression import Sum, Term
from widemargin.svm.fitted import FittedTerm
from widemargin.svm.kernels import LINEAR, POLY, RBF
from widemargin.svm.machine import Machine, Solution, duels, violations, vote

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4))
CODES = np.arange(30) % 3


def linear(scheme: Any) -> Machine:
    return Machine(
        scheme=scheme, n_classes=3, coef=RNG.normal(size=(3, 4)), intercept=RNG.normal(size=3)
    )


def test_one_against_the_rest_decides_by_the_functions_themselves() -> None:
    machine = linear("one-vs-rest")
    assert machine.coef is not None
    np.testing.assert_array_equal(machine.decide(X), X @ machine.coef.T + machine.intercept)
    np.testing.assert_array_equal(machine.class_coef(2), machine.coef[2])


def test_one_against_one_decides_by_votes() -> None:
    machine = linear("one-vs-one")
    assert machine.coef is not None
    functions = X @ machine.coef.T + machine.intercept
    np.testing.assert_array_equal(machine.decide(X), vote(functions.T, 3))
    # Class 1 loses duel (0, 1) where it is above 0, and wins duel (1, 2) there.
    assert list(duels(3)) == [(0, 0, 1), (1, 0, 2), (2, 1, 2)]
    by_hand = (machine.coef[2] - machine.coef[0]) / 2
    np.testing.assert_allclose(machine.class_coef(1), by_hand)


@pytest.mark.parametrize("scheme", ["one-vs-one", "one-vs-rest"])
def test_a_rows_violation_is_the_worst_of_its_functions(scheme: Any) -> None:
    machine = linear(scheme)
    solution = Solution(
        scheme=scheme,
        support=np.arange(30),
        dual_coef=None,
        coef=machine.coef,
        intercept=machine.intercept,
        n_iter=1,
    )
    assert machine.coef is not None
    functions = X @ machine.coef.T + machine.intercept
    found = violations(solution, X, CODES, 3, 0.1)
    for row, code in enumerate(CODES):
        if scheme == "one-vs-rest":
            own = [functions[row, k] * (1 if k == code else -1) for k in range(3)]
        else:
            own = [
                functions[row, column] * (1 if code == first else -1)
                for column, first, second in duels(3)
                if code in (first, second)
            ]
        assert found[row] == pytest.approx(max(0.0, 1 - min(own)))


@pytest.mark.parametrize("scheme", ["one-vs-one", "one-vs-rest"])
def test_parts_and_constant_terms_add_up_to_the_functions(scheme: Any) -> None:
    both = Sum((Term(LINEAR, "a"), Term(RBF, "b")))
    prepared = both.prepare(X, blocks={"a": slice(0, 2), "b": slice(2, 4)})
    machine = Machine(
        scheme=scheme,
        n_classes=3,
        kernel=prepared.fit(1.0),
        vectors=X,
        dual_coef=RNG.normal(size=(3, 30)),
        intercept=RNG.normal(size=3),
    )
    parts = machine.parts(X[:5])
    assert [name for name, _ in parts] == ["a", "b"]
    functions = sum(part for _, part in parts) + machine.intercept
    decided = functions if scheme == "one-vs-rest" else vote(np.asarray(functions).T, 3)
    np.testing.assert_allclose(machine.decide(X[:5]), decided, atol=1e-9)


@pytest.mark.parametrize("kernel", [RBF, POLY])
def test_rows_beyond_float32_are_decided_in_float64(kernel: Kernel) -> None:
    vectors = RNG.normal(size=(5, 3))
    dual_coef = RNG.normal(size=(1, 5))
    rows = np.array([[0.5, 1.0, -1.0], [1e40, 0.0, 1.0]])
    term = FittedTerm(kernel=kernel, parameters=KernelParameters(gamma=0.5))
    found = expand(term, rows, vectors.astype(np.float32), dual_coef)
    np.testing.assert_allclose(found, expand(term, rows, vectors, dual_coef), rtol=1e-5)
    # Rows that are near are compared in float32, as they were in training.
    near = expand(term, rows[:1], vectors.astype(np.float32), dual_coef)
    both = expand(term, rows[:1].astype(np.float32), vectors.astype(np.float32), dual_coef)
    np.testing.assert_array_equal(near, both)


@pytest.mark.parametrize(
    ("degree", "normalised", "far"), [(5, False, 9e8), (10, False, 1e5), (3, True, 9e8)]
)
def test_rows_whose_powers_are_beyond_float32_are_decided_in_float64(
    degree: int, normalised: bool, far: float
) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(5, 3))
    dual_coef = rng.normal(size=(1, 5))
    rows = np.array([[0.5, 1.0, -1.0], [far, 0.0, 1.0]])
    parameters = KernelParameters(gamma=0.5, degree=degree)
    term = FittedTerm(kernel=POLY, parameters=parameters, normalised=normalised)
    found = expand(term, rows, vectors.astype(np.float32), dual_coef)
    np.testing.assert_allclose(found, expand(term, rows, vectors, dual_coef), rtol=1e-4)
