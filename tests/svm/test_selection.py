"""Model selection: every cell is what scikit-learn's search finds, and held-out rows are unseen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn import svm as libsvm
from sklearn.base import clone
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier

from widemargin import native
from widemargin.errors import DataError
from widemargin.svm import KERNELS, Sum, Term
from widemargin.svm.duals import Duals, SolvedDuals
from widemargin.svm.engines import Engine, choose_engine
from widemargin.svm.schemes import Part
from widemargin.svm.selection import GridCell, Scorer, Search, is_linear, refit, select
from widemargin.svm.solver import Solver

KERNEL_OF = {kernel.name: kernel for kernel in KERNELS}
C_VALUES, GAMMAS = (0.1, 1.0, 10.0), (0.05, 0.3)
N = 60
ENGINES = [
    "reference",
    "scikit-learn",
    pytest.param(
        "native", marks=pytest.mark.skipif(native.library() is None, reason="not compiled")
    ),
]
every_engine = pytest.mark.parametrize("engine", ENGINES)
fast_engines = pytest.mark.parametrize("engine", ENGINES[1:])
every_task = pytest.mark.parametrize("n_classes", [0, 2, 3])


def make_task(n_classes: int) -> tuple[NDArray[Any], NDArray[Any], list[Part]]:
    rng = np.random.default_rng(n_classes + 1)
    y: NDArray[Any]
    if n_classes == 0:
        X = rng.normal(size=(N, 4))
        y = X[:, 0] + np.sin(X[:, 1]) + 0.1 * rng.normal(size=N)
        return X, y, list(KFold(4).split(X))
    y = np.arange(N) % n_classes
    X = rng.normal(size=(N, 4)) + 1.1 * rng.normal(size=(n_classes, 4))[y]
    return X, y, list(StratifiedKFold(4, shuffle=True, random_state=0).split(X, y))


def scorer_of(y: NDArray[Any], n_classes: int, parts: Sequence[Part]) -> Scorer:
    """Return accuracy, or the mean squared error below 0."""
    ends = np.cumsum([0, *(len(held_out) for _, held_out in parts)])

    def score(rows: NDArray[np.intp], decision: NDArray[np.float64]) -> float:
        if n_classes == 0:
            return float(-np.mean((decision - y[rows]) ** 2))
        codes = (decision > 0).astype(int) if decision.ndim == 1 else decision.argmax(axis=1)
        return float(np.mean(codes == y[rows]))

    return lambda decision: [
        score(held_out, decision[first:last])
        for (_, held_out), first, last in zip(parts, ends[:-1], ends[1:], strict=True)
    ]


def assert_near(found: Any, expected: Any, atol: float = 1e-2) -> None:
    """Compare decisions that were found within a tolerance of 1e-3.

    Where a duel is all but a draw, its vote may go the other way.
    """
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    off = np.abs(found - expected) > atol * max(1.0, float(np.abs(expected).max()) / 10)
    assert off.sum() <= (0 if found.ndim == 1 else 0.02 * off.size)


def told(*rows: Sequence[float]) -> Scorer:
    """Return a scorer that says these, cell by cell."""
    left = iter(rows)
    return lambda decision: next(left)


def search(
    n_classes: int,
    kernel: str,
    *,
    form: Callable[..., Any] = np.asarray,
    engine: str | Engine = "auto",
    solver: dict[str, Any] | None = None,
    gamma: Any = GAMMAS,
    **more: Any,
) -> Search:
    X, y, parts = make_task(n_classes)
    parts = more.get("parts", parts)
    found = choose_engine(engine) if isinstance(engine, str) else engine
    options: dict[str, Any] = {
        "expression": Term(KERNEL_OF[kernel], gamma=gamma),
        "C": C_VALUES,
        "parts": parts,
        "scorer": scorer_of(y, n_classes, parts),
        **more,
    }
    target = y.astype(float) if n_classes == 0 else y
    whole = Solver(y=target, n_classes=n_classes, engine=found, **(solver or {}))
    return select(form(X), whole, **options)


class ByDuels(OneVsOneClassifier):  # type: ignore[misc]  # scikit-learn has no type hints
    """One machine a pair of classes, which predicts by its decisions as a calibrated one does."""

    def predict(self, X: Any) -> Any:
        return self.classes_[self.decision_function(X).argmax(axis=1)]


def other_search(n_classes: int, kernel: str, scheme: str) -> tuple[Any, dict[str, Any]]:
    """Return scikit-learn's machine and its grid."""
    grid: dict[str, Any] = {"C": C_VALUES}
    machine: Any
    if kernel == "linear":
        machine = libsvm.LinearSVC(random_state=0, max_iter=100_000, dual="auto", tol=1e-6)
        if n_classes == 0:
            machine = libsvm.LinearSVR(
                epsilon=0.1, loss="squared_epsilon_insensitive", dual=False, random_state=0
            )
    else:
        machine = libsvm.SVC(break_ties=True, tol=1e-5)
        if n_classes == 0:
            machine = libsvm.SVR(epsilon=0.1, tol=1e-5)
        grid["gamma"] = GAMMAS
    if n_classes > 2:
        if scheme == "one-vs-rest":
            machine = OneVsRestClassifier(machine)
        elif kernel == "linear":
            machine = ByDuels(machine)
        else:
            return machine, grid
        grid = {f"estimator__{name}": values for name, values in grid.items()}
    return machine, grid


@every_engine
@pytest.mark.parametrize(
    ("n_classes", "scheme"), [(0, "-"), (2, "-"), (3, "one-vs-one"), (3, "one-vs-rest")]
)
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_every_cell_is_what_grid_search_finds(
    n_classes: int, scheme: str, kernel: str, form: Callable[..., Any], engine: str
) -> None:
    X, y, parts = make_task(n_classes)
    solver = {"scheme": scheme} if n_classes > 2 else {}
    found = search(n_classes, kernel, form=form, engine=engine, solver=solver)
    machine, grid = other_search(n_classes, kernel, scheme)
    scoring = "accuracy" if n_classes else "neg_mean_squared_error"
    other = GridSearchCV(machine, grid, cv=parts, scoring=scoring, refit=False).fit(form(X), y)
    cells = {(cell.C, cell.gamma): cell for cell in found.cells}
    tried = [
        {name.removeprefix("estimator__"): value for name, value in params.items()}
        for params in other.cv_results_["params"]
    ]
    assert set(cells) == {(params["C"], params.get("gamma")) for params in tried}
    assert len(found.cells) == len(tried)
    for at, params in enumerate(tried):
        cell = cells[params["C"], params.get("gamma")]
        expected = [other.cv_results_[f"split{fold}_test_score"][at] for fold in range(len(parts))]
        # At most one held-out row of a cell may be told apart otherwise.
        off = np.abs(np.array(cell.scores) - expected) * (N / len(parts) if n_classes else 1)
        assert off.sum() <= (1 + 1e-9 if n_classes else 4e-3)
        assert cell.mean == pytest.approx(float(np.mean(cell.scores)))
        assert cell.std == pytest.approx(float(np.std(cell.scores)))
        assert cell.converged
    chosen = {name: getattr(found.best, name.removeprefix("estimator__")) for name in grid}
    again = clone(machine).set_params(**chosen).fit(form(X), y)
    expected = again.predict(X) if n_classes == 0 else again.decision_function(X)
    assert_near(found.machine.decide(form(X)), expected)


@every_engine
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_numbers_predicted_of_held_out_rows_are_those_of_libsvm(kernel: str, engine: str) -> None:
    X, y, parts = make_task(0)
    found = search(0, kernel, engine=engine)
    machine, grid = other_search(0, kernel, "-")
    machine.set_params(**{name: getattr(found.best, name) for name in grid})
    predicted = np.concatenate([machine.fit(X[a], y[a]).predict(X[b]) for a, b in parts])
    # LIBSVM's own answers lie so far apart.
    atol = 3e-3 if engine == "scikit-learn" else 1e-3
    np.testing.assert_allclose(found.held_out, predicted, atol=atol, rtol=0)


@every_task
@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly", "cosine"])
@fast_engines
def test_held_out_decisions_are_those_of_machines_that_never_saw_the_row(
    n_classes: int, kernel: str, engine: str
) -> None:
    X, y, parts = make_task(n_classes)
    found = search(n_classes, kernel, engine=engine)
    np.testing.assert_array_equal(found.rows, np.concatenate([test for _, test in parts]))
    first = 0
    for train, test in parts:
        machine = refit(
            X[train],
            Solver(y=y[train], n_classes=n_classes, engine=choose_engine(engine)),
            expression=Term(KERNEL_OF[kernel], gamma=GAMMAS),
            cell=found.best,
        )
        own = found.held_out[first : first + len(test)]
        assert_near(own, machine.decide(X[test]))
        first += len(test)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@every_task
def test_held_out_rows_say_nothing_to_their_own_decisions(kernel: str, n_classes: int) -> None:
    X, y, parts = make_task(n_classes)
    held_out = parts[2][1]
    other = y.copy()
    other[held_out] = np.random.default_rng(0).permutation(y)[: len(held_out)]
    assert (other != y).any()
    options: dict[str, Any] = {
        "expression": Term(KERNEL_OF[kernel], gamma=0.1),
        "C": (1.0,),
        "parts": parts,
        "scorer": lambda decision: [1.0],
    }
    one, two = (
        select(X, Solver(y=own, n_classes=n_classes, engine=choose_engine("auto")), **options)
        for own in (y, other)
    )
    own = np.isin(one.rows, held_out)
    np.testing.assert_array_equal(one.held_out[own], two.held_out[own])
    assert not np.array_equal(one.held_out[~own], two.held_out[~own])


SPLITTERS = {
    "overlapping": ShuffleSplit(6, test_size=0.4, train_size=0.5, random_state=0),
    "repeated": RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
    "many small": ShuffleSplit(25, test_size=2, random_state=0),
    "leave one out": LeaveOneOut(),
}


@pytest.mark.parametrize("splitter", list(SPLITTERS))
@every_task
@every_engine
def test_parts_of_any_splitter_are_solved_as_one_by_one(
    splitter: str, n_classes: int, engine: str
) -> None:
    X, y, _ = make_task(n_classes)
    parts = list(SPLITTERS[splitter].split(X))
    found = search(n_classes, "rbf", engine=engine, parts=parts, C=(0.3, 3.0), gamma=0.1)
    assert len(found.best.scores) == len(parts)
    machine = libsvm.SVC(break_ties=True, tol=1e-5) if n_classes else libsvm.SVR(tol=1e-5)
    machine.set_params(C=found.best.C, gamma=0.1)
    name = "decision_function" if n_classes else "predict"
    expected = [getattr(machine.fit(X[a], y[a]), name)(X[b]) for a, b in parts]
    assert_near(found.held_out, np.concatenate(expected))
    assert all(cell.converged for cell in found.cells)


@every_task
@every_engine
def test_a_row_may_be_drawn_twice(n_classes: int, engine: str) -> None:
    """The bootstrap: many parts, small held-out ones, which starts from a solution of all rows."""
    X, y, _ = make_task(n_classes)
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, N, size=N) for _ in range(25)]
    parts = [(train, np.setdiff1d(np.arange(N), train)[:2]) for train in drawn]
    found = search(n_classes, "rbf", engine=engine, parts=parts, C=2.0, gamma=0.1)
    machine = libsvm.SVC(break_ties=True, tol=1e-5) if n_classes else libsvm.SVR(tol=1e-5)
    machine.set_params(C=2.0, gamma=0.1)
    name = "decision_function" if n_classes else "predict"
    expected = [getattr(machine.fit(X[a], y[a]), name)(X[b]) for a, b in parts]
    assert_near(found.held_out, np.concatenate(expected))


@every_task
def test_leaving_one_out_solves_little_more_than_one_machine(n_classes: int) -> None:
    """Most rows are no support vectors, and without them the solution is the same."""
    steps = []

    class Counting:
        name = "counting"

        def solve(self, grams: Any, duals: Duals, C: Any, **options: Any) -> SolvedDuals:
            solved = choose_engine("reference").solve(grams, duals, C, **options)
            steps.append(solved.n_iter.sum(axis=(0, 1)))
            return solved

    X, _, _ = make_task(n_classes)
    search(
        n_classes,
        "rbf",
        engine=Counting(),  # type: ignore[arg-type]  # only Gram matrices are solved
        parts=list(LeaveOneOut().split(X)),
        C=1.0,
        gamma=0.1,
    )
    whole, *parts, _ = steps
    assert all(len(own) == N for own in parts)
    from_zero = whole.sum() * N
    assert sum(int(own.sum()) for own in parts) < from_zero / 2


@every_task
@fast_engines
def test_chunks_of_parts_are_as_all_parts_at_once(
    n_classes: int, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"engine": engine, "C": "auto", "gamma": GAMMAS}
    plain = search(n_classes, "rbf", **options)
    size = 2 * 8 * N * max(1, n_classes * (n_classes - 1) // 2) * len(GAMMAS)
    monkeypatch.setattr(
        "widemargin.svm.paths._RESULTS", 3 * 2 * size
    )  # chunks of 3 parts of the 4, and of 1
    monkeypatch.setattr("widemargin.svm.roads._TOGETHER", 8 * N * N * 3)
    chunked = search(n_classes, "rbf", **options)
    assert chunked.cells == plain.cells
    np.testing.assert_array_equal(chunked.held_out, plain.held_out)
    monkeypatch.setattr("widemargin.svm.roads._TOGETHER", 1)  # one Gram matrix at a time
    alone = search(n_classes, "rbf", **options)
    assert alone.cells == plain.cells


@every_task
@every_engine
def test_a_path_that_goes_on_is_the_path_in_one(n_classes: int, engine: str) -> None:
    """``auto`` solves C by C, each from the one before; a tuple of values is one path."""
    pieces = search(n_classes, "rbf", engine=engine, C="auto", gamma=0.1)
    tried = tuple(cell.C for cell in pieces.cells)
    assert len(tried) > 2
    whole = search(n_classes, "rbf", engine=engine, C=tried, gamma=0.1)
    for one, other in zip(pieces.cells, whole.cells, strict=True):
        off = np.abs(np.array(one.scores) - other.scores).sum()
        assert off <= (1.01 * len(one.scores) / N if n_classes else 4e-3)
    if n_classes:
        assert pieces.best.C == whole.best.C
    assert pieces.best.mean == pytest.approx(whole.best.mean, abs=1e-3 if not n_classes else 1e-9)
    np.testing.assert_allclose(pieces.held_out, whole.held_out, atol=4e-3)


def test_auto_stops_where_two_steps_bring_nothing() -> None:
    calls: list[int] = []

    def flat(decision: NDArray[np.float64]) -> list[float]:
        calls.append(1)
        return [0.5] * 4

    found = search(2, "rbf", C="auto", gamma=GAMMAS, scorer=flat)
    assert [cell.C for cell in found.cells] == [0.1, 1.0, 10.0] * 2
    assert len(calls) == 6


def test_auto_goes_on_while_it_helps() -> None:
    at = 0.0

    def rising(decision: NDArray[np.float64]) -> list[float]:
        nonlocal at
        at += 1
        return [at] * 4

    found = search(2, "rbf", C="auto", gamma=0.1, scorer=rising)
    assert [cell.C for cell in found.cells] == [0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5]
    assert found.best.C == 1e5
    found = search(2, "linear", C="auto", scorer=rising)
    assert pytest.approx(1e6 * found.cells[2].C) == found.cells[-1].C
    assert np.diff(np.log10([cell.C for cell in found.cells])) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("last", "more"), [(0.8, 2), (0.7, 0), (0.7 + 1e-5, 0), (float("nan"), 0)])
def test_a_linear_path_goes_beyond_its_plan_for_what_is_worth_it(last: float, more: int) -> None:
    rows = [[score] * 4 for score in (0.1, 0.2, 0.5, 0.6, 0.7, 0.7, last, 0.3, 0.4)]
    assert len(search(2, "linear", C="auto", scorer=told(*rows)).cells) == 7 + more


def test_only_the_path_that_leads_goes_beyond_its_plan() -> None:
    # All gammas at 0.1 and 1, then C by C.
    rising = [0.1, 0.2, 0.3, 0.4, 0.5]
    both = [*rising[:2], *(score + 0.01 for score in rising[:2])]
    both += [score + more for score in rising[2:] for more in (0.0, 0.01)]
    beyond = [0.6, 0.6]
    rows = [[score] * 4 for score in both + beyond]
    found = search(2, "rbf", C="auto", gamma=GAMMAS, scorer=told(*rows))
    values = {gamma: [cell.C for cell in found.cells if cell.gamma == gamma] for gamma in GAMMAS}
    assert (max(values[GAMMAS[0]]), max(values[GAMMAS[1]])) == (1e3, 1e5)


def test_each_gamma_stops_for_itself() -> None:
    # Both at C = 0.1 and 1, then 10; the second one still rises.
    scores = [[0.5]] * 2 + [[0.1], [0.2]] + [[0.5], [0.3]] + [[0.4], [0.45]]
    found = search(2, "rbf", C="auto", gamma=GAMMAS, scorer=told(*(4 * one for one in scores)))
    assert [(cell.C, cell.gamma) for cell in found.cells] == [
        *((value, GAMMAS[0]) for value in (0.1, 1.0, 10.0)),
        *((value, GAMMAS[1]) for value in (0.1, 1.0, 10.0, 100.0, 1000.0)),
    ]
    assert [cell.mean for cell in found.cells] == [0.5] * 3 + [0.1, 0.2, 0.3, 0.4, 0.45]


def test_auto_bears_scores_that_are_undefined() -> None:
    nan = float("nan")
    with pytest.raises(DataError, match="undefined on every fold"):
        search(2, "rbf", C="auto", gamma=0.1, scorer=lambda decision: [nan] * 4)
    some = [[nan] * 4, [nan] * 4, [0.5, nan, 0.5, nan], [0.6, nan, 0.7, nan], [0.4, nan] * 2]
    found = search(2, "rbf", C="auto", gamma=0.1, scorer=told(*some))
    assert found.best.C == 100.0


def test_the_best_mean_is_chosen() -> None:
    found = search(2, "rbf")
    assert found.best.mean == max(cell.mean for cell in found.cells)
    assert found.best is found.cells[found.chosen]


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("rule", ["max", "one-standard-error"])
def test_of_equal_cells_the_smallest_c_then_the_smallest_gamma_is_chosen(
    kernel: str, rule: str
) -> None:
    found = search(2, kernel, scorer=lambda decision: [0.5] * 4, rule=rule)
    assert C_VALUES[0] == found.best.C
    assert found.best.gamma == (GAMMAS[0] if kernel == "rbf" else None)


# The best mean is 0.8, with a standard error of 0.2 / 2 over its four folds.
BEST = [0.6, 1.0, 0.6, 1.0]


def test_one_standard_error_takes_the_smallest_c_that_is_as_good_as_the_best() -> None:
    rows = [[0.69] * 4, [0.71] * 4, BEST]
    assert C_VALUES[2] == search(2, "linear", scorer=told(*rows)).best.C
    found = search(2, "linear", scorer=told(*rows), rule="one-standard-error")
    assert C_VALUES[1] == found.best.C


def test_one_standard_error_takes_the_smallest_gamma_of_that_c() -> None:
    # By gamma and then C: (0.05; 0.1, 1, 10), (0.3; 0.1, 1, 10).
    rows = [[0.6] * 4, [0.71] * 4, BEST, [0.6] * 4, [0.72] * 4, [0.75] * 4]
    found = search(2, "rbf", scorer=told(*rows), rule="one-standard-error")
    assert (found.best.C, found.best.gamma) == (1.0, 0.05)
    rows[3] = [0.71] * 4
    found = search(2, "rbf", scorer=told(*rows), rule="one-standard-error")
    assert (found.best.C, found.best.gamma) == (0.1, 0.3)


def test_the_standard_error_counts_the_folds_that_define_the_score() -> None:
    nan = float("nan")
    # One part is undefined for every cell: 0.8 with a deviation of 0.2 over three, 0.115.
    best = [0.8 - 0.2 * 1.5**0.5, 0.8, 0.8 + 0.2 * 1.5**0.5, nan]
    rows = [[0.69, 0.69, 0.69, nan], [0.6, 0.6, 0.6, nan], best]
    found = search(2, "linear", scorer=told(*rows), rule="one-standard-error")
    assert C_VALUES[0] == found.best.C


def test_a_cell_that_leaves_a_score_undefined_where_others_do_not_never_wins() -> None:
    rows = [[0.0] * 4, [1.0] * 4, [2.0, 2.0, float("nan"), 2.0]]
    found = search(2, "linear", scorer=told(*rows))
    assert C_VALUES[1] == found.best.C
    assert [cell.mean for cell in found.cells] == [0.0, 1.0, -np.inf]
    assert np.isnan(found.cells[2].std)
    found = search(2, "linear", scorer=told(*rows), rule="one-standard-error")
    assert C_VALUES[1] == found.best.C


def test_a_fold_that_defines_no_cells_score_does_not_count() -> None:
    nan = float("nan")
    rows = [[0.2, nan, 0.2, 0.2], [0.4, nan, 0.6, 0.8], [0.3, nan, 0.3, 0.3]]
    found = search(2, "linear", scorer=told(*rows))
    assert C_VALUES[1] == found.best.C
    assert found.best.mean == pytest.approx(0.6)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_a_score_that_no_fold_defines_is_refused(kernel: str) -> None:
    with pytest.raises(DataError) as caught:
        search(2, kernel, scorer=lambda decision: [float("nan")] * 4)
    assert str(caught.value) == (
        "the score that the search maximises is undefined on every fold, as where each lacks a "
        "class, or holds out a single row and is scored by R2. Take fewer folds, or add items or "
        "groups of the rarest class."
    )


@every_engine
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_a_part_may_lack_a_class(kernel: str, engine: str) -> None:
    _, y, _ = make_task(3)
    halves = np.array_split(np.random.default_rng(0).permutation(np.flatnonzero(y < 2)), 3)
    third = np.flatnonzero(y == 2)
    halves[0] = np.append(halves[0], third[:-1])  # trained on a single row of the class
    parts = [(np.setdiff1d(np.arange(N), test), test) for test in halves]
    parts.append((np.flatnonzero(y < 2), third))  # trained without it
    parts.append((np.flatnonzero(y == 0), third[:3]))  # trained on one class alone
    found = search(3, kernel, parts=parts, engine=engine)
    assert found.held_out.shape == (len(found.rows), 3)
    assert np.isfinite(found.held_out).all()
    assert (found.held_out[-3:].argmax(axis=1) == 0).all()
    assert found.best.scores[-1] == 0


class Unfinished:
    """The reference engine, which stops too early above some C."""

    name = "unfinished"

    def solve(self, grams: Any, duals: Duals, C: Any, **options: Any) -> SolvedDuals:
        solved = choose_engine("reference").solve(grams, duals, C, **options)
        met = solved.converged.copy()
        met[-1, np.asarray(C) > 1, -1] = False
        return replace(solved, converged=met)

    def solve_rows(self, X: Any, duals: Duals, C: Any, **options: Any) -> Any:
        solved = choose_engine("reference").solve_rows(X, duals, C, **options)
        met = solved.converged.copy()
        met[np.asarray(C) > 1, -1] = False
        return replace(solved, converged=met)


@pytest.mark.parametrize("many", [False, True])
@every_task
def test_cells_that_did_not_converge_are_marked(n_classes: int, many: bool) -> None:
    X, _, parts = make_task(n_classes)
    if many:
        parts = list(LeaveOneOut().split(X))
    found = search(n_classes, "rbf", engine=Unfinished(), parts=parts)
    assert [cell.converged for cell in found.cells] == [True] * 5 + [False]
    found = search(n_classes, "linear", engine=Unfinished(), parts=parts)
    assert [cell.converged for cell in found.cells] == [True, True, False]
    both = Sum((Term(KERNEL_OF["rbf"]), Term(KERNEL_OF["linear"])), weights="aligned")
    found = search(n_classes, "rbf", engine=Unfinished(), parts=parts[:4], expression=both)
    unfinished = [(cell.C, cell.gamma) for cell in found.cells if not cell.converged]
    assert unfinished == [(10.0, gamma) for gamma in (0.25, 1.0, 4.0)]


def test_steps_too_few_are_seen_in_a_real_engine() -> None:
    class Hasty:
        name = "hasty"

        def solve(self, *given: Any, **options: Any) -> SolvedDuals:
            return choose_engine("reference").solve(*given, **{**options, "max_iter": 3})

    found = search(2, "rbf", engine=Hasty())  # type: ignore[arg-type]  # no rows are solved
    assert not any(cell.converged for cell in found.cells)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_features_that_learn_y_are_those_of_each_part(
    kernel: str, form: Callable[..., Any]
) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(N, 200)), np.repeat([0, 1], N // 2)
    parts = list(StratifiedKFold(4, shuffle=True, random_state=0).split(X, y))

    def choose(y: NDArray[Any], train: NDArray[Any], *rows: NDArray[Any]) -> tuple[Any, ...]:
        chosen = SelectKBest(k=5).fit(X[train], y[train])
        return tuple(form(chosen.transform(X[own])) for own in rows)

    def select_honestly(y: NDArray[Any]) -> Search:
        part_rows = [(*choose(y, train, train, test), None) for train, test in parts]
        return run(y, part_rows)

    def run(y: NDArray[Any], part_rows: Any = None) -> Search:
        (everything,) = choose(y, np.arange(N), np.arange(N))
        return select(
            everything,
            Solver(y=y, n_classes=2, engine=choose_engine("auto")),
            expression=Term(KERNEL_OF[kernel], gamma=0.1),
            C=(0.1, 1.0),
            parts=parts,
            scorer=scorer_of(y, 2, parts),
            part_rows=part_rows,
        )

    honest, leaking = select_honestly(y), run(y)
    assert honest.best.mean < 0.7 < leaking.best.mean  # the labels are noise
    first = 0
    for train, test in parts:
        own_train, own_test = choose(y, train, train, test)
        machine = refit(
            own_train,
            Solver(y=y[train], n_classes=2, engine=choose_engine("auto")),
            expression=Term(KERNEL_OF[kernel], gamma=0.1),
            cell=honest.best,
        )
        own = honest.held_out[first : first + len(test)]
        np.testing.assert_allclose(own, machine.decide(own_test), atol=3e-3)
        first += len(test)
    # What is held out may be of any class, and decides nothing.
    train, test = parts[1]
    other = y.copy()
    other[test] = 1 - other[test]
    again = select_honestly(other)
    own_rows = np.isin(honest.rows, test)
    if again.best.C == honest.best.C:
        np.testing.assert_array_equal(again.held_out[own_rows], honest.held_out[own_rows])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Term(KERNEL_OF["linear"]), True),
        (Term(KERNEL_OF["linear"], "words"), False),
        (Term(KERNEL_OF["rbf"]), False),
        (Sum((Term(KERNEL_OF["linear"]),)), False),
    ],
)
def test_only_a_kernel_of_all_features_alone_needs_no_gram_matrix(
    expression: Any, expected: bool
) -> None:
    assert is_linear(expression) is expected


@every_task
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_support_vectors_have_weights(n_classes: int, kernel: str) -> None:
    X, y, _ = make_task(n_classes)
    found = search(n_classes, kernel)
    assert found.weights.shape == found.support.shape
    assert (found.weights > 0).all()
    if kernel == "rbf":
        assert found.weights.max() <= found.best.C * (1 + 1e-9)
        np.testing.assert_array_equal(found.machine.vectors, X[found.support])
    if n_classes == 2:
        margin = (2 * y - 1) * found.machine.decide(X)
        if kernel == "linear":
            np.testing.assert_allclose(found.weights, 1 - margin[found.support])
            assert (margin[np.setdiff1d(np.arange(N), found.support)] >= 1).all()
        else:
            assert (margin[found.support] < 1 + 2e-3).all()
            assert (margin[np.setdiff1d(np.arange(N), found.support)] > 1 - 2e-3).all()


@every_engine
@every_task
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_row_weights_reach_every_fit(n_classes: int, kernel: str, engine: str) -> None:
    X, y, parts = make_task(n_classes)
    weight = np.random.default_rng(0).uniform(0, 3, size=N)
    weight[::7] = 0
    found = search(n_classes, kernel, engine=engine, solver={"sample_weight": weight})
    machine, grid = other_search(n_classes, kernel, "one-vs-one")
    if isinstance(machine, ByDuels):
        pytest.skip("takes no weights")
    machine.set_params(**{name: getattr(found.best, name) for name in grid})
    name = "decision_function" if n_classes else "predict"
    expected = []
    for train, test in parts:
        own = train[weight[train] > 0]
        expected.append(
            getattr(machine.fit(X[own], y[own], sample_weight=weight[own]), name)(X[test])
        )
    assert_near(found.held_out, np.concatenate(expected))
    machine.fit(X[weight > 0], y[weight > 0], sample_weight=weight[weight > 0])
    np.testing.assert_allclose(found.machine.decide(X), getattr(machine, name)(X), atol=3e-3)
    assert (weight[found.support] > 0).all() or kernel == "linear"


@pytest.mark.parametrize(
    ("C", "total", "steps"), [(C_VALUES, 6, 6), ("auto", None, 6), (1.0, 2, 2)]
)
def test_progress_counts_every_cell(C: Any, total: int | None, steps: int) -> None:
    told_of: list[float] = []

    class Watch:
        def __enter__(self) -> Watch:
            return self

        def __exit__(self, *reason: object) -> None:
            pass

        def advance(self, count: float = 1) -> None:
            told_of.append(count)

    class Told:
        def stage(self, name: str, total: float | None = None) -> Any:
            assert (name, total) == ("inner search", expected)
            return Watch()

        def note(self, message: str) -> None:
            raise AssertionError(message)

    expected = total
    search(2, "rbf", C=C, scorer=lambda decision: [0.5] * 4, progress=Told())
    assert sum(told_of) == steps


def test_one_cell_can_be_fitted_again() -> None:
    X, y, _ = make_task(3)
    found = search(3, "rbf")
    again = refit(
        X,
        Solver(y=y, n_classes=3, engine=choose_engine("auto")),
        expression=Term(KERNEL_OF["rbf"], gamma=GAMMAS),
        cell=GridCell(C=found.best.C, gamma=found.best.gamma, scores=(), mean=0.0, std=0.0),
    )
    np.testing.assert_array_equal(again.decide(X), found.machine.decide(X))
