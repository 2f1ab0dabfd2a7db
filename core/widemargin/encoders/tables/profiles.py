"""Expression profiles made comparable, each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ranked", "reference_of", "standardised"]


def reference_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the rows' sorted values; a row with fewer is stretched to all places.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_genes)
        Profiles; NaN where a value is missing.

    Returns
    -------
    ndarray of shape (n_genes,)
        Zeros where there is no value at all.

    Examples
    --------
    >>> reference_of(np.array([[3.0, 1.0], [5.0, 7.0]])).tolist()
    [3.0, 5.0]
    """
    n = values.shape[1]
    rows = [np.sort(own[~np.isnan(own)]) for own in values]
    stretched = [_at(own, np.arange(n), n) for own in rows if len(own)]
    mean: NDArray[np.float64] = np.mean(stretched, axis=0) if stretched else np.zeros(n)
    return mean


def ranked(values: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give each value the reference's of equal rank within its row.

    Examples
    --------
    >>> ranked(np.array([[10.0, -3.0]]), np.array([3.0, 5.0])).tolist()
    [[5.0, 3.0]]
    """
    from scipy.stats import rankdata

    out = np.full_like(values, np.nan)
    for row, own in zip(out, values, strict=True):
        known = ~np.isnan(own)
        # Equal values have the mean of their ranks, and so the same result.
        ranks = rankdata(own[known]) - 1
        row[known] = _at(reference, ranks, int(known.sum()))
    return out


def standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring each row to mean 0 and deviation 1 over its known values; a constant row becomes 0.

    Examples
    --------
    >>> standardised(np.array([[1.0, 3.0], [5.0, 5.0]])).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    centre = np.where(known, values, 0.0).sum(axis=1, keepdims=True) / count
    away = values - centre
    spread = np.sqrt(np.where(known, away**2, 0.0).sum(axis=1, keepdims=True) / count)
    constant = spread <= 1e-12 * np.maximum(1.0, np.abs(centre))
    levelled: NDArray[np.float64] = np.where(
        constant, 0.0 * away, away / np.where(constant, 1, spread)
    )
    return levelled


def _at(
    reference: NDArray[np.float64], ranks: NDArray[np.floating[Any]] | NDArray[np.intp], size: int
) -> NDArray[np.float64]:
    """Read a sorted array at ranks that go from 0 to `size` less 1."""
    last = len(reference) - 1
    # A lone value stands in the middle.
    places = ranks * (last / (size - 1)) if size > 1 else np.full(len(ranks), last / 2)
    read: NDArray[np.float64] = np.interp(places, np.arange(last + 1), reference)
    return read
