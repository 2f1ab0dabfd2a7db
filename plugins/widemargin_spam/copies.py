"""Copies: mails of one campaign or one newsletter, which differ in a name or a number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zlib import crc32

from widemargin.data import merge_groups

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["similar_groups"]

# In Chinese and Japanese, which write no spaces, a character serves as a word.
_WORD = re.compile(r"[\u2e80-\u9fff]|[^\W\d]+")
_RUN = 4  # words
_ROWS, _BANDS = 4, 24
_COMPARED = 8  # others of one bucket that a text is compared with


def similar_groups(texts: Sequence[str], share: float) -> NDArray[np.intp]:
    """Group texts that have much of their runs of four words in common.

    Two texts are alike where the runs in both are at least `share` of the runs in either (the
    Jaccard index). Pairs to compare are found by MinHash (Broder 1997), so that the time grows with
    the number of texts; at a share of a half, one pair in five is not found by itself.

    Parameters
    ----------
    texts : sequence of str
        The texts, in any order.
    share : float
        From 0 to 1.

    Returns
    -------
    ndarray of shape (n_texts,)
        The group of each text, numbered from 0 in the order of appearance.

    Examples
    --------
    >>> body = "we offer the very best of prices on all the medicine that you will ever need"
    >>> similar_groups([f"Dear Bob, {body}", "See you at 8", f"Dear Ann, {body}"], 0.5).tolist()
    [0, 1, 0]
    """
    import numpy as np

    sets = [_runs(text) for text in texts]
    generator = np.random.default_rng(0)
    odd = generator.integers(0, 2**63, _ROWS * _BANDS, dtype=np.uint64) * 2 + 1
    added = generator.integers(0, 2**63, _ROWS * _BANDS, dtype=np.uint64)
    buckets: dict[tuple[int, bytes], list[int]] = {}
    found = list(range(len(texts)))
    for row, own in enumerate(sets):
        if not own:
            continue
        hashes = np.fromiter(own, dtype=np.uint64, count=len(own))
        signature = (hashes[:, None] * odd + added >> np.uint64(32)).min(axis=0)
        for band in range(_BANDS):
            key = band, signature[band * _ROWS : (band + 1) * _ROWS].tobytes()
            for other in buckets.setdefault(key, [])[-_COMPARED:]:
                if found[other] != found[row] and _alike(own, sets[other], share):
                    _join(found, other, row)
            buckets[key].append(row)
    return merge_groups([_root(found, row) for row in range(len(found))])


def _runs(text: str) -> frozenset[int]:
    words = _WORD.findall(text.casefold())
    if len(words) < _RUN:
        return frozenset([crc32(" ".join(words).encode("utf-8", "replace"))] if words else [])
    return frozenset(
        crc32(" ".join(words[start : start + _RUN]).encode("utf-8", "replace"))
        for start in range(len(words) - _RUN + 1)
    )


def _alike(one: frozenset[int], other: frozenset[int], share: float) -> bool:
    both = len(one & other)
    return both >= share * (len(one) + len(other) - both)


def _root(found: list[int], row: int) -> int:
    while found[row] != row:
        found[row] = found[found[row]]
        row = found[row]
    return row


def _join(found: list[int], one: int, other: int) -> None:
    one, other = sorted((_root(found, one), _root(found, other)))
    found[other] = one
