"""Kernels: scikit-learn's numbers, dense and sparse, near the origin and far from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix, random_array
from sklearn.metrics import pairwise

from widemargin.contracts import KernelParameters
from widemargin.svm import KERNELS
from widemargin.svm.kernels import CHI2, COSINE, LAPLACIAN, LINEAR, POLY, RBF, SIGMOID
from widemargin.svm.kernels import pairwise as own
from widemargin.svm.kernels.custom import from_callable
from widemargin.svm.kernels.pairwise import products, squared_distances, squared_lengths

PARAMETERS = KernelParameters(gamma=0.3, degree=2, coef0=0.7)
REFERENCE = {
    "linear": pairwise.linear_kernel,
    "rbf": lambda X, Y: pairwise.rbf_kernel(X, Y, gamma=0.3),
    "poly": lambda X, Y: pairwise.polynomial_kernel(X, Y, degree=2, gamma=0.3, coef0=0.7),
    "sigmoid": lambda X, Y: pairwise.sigmoid_kernel(X, Y, gamma=0.3, coef0=0.7),
    "laplacian": lambda X, Y: pairwise.laplacian_kernel(X, Y, gamma=0.3),
    "chi2": lambda X, Y: pairwise.chi2_kernel(X, Y, gamma=0.3),
    "cosine": pairwise.cosine_similarity,
}
FORMS = {
    "dense-dense": (np.asarray, np.asarray),
    "csr-csr": (csr_matrix, csr_matrix),
    "csr-dense": (csr_matrix, np.asarray),
    "dense-csr": (np.asarray, csr_matrix),
    "array-array": (csr_array, csr_array),
}

each_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
each_form = pytest.mark.parametrize(("of_X", "of_Y"), FORMS.values(), ids=FORMS)
each_share = pytest.mark.parametrize("share", [0.1, 0.6], ids=["sparse", "filled"])


def make_rows(kernel: Any, share: float = 0.5, n_features: int = 8) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X, Y = (
        rng.normal(size=(n, n_features)) * (rng.random((n, n_features)) < share) for n in (30, 20)
    )
    X[3] = 0
    return (np.abs(X), np.abs(Y)) if kernel is CHI2 else (X, Y)


@each_kernel
@each_form
@each_share
def test_equals_scikit_learn(kernel: Any, of_X: Any, of_Y: Any, share: float) -> None:
    X, Y = make_rows(kernel, share)
    gram = kernel.gram(of_X(X), of_Y(Y), PARAMETERS)
    assert isinstance(gram, np.ndarray)
    assert gram.dtype == np.float64
    np.testing.assert_allclose(gram, REFERENCE[kernel.name](X, Y), rtol=1e-10, atol=1e-10)


@each_kernel
@each_form
@each_share
def test_float32_rows_give_float32_near_scikit_learn(
    kernel: Any, of_X: Any, of_Y: Any, share: float
) -> None:
    X, Y = (rows.astype(np.float32) for rows in make_rows(kernel, share))
    gram = kernel.gram(of_X(X), of_Y(Y), PARAMETERS)
    assert gram.dtype == np.float32
    assert gram.flags.c_contiguous
    expected = REFERENCE[kernel.name](X.astype(np.float64), Y.astype(np.float64))
    np.testing.assert_allclose(gram, expected, rtol=1e-5, atol=1e-5)


@each_kernel
@pytest.mark.parametrize("other", [np.float64, np.int64])
def test_other_rows_give_float64(kernel: Any, other: Any) -> None:
    X, Y = make_rows(kernel)
    whole = np.round(Y * 5)
    for form in (np.asarray, csr_matrix):
        gram = kernel.gram(form(X.astype(np.float32)), form(whole.astype(other)), PARAMETERS)
        assert gram.dtype == np.float64
        expected = REFERENCE[kernel.name](X.astype(np.float32).astype(np.float64), whole)
        np.testing.assert_allclose(gram, expected, rtol=1e-9, atol=1e-9)


@each_kernel
@each_form
def test_leaves_its_rows_as_they_were(kernel: Any, of_X: Any, of_Y: Any) -> None:
    X, Y = (form(rows) for form, rows in zip((of_X, of_Y), make_rows(kernel), strict=True))
    before = X.copy(), Y.copy()
    kernel.gram(X, Y, PARAMETERS)
    kernel.gram(X, X, PARAMETERS)
    assert abs(X - before[0]).max() == 0
    assert abs(Y - before[1]).max() == 0


@each_kernel
def test_value_keeps_the_quantity_for_the_next_gamma(kernel: Any) -> None:
    X, Y = make_rows(kernel)
    quantity = kernel.pairwise(X, Y)
    kept, out = quantity.copy(), np.empty_like(quantity)
    for gamma in (0.1, 10.0):
        parameters = replace(PARAMETERS, gamma=gamma)
        assert kernel.value(quantity, parameters, out) is out
        np.testing.assert_array_equal(quantity, kept)
        np.testing.assert_array_equal(out, kernel.gram(X, Y, parameters))
    assert kernel.value(quantity, parameters, quantity) is quantity
    np.testing.assert_array_equal(quantity, out)


@each_kernel
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
@pytest.mark.parametrize("block", [1, 100, 10**6])
def test_a_gram_matrix_of_one_set_of_rows_is_symmetric_to_the_last_bit(
    kernel: Any, dtype: Any, form: Any, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = make_rows(kernel, 0.2)[0].astype(dtype)
    expected = REFERENCE[kernel.name](X.astype(np.float64), X.astype(np.float64))
    monkeypatch.setattr(own, "_BLOCK", block)
    rows = form(X)
    gram = kernel.gram(rows, rows, PARAMETERS)
    np.testing.assert_array_equal(gram, gram.T)
    tolerance = 1e-10 if dtype is np.float64 else 1e-5
    np.testing.assert_allclose(gram, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "kernel", [LINEAR, RBF, POLY, LAPLACIAN, CHI2, COSINE], ids=lambda kernel: kernel.name
)
def test_a_gram_matrix_is_positive_semi_definite(kernel: Any) -> None:
    X, _ = make_rows(kernel)
    gram = kernel.gram(X, X, PARAMETERS)
    assert np.linalg.eigvalsh(gram).min() > -1e-9 * np.abs(gram).max()


@pytest.mark.parametrize("kernel", [RBF, LAPLACIAN, CHI2], ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_distance_kernel_is_one_at_home_and_never_more(
    kernel: Any, dtype: Any, form: Any, share: float
) -> None:
    X = form((make_rows(kernel, share)[0] * 1e6).astype(dtype))
    gram = kernel.gram(X, X, KernelParameters(gamma=3e-13))
    assert gram.max() == 1
    assert (np.diag(gram) == 1).all()
    assert kernel.gram(X, X.copy(), KernelParameters(gamma=3e-13)).max() <= 1


@each_kernel
def test_kernels_say_which_parameters_they_depend_on(kernel: Any) -> None:
    X, Y = make_rows(kernel)
    usual = kernel.gram(X, Y, KernelParameters())
    others: dict[str, Any] = {"gamma": 0.5, "degree": 2, "coef0": 0.5}
    for name, other in others.items():
        changed = kernel.gram(X, Y, replace(KernelParameters(), **{name: other}))
        assert (name in kernel.parameters) == (not np.array_equal(usual, changed))


@each_kernel
@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_no_support_vector_at_all_is_no_error(kernel: Any, form: Any) -> None:
    X, Y = make_rows(kernel)
    assert kernel.gram(form(X), form(Y[:0]), PARAMETERS).shape == (30, 0)


@each_kernel
def test_unordered_repeated_and_stored_zero_entries_of_csr_rows_do_no_harm(kernel: Any) -> None:
    # Row 0 holds column 2 twice, before column 0; row 1 stores a zero.
    X = csr_matrix(([1.0, 2.0, 3.0, 0.0, 1.0], [2, 0, 2, 1, 2], [0, 3, 5]), shape=(2, 30))
    gram = kernel.gram(X, X, PARAMETERS)
    np.testing.assert_allclose(gram, REFERENCE[kernel.name](X.toarray(), X.toarray()), rtol=1e-12)
    assert X.nnz == 5


# Distances


def test_rbf_tells_near_duplicates_apart_far_from_the_origin() -> None:
    near = np.array([[0.0, 0.0], [1e-3, 0.0], [0.0, 2e-3]])
    far = near + 1e6
    parameters = KernelParameters(gamma=1e5)
    distances = ((near[:, None] - near[None]) ** 2).sum(axis=2)
    expected = np.exp(-1e5 * distances)
    for other in (far, far.copy()):
        np.testing.assert_allclose(RBF.gram(far, other, parameters), expected, rtol=1e-4)
    naive = (far**2).sum(axis=1)[:, None] + (far**2).sum(axis=1) - 2 * far @ far.T
    assert np.abs(naive - distances).max() > 0.5 * distances.max()  # what it is about


def test_float32_near_duplicates_keep_the_distance_that_float32_holds() -> None:
    near = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    far = (near + 1e5).astype(np.float32)
    distances = ((near[:, None] - near[None]) ** 2).sum(axis=2)
    for other in (far, far.copy()):
        found = squared_distances(far, other)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, distances, rtol=1e-5, atol=1e-5)


def test_rbf_does_not_change_when_all_rows_move_together() -> None:
    X, Y = make_rows(RBF)
    shift = np.full(8, 1000.0)
    np.testing.assert_allclose(
        RBF.gram(X + shift, Y + shift, PARAMETERS), RBF.gram(X, Y, PARAMETERS), rtol=1e-9
    )


def test_products_beyond_float32_are_infinite_and_no_warning() -> None:
    X = np.array([[1e30, -1e30], [1.0, 1.0]], dtype=np.float32)
    assert products(X, X)[0, 0] == np.inf
    assert not np.isfinite(squared_distances(X, X.copy())).all()
    assert not np.isfinite(POLY.gram(X, X.copy(), PARAMETERS)).all()


def test_squared_lengths_are_summed_in_float64() -> None:
    X = np.array([[1e4, 1e-2]], dtype=np.float32)
    for form in (np.asarray, csr_matrix):
        lengths = squared_lengths(form(X))
        assert lengths.dtype == np.float64
        np.testing.assert_allclose(lengths, (X.astype(np.float64) ** 2).sum(axis=1), rtol=1e-15)


VALUES = st.one_of(st.just(0.0), st.floats(-100, 100, width=32))


@settings(max_examples=60)
@given(st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=2, max_size=6), st.data())
def test_sparse_rows_have_the_distances_of_dense_ones(rows: list[Any], data: Any) -> None:
    n_blank = data.draw(st.sampled_from([0, 200]))  # with many empty columns CSR stays CSR
    X = np.hstack([np.array(rows), np.zeros((len(rows), n_blank))])
    for kernel, values in ((RBF, X), (LAPLACIAN, X), (CHI2, np.abs(X))):
        found = kernel.pairwise(csr_matrix(values), csr_matrix(values[::-1]))
        direct = {
            "rbf": lambda x, y: (x - y) ** 2,
            "laplacian": lambda x, y: np.abs(x - y),
            "chi2": lambda x, y: np.divide(
                (x - y) ** 2, x + y, out=np.zeros_like(x * y), where=x + y > 0
            ),
        }[kernel.name](values[:, None], values[::-1][None]).sum(axis=2)
        np.testing.assert_allclose(found, direct, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kernel", [LINEAR, RBF, LAPLACIAN, CHI2], ids=lambda kernel: kernel.name)
def test_wide_sparse_rows_are_never_made_dense(kernel: Any) -> None:
    rng = np.random.default_rng(0)
    # Dense, these would take 4 GB.
    wide: Any = random_array((50, 10**7), density=1e-6, format="csr", random_state=rng)
    X = csr_matrix(wide)
    first = X[:3, X[:3].indices]
    gram = kernel.gram(X, X, PARAMETERS)
    assert gram.shape == (50, 50)
    expected = REFERENCE[kernel.name](first.toarray(), first.toarray())
    np.testing.assert_allclose(gram[:3, :3], expected, rtol=1e-9)


# Each kernel's own


@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_chi2_refuses_negative_values_and_says_what_to_do(form: Any) -> None:
    X, Y = form(np.array([[1.0, 0.0]])), form(np.array([[1.0, -1e-9]]))
    advice = (
        " contains negative values. The chi2 kernel compares counts and shares, which are at least "
        "0: scale each feature to a range such as 0 to 1, or choose another kernel, such as "
        "laplacian."
    )
    for pair, name in (((Y, X), "X"), ((X, Y), "Y"), ((Y, Y), "X")):
        with pytest.raises(ValueError, match=rf"^{name} contains negative values\.") as caught:
            CHI2.gram(*pair, PARAMETERS)
        assert str(caught.value) == name + advice


def test_cosine_of_a_row_without_length_is_zero() -> None:
    X = np.array([[0.0, 0.0], [3.0, 4.0]])
    for form in (np.asarray, csr_matrix):
        gram = COSINE.gram(form(X), form(X), PARAMETERS)
        np.testing.assert_allclose(gram, [[0, 0], [0, 1]], atol=1e-15)


@settings(max_examples=30)
@given(st.floats(1e-3, 1e3), st.integers(0, 99))
def test_cosine_does_not_depend_on_length(factor: float, seed: int) -> None:
    X = np.random.default_rng(seed).normal(size=(5, 3))
    np.testing.assert_allclose(
        COSINE.gram(factor * X, X, PARAMETERS), COSINE.gram(X, X, PARAMETERS), rtol=1e-10
    )


@pytest.mark.parametrize("degree", range(11))
def test_poly_takes_any_degree(degree: int) -> None:
    X, Y = make_rows(POLY)
    gram = POLY.gram(X, Y, replace(PARAMETERS, degree=degree))
    np.testing.assert_allclose(gram, (0.3 * X @ Y.T + 0.7) ** degree, rtol=1e-10, atol=1e-12)


def test_sigmoid_and_the_rest_have_names_of_their_own() -> None:
    assert SIGMOID in KERNELS
    assert [kernel.name for kernel in KERNELS] == list(REFERENCE)
    assert all(kernel.summary for kernel in KERNELS)


# Functions of the caller's own


def test_a_function_is_a_kernel() -> None:
    X, Y = make_rows(LINEAR)
    kernel = from_callable(lambda X, Y: X @ Y.T + 1)
    assert kernel.name == "callable"
    assert not kernel.parameters
    np.testing.assert_array_equal(kernel.gram(X, Y, PARAMETERS), X @ Y.T + 1)
    sparse = from_callable(lambda X, Y: X @ Y.T)
    np.testing.assert_allclose(
        sparse.gram(csr_matrix(X), csr_matrix(Y), PARAMETERS), X @ Y.T, atol=1e-12
    )
    counts = from_callable(lambda X, Y: np.ones((len(X), len(Y)), dtype=np.int64))
    assert counts.gram(X, Y, PARAMETERS).dtype == np.float64
    narrow = (X.astype(np.float32), Y.astype(np.float32))
    assert counts.gram(*narrow, PARAMETERS).dtype == np.float32


def test_what_a_function_returned_is_never_written_to() -> None:
    kept: NDArray[np.float64] = np.ones((30, 20))
    kernel = from_callable(lambda X, Y: kept)
    gram = kernel.gram(*make_rows(LINEAR), PARAMETERS)
    gram[...] = 5
    assert (kept == 1).all()


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (
            np.ones((3, 2)),
            "The kernel function returned an array of shape (3, 2) for 30 rows of X and 20 rows of "
            "Y; it must return one of shape (30, 20).",
        ),
        (
            1.0,
            "The kernel function returned an array of shape () for 30 rows of X and 20 rows of Y; "
            "it must return one of shape (30, 20).",
        ),
        (
            np.where(np.arange(600).reshape(30, 20) == 43, np.nan, 1.0),
            "The kernel function returned nan for row 2 of X and row 3 of Y; it must return finite "
            "numbers.",
        ),
        (
            np.full((30, 20), 1j),
            "The kernel function returned values of type complex128; it must return real numbers.",
        ),
        (
            None,
            "The kernel function returned values of type object; it must return real numbers.",
        ),
    ],
)
def test_what_is_no_gram_matrix_is_refused(returned: Any, message: str) -> None:
    kernel = from_callable(lambda X, Y: returned)
    with pytest.raises(ValueError, match=r"^The kernel function returned") as caught:
        kernel.gram(*make_rows(LINEAR), PARAMETERS)
    assert str(caught.value) == message
