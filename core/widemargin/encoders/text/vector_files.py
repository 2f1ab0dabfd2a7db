"""Files of the word2vec family: text (``.txt``, ``.vec``) and binary (``.bin``).

Both begin with a line ``words dimension``, which GloVe's text files leave out. In text each line is
a word and its numbers; in binary each word ends with a space, and its numbers follow as
little-endian float32.

A file is gone through once, which checks its form and notes where each word stands; numbers are
read when their word is asked for. Memory is 16 bytes a word and what the operating system keeps of
the file. Where a word stands twice, the first one counts.
"""

from __future__ import annotations

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

__all__ = ["VectorFile", "open_vectors"]

_HEADER = 100  # bytes that the first line of a binary file has, at most
_NUMBER = 64  # bytes that a number and its space take in text, at most


def open_vectors(path: Path, encoder: str) -> VectorFile:
    """Open a file of word vectors; the same file again costs nothing.

    Parameters
    ----------
    path : Path
        A ``.txt`` or ``.vec`` file, or a binary one that ends in ``.bin``.
    encoder : str
        Who asks, for messages.

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
def _open(path: Path, encoder: str, size: int, changed: int) -> VectorFile:
    # Size and time only tell when to read again.
    return VectorFile(path, encoder)


class VectorFile:
    """Word vectors of a file, read one by one.

    Parameters
    ----------
    path : Path
        The file.
    encoder : str
        Who asks, for messages.

    Raises
    ------
    DataError
        As `open_vectors`.
    """

    def __init__(self, path: Path, encoder: str = "word2vec") -> None:
        self._path, self._encoder = path, encoder
        self._mapped = open_mapped(path, encoder)
        self._size = len(self._mapped)
        self._binary = path.suffix == ".bin"
        if path.suffix not in (".bin", ".txt", ".vec"):
            raise self._error("ends in none of .txt, .vec (text) and .bin (binary); rename it")
        if self._mapped[:4] == FASTTEXT_MAGIC:
            raise self._error("is fastText's own binary format; give it to the encoder fasttext")
        self._index = WordIndex(self._mapped, b" ")
        if self._binary:
            self._scan_binary()
        else:
            self._scan_text()

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
            Where its numbers cannot be read.
        """
        row = self._index.find(word)
        return None if row is None else self._read(row)

    def compose(self, word: str) -> NDArray[np.float32] | None:
        """Return None: the file knows nothing of letters."""
        return None

    def word_vectors(self, most: int) -> tuple[list[str], NDArray[np.float32]]:
        """Return the first `most` words and their vectors."""
        rows = range(min(most, len(self)))
        matrix = np.empty((len(rows), self._dimension), dtype=np.float32)
        for row in rows:
            matrix[row] = self._read(row)
        return [self._index.word(row).decode("utf-8", "replace") for row in rows], matrix

    def _scan_text(self) -> None:
        start = 3 if self._mapped[:3] == b"\xef\xbb\xbf" else 0
        line, after = self._line(start, 1, LONGEST_WORD + MOST_NUMBERS * _NUMBER)
        fields = line.split()
        if header := _header(fields):
            count, self._dimension = self._check_header(*header, 2)
            start, self._first_line = after, 2
        else:
            count, self._dimension, self._first_line = None, len(fields) - 1, 1
            if self._dimension < 2 or not all(map(_is_number, fields[-self._dimension :])):
                raise self._error(
                    "line 1 is neither `words dimension` nor a word with its numbers; it is no "
                    "file of word vectors"
                )
        longest = LONGEST_WORD + self._dimension * _NUMBER
        while start < self._size:
            number = len(self._index) + self._first_line
            line, after = self._line(start, number, longest)
            if not line and not self._mapped[start : start + LONGEST_WORD].strip():
                break
            if len(self._index) == count:
                raise self._error(f"line 1 promises {count:,} words, and line {number} has more")
            separators = line.count(b" ")
            if separators < self._dimension:
                raise self._error(
                    f"line {number}: expected a word and {self._dimension} numbers with a space "
                    f"between them, found {separators + 1} fields"
                )
            # GloVe's largest file has words with spaces in them.
            word = line.rsplit(b" ", self._dimension)[0]
            self._index.add(word, start)
            start = after
        if count is not None and len(self._index) < count:
            raise self._error(
                f"line 1 promises {count:,} words, and there are {len(self._index):,}; it is cut "
                "off"
            )

    def _scan_binary(self) -> None:
        line, feed, _ = self._mapped[: min(_HEADER, self._size)].partition(b"\n")
        header = _header(line.split()) if feed else None
        if header is None:
            raise self._error(
                "is no binary file of word2vec, which begins with a line `words dimension`. Give "
                "one that does, or text that ends in .txt or .vec; a .bin file that fastText "
                "wrote is for the encoder fasttext"
            )
        start = len(line) + 1
        count, self._dimension = self._check_header(*header, 4)
        for row in range(count):
            if self._mapped[start : start + 1] == b"\n":
                start += 1
            space = self._mapped.find(b" ", start, start + LONGEST_WORD)
            after = space + 1 + 4 * self._dimension
            if space < 0 and self._size - start > LONGEST_WORD:
                raise self._error(
                    f"byte {start:,}: word {row + 1:,} does not end; the file is damaged"
                )
            if space < 0 or after > self._size:
                raise self._error(
                    f"line 1 promises {count:,} words, and the file ends in word {row + 1:,}, at "
                    f"byte {self._size:,}; it is cut off"
                )
            self._index.add(self._mapped[start:space], start)
            start = after
        if self._mapped[start : start + LONGEST_WORD].strip(b"\n"):
            raise self._error(
                f"line 1 promises {count:,} words of {self._dimension} numbers, and at byte "
                f"{start:,}, after the last one, the file goes on; its header is wrong"
            )

    def _check_header(self, count: int, dimension: int, least: int) -> tuple[int, int]:
        if not 1 <= dimension <= MOST_NUMBERS or count < 1:
            raise self._error(f"line 1 promises {count:,} words of {dimension:,} numbers")
        # Nothing is made room for on the strength of a header.
        if count * (1 + least * dimension) > self._size:
            raise self._error(
                f"line 1 promises {count:,} words of {dimension:,} numbers, which do not fit into "
                f"its {self._size:,} bytes; it is cut off, or the line is wrong"
            )
        return count, dimension

    def _line(self, start: int, number: int, longest: int) -> tuple[bytes, int]:
        end = self._mapped.find(b"\n", start, start + longest)
        if end < 0:
            if self._size - start > longest:
                raise self._error(f"line {number} has more than {longest:,} bytes")
            end = self._size
        return self._mapped[start:end].rstrip(b" \r"), end + 1

    def _read(self, row: int) -> NDArray[np.float32]:
        start = self._index.start(row)
        if self._binary:
            start = self._mapped.find(b" ", start) + 1
            place = f"byte {start:,}"
            read = self._mapped[start : start + 4 * self._dimension]
            numbers = np.frombuffer(read, dtype="<f4").astype(np.float64)
        else:
            place = f"line {row + self._first_line}"
            line, _ = self._line(start, row + self._first_line, self._size)
            fields = line.rsplit(b" ", self._dimension)[1:]
            try:
                numbers = np.array([float(field) for field in fields])
            except ValueError as error:
                said = str(error).partition(": ")[2] or str(error)
                raise self._error(f"{place}: {said} is no number") from error
        if not (np.abs(numbers) <= np.finfo(np.float32).max).all():
            raise self._error(f"{place}: a number is not finite, or too large for float32")
        return numbers.astype(np.float32)

    def _error(self, what: str) -> DataError:
        return DataError(f"{self._encoder}: {self._path} {what}.")


def _header(fields: list[bytes]) -> tuple[int, int] | None:
    if len(fields) != 2 or not all(field.isdigit() and len(field) < 19 for field in fields):
        return None
    return int(fields[0]), int(fields[1])


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
