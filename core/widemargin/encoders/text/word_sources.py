"""Where the vectors of words come from: a table in memory, or whatever answers alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from widemargin.encoders.text.words import parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WordSource", "WordTable", "nearest_words", "resolve"]


class WordSource(Protocol):
    """Vectors of words, float32, of shape (dimension,) each."""

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        ...

    def vector(self, word: str) -> NDArray[np.float32] | None:
        """Return the vector of a known word, None of any other."""
        ...

    def compose(self, word: str) -> NDArray[np.float32] | None:
        """Return a vector made of an unknown word's letters, None where there is no such thing."""
        ...

    def word_vectors(self, most: int) -> tuple[list[str], NDArray[np.float32]]:
        """Return the first `most` known words and their vectors, row by row."""
        ...


class WordTable:
    """Words and their vectors in memory.

    Parameters
    ----------
    words : sequence of str
        Distinct words.
    matrix : ndarray of shape (n_words, dimension), float32
        Their vectors; may be memory-mapped.

    Examples
    --------
    >>> table = WordTable(["win", "cash"], np.eye(2, dtype=np.float32))
    >>> table.vector("cash"), table.vector("tea")
    (array([0., 1.], dtype=float32), None)
    """

    def __init__(self, words: Sequence[str], matrix: NDArray[np.float32]) -> None:
        self.words = words
        self.matrix = matrix
        self._rows = {word: row for row, word in enumerate(words)}

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return int(self.matrix.shape[1])

    def vector(self, word: str) -> NDArray[np.float32] | None:
        """Return the vector of a known word, None of any other."""
        row = self._rows.get(word)
        return None if row is None else np.asarray(self.matrix[row])

    def compose(self, word: str) -> NDArray[np.float32] | None:
        """Return None: a table knows nothing of letters."""
        return None

    def word_vectors(self, most: int) -> tuple[list[str], NDArray[np.float32]]:
        """Return the first `most` words and their vectors."""
        return list(self.words[:most]), np.array(self.matrix[:most])


def resolve(source: WordSource, word: str) -> list[tuple[str, NDArray[np.float32]]]:
    """Find a word's vectors: as it is written, in lower case, of its letters, of its parts.

    Returns
    -------
    list of (str, ndarray)
        Each form that was found, and its vector; two for ``don't`` where ``do`` and ``n't`` are
        known, none where nothing is.

    Examples
    --------
    >>> table = WordTable(["win", "do", "n't"], np.eye(3, dtype=np.float32))
    >>> [form for word in ("WIN", "Don't", "tea") for form, _ in resolve(table, word)]
    ['win', 'do', "n't"]
    """
    for form in dict.fromkeys((word, word.lower())):
        if (vector := source.vector(form)) is not None:
            return [(form, vector)]
    if (vector := source.compose(word)) is not None:
        return [(word, vector)]
    found = ((part, source.vector(part)) for part in parts_of(word.lower()))
    return [(part, vector) for part, vector in found if vector is not None]


def nearest_words(
    source: WordSource, word: str, n: int = 10, *, most: int = 200_000
) -> list[tuple[str, float]]:
    """List the words whose vectors point most nearly where a word's does.

    Parameters
    ----------
    source : WordSource
        The vectors.
    word : str
        Any word that has a vector, in any case.
    n : int, default=10
        How many to list.
    most : int, default=200000
        Words that are looked at, the first ones of the source: the most frequent in all usual
        files.

    Returns
    -------
    list of (str, float)
        Words and cosines, nearest first, without the word itself; empty where it has no vector.

    Examples
    --------
    >>> table = WordTable(["win", "won", "tea"], np.array([[2, 0], [2, 1], [0, 1]], np.float32))
    >>> [(near, round(cosine, 2)) for near, cosine in nearest_words(table, "win")]
    [('won', 0.89), ('tea', 0.0)]
    """
    found = resolve(source, word)
    if not found:
        return []
    asked = np.mean([vector for _, vector in found], axis=0, dtype=np.float64)
    words, matrix = source.word_vectors(most)
    lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
    lengths[lengths == 0] = 1
    cosines = (matrix @ asked) / lengths / (np.linalg.norm(asked) or 1)
    forms = {form for form, _ in found}
    order = (row for row in np.argsort(-cosines, kind="stable") if words[row] not in forms)
    return [(words[row], float(cosines[row])) for row, _ in zip(order, range(n), strict=False)]
