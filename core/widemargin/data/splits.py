"""Splits: outer and inner folds that keep groups whole; a split that leaks is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Split, SplitRule
from widemargin.data.walk_forward import FEWEST_MOMENTS, walk_forward
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_split", "make_splits"]


def make_splits(
    y: NDArray[Any],
    rule: SplitRule,
    *,
    n_splits: int,
    groups: NDArray[Any] | None = None,
    times: NDArray[Any] | None = None,
    label_times: NDArray[Any] | None = None,
    embargo: int = 0,
    at_least: int = 2,
    random_state: int = 0,
) -> list[Split]:
    """Divide rows into folds; each row is held out once, or walking forward, each later one.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class names or codes, or floats.
    rule : SplitRule
        Stratified, shuffled or walk-forward.
    n_splits : int
        Number of folds. Fewer are made where the rarest class has fewer items (or groups).
    groups : ndarray of shape (n_samples,), optional
        Rows of one group stay together; walking forward has no groups.
    times, label_times : ndarray of shape (n_samples,), optional
        When each row and its label were known, to walk forward by.
    embargo : int, default=0
        Moments left out before each held-out part, walking forward.
    at_least : int, default=2
        Items (or groups) that each class must have: one to train on and one to test on, and more
        where the training parts are divided again.
    random_state : int, default=0
        Seed.

    Returns
    -------
    list of Split

    Raises
    ------
    DataError
        Where a class has fewer than `at_least` items or groups; or of walking forward, where there
        are no times, but groups, or too few moments.

    Examples
    --------
    >>> y = np.array(["ham", "spam"] * 5)
    >>> [len(split.test) for split in make_splits(y, SplitRule(), n_splits=5)]
    [2, 2, 2, 2, 2]
    """
    from sklearn.model_selection import (
        GroupKFold,
        KFold,
        StratifiedGroupKFold,
        StratifiedKFold,
    )

    if rule.kind == "walk-forward":
        if times is None:
            raise DataError(
                "a walk-forward split needs the time of each item, and the data set has none."
            )
        if groups is not None:
            raise DataError(
                "a walk-forward split goes by time alone, and the data set has groups; leave them "
                "out."
            )
        return _walk(y, times, label_times, n_splits, embargo, divided_again=at_least > 2)
    n_splits = _possible(y, groups, n_splits, at_least)
    stratified = rule.kind == "stratified"
    strata = _strata(y, n_splits) if stratified else np.zeros(len(y), dtype=np.int64)
    if groups is None:
        folder = StratifiedKFold if stratified else KFold
    else:
        folder = StratifiedGroupKFold if stratified else GroupKFold
    folds = folder(n_splits, shuffle=True, random_state=random_state)
    rows = np.zeros((len(y), 1))
    splits = [
        Split(np.asarray(train, dtype=np.intp), np.asarray(test, dtype=np.intp))
        for train, test in folds.split(rows, strata, groups)
    ]
    for split in splits:
        check_split(split, y, groups)
    return splits


def check_split(split: Split, y: NDArray[Any], groups: NDArray[Any] | None = None) -> None:
    """Refuse a split that leaks, or whose training part lacks a class.

    Raises
    ------
    DataError
        Where a row or a group is on both sides, or a class is not in the training part.

    Examples
    --------
    >>> import numpy as np
    >>> check_split(Split(np.array([0, 1]), np.array([1, 2])), np.array(["a", "b", "a"]))
    Traceback (most recent call last):
    ...
    widemargin.errors.DataError: the split leaks: row 1 is in both parts.
    """
    both = np.intersect1d(split.train, split.test)
    if len(both):
        raise DataError(f"the split leaks: row {both[0]} is in both parts.")
    if groups is not None:
        shared = set(groups[split.train]) & set(groups[split.test])
        if shared:
            raise DataError(f"the split leaks: group {min(map(str, shared))!r} is in both parts.")
    if y.dtype.kind != "f":
        absent = sorted(set(map(str, y)) - set(map(str, y[split.train])))
        if absent:
            raise DataError(
                f"class {absent[0]!r} is not in a training part: too few items, or all of them in "
                "one group. Add items of it, or leave it out."
            )


def _walk(
    y: NDArray[Any],
    times: NDArray[Any],
    label_times: NDArray[Any] | None,
    n_splits: int,
    embargo: int,
    *,
    divided_again: bool,
) -> list[Split]:
    """Walk forward in as many parts as leave the first one enough to learn from.

    Every class, and where training parts are divided again, moments to walk through.
    """
    classes = set() if y.dtype.kind == "f" else set(map(str, y))
    while True:
        splits = walk_forward(times, label_times, n_splits=n_splits, embargo=embargo)
        first = splits[0].train
        absent = classes - set(map(str, y[first]))
        short = divided_again and len(np.unique(times[first])) < FEWEST_MOMENTS
        if not absent and (not short or len(splits) == 1):
            return splits
        if len(splits) == 1:
            raise DataError(
                f"class {min(absent)!r} is not known before {times[splits[0].test].min()}, when "
                "the first part that is held out begins. Add earlier items of it, or leave it out."
            )
        n_splits = len(splits) - 1


def _strata(y: NDArray[Any], n_splits: int) -> NDArray[np.int64]:
    """Return classes as codes; for numbers, at most ten bins by rank, filled for every fold."""
    if y.dtype.kind != "f":
        return np.unique(y, return_inverse=True)[1].astype(np.int64)
    ranks = np.argsort(np.argsort(y, kind="stable"), kind="stable")
    bins = max(1, min(10, len(y) // (2 * n_splits)))
    return (ranks * bins // len(y)).astype(np.int64)


def _possible(y: NDArray[Any], groups: NDArray[Any] | None, wanted: int, at_least: int) -> int:
    """Return how many folds the rarest class allows, at most `wanted`."""

    def distinct(rows: Any) -> int:
        return len(set(groups[rows])) if groups is not None else len(y[rows])

    counts: Sequence[tuple[str, int]]
    if y.dtype.kind == "f":
        counts = [("", distinct(slice(None)))]
    else:
        counts = [(str(name), distinct(y == name)) for name in np.unique(y)]
    name, fewest = min(counts, key=lambda pair: pair[1])
    if fewest < at_least:
        what = "item"
        n_items = int((y == name).sum()) if name else len(y)
        if groups is not None and n_items > fewest:
            what = "group"  # which some of the items share
        there = f"there is only 1 {what}" if fewest == 1 else f"there are only {fewest} {what}s"
        of = f" of class {name!r}" if name else ""
        kept = f" ({n_items:,} items that are kept together)" if what == "group" else ""
        remedy = "Add some, or leave the class out." if name else "Add some."
        raise DataError(f"{there}{of}{kept}; cross-validation needs at least {at_least}. {remedy}")
    return min(wanted, fewest)
