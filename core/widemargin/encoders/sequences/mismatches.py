"""K-mers that are alike but for a few mismatches."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["neighbours"]


def neighbours(kmers: NDArray[np.int64], k: int, base: int, mismatches: int) -> NDArray[np.int64]:
    """Return all k-mers that differ from each in at most so many letters.

    Parameters
    ----------
    kmers : ndarray of shape (n_kmers,)
        Stretches of `k` letters as numbers to the base of the alphabet's size.
    k, base, mismatches : int
        Letters of a k-mer, letters of the alphabet, letters that may differ.

    Returns
    -------
    ndarray of shape (n_kmers, n_neighbours)
        Each k-mer itself first.

    Examples
    --------
    >>> neighbours(np.array([0]), k=2, base=3, mismatches=1).tolist()
    [[0, 3, 6, 1, 2]]
    """
    steps = []
    for place in range(k):
        value = base ** (k - 1 - place)
        digit = kmers // value % base
        others = (digit[:, None] + np.arange(1, base)) % base
        steps.append((others - digit[:, None]) * value)
    parts = [kmers[:, None]]
    for size in range(1, mismatches + 1):
        for places in combinations(range(k), size):
            part = kmers[:, None]
            for place in places:
                width = part.shape[1] * (base - 1)
                part = (part[:, :, None] + steps[place][:, None, :]).reshape(len(kmers), width)
            parts.append(part)
    return np.concatenate(parts, axis=1)
