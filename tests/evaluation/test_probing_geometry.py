"""The shape of a cloud of vectors, against clouds whose shape is known and plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from widemargin.errors import DataError
from widemargin.evaluation.probing.geometry import (
    covariance_spectrum,
    effective_rank,
    mean_cosine,
    measure_geometry,
    participation_ratio,
    partition_ratio,
)


def rotation(size: int, seed: int = 0) -> NDArray[np.float64]:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


@pytest.mark.parametrize("rank", [1, 3, 10, 40])
def test_an_isotropic_gaussian_of_rank_r_has_about_r_dimensions(rank: int) -> None:
    cloud = np.random.default_rng(rank).normal(size=(20_000, rank))
    hidden = np.hstack([cloud, np.zeros((20_000, 50 - rank))]) @ rotation(50) + 7
    found = measure_geometry(hidden)
    assert found.dimension == 50
    assert found.participation_ratio == pytest.approx(rank, rel=0.01)
    assert found.effective_rank == pytest.approx(rank, rel=0.01)


def test_unequal_variances_have_the_dimensions_of_the_formulas() -> None:
    variances = np.array([8.0, 4.0, 2.0, 1.0])
    cloud = np.random.default_rng(0).normal(size=(200_000, 4)) * np.sqrt(variances)
    found = measure_geometry(cloud)
    shares = variances / variances.sum()
    assert found.participation_ratio == pytest.approx(1 / (shares**2).sum(), rel=0.02)
    assert found.effective_rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=0.02)


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1e150)))
def test_dimensions_lie_between_1_and_all_and_entropy_counts_no_fewer(
    eigenvalues: NDArray[np.float64],
) -> None:
    ratio, rank = participation_ratio(eigenvalues), effective_rank(eigenvalues)
    if not eigenvalues.any():
        assert (ratio, rank) == (0, 0)
        return
    assert 1 - 1e-9 <= ratio <= rank + 1e-6 <= (eigenvalues > 0).sum() + 2e-6


def test_more_numbers_than_vectors_are_measured_alike() -> None:
    tall = np.random.default_rng(1).normal(size=(30, 8)) * np.arange(1, 9) + 0.5
    wide = np.hstack([tall, np.zeros((30, 40))]) @ rotation(48)
    one, other = measure_geometry(tall), measure_geometry(wide)
    for name in ("participation_ratio", "effective_rank", "mean_cosine", "mean_length"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9)


def test_sparse_rows_are_measured_as_dense_ones_are() -> None:
    rng = np.random.default_rng(2)
    for shape in ((60, 9), (20, 90)):
        dense = rng.normal(size=shape) * (rng.random(shape) < 0.3)
        dense[3] = 0
        one, other = measure_geometry(dense), measure_geometry(csr_matrix(dense))
        assert one.zero == other.zero >= 1
        for name, value in vars(one).items():
            assert getattr(other, name) == pytest.approx(value, rel=1e-9), name


def test_the_mean_cosine_is_that_of_all_pairs() -> None:
    vectors = np.random.default_rng(3).normal(size=(40, 5)) + 0.3
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    above = np.triu_indices(40, 1)
    assert mean_cosine(vectors) == pytest.approx((unit @ unit.T)[above].mean())
    with_zero = np.vstack([vectors, np.zeros(5)])
    assert mean_cosine(with_zero) == pytest.approx(mean_cosine(vectors))


def test_a_cone_has_a_high_cosine_and_a_low_partition_ratio() -> None:
    ball = np.random.default_rng(4).normal(size=(5000, 20))
    cone = ball + 6 * np.eye(20)[0]
    round_, narrow = measure_geometry(ball), measure_geometry(cone)
    assert abs(round_.mean_cosine) < 0.01
    assert narrow.mean_cosine > 0.5
    assert round_.partition_ratio_of_directions > 0.95
    assert narrow.partition_ratio_of_directions < 0.4
    assert narrow.partition_ratio < 0.001
    assert narrow.participation_ratio == pytest.approx(round_.participation_ratio)


def test_the_partition_ratio_is_that_of_the_formula() -> None:
    vectors = np.random.default_rng(5).normal(size=(25, 4)) + 0.4
    _, directions = np.linalg.eigh(vectors.T @ vectors)
    sums = np.exp(vectors @ np.hstack([directions, -directions])).sum(axis=0)
    assert partition_ratio(vectors) == pytest.approx(sums.min() / sums.max())
    wide = np.hstack([vectors, np.zeros((25, 60))])
    # A direction without any part of a vector sums up to their number.
    whole = np.append(sums, 25)
    assert partition_ratio(wide) == pytest.approx(whole.min() / whole.max())


def test_long_vectors_overflow_nothing() -> None:
    found = measure_geometry(np.random.default_rng(6).normal(size=(50, 3)) * 1e6)
    assert found.partition_ratio == 0
    assert found.participation_ratio > 2


def test_one_vector_repeated_uses_no_direction() -> None:
    found = measure_geometry(np.tile([3.0, 4.0, 0.1], (10, 1)))
    assert (found.participation_ratio, found.effective_rank) == (0, 0)
    assert found.mean_cosine == pytest.approx(1)
    assert covariance_spectrum(np.ones((3, 2))).tolist() == [0, 0]


@pytest.mark.parametrize("vectors", [np.zeros((5, 3)), np.ones((1, 3)), np.ones((0, 3))])
def test_too_few_vectors_are_refused(vectors: NDArray[np.float64]) -> None:
    with pytest.raises(DataError, match="at least two vectors"):
        measure_geometry(vectors)


def test_a_vector_that_is_not_finite_is_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        measure_geometry(np.array([[1.0, np.nan], [1.0, 2.0]]))
