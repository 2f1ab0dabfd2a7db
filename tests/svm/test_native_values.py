"""Values of growing sets by the native library: against NumPy's at every level, by any threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin import native
from widemargin.native import jobs, products
from widemargin.native.products import mirror, rbf_values, subtract_rows

pytestmark = pytest.mark.skipif(native.library() is None, reason="not compiled")

GAMMA = 0.05
N = 150
every_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])
# None at all; one; one below, at and above the panels of every level.
COUNTS = [(0, 3), (3, 0), (1, 1), (4, 8), (5, 9), (11, 31), (12, 32), (13, 33), (65, 47), (6, 150)]


def chosen(count: int, seed: int) -> NDArray[np.int64]:
    """Return some rows, in order, as growing sets have them."""
    return np.sort(np.random.default_rng(seed).permutation(N)[:count]).astype(np.int64)


def rows(d: int, dtype: Any) -> NDArray[Any]:
    return np.random.default_rng(0).normal(size=(N, d)).astype(dtype)


def exact(X: NDArray[Any]) -> NDArray[np.float64]:
    wide = X.astype(np.float64)
    values: NDArray[np.float64] = np.exp(-GAMMA * ((wide[:, None] - wide) ** 2).sum(axis=2))
    return values


def places_of(which: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return rows of a matrix for these rows, in another order."""
    return np.random.default_rng(5).permutation(N)[: len(which)].astype(np.int64)


def precision(dtype: Any) -> float:
    return 1e-5 if dtype == np.float32 else 1e-13


@pytest.mark.usefixtures("level")
@every_type
@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("d", [1, 17])
def test_values_of_some_rows_are_those_of_numpy(
    dtype: Any, counts: tuple[int, int], d: int
) -> None:
    X = rows(d, dtype)
    own, others = chosen(counts[0], 1), chosen(counts[1], 2)
    places, centre = places_of(own), X.mean(axis=0, dtype=np.float64)
    expected = np.full((N, N), 7.0)
    expected[np.ix_(places, others)] = exact(X)[np.ix_(own, others)]
    out = np.full((N, N), 7, dtype=dtype)
    assert rbf_values(X, own, others, GAMMA, centre, out, places)
    np.testing.assert_allclose(out, expected, rtol=0, atol=precision(dtype))
    # Whatever was not asked for keeps its value to the last bit.
    asked = np.zeros((N, N), dtype=np.bool_)
    asked[np.ix_(places, others)] = True
    np.testing.assert_array_equal(out[~asked], 7)


@pytest.mark.usefixtures("level")
@every_type
@pytest.mark.parametrize("count", [1, 2, 31, 33, 65, N])
def test_values_of_rows_against_each_other_are_symmetric_to_the_last_bit(
    dtype: Any, count: int
) -> None:
    X, own = rows(17, dtype), chosen(count, 1)
    places, out = places_of(own), np.full((N, N), 7, dtype=dtype)
    assert rbf_values(X, own, own, GAMMA, X.mean(axis=0, dtype=np.float64), out, places)
    found = out[np.ix_(places, own)]
    np.testing.assert_allclose(found, exact(X)[np.ix_(own, own)], atol=precision(dtype))
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(found.diagonal(), 1)
    assert (out == 7).sum() == N * N - count * count


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 1e20), (np.float64, 1e160)])
def test_values_of_lengths_beyond_the_type_are_left_to_the_caller(dtype: Any, huge: float) -> None:
    X = rows(3, dtype)
    X[9] *= dtype(huge)
    out, every = np.empty((N, N), dtype=dtype), np.arange(N)
    centre = np.zeros(3)
    assert not rbf_values(X, every, every, GAMMA, centre, out, every)
    rest = np.delete(every, 9)
    assert rbf_values(X, rest, rest, GAMMA, centre, out, rest)


# Eight rows are subtracted at once, from 1,024 numbers at a time.
@pytest.mark.usefixtures("level")
@every_type
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 29])
@pytest.mark.parametrize("width", [1, 15, 33, 1023, 1024, 1025, 2500])
def test_subtracted_rows_are_those_of_numpy(dtype: Any, count: int, width: int) -> None:
    rng = np.random.default_rng(0)
    # Rows of the matrix are longer than what is subtracted.
    gram = rng.normal(size=(40, width + 3)).astype(dtype)
    which, factors = rng.permutation(40)[:count].astype(np.int64), rng.normal(size=count)
    whole = rng.normal(size=width + 2)
    v = whole[1:-1]
    expected = whole.copy()
    expected[1:-1] -= factors @ gram[which, :width].astype(np.float64)
    subtract_rows(v, gram, which, factors)
    # In double precision, whatever the matrix is of.
    np.testing.assert_allclose(whole, expected, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(whole[[0, -1]], expected[[0, -1]])


@pytest.mark.usefixtures("level")
@every_type
@pytest.mark.parametrize("counts", COUNTS)
def test_mirrored_values_are_the_transposed_ones(dtype: Any, counts: tuple[int, int]) -> None:
    drawn = np.random.default_rng(0).permutation(N).astype(np.int64)
    own = np.sort(drawn[: counts[0]])
    others = np.sort(drawn[counts[0] :][: counts[1]])
    places = np.random.default_rng(5).permutation(N).astype(np.int64)
    gram = np.random.default_rng(6).normal(size=(N, N)).astype(dtype)
    expected = gram.copy()
    expected[np.ix_(places[others], own)] = gram[np.ix_(places[own], others)].T
    mirror(gram, places, own, others)
    np.testing.assert_array_equal(gram, expected)


@every_type
def test_the_number_of_threads_changes_no_bit_of_values(
    dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, own, others = rows(17, dtype), chosen(70, 1), chosen(140, 2)
    rest = np.setdiff1d(others, own)
    places, centre = np.arange(N)[::-1].copy(), X.mean(axis=0, dtype=np.float64)
    rng = np.random.default_rng(0)
    wide, factors = rng.normal(size=(70, 5000)).astype(dtype), rng.normal(size=70)
    monkeypatch.setattr(products, "_SMALL_PRODUCTS", 0)

    def everything() -> list[NDArray[Any]]:
        gram, v = np.zeros((N, N), dtype=dtype), np.zeros(5000)
        assert rbf_values(X, own, own, GAMMA, centre, gram, places[own])
        assert rbf_values(X, own, rest, GAMMA, centre, gram, places[own])
        mirror(gram, places, own, rest)
        subtract_rows(v, wide, np.arange(70), factors)
        return [gram, v]

    several = []
    for count in (1, 2, 7):
        monkeypatch.setattr(jobs, "available_threads", lambda count=count: count)
        several.append(everything())
    for found in several[1:]:
        for one, other in zip(found, several[0], strict=True):
            np.testing.assert_array_equal(one, other)
