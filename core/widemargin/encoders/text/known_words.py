"""How many words of texts the encoders of word vectors know."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from widemargin.contracts import Columns
from widemargin.encoders.items import texts_of
from widemargin.encoders.joined import JoinedEncoders
from widemargin.encoders.text.word_encoder import CORPUS, PretrainedWords, TrainedWords
from widemargin.encoders.text.words import parts_of, words_of

if TYPE_CHECKING:
    from widemargin.encoders.text.word_sources import WordSource

__all__ = ["KnownWords", "count_known", "known_words"]


@dataclass(frozen=True, kw_only=True)
class KnownWords:
    """How many words of some texts have a vector of their own.

    Punctuation is no word here, and texts of punctuation alone are not counted.

    Parameters
    ----------
    block : str
        What the encoder's features are called.
    trained : bool
        Whether the vectors were trained on training texts.
    n_texts, n_unknown : int
        Texts, and those without any known word.
    n_words, n_known : int
        Occurrences of words, and those of known ones.
    n_composed : int
        Occurrences of unknown words that get a vector made of their letters.
    """

    block: str
    trained: bool = False
    n_texts: int
    n_unknown: int
    n_words: int
    n_known: int
    n_composed: int = 0


def known_words(features: Any, X: Columns) -> list[KnownWords]:
    """Count the words that fitted features know, one count an encoder of word vectors.

    Parameters
    ----------
    features : transformer
        Fitted; only joined encoders hold any of word vectors.
    X : columns
        The items.
    """
    counts = []
    for block, columns, encoder in features.blocks if isinstance(features, JoinedEncoders) else ():
        if isinstance(encoder, PretrainedWords | TrainedWords):
            texts = texts_of({name: X[name] for name in columns})
            trained = encoder.vectors == CORPUS
            counts.append(count_known(texts, encoder.source(), block, trained=trained))
    return counts


def count_known(
    texts: Sequence[str], source: WordSource, block: str = "", *, trained: bool = False
) -> KnownWords:
    """Count the words of texts that have a vector, as the encoders look them up.

    Examples
    --------
    >>> import numpy as np
    >>> from widemargin.encoders.text.word_sources import WordTable
    >>> table = WordTable(["win", "cash"], np.eye(2, dtype=np.float32))
    >>> found = count_known(["Win cash, now!", "tea"], table)
    >>> found.n_texts, found.n_unknown, found.n_words, found.n_known
    (2, 1, 4, 2)
    """
    kinds: dict[str, str] = {}
    occurred = {"known": 0, "composed": 0, "unknown": 0}
    n_texts = n_unknown = 0
    for text in texts:
        own = [word for word in words_of(text) if not _is_punctuation(word)]
        found = []
        for word in own:
            if word not in kinds:
                kinds[word] = _kind(word, source)
            found.append(kinds[word])
            occurred[kinds[word]] += 1
        n_texts += bool(own)
        n_unknown += bool(own) and "known" not in found
    return KnownWords(
        block=block,
        trained=trained,
        n_texts=n_texts,
        n_unknown=n_unknown,
        n_words=sum(occurred.values()),
        n_known=occurred["known"],
        n_composed=occurred["composed"],
    )


def _kind(word: str, source: WordSource) -> str:
    forms = dict.fromkeys((word, word.lower(), *parts_of(word.lower())))
    if any(source.vector(form) is not None for form in forms):
        return "known"
    return "unknown" if source.compose(word) is None else "composed"


def _is_punctuation(word: str) -> bool:
    return len(word) == 1 and unicodedata.category(word).startswith("P")
