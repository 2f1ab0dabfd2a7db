"""Files of word vectors: opened with care, and indexed in 16 bytes a word."""

from __future__ import annotations

import mmap
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FASTTEXT_MAGIC", "LONGEST_WORD", "MOST_NUMBERS", "WordIndex", "open_mapped"]

FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")
"""How a file of fastText's own format begins."""

LONGEST_WORD = 10_000
"""Bytes of a word; a longer one is a sign of a damaged file."""

MOST_NUMBERS = 100_000
"""Numbers of a vector; more are a sign of a damaged file."""

_PICKLE = (
    "is saved by gensim as a pickle, which may run any code when it is opened, and is refused. "
    'Convert it where you trust it: python -c "from gensim.models import KeyedVectors; m = '
    "KeyedVectors.load('{name}'); getattr(m, 'wv', m).save_word2vec_format('{stem}.bin', "
    'binary=True)", and give {stem}.bin.'
)
_REFUSED = {
    b"\x1f\x8b": "is compressed; unpack it with gunzip first.",
    b"PK\x03\x04": "is a zip archive; unpack it first and give the file in it.",
    b"\x93NUMPY": "holds an array without words; give the file that has the words too.",
}


def open_mapped(path: Path, encoder: str) -> mmap.mmap:
    """Map a file of vectors into memory, so that only what is looked at is read.

    Raises
    ------
    DataError
        Where there is no such file, it is empty, or it is of a kind that no encoder opens.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(6)
            pickled = begins[:1] == b"\x80" and begins[1:2] <= b"\x05"
            if pickled or path.suffix in (".kv", ".model", ".pkl", ".pickle"):
                told = _PICKLE.format(name=path.name, stem=path.stem)
                raise DataError(f"{encoder}: {path} {told}")
            for magic, why in _REFUSED.items():
                if begins.startswith(magic):
                    raise DataError(f"{encoder}: {path} {why}")
            if not begins:
                raise DataError(f"{encoder}: {path} is empty.")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise DataError(f"{encoder}: {path} cannot be read ({error.strerror or error}).") from error


class WordIndex:
    """Where each word of a mapped file stands: 16 bytes a word, whatever its vectors take.

    Parameters
    ----------
    mapped : mmap
        The file.
    end : bytes
        What ends a word in it.
    """

    def __init__(self, mapped: mmap.mmap, end: bytes) -> None:
        self._mapped = mapped
        self._end = end
        self._hashes = array("Q")
        self._starts = array("Q")
        self._order: NDArray[np.intp] | None = None
        self._sorted: NDArray[np.uint64] | None = None

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, word: bytes, start: int) -> None:
        """Note that a word begins at a byte of the file."""
        # Python's own hash differs from process to process, and so does this index; what is found
        # with it is compared with the file, and does not.
        self._hashes.append(hash(word) & 0xFFFF_FFFF_FFFF_FFFF)
        self._starts.append(start)

    def start(self, row: int) -> int:
        """Return the byte at which a row's word begins."""
        return self._starts[row]

    def word(self, row: int) -> bytes:
        """Return a row's word as it stands in the file."""
        start = self._starts[row]
        return self._mapped[start : self._mapped.find(self._end, start)]

    def find(self, word: str) -> int | None:
        """Return the row of a word, the first one where it stands there twice."""
        if self._order is None or self._sorted is None:
            hashes = np.frombuffer(self._hashes, dtype=np.uint64)
            self._order = np.argsort(hashes, kind="stable")
            self._sorted = hashes[self._order]
        wanted = word.encode("utf-8", "surrogatepass")
        key = np.uint64(hash(wanted) & 0xFFFF_FFFF_FFFF_FFFF)
        ended = wanted + self._end
        place = int(np.searchsorted(self._sorted, key))
        while place < len(self._sorted) and self._sorted[place] == key:
            row = int(self._order[place])
            start = self._starts[row]
            if self._mapped[start : start + len(ended)] == ended:
                return row
            place += 1
        return None
