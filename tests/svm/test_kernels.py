"""Kernels: scikit-learn's numbers, dense and sparse, near the origin and far from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.metrics import pairwise

from widemargin.contracts import KernelParameters
from widemargin.svm import KERNELS
from widemargin.svm.kernels import LINEAR, POLY, RBF, SIGMOID

PARAMETERS = KernelParameters(gamma=0.3, degree=2, coef0=0.7)
REFERENCE = {
    "linear": pairwise.linear_kernel,
    "rbf": lambda X, Y: pairwise.rbf_kernel(X, Y, gamma=0.3),
    "poly": lambda X, Y: pairwise.polynomial_kernel(X, Y, degree=2, gamma=0.3, coef0=0.7),
    "sigmoid": lambda X, Y: pairwise.sigmoid_kernel(X, Y, gamma=0.3, coef0=0.7),
}


@pytest.fixture
def rows() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 8)) * (rng.random((30, 8)) < 0.5)
    return X, rng.normal(size=(20, 8))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize(
    ("of_X", "of_Y"), [(np.asarray, np.asarray), (csr_matrix, csr_matrix), (csr_matrix, np.asarray)]
)
def test_equals_scikit_learn(kernel: Any, of_X: Any, of_Y: Any, rows: Any) -> None:
    X, Y = rows
    gram = kernel.gram(of_X(X), of_Y(Y), PARAMETERS)
    assert isinstance(gram, np.ndarray)
    np.testing.assert_allclose(gram, REFERENCE[kernel.name](X, Y), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_leaves_its_rows_as_they_were(kernel: Any, rows: Any) -> None:
    X, Y = rows
    before = X.copy(), Y.copy()
    kernel.gram(X, Y, PARAMETERS)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(Y, before[1])


@pytest.mark.parametrize("kernel", [LINEAR, RBF, POLY], ids=lambda kernel: kernel.name)
def test_a_gram_matrix_is_symmetric_and_positive_semi_definite(kernel: Any, rows: Any) -> None:
    gram = kernel.gram(rows[0], rows[0], PARAMETERS)
    np.testing.assert_allclose(gram, gram.T, rtol=1e-14)
    assert np.linalg.eigvalsh(gram).min() > -1e-9 * np.abs(gram).max()


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


def test_rbf_does_not_change_when_all_rows_move_together(rows: Any) -> None:
    X, Y = rows
    shift = np.full(8, 1000.0)
    np.testing.assert_allclose(
        RBF.gram(X + shift, Y + shift, PARAMETERS), RBF.gram(X, Y, PARAMETERS), rtol=1e-9
    )


@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_rbf_is_one_at_home_and_never_more(form: Any, rows: Any) -> None:
    X = form(rows[0] * 1e6)
    gram = RBF.gram(X, X, KernelParameters(gamma=3e-13))
    assert gram.max() <= 1
    np.testing.assert_allclose(np.diag(gram), 1, atol=1e-12)


def test_kernels_say_which_parameters_they_depend_on(rows: Any) -> None:
    X, Y = rows
    for kernel in (LINEAR, RBF, POLY, SIGMOID):
        usual = kernel.gram(X, Y, KernelParameters())
        others: dict[str, Any] = {"gamma": 0.5, "degree": 2, "coef0": 0.5}
        for name, other in others.items():
            changed = kernel.gram(X, Y, replace(KernelParameters(), **{name: other}))
            assert (name in kernel.parameters) == (not np.array_equal(usual, changed))
