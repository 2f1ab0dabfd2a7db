"""SVC, SVR and OneClassSVM: scikit-learn's decisions and scikit-learn's manners."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn import svm as libsvm
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import (
    check_sample_weight_equivalence_on_dense_data,
    check_sample_weight_equivalence_on_sparse_data,
    parametrize_with_checks,
)

from widemargin.errors import DataError
from widemargin.svm import KERNELS, SVC, SVR, OneClassSVM, memory
from widemargin.svm.expression import Product, Sum, Term
from widemargin.svm.fitted import FittedSum
from widemargin.svm.kernels import LINEAR, RBF

CASES: list[dict[str, Any]] = [
    {"kernel": "linear"},
    {"kernel": "rbf"},
    {"kernel": "rbf", "gamma": 0.7},
    {"kernel": "poly", "degree": 2, "coef0": 1.0},
    # Not positive: only where it nearly is, all engines find one solution.
    {"kernel": "sigmoid", "gamma": 0.01, "coef0": 0.0},
]
FORMS: list[Callable[[Any], Any]] = [np.asarray, csr_matrix]
MACHINES: list[type[Any]] = [SVC, SVR, OneClassSVM]
PEERS = {SVC: libsvm.SVC, SVR: libsvm.SVR, OneClassSVM: libsvm.OneClassSVM}


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


def decide(machine: Any, X: Any) -> NDArray[np.float64]:
    """Return decisions or predicted numbers."""
    name = "predict" if hasattr(machine, "epsilon") and "SVR" in type(machine).__name__ else ""
    decided: NDArray[np.float64] = getattr(machine, name or "decision_function")(X)
    return decided


# As scikit-learn


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("options", CASES, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_svc_decides_as_scikit_learn_does(
    n_classes: int, options: dict[str, Any], form: Callable[[Any], Any]
) -> None:
    X, y = make_rows(n_classes)
    own = SVC(C=2.0, tol=1e-7, **options).fit(form(X), y)
    other = libsvm.SVC(C=2.0, tol=1e-7, **options).fit(form(X), y)
    ours, theirs = own.decision_function(form(X)), other.decision_function(form(X))
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert own.classes_.tolist() == other.classes_.tolist()
    assert sorted(own.support_) == sorted(other.support_)
    assert own.n_support_.tolist() == other.n_support_.tolist()
    assert own.shape_fit_ == other.shape_fit_
    assert own.fit_status_ == other.fit_status_ == 0
    assert own.n_iter_.shape == other.n_iter_.shape
    np.testing.assert_allclose(own.intercept_, other.intercept_, atol=1e-5)
    if n_classes == 2:
        assert own.predict(form(X)).tolist() == other.predict(form(X)).tolist()
        order = np.argsort(other.support_)
        theirs = other.dual_coef_.toarray() if form is csr_matrix else other.dual_coef_
        assert own.dual_coef_.shape == theirs.shape
        np.testing.assert_allclose(own.dual_coef_, theirs[:, order], atol=1e-4)
    if options["kernel"] == "linear":
        coef = other.coef_.toarray() if form is csr_matrix else other.coef_
        np.testing.assert_allclose(own.coef_, coef, atol=1e-5)
    else:
        assert not hasattr(own, "coef_")


@pytest.mark.parametrize("options", CASES, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_svr_predicts_as_scikit_learn_does(
    options: dict[str, Any], form: Callable[[Any], Any], numbers: Any
) -> None:
    X, y = numbers
    own = SVR(C=3.0, epsilon=0.2, tol=1e-6, **options).fit(form(X), y)
    other = libsvm.SVR(C=3.0, epsilon=0.2, tol=1e-6, **options).fit(form(X), y)
    np.testing.assert_allclose(own.predict(form(X)), other.predict(form(X)), atol=1e-5)
    assert own.dual_coef_.shape == other.dual_coef_.shape
    assert own.n_support_.tolist() == other.n_support_.tolist()
    assert isinstance(own.n_iter_, int)
    assert isinstance(own.duality_gap_, float)


@pytest.mark.parametrize("options", CASES[1:3], ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_one_class_decides_as_scikit_learn_does(
    options: dict[str, Any], form: Callable[[Any], Any]
) -> None:
    X, _ = make_rows(2)
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(X))
    own = OneClassSVM(nu=0.3, tol=1e-7, **options)
    other = libsvm.OneClassSVM(nu=0.3, tol=1e-7, **options)
    own.fit(form(X))
    other.fit(form(X))
    np.testing.assert_allclose(
        own.decision_function(form(X)), other.decision_function(form(X)), atol=1e-5
    )
    np.testing.assert_allclose(own.offset_, other.offset_, atol=1e-5)
    np.testing.assert_allclose(own.score_samples(form(X)), other.score_samples(form(X)), atol=1e-5)
    clear = np.abs(own.decision_function(form(X))) > 1e-4
    assert (own.predict(form(X)) == other.predict(form(X)))[clear].all()
    if options.get("gamma"):
        own.fit(form(X), sample_weight=weight)
        other.fit(form(X), sample_weight=weight)
        np.testing.assert_allclose(
            own.decision_function(form(X)), other.decision_function(form(X)), atol=1e-5
        )


@pytest.mark.parametrize("form", FORMS)
def test_each_class_may_be_told_from_the_rest(form: Callable[[Any], Any]) -> None:
    X, y = make_rows(4)
    own = SVC(gamma=0.3, scheme="one-vs-rest", tol=1e-6).fit(form(X), y)
    other = OneVsRestClassifier(libsvm.SVC(gamma=0.3, tol=1e-6)).fit(form(X), y)
    np.testing.assert_allclose(
        own.decision_function(form(X)), other.decision_function(form(X)), atol=1e-4
    )
    assert own.predict(form(X)).tolist() == other.predict(form(X)).tolist()
    assert own.dual_coef_.shape == (4, len(own.support_))
    assert own.n_iter_.shape == own.duality_gap_.shape == (4,)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("options", CASES, ids=str)
def test_a_gram_matrix_serves_as_rows_do(machine: Any, options: dict[str, Any]) -> None:
    X, y = make_rows(3)
    target = y if machine is SVC else X[:, 0]
    plain = machine(**options, tol=1e-6).fit(X[:70], target[:70])
    kernel = plain._prepare(X[:70], 0, None).kernel
    assert kernel is not None
    gram = machine(kernel="precomputed", tol=1e-6).fit(kernel.gram(X[:70], X[:70]), target[:70])
    np.testing.assert_allclose(
        decide(gram, kernel.gram(X[70:], X[:70])), decide(plain, X[70:]), atol=1e-7
    )
    assert gram.support_vectors_.shape == (0, 0)
    np.testing.assert_array_equal(plain.support_vectors_, X[plain.support_])


def overlap(X: Any, Y: Any) -> Any:
    return np.minimum(X[:, None], Y[None]).sum(axis=2)


@pytest.mark.parametrize("machine", MACHINES)
def test_any_function_serves_as_a_kernel(machine: Any) -> None:
    X, y = make_rows(2)
    X = np.abs(X)
    target = y if machine is SVC else X[:, 0]
    own = machine(kernel=overlap, tol=1e-6).fit(X, target)
    other = PEERS[machine](kernel=overlap, tol=1e-6).fit(X, target)
    np.testing.assert_allclose(decide(own, X), decide(other, X), atol=1e-4)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_every_registered_kernel_has_a_name_and_is_one(machine: Any, kernel: Any) -> None:
    X, y = make_rows(2)
    X = np.abs(X)
    target = y if machine is SVC else X[:, 0]
    by_name = machine(kernel=kernel.name, gamma=0.1).fit(X, target)
    itself = machine(kernel=kernel, gamma=0.1).fit(X, target)
    np.testing.assert_array_equal(decide(by_name, X), decide(itself, X))


def test_a_machine_whose_tube_holds_all_targets_predicts_one_number() -> None:
    for kernel in ("linear", "rbf", "precomputed", overlap):
        model = SVR(epsilon=10.0, kernel=kernel).fit(np.eye(4), [1.0, 2.0, 3.0, 4.0])
        assert len(model.support_) == 0
        assert np.ptp(model.predict(np.eye(4))) == 0


# Blocks


def test_a_sum_of_kernels_over_blocks_is_the_sum_of_their_matrices() -> None:
    X, y = make_rows(3)
    both = Sum((Term(LINEAR, "left"), Term(RBF, "right", gamma=0.5)), weights=(3.0, 1.0))
    model = SVC(kernel=both, blocks={"left": [0, 1], "right": slice(2, None)}, tol=1e-6).fit(X, y)
    left = X[:, :2] / np.linalg.norm(X[:, :2], axis=1, keepdims=True)
    apart = ((X[:, None, 2:] - X[None, :, 2:]) ** 2).sum(axis=2)
    gram = 0.75 * left @ left.T + 0.25 * np.exp(-0.5 * apart)
    other = SVC(kernel="precomputed", tol=1e-6).fit(gram, y)
    np.testing.assert_allclose(model.decision_function(X), other.decision_function(gram), atol=1e-5)
    parts = dict(model.machine_.parts(X))
    assert set(parts) == {"left", "right"}


@pytest.mark.parametrize("weights", ["aligned", "learned"])
def test_weights_of_a_sum_are_learned_from_the_target(weights: Any, numbers: Any) -> None:
    X, y = numbers
    X = X[:, [0, 3]]
    one_tells = Sum((Term(RBF, "tells"), Term(RBF, "noise")), weights=weights)
    blocks = {"tells": slice(0, 1), "noise": slice(1, 2)}
    for model in (
        SVR(kernel=one_tells, blocks=blocks).fit(X, y),
        SVC(kernel=one_tells, blocks=blocks).fit(X, np.digitize(y, [4, 6])),
    ):
        assert isinstance(model.machine_.kernel, FittedSum)
        tells, noise = model.machine_.kernel.weights
        assert tells > noise


def test_a_product_of_kernels_is_fitted() -> None:
    X, _ = make_rows(2)
    both = Product((Term(RBF, "a", gamma=0.5), Term(RBF, "b", gamma=0.5)))
    blocks = {"a": slice(0, 2), "b": slice(2, 5)}
    own = OneClassSVM(kernel=both, blocks=blocks, tol=1e-7).fit(X)
    other = OneClassSVM(gamma=0.5, tol=1e-7).fit(X)
    np.testing.assert_allclose(own.decision_function(X), other.decision_function(X), atol=1e-5)


def test_one_term_sees_its_block_alone() -> None:
    X, y = make_rows(2)
    own = SVC(kernel=Term(RBF, "a"), blocks={"a": range(1, 3)}).fit(X, y)
    other = SVC().fit(X[:, 1:3], y)
    np.testing.assert_array_equal(own.decision_function(X), other.decision_function(X[:, 1:3]))
    plain = SVC(kernel=Term(RBF, gamma=0.3)).fit(X, y)
    np.testing.assert_array_equal(
        plain.decision_function(X), SVC(gamma=0.3).fit(X, y).decision_function(X)
    )


NO_BLOCK = (
    "The block 'a' must be neighbouring columns of the 5 that X has: a slice, a range or a list of "
    "numbers, or a list of names where X is a DataFrame. Got {} instead."
)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (
            None,
            "'a' is no block of the features, which are one block without a name. Name blocks of "
            "the features, or take a kernel of all of them.",
        ),
        ({"b": slice(0, 2)}, "'a' is no block of the features; they are b."),
        ({"a": [0, 2]}, NO_BLOCK.format("[0, 2]")),
        ({"a": [4, 5]}, NO_BLOCK.format("[4, 5]")),
        ({"a": []}, NO_BLOCK.format("[]")),
        ({"a": "ab"}, NO_BLOCK.format("'ab'")),
        ({"a": [0.0, 1.0]}, NO_BLOCK.format("[0.0, 1.0]")),
        ({"a": [True, False]}, NO_BLOCK.format("[True, False]")),
        ({"a": slice("x", "y")}, NO_BLOCK.format("slice('x', 'y', None)")),
        ({"a": 3}, NO_BLOCK.format("3")),
        (
            {"a": ["x", "y"]},
            "The block 'a' names the column 'x', and the columns of X have no names. Give their "
            "numbers or a slice, or a DataFrame whose columns are all named by strings.",
        ),
    ],
)
def test_blocks_that_are_not_there_are_refused(blocks: Any, message: str) -> None:
    assert refusal(lambda: SVC(kernel=Term(RBF, "a"), blocks=blocks).fit(*make_rows(2))) == message


def test_several_gammas_are_for_a_search() -> None:
    message = refusal(lambda: SVC(kernel=Term(RBF, gamma=(0.1, 1.0))).fit(*make_rows(2)))
    assert message == "SVC takes one gamma; got (0.1, 1.0). To choose among several, search."


def test_one_class_has_no_target_to_learn_weights_from() -> None:
    learned = Sum((Term(RBF), Term(LINEAR)), weights="aligned")
    assert refusal(lambda: OneClassSVM(kernel=learned).fit(np.eye(3))) == (
        "OneClassSVM has no target to learn a kernel's weights from. Give weights, or take 'equal'."
    )


# Numbers of either width


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("options", CASES, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_float32_rows_stay_so_and_decide_alike(
    machine: Any, options: dict[str, Any], form: Callable[[Any], Any]
) -> None:
    X, y = make_rows(2)
    X = X.astype(np.float32)
    target = y if machine is SVC else X[:, 0].astype(np.float64)
    if machine is OneClassSVM and options["kernel"] != "rbf":
        pytest.skip("its boundary passes the origin, where relative errors mean nothing")
    narrow = machine(tol=1e-7, **options).fit(form(X), target)
    wide = machine(tol=1e-7, **options).fit(form(X.astype(np.float64)), target)
    assert narrow.support_vectors_.dtype == np.float32
    assert narrow.dual_coef_.dtype == narrow.intercept_.dtype == np.float64
    decided = decide(wide, form(X.astype(np.float64)))
    np.testing.assert_allclose(
        decide(narrow, form(X)), decided, atol=2e-5 * max(1, np.abs(decided).max())
    )


def test_whole_numbers_are_taken_as_float64() -> None:
    model = SVC(kernel="linear").fit(np.array([[0], [1], [4], [5]]), [0, 0, 1, 1])
    assert model.support_vectors_.dtype == np.float64


# Weights


@pytest.mark.parametrize("options", CASES, ids=str)
@pytest.mark.parametrize("class_weight", ["balanced", {"ant": 5.0, "bee": 1.0}, {"bee": 0.2}])
def test_class_weights_are_scikit_learns(options: dict[str, Any], class_weight: Any) -> None:
    X, y = make_rows(2)
    X, y = X[10:], y[10:]
    own = SVC(class_weight=class_weight, tol=1e-6, **options).fit(X, y)
    other = libsvm.SVC(class_weight=class_weight, tol=1e-6, **options).fit(X, y)
    np.testing.assert_allclose(own.decision_function(X), other.decision_function(X), atol=1e-4)
    np.testing.assert_allclose(own.class_weight_, other.class_weight_)


@pytest.mark.parametrize("machine", [SVC, SVR])
def test_weights_are_scikit_learns(machine: Any) -> None:
    X, y = make_rows(2)
    weight = np.random.default_rng(1).uniform(0, 3, size=len(X))
    target = y if machine is SVC else X[:, 0]
    own = machine(gamma=0.3, tol=1e-6).fit(X, target, sample_weight=weight)
    other = PEERS[machine](gamma=0.3, tol=1e-6).fit(X, target, sample_weight=weight)
    np.testing.assert_allclose(decide(own, X), decide(other, X), atol=1e-4)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("form", FORMS)
def test_rows_of_no_weight_are_left_out(machine: Any, form: Callable[[Any], Any]) -> None:
    X, y = make_rows(3)
    target = y if machine is SVC else X[:, 0]
    kept = np.arange(len(X)) % 4 > 0
    own = machine(tol=1e-7).fit(form(X), target, sample_weight=kept.astype(float))
    other = machine(tol=1e-7).fit(form(X[kept]), target[kept])
    np.testing.assert_allclose(decide(own, form(X)), decide(other, form(X)), atol=1e-5)
    assert kept[own.support_].all()


def test_balanced_classes_count_weights_as_rows() -> None:
    X, y = make_rows(2)
    times = 1 + (np.arange(len(X)) % 3 == 0)
    options: dict[str, Any] = {"class_weight": "balanced", "tol": 1e-7}
    own = SVC(**options).fit(X, y, sample_weight=times)
    rows = np.repeat(np.arange(len(X)), times)
    other = SVC(**options).fit(X[rows], y[rows])
    np.testing.assert_allclose(own.class_weight_, other.class_weight_)
    np.testing.assert_allclose(own.decision_function(X), other.decision_function(X), atol=1e-5)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, 1, -1, 1], "Negative values in data passed to `sample_weight`."),
        ([0, 0, 0, 0], "Sample weights must contain at least one non-zero number."),
        ([1, 1, 1], "sample_weight.shape == (3,), expected (4,)!"),
    ],
)
def test_wrong_weights_are_refused(machine: Any, weight: Any, message: str) -> None:
    X, y = np.arange(4.0)[:, None], np.array([0, 0, 1, 1])
    assert refusal(lambda: machine().fit(X, y, sample_weight=weight)) == message


def test_weights_that_leave_one_class_are_refused() -> None:
    X, y = np.arange(4.0)[:, None], np.array([0, 0, 1, 1])
    message = "Invalid input - all samples with positive weights belong to the same class."
    assert refusal(lambda: SVC().fit(X, y, sample_weight=[1, 1, 0, 0])) == message
    assert refusal(lambda: SVC(class_weight={1: 0.0}).fit(X, y)) == message
    assert refusal(lambda: SVC(class_weight={1: -1.0}).fit(X, y)) == (
        "Negative values in data passed to `class_weight`."
    )


# Convergence


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (SVC(max_iter=3), " on class ant against cat"),
        (SVC(max_iter=3, scheme="one-vs-rest"), " on class "),
        (SVR(max_iter=3), ""),
        (OneClassSVM(max_iter=3), ""),
    ],
)
def test_a_machine_that_has_not_converged_warns(machine: Any, said: str) -> None:
    X, y = make_rows(3)
    target = y if isinstance(machine, SVC) else X[:, 0]
    with pytest.warns(ConvergenceWarning) as caught:
        machine.fit(X, target)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    name = type(machine).__name__
    lower = "" if name == "OneClassSVM" else ", lower C"
    expected = (
        rf"{name} stopped after \d iterations before it converged on class \w+ against .*: "
        if said
        else rf"{name} stopped after \d iterations before it converged: "
    )
    found = re.fullmatch(
        expected + r"the duality gap is (\S+) of the objective\. Scale the rows, as with "
        rf"sklearn\.preprocessing\.StandardScaler{lower}, or raise max_iter=3 or tol=0\.001\.",
        str(caught[0].message),
    )
    assert found, str(caught[0].message)
    assert float(found[1]) > 0
    assert not machine.converged_
    assert machine.fit_status_ == 1
    assert np.max(machine.duality_gap_) > 1e-4


@pytest.mark.parametrize("machine", [SVC(), SVR(), OneClassSVM()])
def test_a_machine_that_has_converged_says_how_closely(machine: Any) -> None:
    X, y = make_rows(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        machine.fit(X, y if isinstance(machine, SVC) else X[:, 0])
    assert machine.converged_
    assert machine.fit_status_ == 0
    assert 0 <= np.max(machine.duality_gap_) < 1e-2
    closer = clone(machine).set_params(tol=1e-7)
    closer.fit(X, y if isinstance(machine, SVC) else X[:, 0])
    assert np.max(closer.duality_gap_) < 1e-6


# Refusals


def refusal(fit: Callable[[], Any]) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        fit()
    return str(caught.value)


PRICE = "The 'C' parameter of {} must be a float in the range (0.0, inf). Got {} instead."
WIDTH = (
    "The 'gamma' parameter of {} must be the str 'scale' or a float in the range [0.0, inf). "
    "Got {} instead."
)


@pytest.mark.parametrize("estimator", MACHINES)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"C": -1}, PRICE),
        ({"C": 0}, PRICE),
        ({"C": "1"}, PRICE),
        ({"C": True}, PRICE),
        ({"C": np.inf}, PRICE),
        ({"C": np.nan}, PRICE),
        ({"gamma": -0.5}, WIDTH),
        ({"gamma": "auto"}, WIDTH),
        ({"gamma": np.inf}, WIDTH),
        (
            {"degree": -1},
            "The 'degree' parameter of {} must be an int in the range [0, inf). Got {} instead.",
        ),
        (
            {"degree": 2.5},
            "The 'degree' parameter of {} must be an int in the range [0, inf). Got {} instead.",
        ),
        (
            {"coef0": np.nan},
            "The 'coef0' parameter of {} must be a float in the range (-inf, inf). Got {} instead.",
        ),
        (
            {"tol": 0},
            "The 'tol' parameter of {} must be a float in the range (0.0, inf). Got {} instead.",
        ),
        (
            {"max_iter": -2},
            "The 'max_iter' parameter of {} must be an int in the range [-1, inf). Got {} instead.",
        ),
        (
            {"nu": 0},
            "The 'nu' parameter of {} must be a float in the range (0.0, 1.0]. Got {} instead.",
        ),
        (
            {"nu": 1.1},
            "The 'nu' parameter of {} must be a float in the range (0.0, 1.0]. Got {} instead.",
        ),
        (
            {"epsilon": -0.1},
            "The 'epsilon' parameter of {} must be a float in the range [0.0, inf). "
            "Got {} instead.",
        ),
        (
            {"scheme": "all"},
            "The 'scheme' parameter of {} must be a str among {{'one-vs-one', 'one-vs-rest'}}. "
            "Got {} instead.",
        ),
        (
            {"class_weight": "even"},
            "The 'class_weight' parameter of {} must be an instance of 'dict', the str 'balanced' "
            "or None. Got {} instead.",
        ),
        (
            {"kernel": "rfb"},
            "The 'kernel' parameter of {} must be a str among {{'linear', 'rbf', 'poly', "
            "'sigmoid', 'laplacian', 'chi2', 'cosine', 'precomputed'}}, a callable or a Kernel. "
            "Got {} instead.",
        ),
        (
            {"kernel": 3},
            "The 'kernel' parameter of {} must be a str, a callable or a Kernel. Got {} instead.",
        ),
        (
            {"engine": "cuda"},
            "The 'engine' parameter must be a str among {{'auto', 'native', 'scikit-learn', "
            "'reference'}}. Got {1} instead.",
        ),
        (
            {"n_jobs": 0},
            "n_jobs == 0 has no meaning; give a number of threads, or -1 for all.",
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
    if set(options) - set(estimator().get_params()):
        pytest.skip("not a parameter of this one")
    X, y = np.arange(4.0)[:, None], np.array([0, 0, 1, 1])
    value = repr(next(iter(options.values())))
    assert refusal(lambda: estimator(**options).fit(X, y)) == message.format(
        estimator.__name__, value
    )


@pytest.mark.parametrize("estimator", MACHINES)
@pytest.mark.parametrize("kernel", ["rbf", "precomputed"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, r"^Input X contains NaN"),
        (np.inf, r"^Input X contains infinity or a value too large for dtype\('float64'\)"),
    ],
)
def test_rows_that_are_not_finite_are_refused(
    estimator: Any, kernel: str, value: float, message: str
) -> None:
    X = np.eye(4)
    X[1, 2] = value
    with pytest.raises(ValueError, match=message):
        estimator(kernel=kernel).fit(X, [0, 0, 1, 1])


@pytest.mark.parametrize("estimator", [SVC, SVR])
def test_rows_and_targets_of_two_lengths_are_refused(estimator: Any) -> None:
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[4, 3\]"):
        estimator().fit(np.eye(4), [0, 1, 1])


def test_one_class_is_refused() -> None:
    message = refusal(lambda: SVC().fit([[0.0], [1.0]], ["a", "a"]))
    assert message == "The number of classes has to be greater than one; got 1 class"


@pytest.mark.parametrize("kernel", ["linear", "rbf", "precomputed"])
@pytest.mark.parametrize("machine", MACHINES)
def test_predicting_before_fitting_is_refused(kernel: str, machine: Any) -> None:
    with pytest.raises(NotFittedError):
        machine(kernel=kernel).predict([[0.0]])


def test_a_function_that_is_no_kernel_is_refused() -> None:
    message = refusal(lambda: SVC(kernel=lambda X, Y: np.ones(3)).fit(*make_rows(2)))
    assert message.startswith("The kernel function returned an array of shape (3,) for 60 rows")


# Memory


def test_a_matrix_that_does_not_fit_is_refused_before_it_is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "gram_limit", lambda: 16 * 10_000)
    memory.check_gram_size(100, 8, "rbf")
    with pytest.raises(DataError) as caught:
        memory.check_gram_size(110, 8, "rbf")
    assert str(caught.value) == (
        "the rbf kernel of 110 rows needs 2 matrices of 110 x 110 numbers, 0 GiB, and 0 GiB may be "
        "used. Train on at most 100 rows, give float32 rows, which halves that, or take what "
        "needs no such matrix: a search with the linear kernel, or sklearn.svm.LinearSVC."
    )
    # float32 rows are no way out where they need too much as well.
    with pytest.raises(DataError, match=r"at most 100 rows, or take what"):
        memory.check_gram_size(200, 8, "rbf")
    memory.check_gram_size(110, 4, "rbf")
    with pytest.raises(DataError, match=r"^the rbf kernel of 120 rows"):
        SVC().fit(np.ones((120, 1)), np.arange(120) % 2)
    with pytest.raises(DataError, match=r"^the sum kernel of 90 rows needs \d matrices"):
        SVC(kernel=Sum((Term(RBF), Term(LINEAR)))).fit(np.ones((90, 1)), np.arange(90) % 2)


def test_half_of_the_memory_may_be_used_and_always_4_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**24}
    monkeypatch.setattr("os.sysconf", sizes.get)
    monkeypatch.setattr("widemargin.native.memory._CONTROL_GROUP", Path("/nowhere"))
    assert memory.gram_limit.__wrapped__() == 32 * 2**30
    sizes["SC_PHYS_PAGES"] = 2**20
    assert memory.gram_limit.__wrapped__() == 4 * 2**30


def test_a_container_may_have_less_memory_than_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**24}.get)
    monkeypatch.setattr("widemargin.native.memory._CONTROL_GROUP", tmp_path / "memory.max")
    (tmp_path / "memory.max").write_text(f"{20 * 2**30}\n", encoding="ascii")
    assert memory.gram_limit.__wrapped__() == 10 * 2**30
    (tmp_path / "memory.max").write_text("max\n", encoding="ascii")
    assert memory.gram_limit.__wrapped__() == 32 * 2**30


# Manners


def test_equal_rows_of_both_classes_are_no_error() -> None:
    X, y = np.zeros((6, 2)), np.array([0, 1] * 3)
    for kernel in ("linear", "rbf", "poly", "sigmoid"):
        assert np.isfinite(SVC(kernel=kernel).fit(X, y).decision_function(X)).all()


def test_a_machine_may_be_fitted_again_with_another_kernel() -> None:
    X, y = make_rows(2)
    model = SVC(kernel="linear").fit(X, y)
    assert model.coef_.shape == (1, 5)
    model.set_params(kernel="rbf").fit(X, y)
    assert not hasattr(model, "coef_")
    np.testing.assert_array_equal(model.decision_function(X), SVC().fit(X, y).decision_function(X))


def test_clones_and_shows_as_scikit_learn_does() -> None:
    model = SVC(C=3.0, gamma=0.5)
    assert clone(model).get_params() == model.get_params()
    assert repr(model) == "SVC(C=3.0, gamma=0.5)"
    assert repr(SVR(epsilon=0.2)) == "SVR(epsilon=0.2)"
    assert repr(OneClassSVM(nu=0.2)) == "OneClassSVM(nu=0.2)"


def test_serves_in_scikit_learns_pipelines_and_cross_validation() -> None:
    X, y = make_rows(3)
    scores = cross_val_score(make_pipeline(StandardScaler(), SVC()), X, y, cv=3)
    assert scores.min() > 0.5
    # scikit-learn cuts rows and columns of a matrix of similarities.
    scores = cross_val_score(SVC(kernel="precomputed"), X @ X.T, y, cv=3)
    assert scores.min() > 0.5


# At tol=1e-3 two fits differ by about as much, and the checks ask for 1e-7; scikit-learn's own
# machines fail them for good.
LOOSE = {
    check.__name__: "tol=1e-3 is looser than the check; closely solved ones pass, see below"
    for check in (
        check_sample_weight_equivalence_on_dense_data,
        check_sample_weight_equivalence_on_sparse_data,
    )
}


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn has no type hints
    [
        SVC(),
        # With this one the checks fail or pass as ties fall out.
        SVC(kernel="linear", tol=1e-9),
        SVC(scheme="one-vs-rest"),
        SVR(),
        SVR(kernel="linear"),
        OneClassSVM(),
    ],
    expected_failed_checks=lambda one: LOOSE if one.tol == 1e-3 else {},
)
@pytest.mark.filterwarnings("ignore")
def test_meets_scikit_learns_own_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


# OneClassSVM is not here: which side rows on its boundary are on, no precision tells.
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize(
    "estimator", [SVC(), SVC(scheme="one-vs-rest"), SVR()], ids=lambda one: repr(one)
)
@pytest.mark.parametrize(
    "check",
    [
        check_sample_weight_equivalence_on_dense_data,
        check_sample_weight_equivalence_on_sparse_data,
    ],
)
def test_weights_are_as_good_as_rows_where_solved_closely(
    estimator: Any, kernel: str, check: Callable[[str, Any], None]
) -> None:
    check(
        type(estimator).__name__,
        clone(estimator).set_params(tol=1e-9, kernel=kernel, engine="reference"),
    )
