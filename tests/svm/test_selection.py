"""Model selection: every cell is what scikit-learn's search finds, and held-out rows are unseen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn import svm as reference
from sklearn.base import clone
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier

from widemargin.contracts import Split, SplitRule, SVMSettings
from widemargin.data.splits import make_splits
from widemargin.errors import DataError
from widemargin.svm import KERNELS, Search, select
from widemargin.svm.selection import Scorer, refit

KERNEL_OF = {kernel.name: kernel for kernel in KERNELS}
C_VALUES, GAMMAS = (0.1, 1.0, 10.0), (0.05, 0.3)


def make_task(n_classes: int) -> tuple[NDArray[Any], NDArray[Any], list[Split]]:
    rng = np.random.default_rng(n_classes + 1)
    if n_classes == 0:
        X = rng.normal(size=(60, 4))
        y = X[:, 0] + np.sin(X[:, 1]) + 0.1 * rng.normal(size=60)
    else:
        y = np.repeat(np.arange(n_classes), 60 // n_classes)
        X = rng.normal(size=(60, 4)) + 1.3 * rng.normal(size=(n_classes, 4))[y]
    return X, y, make_splits(y.astype(float) if not n_classes else y, SplitRule(), n_splits=4)


class ByDuels(OneVsOneClassifier):  # type: ignore[misc]  # scikit-learn has no type hints
    """One machine a pair of classes, which predicts by its decisions as a calibrated one does."""

    def predict(self, X: Any) -> Any:
        return self.classes_[self.decision_function(X).argmax(axis=1)]


def scorer_of(y: NDArray[Any], n_classes: int, splits: list[Split]) -> Scorer:
    def score(rows: NDArray[np.intp], decision: NDArray[np.float64]) -> float:
        if n_classes == 0:
            return float(-np.mean((decision - y[rows]) ** 2))
        codes = (decision > 0).astype(int) if decision.ndim == 1 else decision.argmax(axis=1)
        return float(np.mean(codes == y[rows]))

    return lambda decision: [score(split.test, decision[split.test]) for split in splits]


def search(
    n_classes: int, kernel: str, *, form: Callable[..., Any] = np.asarray, **more: Any
) -> Search:
    X, y, splits = make_task(n_classes)
    options: dict[str, Any] = {
        "n_classes": n_classes,
        "settings": SVMSettings(kernel=kernel, C=C_VALUES, gamma=GAMMAS),
        "kernel": KERNEL_OF[kernel],
        "splits": splits,
        "scorer": scorer_of(y, n_classes, splits),
        **more,
    }
    return select(form(X), y, **options)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_every_cell_is_what_grid_search_finds(
    n_classes: int, kernel: str, form: Callable[..., Any]
) -> None:
    X, y, splits = make_task(n_classes)
    found = search(n_classes, kernel, form=form)
    grid: dict[str, Any] = {"C": C_VALUES}
    estimator: Any
    if kernel == "linear":
        estimator = reference.LinearSVC(random_state=0, max_iter=5000, dual="auto")
        if n_classes > 2:
            estimator = ByDuels(estimator)
            grid = {"estimator__C": C_VALUES}
        if n_classes == 0:
            estimator = reference.LinearSVR(
                epsilon=0.1, loss="squared_epsilon_insensitive", dual=False, random_state=0
            )
    else:
        estimator = reference.SVC(break_ties=True) if n_classes else reference.SVR(epsilon=0.1)
        grid["gamma"] = GAMMAS
    scoring = "accuracy" if n_classes else "neg_mean_squared_error"
    folds = [(split.train, split.test) for split in splits]
    other = GridSearchCV(estimator, grid, cv=folds, scoring=scoring).fit(form(X), y)
    cells = {(cell.C, cell.gamma): cell for cell in found.cells}
    assert len(cells) == len(other.cv_results_["params"])
    for at, params in enumerate(other.cv_results_["params"]):
        cell = cells[
            next(C for name, C in params.items() if name.endswith("C")), params.get("gamma")
        ]
        expected = [other.cv_results_[f"split{fold}_test_score"][at] for fold in range(len(splits))]
        np.testing.assert_allclose(cell.scores, expected, atol=2e-3 if n_classes == 0 else 1e-12)
        assert cell.mean == pytest.approx(float(np.mean(expected)), abs=2e-3)
    assert found.best.mean == pytest.approx(other.best_score_, abs=2e-3)
    whole = found.machine.decide(form(X))
    chosen = {name: getattr(found.best, name.removeprefix("estimator__")) for name in grid}
    again = clone(estimator).set_params(**chosen)
    again.fit(form(X), y)
    expected = again.predict(X) if n_classes == 0 else again.decision_function(X)
    np.testing.assert_allclose(whole, expected, atol=2e-3)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly"])
def test_held_out_decisions_are_those_of_machines_that_never_saw_the_row(
    n_classes: int, kernel: str
) -> None:
    X, y, splits = make_task(n_classes)
    found = search(n_classes, kernel)
    assert len(found.held_out) == len(y)
    for split in splits:
        machine = refit(
            X[split.train],
            y[split.train],
            n_classes=n_classes,
            settings=SVMSettings(kernel=kernel, C=C_VALUES, gamma=GAMMAS),
            kernel=KERNEL_OF[kernel],
            cell=found.best,
        )
        np.testing.assert_allclose(
            found.held_out[split.test], machine.decide(X[split.test]), atol=2e-3
        )


def test_the_best_mean_is_chosen() -> None:
    found = search(2, "rbf")
    assert found.best.mean == max(cell.mean for cell in found.cells)
    assert found.best is found.cells[found.chosen]


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_of_equal_cells_the_smallest_c_then_the_smallest_gamma_is_chosen(kernel: str) -> None:
    found = search(2, kernel, scorer=lambda decision: [0.5] * 4)
    assert C_VALUES[0] == found.best.C
    assert found.best.gamma == (GAMMAS[0] if kernel == "rbf" else None)


def test_a_cell_that_leaves_a_score_undefined_where_others_do_not_never_wins() -> None:
    told = iter([[0.0] * 4, [1.0] * 4, [2.0, 2.0, float("nan"), 2.0]])
    found = search(2, "linear", scorer=lambda decision: next(told))
    assert C_VALUES[1] == found.best.C
    assert [cell.mean for cell in found.cells] == [0.0, 1.0, -np.inf]
    assert np.isnan(found.cells[2].std)


def test_a_fold_that_defines_no_cells_score_does_not_count() -> None:
    told = iter([[0.2, float("nan"), 0.2, 0.2], [0.4, float("nan"), 0.6, 0.8], [0.3] * 4])
    told = iter([[one if at != 1 else float("nan") for at, one in enumerate(row)] for row in told])
    found = search(2, "linear", scorer=lambda decision: next(told))
    assert C_VALUES[1] == found.best.C
    assert found.best.mean == pytest.approx(0.6)


def test_a_score_that_no_fold_defines_is_refused() -> None:
    with pytest.raises(DataError, match="undefined on every inner fold"):
        search(2, "linear", scorer=lambda decision: [float("nan")] * 4)


def test_an_inner_fold_may_hold_out_no_row_of_a_class() -> None:
    y = make_task(3)[1]
    halves = np.array_split(np.random.default_rng(0).permutation(np.flatnonzero(y < 2)), 3)
    halves[0] = np.append(halves[0], np.flatnonzero(y == 2)[:10])
    halves[1] = np.append(halves[1], np.flatnonzero(y == 2)[10:])
    splits = [Split(np.setdiff1d(np.arange(60), test), test) for test in halves]
    for kernel in ("linear", "rbf"):
        found = search(3, kernel, splits=splits)
        assert found.held_out.shape == (60, 3)
        assert np.isfinite(found.held_out).all()


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_features_that_learn_y_are_those_of_each_split(kernel: str) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 200)), np.repeat([0, 1], 30)
    splits = make_splits(y, SplitRule(), n_splits=4)

    def choose(train: NDArray[Any], *parts: NDArray[Any]) -> tuple[Any, ...]:
        chosen = SelectKBest(k=5).fit(X[train], y[train])
        return tuple(chosen.transform(X[part]) for part in parts)

    fold_rows = [choose(split.train, split.train, split.test) for split in splits]
    (everything,) = choose(np.arange(60), np.arange(60))
    options: dict[str, Any] = {
        "n_classes": 2,
        "settings": SVMSettings(kernel=kernel, C=1.0, gamma=0.1),
        "kernel": KERNEL_OF[kernel],
        "splits": splits,
        "scorer": scorer_of(y, 2, splits),
    }
    honest = select(everything, y, fold_rows=fold_rows, **options)
    leaking = select(everything, y, **options)
    assert honest.best.mean < 0.7 < leaking.best.mean  # the labels are noise
    np.testing.assert_allclose(
        honest.machine.decide(everything), leaking.machine.decide(everything)
    )
    for split, (train, test) in zip(splits, fold_rows, strict=True):
        machine = refit(
            train,
            y[split.train],
            n_classes=2,
            settings=SVMSettings(kernel=kernel),
            kernel=KERNEL_OF[kernel],
            cell=honest.best,
        )
        np.testing.assert_allclose(honest.held_out[split.test], machine.decide(test), atol=1e-9)


class Rows:
    """Rows that only say how many they are; anything else would fail."""

    shape = (30_000, 10)


def test_a_gram_matrix_that_cannot_fit_is_refused_before_anything_is_computed() -> None:
    with pytest.raises(DataError) as caught:
        select(
            Rows(),
            np.zeros(30_000),
            n_classes=2,
            settings=SVMSettings(kernel="rbf"),
            kernel=KERNEL_OF["rbf"],
            splits=[],
            scorer=lambda decision: [0.0],
        )
    assert str(caught.value) == (
        "the rbf kernel needs matrices of 30,000 x 30,000 numbers, 20 GiB. "
        "Use --set svm.kernel=linear, or at most 13,377 rows."
    )


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_support_vectors_have_weights(n_classes: int, kernel: str) -> None:
    found = search(n_classes, kernel)
    assert found.weights.shape == found.support.shape
    assert (found.weights >= 0).all()
    assert found.weights.max() > 0
    if kernel == "rbf":
        assert found.weights.max() <= found.best.C * (1 + 1e-9)


def test_row_weights_reach_every_fit() -> None:
    weight = np.ones(60)
    weight[:30] = 25.0
    plain, weighted = search(2, "rbf"), search(2, "rbf", sample_weight=weight)
    assert (weighted.held_out > 0).sum() < (plain.held_out > 0).sum()


def test_progress_counts_every_fit() -> None:
    steps: list[float] = []

    class Watch:
        def __enter__(self) -> Watch:
            return self

        def __exit__(self, *reason: object) -> None:
            pass

        def advance(self, count: float = 1) -> None:
            steps.append(count)

    class Told:
        def stage(self, name: str, total: float | None = None) -> Any:
            assert (name, total) == ("inner search", 2 * 4 * 3)
            return Watch()

        def note(self, message: str) -> None:
            raise AssertionError(message)

    search(2, "rbf", progress=Told())
    assert sum(steps) == 24


def test_a_cells_mean_and_deviation_are_those_of_its_folds() -> None:
    [cell] = search(
        2,
        "linear",
        settings=SVMSettings(kernel="linear", C=1.0),
        scorer=lambda decision: [0.5, 1.0, 0.5, 1.0],
    ).cells
    assert (cell.mean, cell.std) == (0.75, 0.25)
