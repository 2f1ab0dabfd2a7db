"""Batches: which items are held out, and which are looked at together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["class_batches", "held_out", "shuffled_batches"]

_HELD_OUT = 10  # one group in ten of each class
_FEWEST = 8  # groups; the loss of fewer says more of chance than of training
_TOGETHER = 4  # items of a class


def held_out(
    target: NDArray[np.intp],
    seed: int,
    groups: NDArray[np.intp] | None = None,
    *,
    pairs: bool = False,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw a tenth of every class's groups.

    Parameters
    ----------
    target : ndarray of shape (n_samples,)
        Class numbers.
    seed : int
        Decides which.
    groups : ndarray of shape (n_samples,), optional
        Rows of equal numbers are held out together, or not at all: rows alike would tell of one
        another. By default each row is a group.
    pairs : bool
        Whether rows are compared with others of their class: none is then held out alone of it.

    Returns
    -------
    held, rest : ndarray of shape (n_held,), (n_rest,)
        Rows, ascending. Nothing is held out where that would be fewer than 8 groups.

    Examples
    --------
    >>> held, rest = held_out(np.arange(200) % 2, 0)
    >>> len(held), len(rest)
    (20, 180)
    """
    own = np.arange(len(target)) if groups is None else groups
    names, first = np.unique(own, return_index=True)
    classes = target[first]
    rng = np.random.default_rng(seed)
    drawn = []
    for label in np.unique(classes):
        of_class = names[classes == label]
        share = len(of_class) // _HELD_OUT
        drawn.append(rng.permutation(of_class)[: 0 if pairs and share < 2 else share])
    chosen = np.concatenate(drawn)
    if len(chosen) < _FEWEST:
        chosen = chosen[:0]
    held = np.isin(own, chosen)
    return np.flatnonzero(held), np.flatnonzero(~held)


def shuffled_batches(
    rows: NDArray[np.intp], batch_size: int, rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Deal rows out at random, each once, to batches of nearly equal size.

    None is larger than `batch_size`, and none has a single row, which a batch norm cannot take: of
    two evils, the last batch of an odd number of rows in pairs has three.

    Examples
    --------
    >>> dealt = shuffled_batches(np.arange(10), 4, np.random.default_rng(0))
    >>> [len(own) for own in dealt]
    [4, 3, 3]
    """
    n_batches = max(1, min(-(-len(rows) // batch_size), len(rows) // 2))
    return np.array_split(rng.permutation(rows), n_batches)


def class_batches(
    rows: NDArray[np.intp], target: NDArray[np.intp], batch_size: int, rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Deal rows out to batches in which several of each class sit together.

    Each class's rows, shuffled, are cut into hands of up to four (two in batches of fewer than
    eight), and the classes' hands are laid in a row, each class evenly over its length; so many
    hands as a batch can hold, one behind the other, are a batch. Every row comes once. Where a
    batch can hold a hand of every class, rare classes are dealt out again, so that they are in
    every batch, but for chance; a class of a single row is not, since it has no pair. No batch has
    a single row, unless there is one row in all.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,)
        Which rows are dealt out.
    target : ndarray of shape (n_samples,)
        Class numbers of all rows.
    batch_size : int
        No batch has more; 4 at least.
    rng : numpy.random.Generator
        Decides.

    Examples
    --------
    >>> target = np.arange(40) % 5
    >>> dealt = class_batches(np.arange(40), target, 20, np.random.default_rng(0))
    >>> [np.bincount(target[own]).tolist() for own in dealt]
    [[4, 4, 4, 4, 4], [4, 4, 4, 4, 4]]
    """
    together = min(_TOGETHER, batch_size // 2)
    in_batch = batch_size // together
    _, counts = np.unique(target[rows], return_counts=True)
    order = rng.permutation(rows)
    order = order[np.argsort(target[order], kind="stable")]
    n_hands = _hands(counts, together, in_batch)
    hands: list[NDArray[np.intp]] = []
    places = []
    for own, count in zip(np.split(order, np.cumsum(counts)[:-1]), n_hands, strict=True):
        fewest = -(-len(own) // together)
        if count > fewest:
            size = min(together, len(own))
            # Rows in a circle: no hand has one twice.
            hands.extend(np.resize(own, count * size).reshape(count, size))
        else:
            hands.extend(np.array_split(own, count))
        places.append((np.arange(count) + rng.random()) / count)
    along = np.argsort(np.concatenate(places), kind="stable")
    n_batches = -(-len(hands) // in_batch)
    dealt = [[hands[place] for place in own] for own in np.array_split(along, n_batches)]
    return [np.concatenate(own) for own in _no_single_row(dealt, batch_size)]


def _no_single_row(
    dealt: list[list[NDArray[np.intp]]], batch_size: int
) -> list[list[NDArray[np.intp]]]:
    """Give a single row company; only the last batch can be one hand, where others are two."""
    if len(dealt) < 2 or sum(map(len, dealt[-1])) > 1:
        return dealt
    *others, before, last = dealt
    if sum(map(len, before)) < batch_size:
        return [*others, before + last]
    # It is full: two hands of half a batch each.
    return [*others, before[:-1], before[-1:] + last]


def _hands(counts: NDArray[np.intp], together: int, in_batch: int) -> NDArray[np.intp]:
    """Return how many hands each class is dealt."""
    once = -(-counts // together)
    if len(counts) > in_batch:
        return once
    n_hands = once
    while True:
        n_batches = -(-int(n_hands.sum()) // in_batch)
        again = np.where(counts > 1, np.maximum(once, n_batches), once)
        if np.array_equal(again, n_hands):
            return n_hands
        n_hands = again
