r"""Texts as words: what the encoders of word vectors read.

A word is a run of letters and digits, with apostrophes inside it; every other character that is no
white space is a word of its own. Languages written without spaces are not segmented: there a run of
letters is one word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["chunks_of", "pack_words", "parts_of", "placed_words", "unpack_words", "words_of"]

_CHUNK = re.compile(r"\S+")
# Python's \w leaves out the marks that vowels are written with in Hebrew, Arabic, and the scripts
# of India and South-East Asia, which would cut their words to pieces.
_LETTER = r"[\w\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u109f]"
# Half a surrogate pair, as broken JSON may hold one, is no word: it is no valid UTF-8.
_WORD = re.compile(rf"{_LETTER}+(?:['\u2019]{_LETTER}+)*|[^\w\s\ud800-\udfff]")


def chunks_of(text: str) -> list[str]:
    """Split a text at white space: the pieces that explanations speak of.

    Examples
    --------
    >>> chunks_of("Don't  call!")
    ["Don't", 'call!']
    """
    return _CHUNK.findall(text)


def words_of(text: str) -> list[str]:
    """Return a text's words in their order.

    Examples
    --------
    >>> words_of("Don't call 0800, £5!")
    ["Don't", 'call', '0800', ',', '£', '5', '!']
    """
    return _WORD.findall(text.replace("\u2019", "'"))


def placed_words(text: str) -> list[tuple[str, int]]:
    """Return the words that `words_of` does, each with the number of the chunk that it stands in.

    Examples
    --------
    >>> placed_words("call now!")
    [('call', 0), ('now', 1), ('!', 1)]
    """
    return [(word, at) for at, chunk in enumerate(chunks_of(text)) for word in words_of(chunk)]


def parts_of(word: str) -> list[str]:
    """Cut a word at its last apostrophe, as the Penn Treebank and thereby GloVe's corpora do.

    Examples
    --------
    >>> parts_of("don't"), parts_of("it's"), parts_of("call")
    (['do', "n't"], ['it', "'s"], [])
    """
    if word.endswith("n't"):
        return [word[:-3], "n't"]
    stem, mark, rest = word.rpartition("'")
    return [stem, mark + rest] if mark else []


def pack_words(words: Sequence[str]) -> NDArray[np.uint8]:
    """Return words as an array of bytes, to be saved.

    Examples
    --------
    >>> unpack_words(pack_words(["win", "£"]))
    ['win', '£']
    """
    # No word holds a line feed, which is white space.
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def unpack_words(packed: NDArray[Any]) -> list[str]:
    """Return the words that `pack_words` packed."""
    joined = packed.tobytes().decode()
    return joined.split("\n") if joined else []
