r"""Pooling: from the vectors of a text's words to one vector of the text.

``mean``
    The mean of the words' vectors.
``max``
    The largest number of any word, dimension by dimension.
``sif``
    Smooth inverse frequency (Arora, Liang & Ma 2017, "A simple but tough-to-beat baseline for
    sentence embeddings", ICLR): frequent words weigh less, and what all texts have in common is
    taken away,

    .. math:: v_s = \frac{1}{|s|} \sum_{w \in s} \frac{a}{a + p(w)} v_w, \qquad
        v_s \leftarrow v_s - u u^\top v_s,

    where :math:`p(w)` is a word's share of all words of the training texts and :math:`u` the first
    right singular vector of the training texts' :math:`v_s`.

Only words that have a vector count. A text without any is the zero vector.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from widemargin.contracts import Share
from widemargin.encoders.text.word_sources import WordSource, resolve
from widemargin.encoders.text.words import chunks_of, placed_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BATCH", "Found", "Pooling", "Sif", "explain_texts", "find", "fit_sif", "pool_texts"]

Pooling = Literal["mean", "sif", "max"]

BATCH = 2048
"""Texts whose words are in memory at once."""

_A = 1e-3  # the paper's a; its results hardly change between 1e-4 and 3e-3


@dataclass(frozen=True)
class Found:
    """The words of some texts that have vectors.

    Parameters
    ----------
    forms : list of str
        The distinct words, as they were found.
    vectors : ndarray of shape (n_forms, dimension), float64
        Their vectors.
    ids : ndarray of shape (n_words,)
        Every word of every text, in order, as its place among the forms.
    chunks : ndarray of shape (n_words,)
        Which run between white space of its text each word stands in.
    ends : ndarray of shape (n_texts + 1,)
        Where each text's words begin, and the last one's end.
    """

    forms: list[str]
    vectors: NDArray[np.float64]
    ids: NDArray[np.int64]
    chunks: NDArray[np.int64]
    ends: NDArray[np.int64]


@dataclass(frozen=True)
class Sif:
    """What smooth inverse frequency learns from training texts.

    Parameters
    ----------
    counts : mapping of str to int
        How often each word with a vector occurred.
    component : ndarray of shape (dimension,), float64
        The direction that is taken away; zero where there is none.
    """

    counts: dict[str, int]
    component: NDArray[np.float64]

    def weights(self, forms: Sequence[str]) -> NDArray[np.float64]:
        """Return the words' weights a / (a + p); 1 for a word that training texts do not have."""
        total = max(sum(self.counts.values()), 1)
        shares = np.array([self.counts.get(form, 0) for form in forms], dtype=np.float64) / total
        return _A / (_A + shares)


def find(texts: Sequence[str], source: WordSource) -> Found:
    """Find the words of texts that have vectors; each distinct word is looked up once."""
    places: dict[str, int] = {}
    vectors: list[NDArray[np.float32]] = []
    known: dict[str, list[int]] = {}
    ids, chunks, ends = array("q"), array("q"), array("q", [0])
    for text in texts:
        for word, chunk in placed_words(text):
            own = known.get(word)
            if own is None:
                own = known[word] = []
                for form, vector in resolve(source, word):
                    if form not in places:
                        places[form] = len(vectors)
                        vectors.append(vector)
                    own.append(places[form])
            for one in own:
                ids.append(one)
                chunks.append(chunk)
        ends.append(len(ids))
    matrix = np.array(vectors, dtype=np.float64).reshape(len(vectors), source.dimension)
    return Found(list(places), matrix, *(np.array(each, np.int64) for each in (ids, chunks, ends)))


def pool_texts(
    texts: Sequence[str], source: WordSource, pooling: Pooling, sif: Sif | None = None
) -> NDArray[np.float32]:
    """Return the texts' vectors of shape (n_texts, dimension); none depends on another text.

    Parameters
    ----------
    sif : Sif, optional
        What was learnt; ``sif`` needs it, the others do not.
    """
    parts = [_pool(found, pooling, sif) for found in _batches(texts, source)]
    return (
        np.concatenate(parts).astype(np.float32)
        if parts
        else np.empty((0, source.dimension), np.float32)
    )


def fit_sif(texts: Sequence[str], source: WordSource) -> Sif:
    """Count the words of training texts and find what these have in common."""
    counts: Counter[str] = Counter()
    for found in _batches(texts, source):
        occurred = np.bincount(found.ids, minlength=len(found.forms)).tolist()
        counts.update(dict(zip(found.forms, occurred, strict=True)))
    plain = Sif(dict(counts), np.zeros(source.dimension))
    gram = np.zeros((source.dimension, source.dimension))
    for found in _batches(texts, source):
        rows = _pool(found, "sif", plain)
        gram += rows.T @ rows
    # The first right singular vector of the rows is the last eigenvector of their Gram matrix.
    component = np.linalg.eigh(gram)[1][:, -1] if gram.any() else plain.component
    return Sif(plain.counts, np.ascontiguousarray(component))


def explain_texts(
    texts: Sequence[str],
    source: WordSource,
    pooling: Pooling,
    coef: NDArray[np.float64],
    sif: Sif | None = None,
) -> list[list[Share]]:
    """Split each text's product with `coef` into what stands between its white space, exactly.

    With ``max``, each dimension belongs to the first word that has its largest number.
    """
    coef = np.asarray(coef, dtype=np.float64)
    rows: list[list[Share]] = []
    for start, found in zip(range(0, len(texts), BATCH), _batches(texts, source), strict=True):
        if sif is not None:
            coef_here = coef - sif.component * (sif.component @ coef)
            products = (found.vectors @ coef_here) * sif.weights(found.forms)
        else:
            products = found.vectors @ coef
        for text, low, high in zip(
            texts[start : start + BATCH], found.ends[:-1], found.ends[1:], strict=True
        ):
            chunks = chunks_of(text)
            sums = np.zeros(len(chunks))
            ids, places = found.ids[low:high], found.chunks[low:high]
            if pooling == "max" and len(ids):
                own, first = np.unique(ids, return_index=True)
                order = np.argsort(first)
                vectors = found.vectors[own[order]]
                winners = vectors.argmax(axis=0)
                gained = vectors[winners, np.arange(len(coef))] * coef
                np.add.at(sums, places[first[order][winners]], gained)
            elif len(ids):
                np.add.at(sums, places, products[ids] / len(ids))
            merged: dict[str, float] = {}
            for chunk, total in zip(chunks, sums.tolist(), strict=True):
                merged[chunk] = merged.get(chunk, 0.0) + total
            rows.append([Share(piece, contribution) for piece, contribution in merged.items()])
    return rows


def _batches(texts: Sequence[str], source: WordSource) -> Iterator[Found]:
    for start in range(0, len(texts), BATCH):
        yield find(texts[start : start + BATCH], source)


def _pool(found: Found, pooling: Pooling, sif: Sif | None) -> NDArray[np.float64]:
    n, dimension = len(found.ends) - 1, found.vectors.shape[1]
    if pooling == "max":
        rows = np.zeros((n, dimension))
        for row, (low, high) in enumerate(zip(found.ends[:-1], found.ends[1:], strict=True)):
            if high > low:
                rows[row] = found.vectors[np.unique(found.ids[low:high])].max(axis=0)
        return rows
    from scipy.sparse import csr_matrix

    lengths = np.diff(found.ends)
    weights = np.repeat(1 / np.maximum(lengths, 1), lengths)
    if pooling == "sif":
        assert sif is not None
        weights *= sif.weights(found.forms)[found.ids]
    # A row's terms are added in the order of its words, whatever other rows there are.
    sums = csr_matrix((weights, found.ids, found.ends), shape=(n, len(found.forms)))
    rows = np.asarray(sums @ found.vectors)
    if pooling == "sif" and sif is not None and sif.component.any():
        rows = rows - np.outer((rows * sif.component).sum(axis=1), sif.component)
    return rows
