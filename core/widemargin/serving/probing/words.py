"""What an encoder says of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.encoders.text.contextual import ContextualEncoder
from widemargin.encoders.text.word_encoder import CORPUS, PretrainedWords, TrainedWords
from widemargin.encoders.text.words import words_of
from widemargin.errors import InputError
from widemargin.evaluation.probing.bundled import (
    ContextSet,
    analogies,
    bundled_words,
    context_sets,
    word_pairs,
)
from widemargin.evaluation.probing.geometry import Geometry, measure_geometry
from widemargin.evaluation.probing.similarity import Similarity, score_similarity
from widemargin.evaluation.probing.word_space import WordSpace, space_of_table, space_of_texts
from widemargin.evaluation.probing.words import (
    AnalogyScores,
    InContext,
    cosines_in_contexts,
    parse_analogy,
    score_analogies,
    shared_word,
    solve_analogy,
)
from widemargin.serving.probing.asked import Asked

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Near", "WordProbe", "has_words", "probe_words"]

_WORDS = ("king", "doctor", "river", "happy")
_ANALOGY = "king - man + woman"
# Words of a use case that an encoder of texts reads one by one, and how often they must occur.
_FREQUENT, _TIMES = 3000, 2


@dataclass(frozen=True)
class Near:
    """A word and its neighbours with cosines, or an analogy and its answers.

    Parameters
    ----------
    asked : str
        The word or the analogy.
    how : {"whole", "parts", "letters"}
        How the word's vector was come by.
    found : tuple of (str, float)
        Words and cosines, nearest first.
    """

    asked: str
    how: str
    found: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class WordProbe:
    """What an encoder says of words.

    Parameters
    ----------
    looked_at : int
        Words among which neighbours and answers are.
    known : int
        Words that the encoder knows; 0 where it reads any text.
    trained_on : str
        The use case whose texts the vectors were trained on; empty where they come trained.
    contextual : bool
        Whether a word's vector depends on the words around it.
    neighbours, answers : tuple of Near
        Of words and of analogies.
    analogies : AnalogyScores
        The bundled ones.
    similarity : Similarity
        The bundled pairs.
    contexts : tuple of dict
        Bundled words: ``word``, ``like`` and ``unlike``, cosines of a word in two sentences of one
        meaning and of two; nan where it is unknown.
    own_contexts : dict or None
        The texts that were given: ``word``, ``texts``, ``cosines`` (n_texts, n_texts) of the word,
        and ``text_cosines`` of the whole texts.
    geometry : Geometry
        Of the vectors of the words that were looked at.
    """

    looked_at: int
    known: int
    trained_on: str
    contextual: bool
    neighbours: tuple[Near, ...]
    answers: tuple[Near, ...]
    analogies: AnalogyScores
    similarity: Similarity
    contexts: tuple[dict[str, Any], ...]
    own_contexts: dict[str, Any] | None
    geometry: Geometry


def has_words(encoder: Any) -> bool:
    """Say whether an encoder has vectors of words."""
    return isinstance(encoder, PretrainedWords | TrainedWords | ContextualEncoder)


def probe_words(
    encoder: Any,
    asked: Asked,
    texts: Sequence[str] = (),
    y: Sequence[Any] | NDArray[Any] = (),
    use_case: str = "",
) -> WordProbe:
    """Ask an encoder that has words, fitted where it learns.

    Parameters
    ----------
    encoder : Encoder
        One that `has_words`.
    asked : Asked
        What to ask.
    texts : sequence of str
        The use case's, where one was named: of these are words that are shown, and those among
        which an encoder of texts looks for neighbours.
    y : sequence of shape (n_texts,)
        Their labels.
    use_case : str
        Its name.

    Raises
    ------
    InputError
        Where a word that was asked for has no vector.
    """
    trained = isinstance(encoder, TrainedWords) and encoder.vectors == CORPUS
    counts = Counter(word.lower() for text in texts for word in words_of(text) if word.isalpha())
    if isinstance(encoder, ContextualEncoder):
        frequent = [word for word, n in counts.most_common(_FREQUENT) if n >= _TIMES]
        space = space_of_texts(encoder.transform, [*bundled_words(), *frequent])
    else:
        space = space_of_table(encoder.source())
    words = asked.words or _telling(space, texts, y, counts)
    neighbours = _near(space, words, asked.neighbours)
    questions = asked.analogies
    if not questions and all(word in space for word, _ in parse_analogy(_ANALOGY)):
        questions = (_ANALOGY,)
    answers = tuple(
        Near(text, "whole", tuple(solve_analogy(space, parse_analogy(text), asked.neighbours)))
        for text in questions
    )
    in_context = _reader(encoder, space)
    return WordProbe(
        looked_at=len(space.words),
        known=space.known,
        trained_on=use_case if trained else "",
        contextual=isinstance(encoder, ContextualEncoder),
        neighbours=neighbours,
        answers=answers,
        analogies=score_analogies(space, analogies()),
        similarity=score_similarity(space, word_pairs()),
        contexts=tuple(_bundled_context(in_context, one) for one in context_sets()),
        own_contexts=_own_contexts(encoder, in_context, space, asked) if asked.contexts else None,
        geometry=measure_geometry(space.matrix),
    )


def _reader(encoder: Any, space: WordSpace) -> InContext:
    if isinstance(encoder, ContextualEncoder):
        return encoder.word_vectors

    def read(text: str) -> Sequence[tuple[str, NDArray[np.floating]]]:
        every = words_of(text)
        found = zip(every, space.find(every), strict=True)
        return [(word, own.vector) for word, own in found if own is not None]

    return read


def _bundled_context(in_context: InContext, one: ContextSet) -> dict[str, Any]:
    seen = cosines_in_contexts(in_context, one.word, (one.sentence, one.like, one.unlike))
    unlike = float((seen[0, 2] + seen[1, 2]) / 2)
    return {"word": one.word, "like": float(seen[0, 1]), "unlike": unlike}


def _own_contexts(
    encoder: Any, in_context: InContext, space: WordSpace, asked: Asked
) -> dict[str, Any]:
    word = shared_word(asked.contexts, asked.words)
    cosines = cosines_in_contexts(in_context, word, asked.contexts)
    if np.isnan(cosines).any():
        space.require([word])
        raise InputError(
            f"{word!r} is not among the words that the encoder makes of a --context, or stands "
            "beyond the longest text that it reads."
        )
    whole = np.asarray(encoder.transform(list(asked.contexts)), dtype=np.float64)
    lengths = np.linalg.norm(whole, axis=1, keepdims=True)
    whole /= np.where(lengths > 0, lengths, 1)
    return {
        "word": word,
        "texts": list(asked.contexts),
        "cosines": cosines.tolist(),
        "text_cosines": np.clip(whole @ whole.T, -1, 1).tolist(),
    }


def _near(space: WordSpace, words: Sequence[str], n: int) -> tuple[Near, ...]:
    found = space.require(words)
    if not found:
        return ()
    left_out = [(word, *own.forms) for word, own in zip(words, found, strict=True)]
    listed = space.nearest(np.array([own.vector for own in found]), left_out, n)
    return tuple(
        Near(word, own.how, tuple(near))
        for word, own, near in zip(words, found, listed, strict=True)
    )


def _telling(
    space: WordSpace, texts: Sequence[str], y: Sequence[Any] | NDArray[Any], counts: Counter[str]
) -> tuple[str, ...]:
    """Choose words to show: those that tell the classes of a corpus apart, or usual ones."""
    if not texts:
        usual = zip(_WORDS, space.find(_WORDS), strict=True)
        known = tuple(word for word, own in usual if own is not None and own.how == "whole")
        return known or tuple(space.words[: len(_WORDS)])
    candidates = [word for word, _ in counts.most_common(_FREQUENT) if len(word) > 2]
    candidates = [word for word in candidates if word in space]
    if np.asarray(y).dtype.kind == "f" or not candidates:
        return tuple(candidates[: len(_WORDS)]) or tuple(space.words[: len(_WORDS)])
    place = {word: at for at, word in enumerate(candidates)}
    classes, codes = np.unique(np.asarray(y).astype(str), return_inverse=True)
    there = np.zeros((len(classes), len(candidates)))
    for text, code in zip(texts, codes.reshape(-1), strict=True):
        own = {place[word.lower()] for word in words_of(text) if word.lower() in place}
        there[code, list(own)] += 1
    # The chi-squared statistic of a word's presence in the texts of each class.
    sizes = np.bincount(codes.reshape(-1))[:, np.newaxis]
    expected = there.sum(axis=0) * sizes / len(texts)
    absent = np.maximum(sizes - expected, 1e-9)
    statistic = ((there - expected) ** 2 * (1 / expected + 1 / absent)).sum(axis=0)
    order = np.argsort(-statistic, kind="stable")[: len(_WORDS)]
    return tuple(candidates[at] for at in order)
