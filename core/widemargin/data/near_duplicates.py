"""Near-duplicates: texts that are one item in all but case, punctuation and digits."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["merge_groups", "near_duplicate_key", "near_duplicates"]

_NON_WORD = re.compile(r"\W+")
_DIGIT = re.compile(r"\d")


def near_duplicate_key(text: str) -> str:
    """Return what near-duplicates of a text have in common.

    The text is casefolded, every run of characters that are no part of a word becomes one
    space, and each digit becomes 0.

    Parameters
    ----------
    text : str
        Any text.

    Examples
    --------
    >>> near_duplicate_key("WIN £500 now!!") == near_duplicate_key("win 250, now")
    True
    >>> near_duplicate_key("Call 0800-123")
    'call 0000 000'
    """
    return _DIGIT.sub("0", _NON_WORD.sub(" ", text.casefold()).strip())


def near_duplicates(texts: Iterable[str]) -> NDArray[np.intp]:
    """Group the texts that share a `near_duplicate_key`.

    Texts without any word, such as smileys, have an empty key; they are grouped only where they
    are equal.

    Parameters
    ----------
    texts : iterable of str
        The texts, in any order.

    Returns
    -------
    ndarray of shape (n_texts,)
        The group of each text, numbered from 0 in the order of appearance.

    Examples
    --------
    >>> near_duplicates(["Win!", "see you", "win", ":-)", "..."]).tolist()
    [0, 1, 0, 2, 3]
    """
    return _codes(near_duplicate_key(text) or text for text in texts)


def merge_groups(*groups: Sequence[Hashable] | NDArray[Any]) -> NDArray[np.intp]:
    """Merge groupings: rows that share a group in any of them end up together.

    Parameters
    ----------
    *groups : sequences of shape (n_samples,)
        One or more groupings of the same rows.

    Returns
    -------
    ndarray of shape (n_samples,)
        The connected component of each row, numbered from 0 in the order of appearance.

    Raises
    ------
    ValueError
        Where there is no grouping, or their lengths differ.

    Examples
    --------
    >>> merge_groups(["a", "b", "b", "c"], [1, 1, 2, 3]).tolist()
    [0, 0, 0, 1]
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not groups:
        raise ValueError("merge_groups needs at least one grouping")
    n = len(groups[0])
    if any(len(grouping) != n for grouping in groups):
        lengths = ", ".join(str(len(grouping)) for grouping in groups)
        raise ValueError(f"groupings must be equally long; got {lengths}")
    # A graph of rows and groups, with an edge from each row to each of its groups.
    rows, nodes, size = [], [], n
    for grouping in groups:
        codes = _codes(grouping)
        rows.append(np.arange(n))
        nodes.append(size + codes)
        size += n
    edges = np.concatenate(rows), np.concatenate(nodes)
    graph = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    return _codes(component[:n].tolist())


def _codes(values: Iterable[Hashable]) -> NDArray[np.intp]:
    import numpy as np

    numbers: dict[Hashable, int] = {}
    return np.fromiter((numbers.setdefault(v, len(numbers)) for v in values), dtype=np.intp)
