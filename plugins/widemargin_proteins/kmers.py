r"""K-mers: which stretches of k letters sequences have, and how alike that makes them.

Two sequences are as alike as the sets A and B of their k-mers are,

.. math:: J(A, B) = |A \cap B| / |A \cup B|,

Jaccard's index, which is 1 for the same set and falls fast with identity: a substitution takes k
k-mers of each sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from widemargin_proteins.sequences import AMINO_ACIDS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

__all__ = ["closest", "kmer_sets"]

_CHUNK = 1024


def kmer_sets(sequences: Sequence[str], k: int = 3) -> csr_array:
    """Return which k-mers each sequence has.

    No k-mer spans a letter that stands for no one amino acid.

    Parameters
    ----------
    sequences : sequence of str of length n_sequences
        Sequences, as `clean_sequence` leaves them.
    k : int, default=3
        Letters of a k-mer.

    Returns
    -------
    csr_array of shape (n_sequences, 20 ** k)
        Ones.

    Examples
    --------
    >>> kmer_sets(["AAAC", "AXC"]).indices.tolist()
    [0, 1]
    """
    from scipy.sparse import csr_array

    base = len(AMINO_ACIDS)
    table = np.full(256, -1, dtype=np.int64)
    table[np.frombuffer(AMINO_ACIDS.encode(), dtype=np.uint8)] = np.arange(base)
    indices, ends = [np.empty(0, dtype=np.int64)], [0]
    for sequence in sequences:
        codes = table[np.frombuffer(sequence.encode("latin-1", "replace"), dtype=np.uint8)]
        n = max(0, len(codes) - k + 1)
        kmers = np.zeros(n, dtype=np.int64)
        whole = np.ones(n, dtype=bool)
        for place in range(k):
            own = codes[place : place + n]
            kmers = kmers * base + own
            whole &= own >= 0
        indices.append(np.unique(kmers[whole]))
        ends.append(ends[-1] + len(indices[-1]))
    columns = np.concatenate(indices)
    shape = (len(sequences), base**k)
    return csr_array((np.ones(len(columns), dtype=np.float32), columns, ends), shape=shape)


def closest(own: csr_array, others: csr_array) -> NDArray[np.float64]:
    """Return how alike each sequence is to the one among others that is most like it.

    Parameters
    ----------
    own : csr_array of shape (n_sequences, n_kmers)
        `kmer_sets` of sequences.
    others : csr_array of shape (n_others, n_kmers)
        Those of the others.

    Returns
    -------
    ndarray of shape (n_sequences,)
        Between 0 and 1; 0 where there are no others.

    Examples
    --------
    >>> closest(kmer_sets(["MKTAY"]), kmer_sets(["GGGGG", "MKTAF"])).round(2).tolist()
    [0.5]
    """
    best = np.zeros(own.shape[0])
    n_own, n_others = np.diff(own.indptr), np.diff(others.indptr)
    for start in range(0, others.shape[0], _CHUNK):
        columns = others[start : start + _CHUNK].toarray().T
        for first in range(0, own.shape[0], _CHUNK):
            rows = slice(first, first + _CHUNK)
            common = own[rows].toarray() @ columns
            either = n_own[rows, None] + n_others[None, start : start + _CHUNK] - common
            likeness = (common / np.maximum(1, either)).max(axis=1)
            best[rows] = np.maximum(best[rows], likeness)
    return best
