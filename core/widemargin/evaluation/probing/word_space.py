"""Words and their vectors, to be asked: of a table, or of an encoder that reads them as texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from widemargin.encoders.text.word_sources import WordSource, resolve
from widemargin.errors import InputError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Found", "WordSpace", "space_of_table", "space_of_texts"]

# Words of a table that are looked at, and numbers that they may have together: 200 MB of float32.
_MOST = 200_000
_NUMBERS = 50_000_000
# Words among which one is looked for that may have been meant.
_MEANT = 20_000


@dataclass(frozen=True)
class Found:
    """A word's vector, and how it was come by.

    Parameters
    ----------
    vector : ndarray of shape (n_numbers,), float64
        Of length 1.
    forms : tuple of str
        What was found: the word, in lower case, or its parts.
    how : {"whole", "parts", "letters"}
        Known as it is, as its parts, or made of its letters.
    """

    vector: NDArray[np.float64]
    forms: tuple[str, ...]
    how: Literal["whole", "parts", "letters"] = "whole"


class WordSpace:
    """Words, of which neighbours are, and a way to find the vector of any word.

    Parameters
    ----------
    words : sequence of str
        Distinct words.
    matrix : ndarray of shape (n_words, n_numbers), float32
        Their vectors, of any length.
    find : callable
        ``find(words)`` gives for each word a `Found`, or None where it has no vector.
    known : int
        Words that the encoder knows, of which `words` are the first; 0 where it reads any.
    """

    def __init__(
        self,
        words: Sequence[str],
        matrix: NDArray[np.float32],
        find: Callable[[Sequence[str]], list[Found | None]],
        known: int = 0,
    ) -> None:
        self.words = list(words)
        self.matrix = matrix
        self.find = find
        self.known = known
        lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
        # A word whose vector is 0 lies nowhere, and is near to none.
        self._inverse = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        self._rows: dict[str, list[int]] = {}
        for row, word in enumerate(self.words):
            self._rows.setdefault(word.casefold(), []).append(row)

    def __contains__(self, word: str) -> bool:
        return word.casefold() in self._rows

    def require(self, words: Sequence[str]) -> list[Found]:
        """Find words that were asked for.

        Raises
        ------
        InputError
            Naming every word that has no vector.
        """
        found = self.find(words)
        unknown = [word for word, own in zip(words, found, strict=True) if own is None]
        if unknown:
            near = nearest(unknown[0], self.words[:_MEANT])
            names = ", ".join(map(repr, unknown))
            of = f" (its vocabulary has {self.known:,} words)" if self.known else ""
            raise InputError(f"The encoder has no vector of {names}{of}.{near}")
        return [own for own in found if own is not None]

    def nearest(
        self, asked: NDArray[np.float64], left_out: Sequence[Sequence[str]], n: int
    ) -> list[list[tuple[str, float]]]:
        """List the `n` words nearest to each of several vectors, with cosines.

        Parameters
        ----------
        asked : ndarray of shape (n_asked, n_numbers)
            The vectors.
        left_out : sequence of (sequence of str)
            Words that are no answer, in any case, for each.
        n : int
            How many to list.

        Examples
        --------
        >>> table = np.array([[2, 0], [2, 1], [0, 1]], np.float32)
        >>> space = WordSpace(["win", "won", "tea"], table, lambda words: [None for _ in words])
        >>> space.nearest(np.array([[1.0, 0.0]]), [["Win"]], 1)
        [[('won', 0.8944271...)]]
        """
        listed = []
        for vector, without in zip(asked, left_out, strict=True):
            cosines = (self.matrix @ vector.astype(np.float32)).astype(np.float64) * self._inverse
            cosines /= np.linalg.norm(vector) or 1
            cosines[self._inverse == 0] = -np.inf
            for word in without:
                cosines[self._rows.get(word.casefold(), [])] = -np.inf
            # Of equal ones the first, the more frequent as a rule.
            order = np.argsort(-cosines, kind="stable")[:n]
            listed.append(
                [
                    (self.words[row], float(np.clip(cosines[row], -1, 1)))
                    for row in order
                    if np.isfinite(cosines[row])
                ]
            )
        return listed


def space_of_table(source: WordSource) -> WordSpace:
    """Return the words of a table: its first 200,000, fewer where vectors are long.

    Examples
    --------
    >>> from widemargin.encoders.text.word_sources import WordTable
    >>> space = space_of_table(WordTable(["win", "tea"], np.eye(2, dtype=np.float32)))
    >>> [own and own.forms for own in space.find(["WIN", "sea"])]
    [('win',), None]
    """
    words, matrix = source.word_vectors(max(1000, min(_MOST, _NUMBERS // source.dimension)))

    def find(asked: Sequence[str]) -> list[Found | None]:
        return [_found(source, word) for word in asked]

    size = getattr(source, "words", None)
    return WordSpace(words, matrix, find, len(words) if size is None else len(size))


def space_of_texts(
    encode: Callable[[list[str]], NDArray[np.float32]], words: Sequence[str]
) -> WordSpace:
    """Return a space of words that an encoder reads as texts of one word each.

    Parameters
    ----------
    encode : callable
        ``encode(texts)`` gives an array of shape (n_texts, n_numbers).
    words : sequence of str
        Those among which neighbours are looked for.
    """

    def find(asked: Sequence[str]) -> list[Found | None]:
        if not asked:
            return []
        return [
            Found(unit, (word,)) if (unit := _unit(vector)) is not None else None
            for word, vector in zip(asked, encode(list(asked)), strict=True)
        ]

    distinct = list({word.casefold(): word for word in reversed(words)}.values())[::-1]
    return WordSpace(distinct, encode(distinct), find)


def _found(source: WordSource, word: str) -> Found | None:
    pieces = resolve(source, word)
    if not pieces:
        return None
    unit = _unit(np.mean([vector for _, vector in pieces], axis=0, dtype=np.float64))
    if unit is None:
        return None
    forms = tuple(form for form, _ in pieces)
    if forms[0] not in (word, word.lower()) or len(forms) > 1:
        return Found(unit, forms, "parts")
    return Found(unit, forms, "whole" if source.vector(forms[0]) is not None else "letters")


def _unit(vector: NDArray[np.floating]) -> NDArray[np.float64] | None:
    length = float(np.linalg.norm(vector.astype(np.float64)))
    return np.asarray(vector.astype(np.float64) / length) if length > 0 else None
