"""The shape of a cloud of vectors: in how many directions it spreads, and how evenly.

Every measure takes an array or a sparse matrix of shape (n_vectors, n_numbers). Eigenvectors are
those of the smaller of two products, numbers by numbers or vectors by vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Geometry",
    "covariance_spectrum",
    "effective_rank",
    "mean_cosine",
    "measure_geometry",
    "participation_ratio",
    "partition_ratio",
]

# Rows that are computed with in float64 at once.
_ROWS = 8192


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """What is measured of a cloud of vectors.

    Parameters
    ----------
    vectors : int
        How many there are.
    dimension : int
        Numbers of each.
    zero : int
        How many are 0 in every number: these have no direction.
    participation_ratio, effective_rank : float
        Two counts of the directions that the cloud uses; see the functions of these names.
    mean_cosine : float
        Of two different vectors.
    partition_ratio : float
        Of the vectors as they are.
    partition_ratio_of_directions : float
        Of the vectors each divided by its length: from e^-2, about 0.14, to 1 whatever the
        encoder.
    mean_length : float
        Mean length of a vector.
    """

    vectors: int
    dimension: int
    zero: int
    participation_ratio: float
    effective_rank: float
    mean_cosine: float
    partition_ratio: float
    partition_ratio_of_directions: float
    mean_length: float


def measure_geometry(vectors: Any) -> Geometry:
    """Measure everything that this module knows of a cloud of vectors.

    Parameters
    ----------
    vectors : array or sparse matrix of shape (n_vectors, n_numbers)
        At least two, finite.

    Raises
    ------
    DataError
        For fewer than two vectors, none that has a direction, or numbers that are not finite.

    Examples
    --------
    >>> ball = np.random.default_rng(0).normal(size=(5000, 3))
    >>> flat = measure_geometry(np.hstack([ball, np.zeros((5000, 7))]))
    >>> flat.dimension, round(flat.participation_ratio, 1), round(flat.effective_rank, 1)
    (10, 3.0, 3.0)
    """
    lengths = _lengths(vectors)
    if vectors.shape[0] < 2 or not lengths.any():
        raise DataError(
            f"the shape of a cloud needs at least two vectors that are not 0; there are "
            f"{int((lengths > 0).sum()):,}. Give more items."
        )
    if not np.isfinite(lengths).all():
        raise DataError("a vector is not finite, so that nothing can be measured.")
    spectrum = covariance_spectrum(vectors)
    return Geometry(
        vectors=int(vectors.shape[0]),
        dimension=int(vectors.shape[1]),
        zero=int((lengths == 0).sum()),
        participation_ratio=participation_ratio(spectrum),
        effective_rank=effective_rank(spectrum),
        mean_cosine=mean_cosine(vectors),
        partition_ratio=partition_ratio(vectors),
        partition_ratio_of_directions=partition_ratio(vectors, directions=True),
        mean_length=float(lengths.mean()),
    )


def participation_ratio(eigenvalues: NDArray[np.float64]) -> float:
    """Count the directions that a cloud uses by the eigenvalues of its covariance.

    ``(sum of l)^2 / (sum of l^2)``: d where all d eigenvalues are equal, 1 where one is all there
    is, 0 where there is none. A few large eigenvalues pull it down more than they do
    `effective_rank`. Used so by Gao, Trautmann, Yu, Santhanam, Ryu, Shenoy & Ganguli 2017,
    "A theory of multineuronal dimensionality, dynamics and measurement", doi:10.1101/214262.

    Examples
    --------
    >>> participation_ratio(np.array([2.0, 2.0, 0.0])), participation_ratio(np.array([9.0, 0.0]))
    (2.0, 1.0)
    """
    positive = np.maximum(eigenvalues, 0)
    largest = positive.max(initial=0)
    if largest == 0:
        return 0.0
    shares = positive / largest  # squares of tiny numbers would vanish
    return float(shares.sum() ** 2 / (shares**2).sum())


def effective_rank(eigenvalues: NDArray[np.float64]) -> float:
    """Count the directions that a cloud uses by the entropy of its covariance's eigenvalues.

    ``exp(-sum of p log p)`` with ``p = l / sum of l``: Roy & Vetterli 2007, "The effective rank: a
    measure of effective dimensionality", EUSIPCO, of the covariance matrix, whose singular values
    are its eigenvalues. Never below `participation_ratio`.

    Examples
    --------
    >>> round(effective_rank(np.array([2.0, 2.0, 0.0])), 6), effective_rank(np.array([9.0, 0.0]))
    (2.0, 1.0)
    """
    positive = np.maximum(eigenvalues, 0)
    largest = positive.max(initial=0)
    if largest == 0:
        return 0.0
    shares = positive / largest
    shares = shares / shares.sum()
    shares = shares[shares > 0]  # some vanish in the division
    return float(np.exp(-(shares * np.log(shares)).sum()))


def mean_cosine(vectors: Any) -> float:
    """Return the mean cosine of two different vectors: 0 where no direction is preferred.

    Ethayarajh 2019, "How contextual are contextualized word representations?", EMNLP,
    doi:10.18653/v1/D19-1006, estimates it from random pairs. With u the vectors divided by their
    lengths, the mean over all pairs is ``(|sum of u|^2 - n) / (n (n - 1))``, which takes no
    sampling. Vectors that are 0 are left out; nan where fewer than two remain.

    Examples
    --------
    >>> mean_cosine(np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]]))  # 0, 1, 0
    0.3333333333333333
    """
    total, count = np.zeros(vectors.shape[1]), 0
    for block in _blocks(vectors):
        lengths = np.linalg.norm(block, axis=1)
        kept = lengths > 0
        total += (block[kept] / lengths[kept, np.newaxis]).sum(axis=0)
        count += int(kept.sum())
    if count < 2:
        return float("nan")
    return float((total @ total - count) / (count * (count - 1)))


def partition_ratio(vectors: Any, *, directions: bool = False) -> float:
    """Return the smallest over the largest partition function: 1 where all directions are alike.

    ``min Z(c) / max Z(c)`` with ``Z(c) = sum over w of exp(c . w)``, where c goes over the
    eigenvectors of ``W^T W``, W the vectors: Mu & Viswanath 2018, "All-but-the-top", ICLR, eq. 2.
    An eigenvector's sign is arbitrary, so that both signs are taken. It is of the vectors as they
    are: twice as long ones have a smaller ratio.

    Parameters
    ----------
    vectors : array or sparse matrix of shape (n_vectors, n_numbers)
        W.
    directions : bool, default=False
        Divide each vector by its length first, where it has one.

    Examples
    --------
    >>> cross = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    >>> round(partition_ratio(cross), 6), round(partition_ratio(cross + [3, 0]), 3)
    (1.0, 0.002)
    """
    n, d = vectors.shape
    scale = np.ones(n)
    if directions:
        lengths = _lengths(vectors)
        scale = np.divide(1, lengths, out=scale, where=lengths > 0)
    logs = np.full(2 * min(n, d), -np.inf)
    for products in _projections(vectors, scale):
        both = np.concatenate([products, -products], axis=1)
        top = both.max(axis=0)
        logs = np.logaddexp(logs, top + np.log(np.exp(both - top).sum(axis=0)))
    if d > n:
        # Directions in which no vector has a part: every term is 1.
        logs = np.append(logs, np.log(n))
    return float(np.exp(logs.min() - logs.max()))


def covariance_spectrum(vectors: Any) -> NDArray[np.float64]:
    """Return the covariance's eigenvalues that can be above 0, ascending.

    Examples
    --------
    >>> covariance_spectrum(np.array([[1.0, 0], [-1, 0], [0, 2], [0, -2]])).tolist()
    [0.5, 2.0]
    """
    n, d = vectors.shape
    if d <= n:
        mean = _mean(vectors)
        product = np.zeros((d, d))
        for block in _blocks(vectors):
            block = block - mean
            product += block.T @ block
    else:
        product = _gram(vectors)
        product -= product.mean(axis=0)
        product -= product.mean(axis=1, keepdims=True)
    values: NDArray[np.float64] = np.linalg.eigvalsh(product / n)
    # What rounding leaves of eigenvalues that are 0 would count as directions.
    floor = float(np.mean(_lengths(vectors) ** 2)) * max(n, d) * np.finfo(np.float64).eps
    return np.where(values > floor, values, 0.0)


def _projections(vectors: Any, scale: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Give the scaled vectors' parts along the eigenvectors of ``W^T W``, in blocks of rows."""
    n, d = vectors.shape
    if d > n:
        values, rows = np.linalg.eigh(scale[:, np.newaxis] * _gram(vectors) * scale)
        yield rows * np.sqrt(np.maximum(values, 0))
        return
    product = np.zeros((d, d))
    for block in _blocks(vectors, scale):
        product += block.T @ block
    _, directions = np.linalg.eigh(product)
    for block in _blocks(vectors, scale):
        yield block @ directions


def _gram(vectors: Any) -> NDArray[np.float64]:
    if hasattr(vectors, "tocsr"):
        wide = vectors.astype(np.float64)
        return np.asarray((wide @ wide.T).toarray())
    wide = np.asarray(vectors, dtype=np.float64)
    return np.asarray(wide @ wide.T)


def _mean(vectors: Any) -> NDArray[np.float64]:
    total = np.zeros(vectors.shape[1])
    for block in _blocks(vectors):
        total += block.sum(axis=0)
    return np.asarray(total / vectors.shape[0])


def _lengths(vectors: Any) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *(np.linalg.norm(own, axis=1) for own in _blocks(vectors))])


def _blocks(
    vectors: Any, scale: NDArray[np.float64] | None = None
) -> Iterator[NDArray[np.float64]]:
    rows = max(1, min(_ROWS, 2**24 // max(1, vectors.shape[1])))
    for start in range(0, vectors.shape[0], rows):
        block = vectors[start : start + rows]
        block = block.toarray() if hasattr(block, "toarray") else block
        wide = np.asarray(block, dtype=np.float64)
        yield wide if scale is None else wide * scale[start : start + rows, np.newaxis]
