"""SVCSearch and SVRSearch: scikit-learn's searches, splitters and scorers, out of one matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn import svm as libsvm
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_iris
from sklearn.metrics import f1_score, get_scorer, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from widemargin import native
from widemargin.errors import DataError
from widemargin.svm import (
    KERNELS,
    Product,
    Sum,
    SVCSearch,
    SVRSearch,
    Term,
    fit_calibration,
)

# Grids of two values end at an edge.
pytestmark = pytest.mark.filterwarnings("ignore::widemargin.svm.SearchEdgeWarning")


N = 60
C_VALUES, GAMMAS = (0.3, 3.0), (0.05, 0.4)
RBF, LINEAR, CHI2 = (
    next(kernel for kernel in KERNELS if kernel.name == name) for name in ("rbf", "linear", "chi2")
)
ENGINES = [
    "reference",
    "scikit-learn",
    pytest.param(
        "native", marks=pytest.mark.skipif(native.library() is None, reason="not compiled")
    ),
]
every_engine = pytest.mark.parametrize("engine", ENGINES)
classes = pytest.mark.parametrize("n_classes", [2, 3])


def make(n_classes: int, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return rows, and names of classes or numbers."""
    rng = np.random.default_rng(seed)
    codes = np.arange(N) % max(n_classes, 1)
    X = rng.normal(size=(N, 4)) + 1.1 * rng.normal(size=(max(n_classes, 1), 4))[codes]
    if not n_classes:
        return X, X[:, 0] + np.sin(2 * X[:, 1]) + 0.2 * rng.normal(size=N)
    return X, np.array(["no", "yes", "maybe"])[codes]


def build(n_classes: int, kernel: Any = "rbf", **options: Any) -> Any:
    """Return a search for classes, or for numbers where there are none."""
    return (SVCSearch if n_classes else SVRSearch)(kernel, **options)


def scores_of(found: Any) -> NDArray[np.float64]:
    """Return every cell's score on every fold."""
    columns = [found.cv_results_[f"split{fold}_test_score"] for fold in range(found.n_splits_)]
    return np.stack(columns, axis=1)


def best_scores(found: Any) -> NDArray[np.float64]:
    best: NDArray[np.float64] = scores_of(found)[found.best_index_]
    return best


def means_of(found: Any) -> list[float]:
    means: list[float] = found.cv_results_["mean_test_score"].tolist()
    return means


def gammas_of(found: Any) -> list[float]:
    return [params["gamma"] for params in found.cv_results_["params"]]


def assert_same(one: Any, other: Any) -> None:
    """Compare all cells of two searches, to the last bit."""
    assert one.cv_results_["params"] == other.cv_results_["params"]
    np.testing.assert_array_equal(scores_of(one), scores_of(other))


def decide(found: Any, X: Any) -> NDArray[np.float64]:
    """Return decisions, or predicted numbers."""
    decided: NDArray[np.float64] = found.machine_.decide(X)
    return decided


def assert_grid(found: Any, other: Any, row: float) -> None:
    """Compare with a fitted GridSearchCV, whose scores a row may change by `row` in all."""
    places = {tuple(sorted(own.items())): at for at, own in enumerate(found.cv_results_["params"])}
    assert len(places) == len(other.cv_results_["params"]) == len(found.cv_results_["params"])
    for at, params in enumerate(other.cv_results_["params"]):
        folds = range(found.n_splits_)
        expected = [other.cv_results_[f"split{fold}_test_score"][at] for fold in folds]
        scores = scores_of(found)[places[tuple(sorted(params.items()))]]
        np.testing.assert_array_equal(np.isnan(scores), np.isnan(expected))
        assert np.nansum(np.abs(np.array(scores) - expected)) <= row
    assert f"split{found.n_splits_}_test_score" not in found.cv_results_


def libsvm_grid(n_classes: int, **options: Any) -> Any:
    machine = libsvm.SVC(break_ties=True, tol=1e-5) if n_classes else libsvm.SVR(tol=1e-5)
    grid = {"C": C_VALUES, "gamma": GAMMAS}
    return GridSearchCV(machine, grid, refit=False, **options)


@every_engine
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_it_is_a_grid_search_and_a_fit_at_the_best_cell(n_classes: int, engine: str) -> None:
    X, y = make(n_classes)
    found = build(n_classes, C=C_VALUES, gamma=GAMMAS, engine=engine).fit(X, y)
    other = libsvm_grid(n_classes).fit(X, y)
    assert_grid(found, other, row=1.01 * 5 / N if n_classes else 0.02)
    machine = clone(other.estimator).set_params(**found.best_params_).fit(X, y)
    if n_classes:
        np.testing.assert_array_equal(found.classes_, machine.classes_)
        assert (found.predict(X) == machine.predict(X)).mean() > 0.98
        assert found.score(X, y) == np.mean(found.predict(X) == y)
    else:
        np.testing.assert_allclose(found.predict(X), machine.predict(X), atol=3e-3)
        assert found.score(X, y) == pytest.approx(machine.score(X, y), abs=1e-2)
    if n_classes == 2:
        decided = found.decision_function(X)
        np.testing.assert_allclose(decided, machine.decision_function(X), atol=5e-3)


SPLITTERS = {
    "folds": KFold(4, shuffle=True, random_state=0),
    "groups": GroupKFold(3),
    "a group": LeaveOneGroupOut(),
    "overlapping": ShuffleSplit(5, test_size=0.3, train_size=0.5, random_state=0),
    "repeated": RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
    "leave one out": LeaveOneOut(),
    "number": 3,
    "int64": np.int64(4),
}


@pytest.mark.parametrize("name", list(SPLITTERS))
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_any_splitter_of_scikit_learn_serves(name: str, n_classes: int) -> None:
    X, y = make(n_classes)
    cv: Any = SPLITTERS[name]
    if not n_classes and name == "repeated":
        cv = RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)
    groups = np.repeat(np.arange(12), 5) if "group" in name else None
    scoring = None if n_classes else "neg_mean_squared_error"
    found = build(n_classes, C=C_VALUES, gamma=GAMMAS, cv=cv, scoring=scoring).fit(
        X, y, groups=groups
    )
    other = libsvm_grid(n_classes, cv=cv, scoring=scoring).fit(X, y, groups=groups)
    n_folds = found.n_splits_
    # One row counts most in the smallest fold.
    fewest = min(np.bincount(fold_of(found, n_folds)))
    assert_grid(found, other, row=1.01 / fewest if n_classes else 2e-3 * n_folds)


def fold_of(found: Any, n_folds: int) -> NDArray[np.intp]:
    """Return each held-out row's fold, where folds are of about one size."""
    return np.arange(len(found.held_out_rows_)) * n_folds // len(found.held_out_rows_)


def test_splits_may_be_given_one_by_one() -> None:
    X, y = make(2)
    splits = list(KFold(3).split(X))
    listed = SVCSearch(cv=splits, C=C_VALUES).fit(X, y)
    generated = SVCSearch(cv=((a.tolist(), b.tolist()) for a, b in splits), C=C_VALUES).fit(X, y)
    assert_same(listed, generated)
    assert_same(listed, SVCSearch(cv=KFold(3), C=C_VALUES).fit(X, y))
    np.testing.assert_array_equal(listed.held_out_rows_, np.arange(N))


@every_engine
@classes
def test_leaving_one_out_decides_as_scikit_learn_fit_by_fit(n_classes: int, engine: str) -> None:
    X, y = make(n_classes)
    found = build(n_classes, C=2.0, gamma=0.1, cv=LeaveOneOut(), engine=engine).fit(X, y)
    machine = libsvm.SVC(C=2.0, gamma=0.1, break_ties=True, tol=1e-5)
    for row in range(N):
        kept = np.arange(N) != row
        expected = machine.fit(X[kept], y[kept]).decision_function(X[[row]])[0]
        np.testing.assert_allclose(found.held_out_decision_[row], expected, atol=5e-3)


def rank_all(estimator: Any, X: Any, y: Any) -> float:
    """Score as a callable does, by what it asks of an estimator."""
    return float(np.mean(estimator.classes_[estimator.decision_function(X).argmax(axis=1)] == y))


@pytest.mark.parametrize(
    ("n_classes", "scoring", "row"),
    [
        (2, "roc_auc", 0.02),
        (2, "accuracy", 0.09),
        (2, make_scorer(f1_score, pos_label="no"), 0.12),
        (3, "f1_macro", 0.15),
        (3, "balanced_accuracy", 0.09),
        (3, rank_all, 0.09),
        (0, "neg_median_absolute_error", 0.01),
        (0, "r2", 0.02),
        (0, make_scorer(lambda y, f: float(np.abs(y - f).max()), greater_is_better=False), 0.02),
    ],
)
def test_any_scorer_of_scikit_learn_serves(n_classes: int, scoring: Any, row: float) -> None:
    X, y = make(n_classes)
    found = build(n_classes, C=C_VALUES, gamma=GAMMAS, scoring=scoring, cv=4).fit(X, y)
    other = libsvm_grid(n_classes, cv=4, scoring=scoring).fit(X, y)
    assert_grid(found, other, row)


@classes
def test_a_scorer_of_probabilities_sees_calibrated_held_out_decisions(n_classes: int) -> None:
    X, y = make(n_classes)
    found = build(n_classes, C=3.0, gamma=0.1, scoring="neg_log_loss", cv=4).fit(X, y)
    rows = found.held_out_rows_
    codes = np.searchsorted(found.classes_, y)[rows]
    proba = fit_calibration(found.held_out_decision_, codes).probabilities(found.held_out_decision_)
    told = np.log(proba[np.arange(N), codes])
    ends = np.cumsum([len(held_out) for _, held_out in StratifiedKFold(4).split(X, y)])
    expected = [own.mean() for own in np.split(told, ends[:-1])]
    np.testing.assert_allclose(best_scores(found), expected, rtol=1e-9)


def test_a_fold_whose_score_is_undefined_is_left_out() -> None:
    X, y = make(2)
    splits = list(StratifiedKFold(3).split(X, y))
    alone = np.flatnonzero(y == "no")[:5]
    splits.append((np.setdiff1d(np.arange(N), alone), alone))

    def score(estimator: Any, X: Any, y: Any) -> float:
        if len(np.unique(y)) < 2:
            return float("nan")
        return float(get_scorer("roc_auc")(estimator, X, y))

    for C in (C_VALUES, "auto"):
        found = SVCSearch(C=C, gamma=GAMMAS, cv=splits, scoring=score).fit(X, y)
        assert np.isnan(best_scores(found)[3])
        assert found.best_score_ == pytest.approx(float(np.mean(best_scores(found)[:3])))
        with pytest.raises(DataError, match="undefined on every fold"):
            SVCSearch(C=C, cv=LeaveOneOut(), scoring=score).fit(X, y)


@every_engine
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("given", ["balanced", {"no": 4.0, "yes": 0.5}])
def test_weights_of_classes_and_rows_are_those_of_scikit_learn(
    n_classes: int, given: Any, engine: str
) -> None:
    X, y = make(n_classes)
    kept = np.ones(N, dtype=bool)
    kept[np.flatnonzero(y == "no")[:8]] = False
    X, y = X[kept], y[kept]
    weight = np.random.default_rng(1).uniform(0.2, 2, size=len(y))
    found = build(n_classes, C=2.0, gamma=0.1, class_weight=given, engine=engine)
    found.fit(X, y, sample_weight=weight)
    # SVCSearch balances by all rows, not fold by fold, and by their weights.
    counts = {name: float(weight[y == name].sum() / weight.sum()) for name in np.unique(y)}
    share = {name: 1 / (n_classes * count) for name, count in counts.items()}
    by_class = given if given != "balanced" else share
    machine = libsvm.SVC(C=2.0, gamma=0.1, break_ties=True, tol=1e-5, class_weight=by_class)
    machine.fit(X, y, sample_weight=weight)
    off = np.abs(found.decision_function(X) - machine.decision_function(X)) > 1e-2
    assert off.mean() <= (0 if n_classes == 2 else 0.02)
    splits = StratifiedKFold(5).split(X, y)
    expected = [
        machine.fit(X[a], y[a], sample_weight=weight[a]).decision_function(X[b]) for a, b in splits
    ]
    off = np.abs(found.held_out_decision_ - np.concatenate(expected)) > 1e-2
    assert off.mean() <= (0 if n_classes == 2 else 0.02)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_a_row_of_weight_0_says_nothing(n_classes: int, kernel: str) -> None:
    X, y = make(n_classes)
    weight = np.ones(N)
    weight[::6] = 0
    other = y.copy()
    other[::6] = y[1::6]
    splits = list(KFold(4, shuffle=True, random_state=0).split(X))
    options: dict[str, Any] = {"C": 2.0, "gamma": 0.2, "cv": splits, "kernel": kernel}
    one, two = (build(n_classes, **options).fit(X, own, sample_weight=weight) for own in (y, other))
    np.testing.assert_array_equal(one.held_out_decision_, two.held_out_decision_)
    np.testing.assert_array_equal(decide(one, X), decide(two, X))
    if n_classes:
        np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def spread(X: NDArray[Any]) -> NDArray[np.float64]:
    away = ((X[:, None] - X) ** 2).sum(axis=2)
    distances: NDArray[np.float64] = away[np.triu_indices(len(X), 1)]
    return distances


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_auto_gamma_follows_the_scale_of_the_rows(scale: float) -> None:
    X, y = make(2)
    found = SVCSearch(C=1.0).fit(X * scale, y)
    tried = gammas_of(found)
    middle = 1 / np.median(spread(X * scale))
    assert 0 < min(tried) < middle / 4
    assert max(tried) > 2 * middle
    assert found.best_score_ > 0.75


def test_auto_finds_what_a_fine_grid_finds() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(150, 2))
    y = (np.sin(2 * X[:, 0]) * np.cos(2 * X[:, 1]) > 0).astype(int)
    found = SVCSearch().fit(X, y)
    fine = SVCSearch(
        C=tuple(10.0**k for k in range(-1, 4)), gamma=tuple(2.0**k for k in range(-6, 5))
    )
    assert found.best_score_ >= fine.fit(X, y).best_score_ - 0.03
    assert found.best_score_ > 0.8


def test_the_rule_of_one_standard_error_takes_the_tamer_machine() -> None:
    X, y = make(2)
    options: dict[str, Any] = {"C": (0.1, 1.0, 10.0, 100.0), "gamma": GAMMAS}
    best = SVCSearch(**options).fit(X, y)
    tame = SVCSearch(**options, rule="one-standard-error").fit(X, y)
    assert_same(tame, best)
    least = best.best_score_ - best_scores(best).std() / 5**0.5
    good = [
        (params["C"], params["gamma"])
        for params, mean in zip(best.cv_results_["params"], means_of(best), strict=True)
        if mean >= least
    ]
    assert (tame.best_params_["C"], tame.best_params_["gamma"]) == min(good)
    assert tame.best_params_["C"] <= best.best_params_["C"]
    assert tame.best_score_ == means_of(tame)[tame.best_index_]


BLOCKS: dict[str, Any] = {"words": slice(0, 2), "place": [2, 3]}
BOTH = (Term(LINEAR, "words"), Term(RBF, "place"))
EXPRESSIONS: dict[str, Any] = {
    "equal": Sum(BOTH),
    "given": Sum(BOTH, weights=(1.0, 3.0)),
    "aligned": Sum(BOTH, weights="aligned"),
    "learned": Sum(BOTH, weights="learned"),
    "product": Product(BOTH),
    "nested": Sum((Product(BOTH), Sum(BOTH, weights="learned"))),
}


def unit(gram: NDArray[Any]) -> NDArray[np.float64]:
    length = np.sqrt(gram.diagonal())
    normal: NDArray[np.float64] = gram / np.outer(length, length)
    return normal


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_a_sum_over_blocks_is_the_sum_of_normalised_kernels(n_classes: int) -> None:
    X, y = make(n_classes)
    kernel = Sum((Term(LINEAR, "words"), Term(RBF, "place", gamma=0.3)), weights=(1.0, 3.0))
    found = build(n_classes, kernel, C=C_VALUES, blocks=BLOCKS).fit(X, y)
    assert found.cv_results_["params"] == [{"C": value} for value in C_VALUES]
    away = ((X[:, None, 2:] - X[:, 2:]) ** 2).sum(axis=2)
    gram = 0.25 * unit(X[:, :2] @ X[:, :2].T) + 0.75 * np.exp(-0.3 * away)
    machine: Any = libsvm.SVC(kernel="precomputed", break_ties=True, tol=1e-5)
    if not n_classes:
        machine = libsvm.SVR(kernel="precomputed", tol=1e-5)
    other = GridSearchCV(machine, {"C": C_VALUES}, refit=False).fit(gram, y)
    for own, mean in zip(means_of(found), other.cv_results_["mean_test_score"], strict=True):
        assert own == pytest.approx(mean, abs=1.01 / N if n_classes else 3e-3)
    machine.set_params(**found.best_params_).fit(gram, y)
    assert (
        np.mean(
            np.isclose(machine.predict(gram), found.predict(X), atol=1e-2)
            if not n_classes
            else machine.predict(gram) == found.predict(X)
        )
        > 0.98
    )


@pytest.mark.parametrize("name", list(EXPRESSIONS))
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_expressions_are_searched_on_sparse_and_dense_rows_alike(name: str, n_classes: int) -> None:
    X, y = make(n_classes)
    # One block stays sparse, and the other is made dense.
    X[:, :2][np.abs(X[:, :2]) < 1] = 0
    options: dict[str, Any] = {"C": C_VALUES, "cv": 3, "blocks": BLOCKS}
    dense = build(n_classes, EXPRESSIONS[name], **options).fit(X, y)
    assert gammas_of(dense) == [0.25, 0.25, 1.0, 1.0, 4.0, 4.0]
    rows = csr_matrix(X)
    sparse = build(n_classes, EXPRESSIONS[name], **options).fit(rows, y)
    for one, other in zip(means_of(dense), means_of(sparse), strict=True):
        assert one == pytest.approx(other, abs=1.01 / N if n_classes else 5e-3)
    off = np.abs(decide(dense, X) - decide(sparse, rows)) > 1e-2
    assert off.mean() <= (0.02 if n_classes == 3 else 0)
    assert np.isfinite(dense.held_out_decision_).all()


@pytest.mark.parametrize("name", list(EXPRESSIONS))
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_targets_of_held_out_rows_change_nothing_of_their_fold(name: str, n_classes: int) -> None:
    X, y = make(n_classes)
    splits = list(KFold(4, shuffle=True, random_state=1).split(X))
    held_out = splits[1][1]
    other = y.copy()
    other[held_out] = np.roll(y[held_out], 1)
    assert (other != y).any()
    options: dict[str, Any] = {"C": (1.0,), "cv": splits, "blocks": BLOCKS, "scoring": constant}
    one, two = (build(n_classes, EXPRESSIONS[name], **options).fit(X, own) for own in (y, other))
    assert one.best_params_ == two.best_params_
    own = np.isin(one.held_out_rows_, held_out)
    np.testing.assert_array_equal(one.held_out_decision_[own], two.held_out_decision_[own])
    assert not np.array_equal(one.held_out_decision_[~own], two.held_out_decision_[~own])


def constant(estimator: Any, X: Any, y: Any) -> float:
    """Leave the choice to the order of the cells."""
    return 0.5


def test_learned_weights_find_the_block_that_tells() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(N) % 2
    X = np.hstack([rng.normal(size=(N, 3)), rng.normal(size=(N, 2)) + 2.5 * y[:, None]])
    blocks = {"noise": slice(0, 3), "signal": slice(3, 5)}
    terms = (Term(RBF, "noise"), Term(RBF, "signal"))
    for weights in ("aligned", "learned"):
        found = SVCSearch(Sum(terms, weights=weights), C=1.0, blocks=blocks).fit(X, y)
        assert found.machine_.kernel is not None
        data = found.machine_.kernel.to_data()
        noise, signal = data["weights"]
        assert signal > 0.6 > noise
        assert noise + signal == pytest.approx(1)


@pytest.mark.parametrize("kernel", ["rbf", "linear", "laplacian", EXPRESSIONS["learned"]])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_the_number_of_jobs_changes_no_bit(kernel: Any, n_classes: int) -> None:
    X, y = make(n_classes)
    searches = [
        build(
            n_classes,
            kernel,
            C=C_VALUES,
            cv=LeaveOneOut() if jobs_cv else 4,
            blocks=BLOCKS,
            n_jobs=jobs,
            scoring="neg_mean_squared_error" if not n_classes else None,
        ).fit(X, y)
        for jobs_cv in (False, kernel == "rbf")
        for jobs in (1, 3)
    ]
    for one, other in (searches[:2], searches[2:]):
        assert_same(one, other)
        np.testing.assert_array_equal(one.held_out_decision_, other.held_out_decision_)
        np.testing.assert_array_equal(decide(one, X), decide(other, X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
@every_engine
def test_the_order_of_rows_changes_nothing_that_matters(
    n_classes: int, dtype: Any, engine: str
) -> None:
    X, y = make(n_classes)
    X = X.astype(dtype)
    order = np.random.default_rng(5).permutation(N)
    place = np.argsort(order)
    splits = list(KFold(4, shuffle=True, random_state=0).split(X))
    mixed_splits = [(np.sort(place[a]), np.sort(place[b])) for a, b in splits]
    options: dict[str, Any] = {"C": C_VALUES, "engine": engine}
    plain = build(n_classes, cv=splits, **options).fit(X, y)
    mixed = build(n_classes, cv=mixed_splits, **options).fit(X[order], y[order])
    assert plain.cv_results_["params"] == mixed.cv_results_["params"]
    for one, other in zip(means_of(plain), means_of(mixed), strict=True):
        assert one == pytest.approx(other, abs=1.01 / N if n_classes else 5e-3)
    if n_classes:
        assert (plain.predict(X) == mixed.predict(X)).mean() > 0.98
    else:
        np.testing.assert_allclose(plain.predict(X), mixed.predict(X), atol=5e-3)


@pytest.mark.parametrize("calibration", ["auto", "isotonic"])
@classes
def test_probabilities_are_calibrated_on_held_out_decisions(
    n_classes: int, calibration: Any
) -> None:
    X, y = make(n_classes)
    X, y = np.tile(X, (2, 1)), np.tile(y, 2)  # isotonic regression wants 30 rows a class
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y))
    search = build(
        n_classes,
        C=1.0,
        gamma=0.2,
        cv=ShuffleSplit(4, random_state=0, test_size=0.6),
        calibration=calibration,
    )
    found = search.fit(X, y, sample_weight=weight)
    rows = found.held_out_rows_
    assert len(rows) == len(found.held_out_decision_) == 4 * 72
    codes = np.searchsorted(found.classes_, y)[rows]
    own = fit_calibration(found.held_out_decision_, codes, weight[rows], method=calibration)
    proba = found.predict_proba(X)
    np.testing.assert_array_equal(proba, own.probabilities(found.decision_function(X)))
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    expected = np.concatenate(
        [
            libsvm.SVC(C=1.0, gamma=0.2, tol=1e-5, break_ties=True)
            .fit(X[a], y[a], sample_weight=weight[a])
            .decision_function(X[b])
            for a, b in search.cv.split(X)
        ]
    )
    assert (np.abs(found.held_out_decision_ - expected) > 1e-2).mean() <= 0.02


def test_a_regression_has_neither_margins_nor_probabilities() -> None:
    for name in ("decision_function", "predict_proba", "classes_", "scheme", "calibration"):
        assert name in dir(SVCSearch().fit(*make(2)))
        assert name not in SVRSearch().get_params()
    assert not hasattr(SVRSearch(), "predict_proba")
    assert not hasattr(SVRSearch(), "decision_function")


@pytest.mark.parametrize("kind", [int, np.int64, str, bool])
def test_whole_numbers_are_labels_to_one_and_numbers_to_the_other(kind: Any) -> None:
    X, _ = make(2)
    y = np.array([kind(code) for code in np.arange(N) % 2])
    found = SVCSearch(C=1.0).fit(X, y)
    assert found.classes_.tolist() == np.unique(y).tolist()
    if kind in (int, np.int64):
        many = np.arange(N)
        predicted = SVRSearch(C=1.0).fit(X, many).predict(X)
        assert predicted.dtype == np.float64
        assert len(np.unique(predicted)) > 10


def test_it_works_within_scikit_learns_own_tools() -> None:
    X, y = load_iris(return_X_y=True)
    search = SVCSearch(C=C_VALUES, gamma=GAMMAS, cv=3)
    whole = make_pipeline(StandardScaler(), search)
    # The rows are sorted by class: folds must be those of a classifier.
    assert is_classifier(whole)
    assert cross_val_score(whole, X, y, cv=3, scoring="roc_auc_ovr").mean() > 0.9
    assert cross_val_score(SVCSearch(C=1.0), X, y).mean() > 0.9
    assert is_regressor(SVRSearch())
    assert not is_classifier(SVRSearch())
    assert clone(whole).get_params()["svcsearch__C"] == C_VALUES


@pytest.mark.parametrize(
    ("kernel", "options"),
    [
        (lambda X, Y: X @ Y.T + 1.0, {}),
        (CHI2, {"gamma": 0.5}),
        ("poly", {"gamma": 0.1, "degree": 2, "coef0": 1.0}),
        ("cosine", {}),
    ],
    ids=["callable", "Kernel", "poly", "cosine"],
)
def test_every_kind_of_kernel_is_searched(kernel: Any, options: dict[str, Any]) -> None:
    X, y = make(2)
    X = np.abs(X)
    found = SVCSearch(kernel, C=C_VALUES, **options).fit(X, y)
    assert len(found.cv_results_["params"]) == 2
    term = found.machine_.kernel
    assert term is not None
    other = libsvm.SVC(kernel="precomputed", C=found.best_params_["C"], tol=1e-5).fit(
        term.gram(X, X), y
    )
    np.testing.assert_allclose(
        found.decision_function(X), other.decision_function(term.gram(X, X)), atol=1e-2
    )


def bad_rows(value: float) -> Callable[[Any, Any], tuple[Any, Any]]:
    def spoil(X: Any, y: Any) -> tuple[Any, Any]:
        X[3, 1] = value
        return X, y

    return spoil


DATA: list[tuple[Callable[[Any, Any], tuple[Any, Any]], str]] = [
    (bad_rows(np.nan), "Input X contains NaN"),
    (bad_rows(np.inf), "Input X contains infinity"),
    (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
    (lambda X, y: (X, np.full(N, "one")), "The number of classes has to be greater than one"),
    (lambda X, y: (X[:, 0], y), "Expected 2D array, got 1D array"),
    (lambda X, y: (X[:, :0], y), r"Found array with 0 feature\(s\)"),
    (lambda X, y: (X, np.where(np.arange(N) == 3, np.nan, 1.0)), "Input y contains NaN"),
]


@pytest.mark.parametrize(("spoil", "message"), DATA)
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_data_that_cannot_be_used_is_refused(spoil: Any, message: str, kernel: str) -> None:
    with pytest.raises(ValueError, match=message):
        SVCSearch(kernel).fit(*spoil(*make(2)))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.full(N, -1.0), "Negative values in data passed to `sample_weight`"),
        (np.ones(N - 1), r"sample_weight.shape == \(59,\), expected \(60,\)!"),
        (np.full(N, np.nan), "Input sample_weight contains NaN"),
        (np.zeros(N), "Sample weights must contain at least one non-zero number"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SVCSearch(C=1.0).fit(*make(2), sample_weight=weight)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"C": 0}, r"The 'C' parameter of SVCSearch must be 'auto', a float in the range \(0.0, inf\)"),
    ({"C": -1.0}, r"or a sequence of those. Got -1.0 instead."),
    ({"C": (1.0, float("nan"))}, "The 'C' parameter"),
    ({"C": ()}, r"The 'C' parameter .* Got \(\) instead."),
    ({"C": "1"}, "The 'C' parameter"),
    ({"C": True}, "The 'C' parameter"),
    ({"C": None}, "The 'C' parameter .* Got None instead."),
    (
        {"gamma": -0.1},
        r"The 'gamma' parameter of SVCSearch must be 'auto', 'scale', a float in the range \[",
    ),
    ({"gamma": []}, "The 'gamma' parameter"),
    ({"gamma": "wide"}, "The 'gamma' parameter .* Got 'wide' instead."),
    ({"kernel": "gauss"}, "The 'kernel' parameter of SVCSearch must be a str among {'linear'"),
    ({"kernel": "precomputed"}, "Precomputed matrix must be a square matrix. Input is a 60x4"),
    ({"kernel": 5}, "The 'kernel' parameter of SVCSearch must be"),
    (
        {"rule": "best"},
        "The 'rule' parameter .* {'max', 'one-standard-error'}. Got 'best' instead.",
    ),
    ({"scheme": "ovo"}, "The 'scheme' parameter .* {'one-vs-one', 'one-vs-rest'}"),
    ({"engine": "fast"}, "The 'engine' parameter must be a str among {'auto', 'native'"),
    ({"calibration": "platt"}, "The 'calibration' parameter"),
    ({"degree": 1.5}, "The 'degree' parameter of SVCSearch must be an int"),
    ({"coef0": float("inf")}, "The 'coef0' parameter"),
    ({"n_jobs": 0}, "n_jobs == 0 has no meaning"),
    ({"scoring": "beauty"}, "beauty"),
    ({"blocks": {"all": slice(0, 9, 2)}}, "The block 'all' must be neighbouring columns"),
    ({"kernel": Sum((Term(RBF, "words"),))}, "words"),
    ({"cv": 1}, "at least one train/test split|n_splits"),
    ({"cv": []}, "'cv' gave no pairs of rows"),
    ({"cv": [([0, 1], [])]}, "at least one of each, from 0 to 59"),
    ({"cv": [([0, 1], [60])]}, "'cv' must give pairs of row numbers"),
    ({"cv": [([0, -1], [2])]}, "'cv' must give pairs of row numbers"),
    ({"cv": [(np.arange(N) > 3, np.arange(N) <= 3)]}, "'cv' must give pairs of row numbers"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_parameters_that_cannot_be_used_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, DataError), match=message):
        SVCSearch(**options).fit(*make(2))


def test_a_tube_narrower_than_nothing_is_refused() -> None:
    message = r"The 'epsilon' parameter of SVRSearch must be a float in the range \[0.0"
    with pytest.raises(ValueError, match=message):
        SVRSearch(epsilon=-1).fit(*make(0))


def test_numbers_are_no_labels() -> None:
    X, y = make(0)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        SVCSearch().fit(X, y)


def test_isotonic_calibration_of_few_rows_is_refused() -> None:
    X, y = make(2)
    with pytest.raises(DataError, match="at least 30 rows of each class, and the rarest has 20"):
        SVCSearch(C=1.0, calibration="isotonic").fit(X[:40], y[:40])


def test_rows_of_another_width_are_refused() -> None:
    X, y = make(2)
    found = SVCSearch(C=1.0).fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but SVCSearch is expecting 4"):
        found.predict(X[:, :3])


def test_more_rows_than_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("widemargin.svm.memory.gram_limit", lambda: 80_000)
    X, y = make(2)
    with pytest.raises(DataError, match="the rbf kernel of 60 rows needs 3 matrices of 60 x 60"):
        SVCSearch(gamma="auto").fit(*(np.tile(one, 1) for one in (X, y)))
    SVCSearch("linear").fit(X, y)  # needs no Gram matrix


@pytest.mark.parametrize("search", [SVCSearch, SVRSearch])
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
def test_it_keeps_the_rules_of_scikit_learns_estimators(search: Any, kernel: str) -> None:
    margins = "as SVC it predicts by the margin, and probabilities need not have 0.5 there"
    precise = "the check compares to 1e-9, and machines are solved to a tolerance of 1e-3"
    check_estimator(
        search(kernel, C=1.0, gamma=0.5, cv=2),
        expected_failed_checks={
            "check_sample_weight_equivalence_on_dense_data": precise,
            "check_sample_weight_equivalence_on_sparse_data": precise,
            **({"check_classifiers_train": margins} if search is SVCSearch else {}),
        },
    )


@pytest.mark.parametrize("n_classes", [0, 3])
@pytest.mark.parametrize("engine", ENGINES)
def test_float32_rows_give_the_same_machine(n_classes: int, engine: str) -> None:
    X, y = make(n_classes)
    options: dict[str, Any] = {"C": C_VALUES, "gamma": GAMMAS, "engine": engine}
    double = build(n_classes, **options).fit(X, y)
    single = build(n_classes, **options).fit(X.astype(np.float32), y)
    for one, other in zip(means_of(double), means_of(single), strict=True):
        assert one == pytest.approx(other, abs=1.01 / N if n_classes else 3e-3)
    off = np.abs(decide(double, X) - decide(single, X)) > 5e-3
    assert off.mean() <= 0.02
