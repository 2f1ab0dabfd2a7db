"""Identity clusters: sequences that have most of their k-mers in common.

Sequences that are joined by a chain of likenesses of at least a threshold (`kmers`) make one
cluster (single linkage), so that no two that are as alike are in different ones, and the order of
rows is of no consequence. Counted are all pairs, not a sample of hashes: nothing is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.data import merge_groups
from widemargin_proteins.kmers import kmer_sets
from widemargin_proteins.sequences import LIKENESS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

__all__ = ["identity_clusters"]

_CHUNK = 1024
_PAIRS = 20_000
# Above this share of k-mers that a sequence has, dense products are faster than sparse ones.
_DENSE = 0.01


def identity_clusters(
    sequences: Sequence[str], *, k: int = 3, threshold: float = LIKENESS
) -> NDArray[np.intp]:
    """Cluster sequences by the k-mers that they have in common.

    Equal sequences are in one cluster whatever their letters and their length. No k-mer spans a
    letter that stands for no one amino acid.

    Parameters
    ----------
    sequences : sequence of str of length n_sequences
        Sequences, as `clean_sequence` leaves them.
    k : int, default=3
        Letters of a k-mer, 1 to 5.
    threshold : float, default=0.4
        The likeness from which on two sequences are in one cluster, above 0 and at most 1.

    Returns
    -------
    ndarray of shape (n_sequences,)
        The cluster of each sequence, numbered from 0 in the order of appearance.

    Raises
    ------
    ValueError
        Where `k` or `threshold` is out of its range.

    Examples
    --------
    >>> identity_clusters(["GIGKFLHSAK", "GIGKFLHSAG", "AAPRRWWPRR", "GIGKFLHSAK"]).tolist()
    [0, 0, 1, 0]
    """
    if not (1 <= k <= 5 and 0 < threshold <= 1):
        raise ValueError(f"k is 1 to 5 and threshold above 0 and at most 1; got {k}, {threshold}")
    distinct, place = np.unique(np.array(sequences, dtype=object), return_inverse=True)
    if not len(distinct):
        return np.empty(0, dtype=np.intp)
    held = kmer_sets(distinct.tolist(), k)
    sizes = np.diff(held.indptr)
    # By size: sets are only as alike as the smaller is to the larger, so that most are far apart.
    order = np.argsort(sizes, kind="stable")
    held, sizes = held[order], sizes[order]
    edges = [(np.arange(len(distinct)), np.arange(len(distinct)))]
    edges += _alike(held, sizes, threshold) if sizes[-1] else []
    left = np.concatenate([order[one] for one, _ in edges])
    right = np.concatenate([order[other] for _, other in edges])
    return merge_groups(_components(left, right, len(distinct))[place])


def _components(left: NDArray[Any], right: NDArray[Any], n: int) -> NDArray[Any]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(n, n))
    components: NDArray[Any] = connected_components(graph, directed=False)[1]
    return components


def _alike(
    held: csr_array, sizes: NDArray[Any], threshold: float
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Return pairs of rows, ordered by size, whose likeness reaches the threshold."""
    dense = held.nnz > _DENSE * held.shape[0] * held.shape[1]
    seen = held[:, _commonest(held, threshold)] if dense else held
    # What two sets have in common beyond the columns seen is at most all of the smaller rest.
    rest = sizes - np.diff(seen.indptr)
    edges = []
    first = int(np.searchsorted(sizes, 1))
    for start in range(first, len(sizes), _CHUNK):
        own = slice(start, min(start + _CHUNK, len(sizes)))
        rows = _block(seen, own, dense)
        # The smallest of the chunk reaches no set smaller than this, the others none of those.
        low = max(first, int(np.searchsorted(sizes, np.floor(threshold * sizes[start]))))
        for begin in range(low, own.stop, _CHUNK):
            others = slice(begin, min(begin + _CHUNK, own.stop))
            columns = rows if others == own else _block(seen, others, dense)
            common = rows @ columns.T
            if dense:
                bound = common + np.minimum.outer(rest[own], rest[others])
                needed = np.add.outer(sizes[own], sizes[others]) * (threshold / (1 + threshold))
                left, right = np.nonzero(bound >= needed - 1e-3)
                edges.append(_checked(held, sizes, threshold, left + start, right + begin))
            else:
                common = common.tocoo()
                left, right = common.row + start, common.col + begin
                near = _near(common.data, sizes[left] + sizes[right], threshold)
                edges.append((left[near], right[near]))
    return edges


def _near(shared: NDArray[Any], both: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
    """Whether sets that share so many of so many elements are as alike as the threshold."""
    near: NDArray[np.bool_] = shared >= threshold * (both - shared) - 1e-9
    return near


def _commonest(held: csr_array, threshold: float) -> NDArray[Any]:
    """Choose the fewest k-mers that rule nearly all pairs out: a third of them, as a rule.

    Two sets of one size that reach the threshold t have the share 2 t / (1 + t) in common.
    """
    counts = np.bincount(held.indices, minlength=held.shape[1])
    order = np.argsort(-counts, kind="stable")
    share = 1 - 0.6 * 2 * threshold / (1 + threshold)
    n = int(np.searchsorted(np.cumsum(counts[order]), share * held.nnz)) + 1
    return np.sort(order[:n])


def _checked(
    held: csr_array,
    sizes: NDArray[Any],
    threshold: float,
    left: NDArray[Any],
    right: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return those of some pairs whose likeness reaches the threshold."""
    near = np.zeros(len(left), dtype=bool)
    for start in range(0, len(left), _PAIRS):
        own = slice(start, start + _PAIRS)
        shared = np.asarray(held[left[own]].multiply(held[right[own]]).sum(axis=1)).ravel()
        near[own] = _near(shared, sizes[left[own]] + sizes[right[own]], threshold)
    return left[near], right[near]


def _block(held: csr_array, rows: slice, dense: bool) -> Any:
    own = held[rows]
    return own.toarray() if dense else own
