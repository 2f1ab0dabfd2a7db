"""Searches whose folds, target or columns do not serve: what is said, once, and before any fit."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_wine
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import (
    average_precision_score,
    make_scorer,
    matthews_corrcoef,
    mean_absolute_error,
    roc_auc_score,
)
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from widemargin.errors import ParameterError
from widemargin.svm import SVC, SVR, SVCSearch, SVRSearch
from widemargin.svm.estimators import search as search_module

N = 60
at_an_edge = pytest.mark.filterwarnings("ignore::widemargin.svm.SearchEdgeWarning")


def make(n_classes: int = 2, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(seed)
    codes = np.arange(N) % n_classes
    X = rng.normal(size=(N, 4)) + 1.2 * codes[:, None] * [1, 0, 1, 0]
    return X, np.array(["no", "yes", "zero"])[codes]


def refusal(fit: Callable[[], Any]) -> str:
    """Return the message of a refusal; any warning is an error."""
    with pytest.raises(ValueError, match=r".") as caught:
        fit()
    return str(caught.value)


@pytest.fixture
def no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no search get as far as its first machine."""

    def fail(*given: Any, **named: Any) -> None:
        pytest.fail("something was fitted")

    monkeypatch.setattr(search_module, "select", fail)


# Folds that leave a score undefined


@pytest.mark.usefixtures("no_fit")
def test_folds_of_one_class_are_refused_before_anything_is_fitted() -> None:
    X, y = make()
    with pytest.raises(ParameterError) as caught:
        SVCSearch(cv=LeaveOneOut(), scoring="roc_auc").fit(X, y)
    assert caught.value.parameter == "cv"
    assert str(caught.value) == (
        "scoring='roc_auc' tells right decisions from wrong ones on none of the 60 folds, as fold "
        "1 holds out a single row, of class 'no'. Take folds that hold out every class, as "
        "cv=StratifiedKFold(5), or StratifiedGroupKFold for rows of groups, or a scorer that is "
        "defined without, as 'accuracy'."
    )


@pytest.mark.usefixtures("no_fit")
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "scoring",
    [
        "roc_auc_ovr",
        "neg_log_loss",
        "matthews_corrcoef",
        make_scorer(matthews_corrcoef),
    ],
)
def test_scores_that_need_more_than_folds_of_one_class_are_refused(
    n_classes: int, scoring: Any
) -> None:
    X, y = make(n_classes)
    by_class = np.argsort(y, kind="stable")
    scorers = [scoring]
    if n_classes == 2:
        precision = {"pos_label": "yes", "response_method": "predict_proba"}
        scorers.append(make_scorer(average_precision_score, **precision))
    for cv in (LeaveOneOut(), pure_folds(by_class)):
        for scorer in scorers:
            search = SVCSearch(cv=cv, scoring=scorer)
            assert refusal(partial(search.fit, X, y)).startswith(
                f"scoring={scorer!r} tells right decisions from wrong ones on none of the "
            )


def pure_folds(by_class: NDArray[np.intp]) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return three folds that hold out rows of one class each."""
    held_out = (by_class[:9], by_class[9:20], by_class[-20:])
    return [(np.setdiff1d(by_class, own), own) for own in held_out]


@pytest.mark.usefixtures("no_fit")
@pytest.mark.parametrize("scoring", [None, "r2", "explained_variance"])
def test_single_rows_are_refused_where_numbers_are_scored_by_their_spread(scoring: Any) -> None:
    X, _ = make()
    name = "'r2', the default," if scoring is None else repr(scoring)
    assert refusal(lambda: SVRSearch(cv=LeaveOneOut(), scoring=scoring).fit(X, X[:, 0])) == (
        f"scoring={name} tells right decisions from wrong ones on none of the 60 folds, as fold 1 "
        "holds out a single row. Take larger folds, as cv=KFold(5), or a scorer that single rows "
        "define, as 'neg_mean_absolute_error'."
    )


@at_an_edge
@pytest.mark.parametrize("scoring", [None, "accuracy", "neg_brier_score", "f1_macro"])
def test_scores_that_single_rows_define_are_searched_by(scoring: Any) -> None:
    X, names = make()
    y = names == "yes"
    found = SVCSearch(C=(0.1, 1.0), gamma=0.1, cv=LeaveOneOut(), scoring=scoring).fit(X, y)
    assert np.isfinite(found.best_score_)
    scorer = make_scorer(mean_absolute_error, greater_is_better=False)
    by_error = SVRSearch(C=(0.1, 1.0), gamma=0.1, cv=LeaveOneOut(), scoring=scorer)
    assert by_error.fit(X, X[:, 0]).best_score_ < 0


@pytest.mark.parametrize("scoring", ["roc_auc", "neg_log_loss"])
def test_a_fold_without_a_score_is_left_out_and_told_once(scoring: str) -> None:
    X, y = make()
    whole = list(StratifiedKFold(3).split(X, y))
    alone = np.flatnonzero(y == "yes")[:5]
    folds = [*whole, (np.setdiff1d(np.arange(N), alone), alone)]
    search: Any = SVCSearch(C=(0.1, 1.0, 10.0), gamma=(0.1, 0.4), cv=folds, scoring=scoring)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, y)
    told = [one for one in caught if one.category is UndefinedMetricWarning]
    assert [str(one.message) for one in told] == [
        f"SVCSearch: scoring='{scoring}' is undefined on 1 of 4 folds, as fold 4 holds out 5 rows "
        "of class 'yes' alone; the mean leaves them out. Take folds that hold out every class, as "
        "cv=StratifiedKFold(5), or StratifiedGroupKFold for rows of groups, or a scorer that is "
        "defined without, as 'accuracy'."
    ]
    assert told[0].filename == __file__
    assert np.isnan(search.cv_results_["split3_test_score"]).all()
    if scoring == "roc_auc":  # probabilities are calibrated on decisions of all folds
        other = SVCSearch(C=(0.1, 1.0, 10.0), gamma=(0.1, 0.4), cv=whole, scoring=scoring)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other.fit(X, y)
        for name in ("split0_test_score", "split2_test_score", "mean_test_score"):
            np.testing.assert_array_equal(search.cv_results_[name], other.cv_results_[name])


@at_an_edge
def test_groups_without_a_class_are_named_among_three() -> None:
    X, y = make(3)
    groups = np.where((y == "zero") & (np.arange(N) < 30), 0, 1 + np.arange(N) % 2)
    search = SVCSearch(C=1.0, gamma=0.1, cv=GroupKFold(3), scoring="roc_auc_ovr")
    with pytest.warns(UndefinedMetricWarning, match="10 rows of class 'zero' alone"):
        search.fit(X, y, groups=groups)
    folds = [(np.arange(N), np.flatnonzero(y != "zero")), (np.arange(N), np.arange(N))]
    search = SVCSearch(C=1.0, gamma=0.1, cv=folds, scoring="roc_auc_ovr")
    with pytest.warns(UndefinedMetricWarning, match="fold 1 holds out 40 rows without class 'zero"):
        search.fit(X, y)


def test_a_scorer_that_is_wrong_for_another_reason_says_which() -> None:
    X, y = make(3)
    search = SVCSearch(C=1.0, gamma=0.1, cv=LeaveOneOut(), scoring="roc_auc")
    assert "multi_class must be in" in refusal(lambda: search.fit(X, y))
    single: Any = SVRSearch(C=1.0, gamma=0.1, cv=LeaveOneOut(), scoring="neg_mean_gamma_deviance")
    assert "strictly positive" in refusal(lambda: single.fit(X, -np.exp(X[:, 0])))


def test_functions_of_ones_own_are_asked_for_each_fold_and_cell_alone() -> None:
    X, y = make()
    asked: list[int] = []

    def score(estimator: Any, X: Any, y: Any) -> float:
        asked.append(len(y))
        return 0.5

    SVCSearch(C=(0.1, 1.0), gamma=0.1, cv=LeaveOneOut(), scoring=score).fit(X, y)
    assert asked == [1] * 2 * N


def test_folds_that_hold_every_class_are_not_tried_first() -> None:
    X, y = make()
    asked: list[int] = []

    def area(truth: Any, decisions: Any) -> float:
        asked.append(len(truth))
        return float(roc_auc_score(truth, decisions))

    scorer = make_scorer(area, response_method="decision_function")
    SVCSearch(C=1.0, gamma=0.1, scoring=scorer).fit(X, y)
    assert asked == [12] * 5
    asked.clear()
    # Each composition of classes is tried once for all folds, with three decisions.
    folds = [(np.arange(N), np.arange(k, k + 2)) for k in range(0, N, 2)]
    folds[0] = np.arange(N), np.arange(0, N, 2)[:2]
    with pytest.warns(UndefinedMetricWarning, match="undefined on 1 of 30 folds"):
        SVCSearch(C=1.0, gamma=0.1, cv=folds, scoring=scorer).fit(X, y)
    assert asked == [N] * 3 + [2] * 3 + [2] * 29


# Targets of the other kind


@pytest.mark.parametrize(("machine", "other"), [(SVR, "SVC"), (SVRSearch, "SVCSearch")])
@pytest.mark.parametrize(
    "form",
    [
        np.array,
        list,
        pd.Series,
        pd.Categorical,
        lambda y: pd.Series(y, dtype="string"),
        lambda y: np.array(y, dtype=object),
    ],
)
def test_text_is_no_target_of_a_regression(machine: Any, other: str, form: Any) -> None:
    X, y = make()
    message = (
        f"{machine.__name__} predicts numbers, and y holds text that is none, such as 'no'. For "
        f"classes take {other}."
    )
    assert refusal(lambda: machine().fit(X, form(y.tolist()))) == message
    mixed = np.array([*map(str, range(N - 1)), "no"])
    assert refusal(lambda: machine().fit(X, mixed)) == message


@at_an_edge
@pytest.mark.parametrize("machine", [SVR(C=1.0), SVRSearch(C=1.0)])
def test_numbers_written_as_text_are_a_target_as_in_scikit_learn(machine: Any) -> None:
    X, _ = make()
    plain = machine.fit(X, np.round(X[:, 0], 3)).predict(X)
    for form in (str, bytes):
        text = np.array([form(f"{value:.3f}", *["ascii"][: form is bytes]) for value in X[:, 0]])
        np.testing.assert_array_equal(machine.fit(X, text).predict(X), plain)


@pytest.mark.parametrize(("machine", "other"), [(SVC, "SVR"), (SVCSearch, "SVRSearch")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_with_fractions_are_no_target_of_a_classification(
    machine: Any, other: str, dtype: Any
) -> None:
    X, _ = make()
    y = np.arange(N).astype(dtype)
    y[1] = 0.25
    assert refusal(lambda: machine().fit(X, y)) == (
        f"Unknown label type: continuous. {machine.__name__} predicts classes, and y holds numbers "
        f"with fractions, such as 0.25. To predict numbers take {other}; for classes of them cut "
        "them first, as with numpy.digitize."
    )
    whole = np.repeat([0.0, 1.0], N // 2)
    search = machine(C=1.0, gamma=0.1)
    np.testing.assert_array_equal(search.fit(X, whole).classes_, [0.0, 1.0])


# What the notes say


@at_an_edge
def test_scaled_columns_are_told_apart_better_as_the_notes_say() -> None:
    X, y = load_wine(return_X_y=True)
    spread = X.std(axis=0)
    assert spread.max() / spread.min() == pytest.approx(2530, abs=1)
    raw = SVCSearch().fit(X, y).best_score_
    assert raw == pytest.approx(0.94, abs=0.015)
    assert SVCSearch().fit(StandardScaler().fit_transform(X), y).best_score_ > 0.97


def draw(n: int, share: float, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw rows of two normal classes, the second of them so frequent."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype(int)
    return rng.normal(size=(n, 2)) + 1.5 * y[:, None] * [1, 0], y


def posterior(X: NDArray[Any], odds: float) -> NDArray[np.float64]:
    """Return the probability of the second class at its prior odds, by Bayes' theorem."""
    against: NDArray[np.float64] = np.exp(0.5 * (X[:, 0] - 1.5) ** 2 - 0.5 * X[:, 0] ** 2) / odds
    return 1 / (1 + against)


@pytest.mark.parametrize("calibration", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("given", ["balanced", {0: 1.0, 1: 3.0}])
def test_probabilities_speak_of_classes_as_frequent_as_they_are(
    given: Any, calibration: Any
) -> None:
    X, y = draw(3000, 0.1, 0)
    new, _ = draw(3000, 0.1, 1)
    search = SVCSearch(C=1.0, gamma=0.1, cv=KFold(3), class_weight=given, calibration=calibration)
    proba = search.fit(X, y).predict_proba(new)
    odds = y.mean() / (1 - y.mean())
    assert proba[:, 1].mean() == pytest.approx(posterior(new, odds).mean(), abs=0.02)
    assert np.abs(proba[:, 1] - posterior(new, odds)).mean() < 0.05
    # ... and, as the notes have it, of those as frequent as they weigh.
    weight = search.class_weight_
    weighted = odds * weight[1] / weight[0]
    if given == "balanced":
        assert weighted == pytest.approx(1)
    p = proba * weight
    p /= p.sum(axis=1, keepdims=True)
    assert p[:, 1].mean() == pytest.approx(posterior(new, weighted).mean(), abs=0.04)
    assert p[:, 1].mean() > posterior(new, odds).mean() + 0.08
    # Labels are the machine's, which the weights have moved.
    assert (search.predict(new) == 1).mean() > (proba[:, 1] > 0.5).mean() + 0.02
