"""Grids: follow the scale of the data, and leave the user's values alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, vstack

from widemargin.svm.grid import c_grid, gamma_grid, middle_gamma
from widemargin.svm.kernels import CHI2, LAPLACIAN, LINEAR, POLY, RBF, SIGMOID

X = np.random.default_rng(0).normal(size=(80, 6))


@given(st.integers(-6, 6))
def test_rows_ten_times_as_long_need_a_hundredth_of_the_c(power: int) -> None:
    scaled = c_grid("auto", LINEAR, X * 10.0**power)
    np.testing.assert_allclose(scaled, np.array(c_grid("auto", LINEAR, X)) / 100.0**power)


@given(st.integers(-20, 20))
def test_rows_twice_as_long_need_a_quarter_of_the_gamma(power: int) -> None:
    scaled = np.array(gamma_grid("auto", RBF, X * 2.0**power, 0), dtype=float)
    np.testing.assert_array_equal(scaled, np.array(gamma_grid("auto", RBF, X, 0)) / 4.0**power)


@settings(max_examples=25)
@given(st.floats(1e-6, 1e6))
def test_the_middle_of_the_path_fits_the_rows_within_rounding(scale: float) -> None:
    rows = X * scale
    middle = c_grid("auto", LINEAR, rows)[3]
    assert 10**-0.52 < middle * (rows**2).sum(axis=1).mean() < 10**0.52
    gammas = gamma_grid("auto", RBF, rows, 0)
    assert gammas[2] is not None
    distances = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    median = np.median(distances[np.triu_indices(len(rows), 1)])
    assert 2**-0.51 < gammas[2] * median < 2**0.51


@settings(max_examples=25)
@given(st.integers(-20, 20))
def test_rows_twice_as_long_need_half_the_gamma_of_the_other_distances(power: int) -> None:
    rows = np.abs(X)
    for kernel in (LAPLACIAN, CHI2):
        scaled = np.array(gamma_grid("auto", kernel, rows * 2.0**power, 0), dtype=float)
        usual = np.array(gamma_grid("auto", kernel, rows, 0), dtype=float)
        np.testing.assert_array_equal(scaled, usual / 2.0**power)


def test_each_kernel_of_a_distance_goes_by_the_median_of_its_own() -> None:
    rows = np.abs(X)
    sums, differences = rows[:, None] + rows[None], np.abs(rows[:, None] - rows[None])
    for kernel, distances in (
        (RBF, (differences**2).sum(axis=2)),
        (LAPLACIAN, differences.sum(axis=2)),
        (CHI2, (differences**2 / sums).sum(axis=2)),
    ):
        median = np.median(distances[np.triu_indices(len(rows), 1)])
        middle = middle_gamma(kernel, rows, 0)
        assert 2**-0.51 < middle * median < 2**0.51
        assert gamma_grid("auto", kernel, rows, 0) == tuple(
            middle * step for step in (1 / 16, 1 / 4, 1.0, 4.0)
        )


def test_rows_without_features_have_a_gamma() -> None:
    for kernel in (RBF, POLY):
        assert middle_gamma(kernel, np.empty((3, 0)), 0) == 1.0


@pytest.mark.parametrize("kernel", [LINEAR, RBF, POLY, SIGMOID], ids=lambda kernel: kernel.name)
def test_dense_and_sparse_rows_have_the_same_grid(kernel: Any) -> None:
    sparse = csr_matrix(X)
    assert c_grid("auto", kernel, sparse) == c_grid("auto", kernel, X)
    assert gamma_grid("auto", kernel, sparse, 0) == gamma_grid("auto", kernel, X, 0)


@pytest.mark.parametrize("kernel", [LINEAR, RBF, POLY, SIGMOID], ids=lambda kernel: kernel.name)
def test_paths_rise(kernel: Any) -> None:
    values = c_grid("auto", kernel, X)
    assert list(values) == sorted(set(values))
    gammas = [gamma for gamma in gamma_grid("auto", kernel, X, 0) if gamma is not None]
    assert gammas == sorted(set(gammas))


@pytest.mark.parametrize("kernel", [POLY, SIGMOID], ids=lambda kernel: kernel.name)
def test_gamma_of_the_other_kernels_is_scikit_learns_scale(kernel: Any) -> None:
    (gamma,) = gamma_grid("auto", kernel, X, 0)
    assert gamma == pytest.approx(1 / (X.shape[1] * X.var()), rel=1e-2)


def test_a_kernel_without_gamma_has_none() -> None:
    assert gamma_grid((0.1, 1.0), LINEAR, X, 0) == (None,)


def test_given_values_are_tried_in_increasing_order() -> None:
    assert c_grid((3.0, 0.1), LINEAR, X) == (0.1, 3.0)
    assert c_grid(7.0, RBF, X) == (7.0,)
    assert gamma_grid((3.0, 0.1), RBF, X, 0) == (0.1, 3.0)
    assert gamma_grid(7.0, RBF, X, 0) == (7.0,)


@pytest.mark.parametrize("rows", [np.zeros((5, 3)), np.ones((1, 3)), np.ones((5, 3))])
@pytest.mark.parametrize("kernel", [LINEAR, RBF, POLY], ids=lambda kernel: kernel.name)
def test_rows_without_any_spread_have_a_grid_all_the_same(kernel: Any, rows: Any) -> None:
    assert all(C > 0 for C in c_grid("auto", kernel, rows))
    assert all(gamma is None or gamma > 0 for gamma in gamma_grid("auto", kernel, rows, 0))


def test_many_rows_are_sampled_by_the_seed() -> None:
    rng = np.random.default_rng(1)
    many = vstack([csr_matrix(rng.normal(size=(1500, 4)))], format="csr")
    assert gamma_grid("auto", RBF, many, 3) == gamma_grid("auto", RBF, many, 3)
