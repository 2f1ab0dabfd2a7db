"""What estimators say, keep and accept: results, warnings, refusals, DataFrames, Gram matrices."""

from __future__ import annotations

import pickle  # noqa: TID251  # what joblib does to errors; nothing is saved by it
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn import svm as libsvm
from sklearn.base import clone
from sklearn.datasets import load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut, cross_val_score

from widemargin.contracts import Kernel, KernelParameters
from widemargin.errors import ParameterError
from widemargin.svm import (
    KERNELS,
    SVC,
    SVR,
    IndefiniteKernelWarning,
    OneClassSVM,
    Product,
    SearchEdgeWarning,
    Sum,
    SVCSearch,
    SVRSearch,
    Term,
)
from widemargin.svm.estimators import advice

N = 60
at_an_edge = pytest.mark.filterwarnings("ignore::widemargin.svm.SearchEdgeWarning")


def make(seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(seed)
    y = np.arange(N) % 2
    return rng.normal(size=(N, 4)) + 1.2 * y[:, None] * [1, 0, 1, 0], y


def refusal(fit: Callable[[], Any]) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        fit()
    return str(caught.value)


# Results


@at_an_edge
def test_results_are_kept_under_scikit_learns_names() -> None:
    X, y = make()
    grid: dict[str, Any] = {"C": (0.01, 1.0, 100.0), "gamma": (0.02, 0.2)}
    ours = SVCSearch(**grid).fit(X, y)
    other = GridSearchCV(libsvm.SVC(tol=1e-5), grid).fit(X, y)
    # Ours go by gamma and then C.
    order = [other.cv_results_["params"].index(params) for params in ours.cv_results_["params"]]
    timed = {key for key in other.cv_results_ if key.endswith("_time")}
    assert set(ours.cv_results_) == set(other.cv_results_) - timed | {"converged"}
    for key, values in ours.cv_results_.items():
        if key not in ("params", "converged"):
            expected = other.cv_results_[key][order]
            assert type(values) is type(expected)
            np.testing.assert_allclose(values.astype(float), expected.astype(float))
    assert ours.best_score_ == pytest.approx(other.best_score_)
    assert ours.best_params_ == ours.cv_results_["params"][ours.best_index_]
    assert ours.cv_results_["rank_test_score"][ours.best_index_] == 1
    assert ours.n_splits_ == other.n_splits_
    assert len(pd.DataFrame(ours.cv_results_)) == 6
    assert SVC(**ours.best_params_).fit(X, y).score(X, y) == ours.score(X, y)


def test_a_score_that_is_undefined_ranks_last() -> None:
    from widemargin.svm.estimators.results import cv_results
    from widemargin.svm.selection import GridCell

    means = (0.5, -np.inf, 0.7, 0.5)
    cells = [GridCell(float(at), None, (0.0,), mean, 0.0) for at, mean in enumerate(means)]
    assert cv_results(cells)["rank_test_score"].tolist() == [2, 4, 1, 2]
    assert np.isnan(cv_results(cells)["mean_test_score"][1])


@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 2.0, N)])
def test_gamma_may_be_scale(weight: Any) -> None:
    X, y = make()
    found = SVCSearch(C=1.0, gamma="scale").fit(X, y, sample_weight=weight)
    alone = SVC(gamma="scale").fit(X, y, sample_weight=weight)
    assert alone.machine_.kernel is not None
    assert found.best_params_["gamma"] == alone.machine_.kernel.to_data()["gamma"]
    if weight is None:
        assert found.best_params_["gamma"] == pytest.approx(1 / (4 * X.var()))
    np.testing.assert_allclose(found.decision_function(X), alone.decision_function(X), atol=5e-3)
    blocks = {"a": slice(0, 2), "b": slice(2, 4)}
    both = Sum((Term("rbf", "a", gamma="scale"), Term("rbf", "b", gamma=0.5)))
    joined: Any = SVCSearch(both, C=1.0, blocks=blocks).fit(X, y, sample_weight=weight)
    own: Any = SVC(kernel=Term("rbf", gamma="scale")).fit(X[:, :2], y, sample_weight=weight)
    assert (
        joined.machine_.kernel.to_data()["sum"][0]["gamma"]
        == (own.machine_.kernel.to_data()["gamma"])
    )


# A Gram matrix


@at_an_edge
@pytest.mark.parametrize("search", [SVCSearch, SVRSearch])
@pytest.mark.parametrize("form", [np.float32, np.float64])
def test_a_gram_matrix_is_searched_as_its_kernel_is(search: Any, form: Any) -> None:
    X, y = make()
    new = make(1)[0]
    kernel = next(kernel for kernel in KERNELS if kernel.name == "rbf")
    X, new = X.astype(form), new.astype(form)
    numbers = KernelParameters(gamma=0.2)
    inside = search(C=(0.1, 1.0, 10.0), gamma=0.2).fit(X, y)
    given = search("precomputed", C=(0.1, 1.0, 10.0)).fit(kernel.gram(X, X, numbers), y)
    assert [{"C": params["C"]} for params in inside.cv_results_["params"]] == (
        given.cv_results_["params"]
    )
    np.testing.assert_array_equal(
        inside.cv_results_["mean_test_score"], given.cv_results_["mean_test_score"]
    )
    np.testing.assert_array_equal(inside.held_out_decision_, given.held_out_decision_)
    of_new = kernel.gram(new, X, numbers)
    np.testing.assert_allclose(given.predict(of_new), inside.predict(new), atol=1e-6)
    if search is SVCSearch:
        np.testing.assert_allclose(
            given.predict_proba(of_new), inside.predict_proba(new), atol=1e-6
        )
    # scikit-learn cuts rows and columns alike.
    gram = kernel.gram(X, X, numbers)
    scores = cross_val_score(search("precomputed", C=1.0), gram, y, cv=3)
    inside = cross_val_score(search(C=1.0, gamma=0.2), X, y, cv=3)
    np.testing.assert_allclose(scores, inside, atol=1e-4)


def test_a_gram_matrix_that_is_none_is_refused() -> None:
    X, y = make()
    message = "Precomputed matrix must be a square matrix. Input is a 60x4 matrix."
    assert refusal(lambda: SVRSearch("precomputed").fit(X, y)) == message
    found = SVCSearch("precomputed", C=1.0).fit(X @ X.T, y)
    assert refusal(lambda: found.predict(X)) == (
        "X has 4 features, but SVCSearch is expecting 60 features as input."
    )


# The edge of a search


def test_a_search_that_ends_at_an_edge_warns_once_and_says_what_to_try() -> None:
    X, y = make()
    with pytest.warns(SearchEdgeWarning) as caught:
        SVCSearch(C=(1e-4, 1e-3), gamma=(1e-4, 1e-3), scoring=decided).fit(X, y)
    assert [str(one.message) for one in caught] == [
        "SVCSearch: C=0.001 is the largest value tried, and the score rises towards it; try "
        "C=(0.0001, 0.001, 0.01, 0.1). gamma=0.001 is the largest value tried, and the score rises "
        "towards it; try gamma=(0.0001, 0.001, 0.01, 0.1)."
    ]
    assert caught[0].filename == __file__


def decided(estimator: Any, X: Any, y: Any) -> float:
    """Rise with C and gamma."""
    return float(np.ptp(estimator.decision_function(X)))


def rising(*scores: float) -> Callable[[Any, Any, Any], float]:
    """Return a scorer of given scores, one a cell of five folds."""
    left = iter(np.repeat(scores, 5))
    return lambda estimator, X, y: float(next(left))


def test_a_choice_within_the_grid_or_on_a_level_warns_of_nothing() -> None:
    X, y = make()
    middle = rising(0.1, 0.9, 0.5)
    assert SVCSearch(C=(0.1, 1.0, 10.0), gamma=0.1, scoring=middle).fit(X, y).best_index_ == 1
    SVCSearch(C=(1.0, 10.0), gamma=(0.1, 0.2), scoring=lambda *given: 0.5).fit(X, y)
    SVCSearch(C=1.0, gamma=0.1).fit(X, y)


def test_the_factor_of_a_sum_is_no_gamma_to_give() -> None:
    X, y = make()
    blocks = {"a": slice(0, 2), "b": slice(2, 4)}
    kernel = Sum((Term("rbf", "a"), Term("rbf", "b")))
    message = (
        "SVCSearch: The factor 4 of the automatic gammas is the largest one tried, and the score "
        r"rises towards it; give the terms a gamma of their own\."
    )
    with pytest.warns(SearchEdgeWarning, match=message):
        SVCSearch(kernel, C=1.0, blocks=blocks, scoring=rising(0.1, 0.2, 0.3)).fit(X, y)


def test_an_automatic_path_reaches_features_on_a_smaller_scale() -> None:
    X, y = load_wine(return_X_y=True)
    # Its last feature is a thousand times as long as the others.
    assert SVCSearch("linear").fit(X, y).best_score_ > 0.94


# Refusals speak of parameters


def without_config(message: str) -> None:
    for word in ("svm.", "evaluation.", "features.", "--set", "inner fold"):
        assert word not in message.replace("sklearn.svm.", "").replace("widemargin.svm.", "")


NEGATIVE = np.array([[-1.0, 2.0], [1.0, 3.0]] * 20)
LABELS = np.arange(40) // 2 % 2
BLOCKS = {"a": slice(0, 1), "b": slice(1, 2)}
REFUSED: list[tuple[Any, str]] = [
    (SVC(kernel="chi2"), "kernel"),
    (SVCSearch("chi2"), "kernel"),
    (SVCSearch(Sum((Term("rbf", "a"), Term("chi2", "a"))), blocks=BLOCKS), "kernel"),
    (SVC(kernel=Term("rbf", "c"), blocks=BLOCKS), "blocks"),
    (SVC(kernel=Term("rbf", "c")), "blocks"),
    (SVCSearch(Term("rbf", "c"), blocks=BLOCKS), "blocks"),
    (SVCSearch(Product((Term("rbf", "c"),))), "blocks"),
    (SVC(kernel="poly", gamma=1e200), "gamma"),
    (SVCSearch("poly", gamma=1e200, C=1.0), "gamma"),
    (SVRSearch("rbf", cv=LeaveOneOut(), scoring=lambda *given: float("nan")), "cv"),
    (SVCSearch("linear", cv=LeaveOneOut(), scoring=lambda *given: float("nan")), "cv"),
    (SVCSearch(calibration="temperature"), "calibration"),
    (SVCSearch(calibration="isotonic"), "calibration"),
]


@pytest.mark.parametrize(("estimator", "parameter"), REFUSED, ids=lambda value: repr(value)[:50])
def test_refusals_name_parameters_and_no_setting_of_a_config(
    estimator: Any, parameter: str
) -> None:
    with np.errstate(all="ignore"), pytest.raises(ParameterError) as caught:
        clone(estimator).fit(NEGATIVE, LABELS)
    without_config(str(caught.value))
    assert caught.value.parameter == parameter
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # what was just dumped
    assert (str(again), again.parameter, again.block) == (
        str(caught.value),
        parameter,
        caught.value.block,
    )


def test_memory_is_refused_in_words_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("widemargin.svm.memory.gram_limit", lambda: 1000)
    for estimator in (SVC(), SVCSearch(), SVR(kernel=Sum((Term("rbf"),)))):
        with pytest.raises(ParameterError) as caught:
            estimator.fit(*make())
        without_config(str(caught.value))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_calibration_that_cannot_be_is_refused_before_anything_is_solved(n_classes: int) -> None:
    X = make()[0]
    asked: list[int] = []
    method: Any = "temperature" if n_classes == 2 else "sigmoid"

    def score(estimator: Any, X: Any, y: Any) -> float:
        asked.append(1)
        return 0.5

    search = SVCSearch(C=1.0, calibration=method, scoring=score)
    message = refusal(lambda: search.fit(X, np.arange(N) % n_classes))
    assert message.startswith(f"{method} calibration is for")
    few = SVCSearch(C=1.0, calibration="isotonic", scoring=search.scoring)
    message = refusal(lambda: few.fit(X[:40], np.arange(40) % 2))
    assert message.startswith("isotonic calibration needs at least 30 rows of each class")
    assert not asked


def test_svc_says_where_probabilities_are_to_be_had() -> None:
    machine = SVC().fit(*make())
    for name in ("predict_proba", "predict_log_proba"):
        assert not hasattr(machine, name)
        with pytest.raises(AttributeError) as caught:
            getattr(machine, name)
        assert "take SVCSearch(C=..., gamma=...), or sklearn.calibration" in str(caught.value)
    with pytest.raises(AttributeError, match="'SVC' object has no attribute 'coefs_'"):
        machine.coefs_  # noqa: B018  # that it is looked up is the point


# Values that arithmetic cannot bear

TOO_LARGE = "too large for the arithmetic of kernels in float64. Scale the features first, as with"


@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
@pytest.mark.parametrize(
    "estimator",
    [
        SVC(),
        SVC(kernel="linear"),
        SVR(),
        OneClassSVM(),
        SVCSearch(),
        SVRSearch(),
        SVCSearch("linear"),
    ],
    ids=repr,
)
def test_values_that_overflow_are_refused(estimator: Any, form: Callable[[Any], Any]) -> None:
    X, y = make()
    huge = np.zeros((N, 4))
    huge[3, 1] = 1e300
    assert TOO_LARGE in refusal(lambda: clone(estimator).fit(form(huge), y))
    fitted = clone(estimator).set_params(**({"C": 1.0} if "C" in estimator.get_params() else {}))
    fitted.fit(form(X), y)
    assert refusal(lambda: fitted.predict(form(huge[:5]))).startswith(
        "Input X contains values up to 1e+300, "
    )


def test_values_below_the_limit_are_taken() -> None:
    X, y = make()
    for dtype, magnitude in ((np.float64, 1e74), (np.float32, 1e17)):
        rows = (X * magnitude).astype(dtype)
        plain = SVC().fit(X.astype(dtype), y)
        np.testing.assert_array_equal(
            SVC().fit(rows, y).predict(rows), plain.predict(X.astype(dtype))
        )
    with pytest.raises(ValueError, match="kernels in float32"):
        SVC().fit((X * 1e20).astype(np.float32), y)
    # A function of the caller's own may bear them.
    SVC(kernel=lambda X, Y: np.sign(X) @ np.sign(Y).T).fit(X * 1e200, y)


@pytest.mark.parametrize("estimator", [SVR(), SVRSearch(C=1.0)])
def test_targets_that_overflow_are_refused(estimator: Any) -> None:
    X, y = make()
    assert refusal(lambda: estimator.fit(X, y * 1e300)).startswith(
        "Input y contains values up to 1e+300, too large for the arithmetic of solvers"
    )


# Convergence


def test_no_limit_is_not_to_be_raised() -> None:
    assert advice.how_to_converge(1e-3, -1, has_price=True) == (
        "Scale the rows, as with sklearn.preprocessing.StandardScaler, lower C, or raise tol=0.001."
    )
    X, y = make()
    with pytest.warns(ConvergenceWarning, match=r"lower C, or raise max_iter=2 or tol=0\.001\."):
        SVCSearch(C=1.0, gamma=1.0, max_iter=2).fit(X, y)


# DataFrames


@at_an_edge
@pytest.mark.parametrize("estimator", [SVC, SVCSearch])
def test_blocks_may_be_named_by_columns_of_a_dataframe(estimator: Any) -> None:
    X, y = make()
    table = pd.DataFrame(X, columns=["age", "height", "width", "depth"])
    kernel = Sum((Term("linear", "size"), Term("rbf", "rest", gamma=0.5)))
    named = {"size": ["height", "width", "depth"], "rest": ["age"]}
    by_name = estimator(kernel=kernel, C=1.0, blocks=named).fit(table, y)
    numbers = {"size": slice(1, 4), "rest": [0]}
    by_number = estimator(kernel=kernel, C=1.0, blocks=numbers).fit(X, y)
    np.testing.assert_array_equal(by_name.decision_function(table), by_number.decision_function(X))
    with_index = estimator(kernel=kernel, C=1.0, blocks={**named, "size": table.columns[1:]})
    assert with_index.fit(table, y).score(table, y) == by_number.score(X, y)
    spoilt = estimator(kernel=kernel, blocks={**named, "rest": ["agee"]})
    assert refusal(lambda: spoilt.fit(table, y)) == (
        "The block 'rest' names the column 'agee', which X has not. Did you mean 'age'?"
    )
    apart = estimator(kernel=kernel, blocks={**named, "size": ["height", "depth"]})
    assert "must be neighbouring columns of the 4 that X has" in refusal(
        lambda: apart.fit(table, y)
    )


# How expressions show themselves


def test_expressions_show_the_call_that_builds_them() -> None:
    own = Kernel(name="mine", summary="x y", pairwise=lambda X, Y: X @ Y.T)
    shown: dict[str, Any] = {
        "Term('rbf')": Term("rbf"),
        "Term('poly', 'words', gamma=(0.5, 1.0), degree=2, coef0=1.0)": Term(
            "poly", "words", gamma=(0.5, 1.0), degree=2, coef0=1.0
        ),
        "Sum((Term('linear', 'a'), Term('rbf', 'b')))": Sum(
            (Term("linear", "a"), Term("rbf", "b"))
        ),
        "Sum((Term('rbf'),), weights='learned')": Sum((Term("rbf"),), weights="learned"),
        "Product((Term('rbf', 'a'), Term('rbf', 'b', gamma='scale')))": Product(
            (Term("rbf", "a"), Term("rbf", "b", gamma="scale"))
        ),
    }
    for text, expression in shown.items():
        assert repr(expression) == text
        assert eval(text) == expression  # noqa: S307  # that it is the call is the point
        assert repr(clone(SVC(kernel=expression)).kernel) == text
    assert repr(Term(own)) == "Term(<kernel 'mine'>)"


def test_a_cloned_linear_term_still_has_weights_of_features() -> None:
    machine = clone(SVC(kernel=Term("linear"))).fit(*make())
    assert machine.coef_.shape == (1, 4)


# Kernels that are none


def negative(X: Any, Y: Any) -> Any:
    return -(X @ Y.T)


def far(X: Any, Y: Any) -> Any:
    """Return a conditionally positive definite kernel, whose diagonal is 0."""
    return -((X[:, None] - Y[None]) ** 2).sum(axis=2)


@pytest.mark.parametrize("estimator", [SVC(C=1.0), SVCSearch(C=1.0), SVR(C=1.0), SVRSearch(C=1.0)])
def test_a_kernel_of_ones_own_that_is_clearly_none_is_warned_about_once(estimator: Any) -> None:
    X, y = make()
    mine = Kernel(name="mine", summary="- x y", pairwise=negative)
    for kernel, name in ((negative, "callable"), (mine, "mine")):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clone(estimator).set_params(kernel=kernel).fit(X, y)
        told = [one for one in caught if one.category is IndefiniteKernelWarning]
        assert len(told) == 1
        assert told[0].filename == __file__
        assert str(told[0].message).startswith(
            f"{type(estimator).__name__}: the kernel '{name}' is not positive semi-definite: its "
            "matrix of 32 rows has an eigenvalue of -"
        )


@at_an_edge
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kernels_that_are_some_are_not_warned_about(dtype: Any) -> None:
    X, y = make()
    X = (X + 100).astype(dtype)
    for kernel in (lambda X, Y: X @ Y.T, far, "sigmoid"):
        with warnings.catch_warnings():
            warnings.simplefilter("error", IndefiniteKernelWarning)
            warnings.simplefilter("ignore", ConvergenceWarning)
            SVC(kernel=kernel, gamma=1e-6).fit(X, y)
            SVCSearch(kernel, C=1.0, gamma=1e-6, cv=KFold(3)).fit(X, y)
    joined = Sum((Term(Kernel(name="far", summary="far", pairwise=far)), Term("rbf")))
    # Divided by lengths, a kernel that is only conditionally positive definite is none.
    with pytest.warns(IndefiniteKernelWarning, match="'far'"):
        SVC(kernel=joined).fit(X - 100, y)


def test_a_gamma_of_nothing_is_tried_like_any_other() -> None:
    X, y = load_iris(return_X_y=True)
    search = SVCSearch(C=1.0, gamma=(0.0, 1.0)).fit(X, y)
    assert search.best_params_["gamma"] == 1.0


def test_a_term_takes_the_searchs_gamma_unless_it_has_its_own() -> None:
    X, y = load_iris(return_X_y=True)
    tried = SVCSearch(Term("rbf"), C=1.0, gamma=(0.3, 0.6)).fit(X, y).cv_results_["param_gamma"]
    assert list(tried) == [0.3, 0.6]
    assert tried.mask.tolist() == [False, False]


def test_a_sum_takes_no_gamma_of_the_search() -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="'auto' for a Sum or Product"):
        SVCSearch(Sum((Term("rbf"), Term("linear"))), gamma=0.5).fit(X, y)


def test_scale_is_the_machines_own_whatever_the_classes_weigh() -> None:
    X, y = load_iris(return_X_y=True)
    X, y = X[30:], y[30:]
    search = SVCSearch(C=1.0, gamma="scale", class_weight="balanced").fit(X, y)
    machine = SVC(C=1.0, gamma="scale", class_weight="balanced").fit(X, y)
    assert np.allclose(search.decision_function(X), machine.decision_function(X), atol=1e-2)


def test_weights_and_groups_are_given_by_name() -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(TypeError):
        SVCSearch(C=1.0).fit(X, y, np.ones(len(y)))  # type: ignore[call-arg]  # that it is refused is the point


def test_score_is_that_of_scoring() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.repeat([0, 1], [50, 10])
    search = SVCSearch(C=1e-3, gamma=0.1, scoring="balanced_accuracy").fit(X, y)
    assert search.score(X, y) == balanced_accuracy_score(y, search.predict(X))
    assert np.allclose(np.exp(search.predict_log_proba(X)), search.predict_proba(X))


@pytest.mark.parametrize("n_jobs", ["2", 1.5])
def test_a_number_of_jobs_is_whole(n_jobs: Any) -> None:
    with pytest.raises(ValueError, match="The 'n_jobs' parameter of SVC must be an int"):
        SVC(n_jobs=n_jobs).fit([[0.0], [1.0]], [0, 1])


def test_an_array_of_gammas_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="The 'gamma' parameter of SVC must be"):
        SVC(gamma=np.array([0.1, 0.2])).fit([[0.0], [1.0]], [0, 1])  # type: ignore[arg-type]  # likewise
