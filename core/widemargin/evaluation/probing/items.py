"""What items lie near each other, and whether they are of one class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Predictions
from widemargin.evaluation.intervals import Interval, bootstrap_intervals
from widemargin.evaluation.metrics import METRICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ClassPurity", "Neighbours", "Purity", "class_purity", "item_neighbours"]

_ACCURACY = next(metric for metric in METRICS if metric.name == "accuracy")
# Similarities held at once.
_CELLS = 4_000_000


@dataclass(frozen=True)
class Neighbours:
    """Each item's nearest others.

    Parameters
    ----------
    rows : ndarray of shape (n_items, k), intp
        Nearest first; -1 where there are fewer, and for items without a direction.
    cosines : ndarray of shape (n_items, k), float64
        nan where there is none.
    """

    rows: NDArray[np.intp]
    cosines: NDArray[np.float64]


@dataclass(frozen=True)
class ClassPurity:
    """A class, its items, the share of their neighbours that are of it, and what chance gives."""

    name: str
    items: int
    share: float
    chance: float


@dataclass(frozen=True, kw_only=True)
class Purity:
    """The share of an item's neighbours that are of its own class.

    Parameters
    ----------
    k : int
        Neighbours that were asked.
    items : int
        Items that have any, and whose class has others.
    share : float
        Mean over items.
    low, high : float
        Interval of `share`, 95%; whole groups are drawn. nan where there are too few.
    chance : float
        What neighbours drawn at random would have.
    classes : tuple of ClassPurity
        The same of each class.
    """

    k: int
    items: int
    share: float
    low: float
    high: float
    chance: float
    classes: tuple[ClassPurity, ...]


def item_neighbours(vectors: Any, k: int, *, groups: NDArray[np.intp] | None = None) -> Neighbours:
    """Find every item's `k` nearest others by cosine.

    Parameters
    ----------
    vectors : array or sparse matrix of shape (n_items, n_numbers)
        The items; one that is 0 has no direction, and neither has nor is a neighbour.
    k : int
        Neighbours of each.
    groups : ndarray of shape (n_items,), optional
        Items of one group are no neighbours of each other: copies would find themselves.

    Examples
    --------
    >>> near = item_neighbours(np.array([[1.0, 0], [2, 1], [0, 1]]), 1)
    >>> near.rows.ravel().tolist(), near.cosines.ravel().round(2).tolist()
    ([1, 0, 1], [0.89, 0.89, 0.45])
    """
    unit, known = _unit(vectors)
    n = unit.shape[0]
    k = min(k, n - 1)
    rows = np.full((n, k), -1, dtype=np.intp)
    cosines = np.full((n, k), np.nan)
    own = np.arange(n) if groups is None else np.asarray(groups)
    step = max(1, _CELLS // max(1, n))
    for start in range(0, n, step):
        part = np.arange(start, min(start + step, n))
        near = unit[part] @ unit.T
        near = np.array(near.toarray() if hasattr(near, "toarray") else near, dtype=np.float64)
        near[:, ~known] = -np.inf
        near[own[part][:, np.newaxis] == own[np.newaxis]] = -np.inf
        near[~known[part]] = -np.inf
        order = np.argsort(-near, axis=1, kind="stable")[:, :k]
        found = np.take_along_axis(near, order, axis=1)
        there = np.isfinite(found)
        rows[part] = np.where(there, order, -1)
        cosines[part] = np.where(there, np.clip(found, -1, 1), np.nan)
    return Neighbours(rows, cosines)


def class_purity(
    neighbours: Neighbours,
    y: Sequence[Any] | NDArray[Any],
    *,
    groups: NDArray[np.intp] | None = None,
    resamples: int = 1000,
    random_state: int = 0,
) -> Purity:
    """Say how often an item's neighbours are of its class, against chance.

    An item whose class has fewer others than `neighbours` has columns is asked for as many as there
    are, so that every class can reach 1; one whose class has no other is left out.

    Parameters
    ----------
    neighbours : Neighbours
        As `item_neighbours` finds them.
    y : sequence of shape (n_items,)
        Classes.
    groups : ndarray of shape (n_items,), optional
        As given to `item_neighbours`; chance draws from other groups, too.
    resamples, random_state
        As for `bootstrap_intervals`.

    Examples
    --------
    >>> near = item_neighbours(np.array([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]]), 1)
    >>> purity = class_purity(near, ["a", "a", "b", "b"])
    >>> purity.share, round(purity.chance, 2)
    (1.0, 0.33)
    """
    names, codes = np.unique(np.asarray(y).astype(str), return_inverse=True)
    codes = codes.reshape(-1)
    member = np.arange(len(codes)) if groups is None else np.unique(groups, return_inverse=True)[1]
    member = member.reshape(-1)
    others, chances = _others(codes, member)
    there = (neighbours.rows >= 0) & (np.arange(neighbours.rows.shape[1]) < others[:, np.newaxis])
    same = there & (codes[neighbours.rows] == codes[:, np.newaxis])
    kept = there.any(axis=1)
    shares = same.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    sure = _interval(shares[kept], member[kept], resamples, random_state)
    classes = []
    for code, name in enumerate(names):
        own = kept & (codes == code)
        if own.any():
            share, chance = float(shares[own].mean()), float(chances[own].mean())
            classes.append(ClassPurity(str(name), int(own.sum()), share, chance))
    return Purity(
        k=neighbours.rows.shape[1],
        items=int(kept.sum()),
        share=float(shares[kept].mean()) if kept.any() else float("nan"),
        low=sure.low,
        high=sure.high,
        chance=float(chances[kept].mean()) if kept.any() else float("nan"),
        classes=tuple(classes),
    )


def _others(
    codes: NDArray[np.intp], member: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Count each item's own class among the items of other groups, and give its share of them."""
    of_class = np.bincount(codes)[codes]
    in_group = np.bincount(member)[member]
    pairs = member * (int(codes.max()) + 1) + codes
    others = of_class - np.bincount(pairs)[pairs]
    return others, np.asarray(others / np.maximum(len(codes) - in_group, 1))


def _interval(
    shares: NDArray[np.float64], member: NDArray[np.intp], resamples: int, random_state: int
) -> Interval:
    """Give the mean of shares an interval: of an accuracy, each item being partly right."""
    if not len(shares):
        return Interval(float("nan"), float("nan"), float("nan"))
    weight = np.concatenate([shares, 1 - shares])
    there = np.flatnonzero(weight)
    right = (there < len(shares)).astype(np.int64)
    items = Predictions(
        y_true=np.ones(len(there), np.int64),
        y_pred=right,
        decision=right.astype(np.float64),
        probability=None,
        classes=("another", "its own"),
        positive=1,
        ids=(there % len(shares)).astype(str),
        weight=weight[there],
    )
    (found,) = bootstrap_intervals(
        items,
        [_ACCURACY],
        groups=np.tile(member, 2)[there],
        resamples=resamples,
        random_state=random_state,
    ).values()
    return found


def _unit(vectors: Any) -> tuple[Any, NDArray[np.bool_]]:
    """Return the vectors at length 1, and which have a direction."""
    if hasattr(vectors, "tocsr"):
        from scipy.sparse import diags

        wide = vectors.astype(np.float64).tocsr()
        lengths = np.sqrt(np.asarray(wide.multiply(wide).sum(axis=1)).ravel())
        return diags(1 / np.where(lengths > 0, lengths, 1)) @ wide, lengths > 0
    wide = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    return wide / np.where(lengths > 0, lengths, 1)[:, np.newaxis], lengths > 0
