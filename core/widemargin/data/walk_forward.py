"""Walk-forward splits: later items are held out, and what was known before them is learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Split
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FEWEST_MOMENTS", "blocks_in_time", "walk_forward"]

FEWEST_MOMENTS = 8
"""Moments in time without which there is nothing to walk through."""


def walk_forward(
    times: NDArray[Any],
    label_times: NDArray[Any] | None = None,
    *,
    n_splits: int,
    embargo: int = 0,
) -> list[Split]:
    """Hold out one stretch of time after the other, each after all that it is predicted from.

    The moments that there are fall into ``n_splits + 1`` stretches of equal length, what is left
    over going to the first, which is held out by no split. A training row is one whose label was
    known before the held-out stretch began (purging; M. López de Prado 2018, "Advances in Financial
    Machine Learning", chapter 7), or, with an embargo, so many moments before it began.

    Parameters
    ----------
    times : ndarray of shape (n_samples,)
        When each row was known; rows of one moment stay together.
    label_times : ndarray of shape (n_samples,), optional
        When each row's label was known; `times` by default.
    n_splits : int
        Number of splits; fewer are made where there would be fewer than four moments a stretch.
    embargo : int, default=0
        Moments before each held-out stretch at which no training label may have been known.

    Returns
    -------
    list of Split
        In the order of time.

    Raises
    ------
    DataError
        Where there are too few moments, or a split would have nothing to learn from.

    Examples
    --------
    >>> days = np.arange(12)
    >>> for split in walk_forward(days, days + 1, n_splits=2):
    ...     print(split.train, split.test)
    [0 1 2] [4 5 6 7]
    [0 1 2 3 4 5 6] [ 8  9 10 11]
    >>> walk_forward(days, days + 1, n_splits=2, embargo=1)[0].train
    array([0, 1])
    """
    moments, place = np.unique(times, return_inverse=True)
    known = times if label_times is None else label_times
    if len(moments) < FEWEST_MOMENTS:
        raise DataError(
            f"there are only {len(moments)} moments in time; a walk-forward split needs at least "
            f"{FEWEST_MOMENTS}. Add items of other times."
        )
    n_splits = min(n_splits, len(moments) // (FEWEST_MOMENTS // 2) - 1)
    size = len(moments) // (n_splits + 1)
    splits = []
    for at in range(n_splits):
        start = len(moments) - (n_splits - at) * size
        begins = moments[start]
        train = np.flatnonzero(known < moments[max(0, start - embargo)])
        test = np.flatnonzero((place >= start) & (place < start + size))
        if not len(train):
            raise DataError(
                f"nothing is left to learn from before {begins}: labels are known too late, or "
                f"evaluation.embargo ({embargo}) is too long. Add earlier items, or make fewer "
                "parts."
            )
        splits.append(Split(train, test))
    return splits


def blocks_in_time(times: NDArray[Any], label_times: NDArray[Any] | None) -> NDArray[np.intp]:
    """Name the stretch of time of each row, as long as labels take to be known.

    Rows of one stretch share most of what decided their labels, so that they are no independent
    witnesses; rows of one moment are of one stretch.

    Examples
    --------
    >>> days = np.arange(6)
    >>> blocks_in_time(days, days + 2)
    array([0, 0, 1, 1, 2, 2])
    """
    moments, place = np.unique(times, return_inverse=True)
    known = times if label_times is None else label_times
    # Labels may be known at a moment that no row has; a few that came late set no measure.
    waits = np.searchsorted(moments, known) - place
    return np.asarray(place // max(1, int(np.quantile(waits, 0.9, method="higher"))))
