r"""fastText's own binary files, and the n-grams of letters that words are made of.

A word's vector is the mean of its own row and of the rows of its n-grams, an unknown word's the
mean of the n-grams' alone (Bojanowski, Grave, Joulin & Mikolov 2017, "Enriching word vectors with
subword information", doi:10.1162/tacl_a_00051). N-grams share rows by a hash (FNV-1a, whose bytes
fastText takes as signed).

The file is mapped into memory, gone through once, and rows are read when they are asked for. It is
read here and not by gensim, whose reader holds the whole file, and does not end where a file is cut
off among the words.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from widemargin.encoders.text.file_index import (
    FASTTEXT_MAGIC,
    LONGEST_WORD,
    MOST_NUMBERS,
    WordIndex,
    open_mapped,
)
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FastTextFile", "open_fasttext", "subword_hashes"]

_ARGUMENTS = struct.Struct("<12id")
_SIZES = struct.Struct("<3i2q")
_AFTER_WORD = 9  # a count of 8 bytes and a type of 1
_MOST_LETTERS = 100


def subword_hashes(word: str, shortest: int, longest: int) -> list[int]:
    """Hash a word's n-grams of letters, its ends marked as ``<word>``, as fastText does.

    Parameters
    ----------
    word : str
        The word.
    shortest, longest : int
        Letters of an n-gram.

    Returns
    -------
    list of int
        One hash of 32 bits an n-gram, from left to right.

    Examples
    --------
    >>> subword_hashes("a", 3, 6) == subword_hashes("a", 3, 3) != []
    True
    """
    letters = [letter.encode("utf-8", "surrogatepass") for letter in f"<{word}>"]
    hashes = []
    for start in range(len(letters)):
        value = 2166136261
        for length, letter in enumerate(letters[start : start + longest], start=1):
            for byte in letter:
                signed = byte | 0xFFFFFF00 if byte & 0x80 else byte
                value = ((value ^ signed) * 16777619) & 0xFFFFFFFF
            # A mark alone is no n-gram.
            alone = length == 1 and start in (0, len(letters) - 1)
            if length >= shortest and not alone:
                hashes.append(value)
    return hashes


def open_fasttext(path: Path, encoder: str = "fasttext") -> FastTextFile:
    """Open a file of fastText's own format; the same file again costs nothing.

    Raises
    ------
    DataError
        Where it cannot be read, is damaged, or is no such file.
    """
    try:
        stamp = path.stat()
    except OSError as error:
        raise DataError(f"{encoder}: {path} cannot be read ({error.strerror or error}).") from error
    return _open(path, encoder, stamp.st_size, stamp.st_mtime_ns)


@lru_cache(maxsize=4)
def _open(path: Path, encoder: str, size: int, changed: int) -> FastTextFile:
    # Size and time only tell when to read again.
    return FastTextFile(path, encoder)


class FastTextFile:
    """Vectors of words and of their letters, read one by one.

    Parameters
    ----------
    path : Path
        A ``.bin`` file that fastText wrote, unsupervised and not quantised.
    encoder : str
        Who asks, for messages.

    Raises
    ------
    DataError
        As `open_fasttext`.
    """

    def __init__(self, path: Path, encoder: str = "fasttext") -> None:
        self._path, self._encoder = path, encoder
        self._mapped = open_mapped(path, encoder)
        self._size = len(self._mapped)
        if self._mapped[:4] != FASTTEXT_MAGIC:
            raise self._error(
                "is not fastText's own binary format. Give a .bin file that fastText wrote, "
                "unsupervised and not quantised; whole words without their letters, in .vec, .txt "
                "or word2vec's .bin, are for the encoder word2vec"
            )
        (version,) = self._unpack(struct.Struct("<i"), 4)
        if version not in (11, 12):
            raise self._error(f"is of version {version} of the format; 11 and 12 are read")
        arguments = self._unpack(_ARGUMENTS, 8)
        self._dimension, self._bucket = int(arguments[0]), int(arguments[8])
        self._shortest, self._longest = int(arguments[9]), int(arguments[10])
        n_entries, n_words, n_labels, _, n_pruned = self._unpack(_SIZES, 8 + _ARGUMENTS.size)
        if n_labels > 0:
            raise self._error(
                "is a supervised model, which learnt somebody's labels; give an unsupervised one"
            )
        if (
            not 1 <= self._dimension <= MOST_NUMBERS
            or not 0 <= self._shortest <= _MOST_LETTERS
            or not 0 <= self._longest <= _MOST_LETTERS
            or not 0 <= self._bucket <= self._size
            or not 1 <= n_words <= self._size
            or n_entries != n_words
        ):
            raise self._error("has a header that cannot be; it is damaged")
        if n_pruned > 0:
            raise self._error("is quantised; give the .bin file, not the .ftz file")
        self._index = WordIndex(self._mapped, b"\0")
        self._place_rows(self._scan_words(8 + _ARGUMENTS.size + _SIZES.size, n_words))

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return self._dimension

    def __len__(self) -> int:
        return len(self._index)

    def vector(self, word: str) -> NDArray[np.float32] | None:
        """Return the vector of a known word, None of any other.

        Raises
        ------
        DataError
            Where its numbers are not finite.
        """
        row = self._index.find(word)
        return None if row is None else self._mean([row, *self._subwords(word)], word)

    def compose(self, word: str) -> NDArray[np.float32] | None:
        """Return the mean of an unknown word's n-grams, None where it is too short for any.

        Raises
        ------
        DataError
            Where its numbers are not finite.
        """
        rows = self._subwords(word)
        return self._mean(rows, word) if rows else None

    def word_vectors(self, most: int) -> tuple[list[str], NDArray[np.float32]]:
        """Return the first `most` words and their vectors."""
        rows = range(min(most, len(self)))
        words = [self._index.word(row).decode("utf-8", "replace") for row in rows]
        matrix = np.empty((len(rows), self._dimension), dtype=np.float32)
        for row, word in zip(rows, words, strict=True):
            matrix[row] = self._mean([row, *self._subwords(word)], word)
        return words, matrix

    def _scan_words(self, start: int, n_words: int) -> int:
        for row in range(n_words):
            end = self._mapped.find(b"\0", start, start + LONGEST_WORD)
            if end < 0 and self._size - start > LONGEST_WORD:
                raise self._error(f"byte {start:,}: word {row + 1:,} does not end; it is damaged")
            if end < 0 or end + 1 + _AFTER_WORD > self._size:
                raise self._error(
                    f"promises {n_words:,} words and ends in word {row + 1:,}, at byte "
                    f"{self._size:,}; it is cut off"
                )
            self._index.add(self._mapped[start:end], start)
            start = end + 1 + _AFTER_WORD
        return start

    def _place_rows(self, start: int) -> None:
        if self._unpack(struct.Struct("<B"), start)[0]:
            raise self._error("is quantised; give the .bin file, not the .ftz file")
        n_rows, dimension = self._unpack(struct.Struct("<2q"), start + 1)
        if (n_rows, dimension) != (len(self) + self._bucket, self._dimension):
            raise self._error(
                f"byte {start + 1:,}: its matrix is of {n_rows:,} x {dimension:,} numbers, and "
                f"its header says {len(self) + self._bucket:,} x {self._dimension:,}; it is damaged"
            )
        self._rows_start = start + 17
        if self._rows_start + 4 * n_rows * dimension > self._size:
            raise self._error(
                f"has {self._size:,} bytes, and its vectors would take more; it is cut off"
            )

    def _subwords(self, word: str) -> list[int]:
        if not self._bucket or not self._longest:
            return []
        hashes = subword_hashes(word, self._shortest, self._longest)
        return [len(self) + value % self._bucket for value in hashes]

    def _mean(self, rows: list[int], word: str) -> NDArray[np.float32]:
        total = np.zeros(self._dimension)
        for row in rows:
            start = self._rows_start + 4 * self._dimension * row
            total += np.frombuffer(self._mapped[start : start + 4 * self._dimension], dtype="<f4")
        if not np.isfinite(total).all():
            raise self._error(f"has a number for {word!r} that is not finite; it is damaged")
        return (total / len(rows)).astype(np.float32)

    def _unpack(self, form: struct.Struct, start: int) -> tuple[int, ...]:
        if start + form.size > self._size:
            raise self._error(f"ends at byte {self._size:,}, within its header; it is cut off")
        return form.unpack(self._mapped[start : start + form.size])

    def _error(self, what: str) -> DataError:
        return DataError(f"{self._encoder}: {self._path} {what}.")
