"""Letters of sequences: amino acids and bases, and what to do with any other character."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ALPHABETS", "codes_of", "letters_of"]

ALPHABETS = {"protein": "ACDEFGHIKLMNPQRSTVWY", "dna": "ACGT"}
"""The letters that stand for one residue or base each."""

# `str.upper` makes two letters of some that are in no alphabet: "ß" becomes "SS".
_UPPER = {ord(small): small.upper() for small in "abcdefghijklmnopqrstuvwxyz"}


def letters_of(text: str) -> str:
    """Return a sequence in capitals, without white space.

    Examples
    --------
    >>> letters_of("mkt AYI")
    'MKTAYI'
    """
    return "".join(text.split()).translate(_UPPER)


def codes_of(letters: str, alphabet: str) -> NDArray[np.intp]:
    """Return each letter's place in an alphabet of ASCII letters, -1 where it has none.

    Examples
    --------
    >>> codes_of("GATXA", "ACGT").tolist()
    [2, 0, 3, -1, 0]
    """
    table = np.full(129, -1, dtype=np.intp)
    table[[ord(letter) for letter in alphabet]] = np.arange(len(alphabet))
    # Half a surrogate pair, as broken JSON may hold one, is no valid UTF-32.
    points = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    codes: NDArray[np.intp] = table[np.minimum(points, 128)]
    return codes
