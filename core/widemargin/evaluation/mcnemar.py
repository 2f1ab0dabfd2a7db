"""McNemar's exact test: whether two models are right equally often on the same items."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["exact_mcnemar"]


def exact_mcnemar(
    first: NDArray[np.bool_], second: NDArray[np.bool_], groups: NDArray[Any] | None = None
) -> float:
    r"""Test whether two models are right equally often on the same items.

    The exact test of McNemar, "Note on the sampling error of the difference between correlated
    proportions or percentages" (Psychometrika 12, 1947): of the items on which one model alone is
    right, it is either with the chance 1/2 where the models are alike. With groups, whose items
    are not independent, the models change places in whole groups: a group in which one is right on
    :math:`d_g` items more adds :math:`\pm d_g` with equal chance, and p is how often the sum is at
    least as far from 0 as it was. Groups of one item each give McNemar's own p.

    Parameters
    ----------
    first, second : ndarray of bool of shape (n_samples,)
        Whether each model is right on each item.
    groups : array of shape (n_samples,), optional
        Items of one group belong together.

    Returns
    -------
    float
        Two-sided p; 1 where neither is ever right alone.

    Examples
    --------
    >>> first, second = np.repeat([[True, False], [False, True]], [8, 1], axis=0).T
    >>> round(exact_mcnemar(first, second), 4)
    0.0391
    >>> round(exact_mcnemar(first, second, np.repeat([0, 1, 2], [4, 4, 1])), 2)
    0.5
    """
    more = first.astype(np.int64) - second.astype(np.int64)
    if groups is not None:
        member = np.unique(groups, return_inverse=True)[1].reshape(-1)
        more = np.bincount(member, weights=more).round().astype(np.int64)
    total, steps = abs(int(more.sum())), np.abs(more[more != 0])
    # How likely each sum of some of the steps is; the signed sum is twice that less all of them.
    chance = np.zeros(int(steps.sum()) + 1)
    chance[0] = 1.0
    for step in steps:
        chance *= 0.5
        chance[step:] += chance[:-step].copy()
    signed = 2 * np.arange(len(chance)) - int(steps.sum())
    return min(1.0, float(chance[np.abs(signed) >= total].sum()))
