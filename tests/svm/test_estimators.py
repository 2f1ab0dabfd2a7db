"""SVC and SVR: scikit-learn's decisions and scikit-learn's manners."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn import svm as reference
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.multiclass import OneVsOneClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import widemargin.svm
from widemargin.svm import SVC, SVR
from widemargin.svm.engines import choose_engine

KERNELS: list[dict[str, Any]] = [
    {"kernel": "rbf"},
    {"kernel": "rbf", "gamma": 0.7},
    {"kernel": "poly", "degree": 2, "coef0": 1.0},
    {"kernel": "sigmoid", "gamma": 0.05, "coef0": -0.3},
]
KERNEL_OF = {kernel.name: kernel for kernel in widemargin.svm.KERNELS}
FORMS: list[Callable[[Any], Any]] = [np.asarray, csr_matrix]


def make_rows(n_classes: int) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(n_classes)
    y = np.repeat(np.arange(n_classes), 30)
    X = rng.normal(size=(len(y), 5)) + rng.normal(size=(n_classes, 5))[y]
    order = rng.permutation(len(y))
    return X[order], np.array(["ant", "bee", "cat", "dog"])[y[order]]


@pytest.fixture
def numbers() -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(9)
    X = rng.normal(size=(60, 4))
    return X, X[:, 0] * 2 + np.sin(X[:, 1]) + 0.1 * rng.normal(size=60) + 5


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("options", KERNELS, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_svc_decides_as_scikit_learn_does(
    n_classes: int, options: dict[str, Any], form: Callable[[Any], Any]
) -> None:
    X, y = make_rows(n_classes)
    own = SVC(C=2.0, **options).fit(form(X), y)
    other = reference.SVC(C=2.0, **options).fit(form(X), y)
    ours, theirs = own.decision_function(form(X)), other.decision_function(form(X))
    assert ours.shape == theirs.shape
    # Both stop at a tolerance of 1e-3; the last bit of a kernel value decides where.
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
    assert own.predict(form(X)).tolist() == other.predict(form(X)).tolist()
    assert own.classes_.tolist() == other.classes_.tolist()
    # Of the very same kernel values, they make the very same decisions.
    parameters: Any = own.machine_.parameters
    gram = KERNEL_OF[options["kernel"]].gram(form(X), form(X), parameters)
    same = reference.SVC(kernel="precomputed", C=2.0).fit(gram, y)
    np.testing.assert_allclose(ours, same.decision_function(gram), atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_a_linear_svc_of_more_classes_decides_by_duels(form: Callable[[Any], Any]) -> None:
    X, y = make_rows(3)
    own = SVC(C=0.5, kernel="linear").fit(form(X), y)
    other = OneVsOneClassifier(reference.LinearSVC(C=0.5, random_state=0)).fit(form(X), y)
    np.testing.assert_allclose(
        own.decision_function(form(X)), other.decision_function(form(X)), atol=1e-6
    )
    assert own.predict(form(X)).tolist() == other.predict(form(X)).tolist()


@pytest.mark.parametrize("form", FORMS)
def test_a_linear_svc_decides_as_linear_svc_does(form: Callable[[Any], Any]) -> None:
    X, y = make_rows(2)
    own = SVC(C=0.5, kernel="linear").fit(form(X), y)
    other = reference.LinearSVC(C=0.5, random_state=0).fit(form(X), y)
    np.testing.assert_allclose(
        own.decision_function(form(X)), other.decision_function(form(X)), atol=1e-6
    )
    np.testing.assert_allclose(own.coef_, other.coef_, atol=1e-6)
    assert own.predict(form(X)).tolist() == other.predict(form(X)).tolist()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_svc_takes_a_gram_matrix(n_classes: int) -> None:
    X, y = make_rows(n_classes)
    gram = X @ X.T
    own = SVC(kernel="precomputed").fit(gram, y)
    other = reference.SVC(kernel="precomputed").fit(gram, y)
    np.testing.assert_allclose(
        own.decision_function(gram[:7]), other.decision_function(gram[:7]), atol=1e-6
    )


@pytest.mark.parametrize("options", [*KERNELS, {"kernel": "linear"}], ids=str)
@pytest.mark.parametrize("class_weight", ["balanced", {"ant": 5.0, "bee": 1.0}])
def test_class_weights_are_scikit_learns(options: dict[str, Any], class_weight: Any) -> None:
    X, y = make_rows(2)
    X, y = X[10:], y[10:]
    own = SVC(class_weight=class_weight, **options).fit(X, y)
    if options["kernel"] == "linear":
        other = reference.LinearSVC(class_weight=class_weight, random_state=0).fit(X, y)
    else:
        other = reference.SVC(class_weight=class_weight, **options).fit(X, y)
    np.testing.assert_allclose(own.decision_function(X), other.decision_function(X), atol=1e-5)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_a_weight_of_two_is_as_two_rows(kernel: str) -> None:
    X, y = make_rows(2)
    twice = np.arange(len(y)) < 20
    own = SVC(kernel=kernel, gamma=0.3).fit(X, y, sample_weight=1.0 + twice)
    other = SVC(kernel=kernel, gamma=0.3).fit(np.vstack([X, X[twice]]), np.append(y, y[twice]))
    np.testing.assert_allclose(own.decision_function(X), other.decision_function(X), atol=2e-2)
    plain = SVC(kernel=kernel, gamma=0.3).fit(X, y)
    assert np.abs(own.decision_function(X) - plain.decision_function(X)).max() > 0.05


@pytest.mark.parametrize("options", KERNELS, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_svr_predicts_as_scikit_learn_does(
    options: dict[str, Any], form: Callable[[Any], Any], numbers: Any
) -> None:
    X, y = numbers
    own = SVR(C=3.0, epsilon=0.2, **options).fit(form(X), y)
    other = reference.SVR(C=3.0, epsilon=0.2, **options).fit(form(X), y)
    np.testing.assert_allclose(own.predict(form(X)), other.predict(form(X)), atol=1e-6)


def test_a_linear_svr_predicts_as_linear_svr_does(numbers: Any) -> None:
    X, y = numbers
    own = SVR(kernel="linear", epsilon=0.1).fit(X, y)
    other = reference.LinearSVR(
        epsilon=0.1, loss="squared_epsilon_insensitive", dual=False, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(own.predict(X), other.predict(X), atol=1e-9)
    losing = np.abs(y - own.predict(X)) > 0.1
    assert own.support_.tolist() == np.flatnonzero(losing).tolist()


def test_svr_takes_a_gram_matrix(numbers: Any) -> None:
    X, y = numbers
    own = SVR(kernel="precomputed").fit(X @ X.T, y)
    other = reference.SVR(kernel="precomputed").fit(X @ X.T, y)
    np.testing.assert_allclose(own.predict(X[:5] @ X.T), other.predict(X[:5] @ X.T), atol=1e-6)


@pytest.mark.parametrize("kernel", ["rbf", "poly", "sigmoid"])
@pytest.mark.parametrize("C", [0.1, 1.0, 30.0])
def test_the_solution_meets_the_conditions_of_an_optimum(kernel: str, C: float) -> None:
    """Karush-Kuhn-Tucker: inside the margin at C, outside at 0, on it between."""
    X, y = make_rows(2)
    model = SVC(C=C, kernel=kernel, gamma=0.05).fit(X, y)
    signs = np.where(y == model.classes_[1], 1, -1)
    alpha = np.zeros(len(y))
    alpha[model.support_] = model.dual_coef_[0] * signs[model.support_]
    margin = signs * model.decision_function(X)
    tolerance = 2e-3
    assert abs((alpha * signs).sum()) < 1e-6 * C
    assert alpha.min() >= 0
    assert alpha.max() <= C * (1 + 1e-9)
    assert (margin[alpha < 1e-9 * C] > 1 - tolerance).all()
    assert (margin[alpha > C * (1 - 1e-9)] < 1 + tolerance).all()
    free = (alpha > 1e-9 * C) & (alpha < C * (1 - 1e-9))
    np.testing.assert_allclose(margin[free], 1, atol=tolerance)


def refusal(fit: Callable[[], Any]) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        fit()
    return str(caught.value)


@pytest.mark.parametrize("estimator", [SVC, SVR])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"C": -1},
            "The 'C' parameter of {} must be a float in the range (0.0, inf). Got -1 instead.",
        ),
        (
            {"C": "1"},
            "The 'C' parameter of {} must be a float in the range (0.0, inf). Got '1' instead.",
        ),
        (
            {"C": True},
            "The 'C' parameter of {} must be a float in the range (0.0, inf). Got True instead.",
        ),
        (
            {"gamma": -0.5},
            "The 'gamma' parameter of {} must be the str 'scale' or a float in the range "
            "[0.0, inf). Got -0.5 instead.",
        ),
        (
            {"gamma": "auto"},
            "The 'gamma' parameter of {} must be the str 'scale' or a float in the range "
            "[0.0, inf). Got 'auto' instead.",
        ),
        (
            {"kernel": "rfb"},
            "The 'kernel' parameter of {} must be a str among {{'linear', 'rbf', 'poly', "
            "'sigmoid', 'precomputed'}}. Got 'rfb' instead.",
        ),
        (
            {"engine": "cuda"},
            "The 'engine' parameter must be a str among {{'auto', 'scikit-learn'}}. "
            "Got 'cuda' instead.",
        ),
        (
            {"kernel": "precomputed"},
            "Precomputed matrix must be a square matrix. Input is a 4x1 matrix.",
        ),
    ],
)
def test_wrong_parameters_are_refused_in_scikit_learns_words(
    estimator: Any, options: dict[str, Any], message: str
) -> None:
    X, y = np.arange(4.0)[:, None], np.array([0, 0, 1, 1])
    assert refusal(lambda: estimator(**options).fit(X, y)) == message.format(estimator.__name__)


def test_a_negative_tube_is_refused(numbers: Any) -> None:
    assert refusal(lambda: SVR(epsilon=-0.1).fit(*numbers)) == (
        "The 'epsilon' parameter of SVR must be a float in the range [0.0, inf). Got -0.1 instead."
    )


def test_one_class_is_refused() -> None:
    message = refusal(lambda: SVC().fit([[0.0], [1.0]], ["a", "a"]))
    assert message == "The number of classes has to be greater than one; got 1 class"


def test_weights_of_another_length_are_refused() -> None:
    message = refusal(lambda: SVC().fit([[0.0], [1.0]], ["a", "b"], sample_weight=[1, 2, 3]))
    assert re.search(r"sample_weight.*\(3,\)", message)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_predicting_before_fitting_is_refused(kernel: str) -> None:
    with pytest.raises(NotFittedError):
        SVC(kernel=kernel).predict([[0.0]])


def test_equal_rows_of_both_classes_are_no_error() -> None:
    X, y = np.zeros((6, 2)), np.array([0, 1] * 3)
    for kernel in ("linear", "rbf", "poly", "sigmoid"):
        assert np.isfinite(SVC(kernel=kernel).fit(X, y).decision_function(X)).all()


def test_clones_and_shows_as_scikit_learn_does() -> None:
    model = SVC(C=3.0, gamma=0.5)
    assert clone(model).get_params() == model.get_params()
    assert repr(model) == "SVC(C=3.0, gamma=0.5)"
    assert repr(SVR(epsilon=0.2)) == "SVR(epsilon=0.2)"


@pytest.mark.parametrize("model", [SVC(C=np.inf), SVR(C=float("inf")), SVC(C=np.nan)])
def test_a_price_that_is_not_finite_is_refused(model: Any) -> None:
    X, y = make_rows(2)
    with pytest.raises(ValueError, match=r"'C' parameter of SV[CR] must be a float in .* Got "):
        model.fit(X, (y == "ant").astype(float))


def test_every_form_of_random_state_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []
    engine = choose_engine("auto")

    class Listening:
        def solve_linear(self, *rows: Any, **options: Any) -> Any:
            used.append(options["random_state"])
            return engine.solve_linear(*rows, **options)

    monkeypatch.setattr("widemargin.svm.estimators.choose_engine", lambda name: Listening())
    X, y = make_rows(2)
    forms = (None, 7, np.int64(7), np.random.RandomState(3), np.random.RandomState(3))
    for form in forms:
        SVC(kernel="linear", random_state=form).fit(X, y)  # type: ignore[arg-type]  # numpy's ints
    assert used[:3] == [0, 7, 7]
    assert used[3] == used[4] > 0
    assert type(used[2]) is int


def test_works_in_a_pipeline() -> None:
    X, y = make_rows(3)
    assert make_pipeline(StandardScaler(), SVC()).fit(X, y).score(X, y) > 0.8


TOLERANCE = "the solver stops at a tolerance, as scikit-learn's own SVC does"
WEIGHTS = {
    f"check_sample_weight_equivalence_on_{form}_data": TOLERANCE for form in ("dense", "sparse")
}


def _expected(estimator: Any) -> dict[str, str]:
    return {} if isinstance(estimator, SVR) and estimator.kernel == "linear" else WEIGHTS


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn has no type hints
    [SVC(), SVC(kernel="linear"), SVR(), SVR(kernel="linear")],
    expected_failed_checks=_expected,
)
@pytest.mark.filterwarnings("ignore")
def test_meets_scikit_learns_own_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
