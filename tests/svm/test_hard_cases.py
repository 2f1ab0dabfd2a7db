"""What goes wrong in solvers that pass on easy problems."""

from __future__ import annotations

import multiprocessing
import pickle  # noqa: TID251  # what joblib does to estimators; nothing is saved by it
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest
import sklearn.svm as peers
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning

from widemargin.native import library
from widemargin.native.jobs import at_most, available_threads
from widemargin.svm import KERNELS, SVC, SVR, Sum, SVCSearch, Term

KERNEL = {kernel.name: kernel for kernel in KERNELS}
needs_library = pytest.mark.skipif(library() is None, reason="the native engine was not compiled")


def objective(machine: Any, gram: NDArray[Any], sign: NDArray[Any]) -> float:
    beta = np.zeros(len(gram))
    beta[machine.support_] = machine.dual_coef_[0]
    return float(0.5 * beta @ gram @ beta - sign @ beta)


@needs_library  # LIBSVM rounds kernel values to float32, and closes no gap here
def test_rows_that_nobody_scaled_are_solved_to_the_end() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    ours = SVC(kernel="linear").fit(X, y)
    other = peers.SVC(kernel="linear").fit(X, y)
    gram, sign = X @ X.T, np.where(y == 1, 1.0, -1.0)
    assert ours.converged_
    assert ours.duality_gap_[0] < 1e-3
    # LIBSVM rounds kernel values to float32, which costs it a little here.
    assert objective(ours, gram, sign) <= objective(other, gram, sign)
    assert ours.score(X, y) == pytest.approx(other.score(X, y), abs=0.01)


@pytest.mark.parametrize("C", [100.0, 1000.0])
def test_few_features_and_a_large_c_are_solved_to_the_end(C: float) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 10))
    y = (X[:, 0] + 2 * rng.normal(size=200) > 0).astype(int)
    ours = SVC(C, kernel="linear").fit(X, y)
    other = peers.SVC(C=C, kernel="linear").fit(X, y)
    gram, sign = X @ X.T, np.where(y == 1, 1.0, -1.0)
    assert ours.converged_
    assert objective(ours, gram, sign) == pytest.approx(objective(other, gram, sign), rel=1e-6)


def test_a_regression_with_a_large_c_is_solved_to_the_end() -> None:
    X, y = load_diabetes(return_X_y=True)
    ours = SVR(1000.0, kernel="linear").fit(X, y)
    other = peers.SVR(C=1000.0, kernel="linear").fit(X, y)
    assert np.abs(ours.predict(X) - other.predict(X)).max() < 0.05


def test_one_row_much_longer_than_the_others_does_not_hold_them_up() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5)).astype(np.float32)
    y = (X[:, 0] + rng.normal(size=200) > 0).astype(int)
    plain = SVC(kernel="linear").fit(X, y)
    X[7] *= 1000
    longer = SVC(kernel="linear").fit(X, y)
    assert longer.converged_
    assert longer.n_iter_[0] < 5 * plain.n_iter_[0]


def test_a_sparse_row_may_name_a_column_twice() -> None:
    rng = np.random.default_rng(0)
    X = csr_matrix(np.where(rng.random((60, 8)) < 0.5, rng.normal(size=(60, 8)), 0))
    y = (np.asarray(X[:, 0].todense()).ravel() > 0).astype(int)
    split = csr_matrix(
        (np.repeat(X.data / 4, 4), np.repeat(X.indices, 4), X.indptr * 4), shape=X.shape
    )
    for build in (lambda: SVCSearch("linear", C=10.0), lambda: SVC()):
        whole, pieces = build().fit(X, y), build().fit(split, y)
        np.testing.assert_allclose(
            pieces.decision_function(split), whole.decision_function(X), atol=1e-3
        )
    assert not split.has_canonical_format


@pytest.mark.filterwarnings("ignore::widemargin.svm.SearchEdgeWarning")
def test_machines_that_were_stopped_are_warned_about() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 4)), rng.integers(0, 2, 80)
    with pytest.warns(ConvergenceWarning, match="in 2 of 2 cells were stopped"):
        found = SVCSearch(C=(10.0, 100.0), gamma=1.0, max_iter=3).fit(X, y)
    assert not found.cv_results_["converged"].any()
    assert not found.converged_


def test_a_row_of_weight_0_has_no_say_in_the_weights_of_kernels() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), np.tile([0, 1], 30)
    X[:40, 0] += 3 * y[:40]
    kernel = Sum((Term(KERNEL["linear"], "a"), Term(KERNEL["linear"], "b")), weights="aligned")
    blocks = {"a": slice(0, 2), "b": slice(2, 4)}
    weight = np.where(np.arange(60) < 40, 1.0, 0.0)
    weighted = SVC(kernel=kernel, blocks=blocks).fit(X, y, sample_weight=weight)
    without = SVC(kernel=kernel, blocks=blocks).fit(X[:40], y[:40])
    assert weighted.machine_.kernel is not None
    assert without.machine_.kernel is not None
    np.testing.assert_allclose(
        weighted.machine_.kernel.to_data()["weights"], without.machine_.kernel.to_data()["weights"]
    )


def product(X: Any, Y: Any) -> Any:
    return X @ Y.T


def test_a_machine_with_a_function_for_a_kernel_can_be_pickled() -> None:
    X, y = np.array([[0.0], [1.0], [4.0], [5.0]]), [0, 0, 1, 1]
    machine = SVC(kernel=product).fit(X, y)
    again = pickle.loads(pickle.dumps(machine))  # noqa: S301  # what was just dumped
    np.testing.assert_array_equal(again.decision_function(X), machine.decision_function(X))


def test_class_weights_below_0_are_refused_by_the_search_too() -> None:
    X, y = np.arange(20.0)[:, None], np.tile([0, 1], 10)
    with pytest.raises(ValueError, match="Negative values"):
        SVCSearch(class_weight={0: -1.0, 1: 1.0}).fit(X, y)


def fit_in_child(queue: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 5))
    queue.put(SVC().fit(X, X[:, 0] > 0).score(X, X[:, 0] > 0))


@needs_library
@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_can_fit() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 5))
    SVC().fit(X, X[:, 0] > 0)  # starts this process's threads
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=fit_in_child, args=(queue,))
    child.start()
    try:
        assert queue.get(timeout=60) > 0.9
    finally:
        child.terminate()


@needs_library
def test_memory_that_cannot_be_had_is_an_error_and_no_crash() -> None:
    script = """
        import resource, numpy as np
        from widemargin.native.products import pairwise
        X = np.zeros((3000, 3000), dtype=np.float32)
        pairwise(X[:10], X[:10], distances=True)
        used = int(open("/proc/self/statm").read().split()[0]) * 4096
        # Enough for the result, and not for the panels.
        resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000, -1))
        try:
            pairwise(X, X.copy(), distances=True)
        except MemoryError:
            print("told")
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("needs /proc")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "told", done.stderr[-500:]


def test_a_limit_of_threads_holds_inside_and_the_environment_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert available_threads() == 1
    X = np.random.default_rng(0).normal(size=(300, 3))
    with at_most(1):
        one = SVC(n_jobs=1).fit(X, X[:, 0] > 0).decision_function(X)
    np.testing.assert_array_equal(one, SVC(n_jobs=2).fit(X, X[:, 0] > 0).decision_function(X))


@needs_library
def test_the_structures_of_both_sides_are_of_one_size() -> None:
    import ctypes

    from widemargin.native import products
    from widemargin.svm.engines import native

    found = library()
    assert found is not None
    found.wm_size.restype = ctypes.c_int64
    mirrored = (
        native._DualsJob,
        native._RowsJob,
        products._ProductsJob,
        products._ExponentialJob,
    )
    assert [found.wm_size(which) for which in range(4)] == [ctypes.sizeof(one) for one in mirrored]
    assert found.wm_size(5) == ctypes.sizeof(products._ValuesJob)


def test_a_term_takes_a_kernels_name_and_refuses_what_is_none() -> None:
    named: Any = "rbf"
    assert Term(named).kernel is KERNEL["rbf"]
    for kernel, gamma, message in (
        ("rbg", "auto", "'rbg' is no kernel.*Did you mean 'rbf'"),
        (5, "auto", "a kernel's name or a Kernel; got 5"),
        ("rbf", -1.0, "at least 0; got -1.0"),
        ("rbf", "wide", "at least 0; got 'wide'"),
    ):
        given: Any = kernel
        width: Any = gamma
        with pytest.raises(ValueError, match=message):
            Term(given, gamma=width)


def test_a_block_beyond_the_last_column_is_refused() -> None:
    X, y = np.arange(40.0).reshape(20, 2), np.tile([0, 1], 10)
    kernel = Sum((Term(KERNEL["rbf"], "a"), Term(KERNEL["linear"], "b")))
    with pytest.raises(ValueError, match="'b' must be neighbouring columns of the 2 that X has"):
        SVC(kernel=kernel, blocks={"a": slice(0, 1), "b": slice(1, 9)}).fit(X, y)
