"""Questions about words: analogies, and one word in two contexts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from widemargin.encoders.text.words import words_of
from widemargin.errors import InputError
from widemargin.evaluation.probing.bundled import Analogy
from widemargin.evaluation.probing.word_space import Found, WordSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "AnalogyScores",
    "InContext",
    "Relation",
    "cosines_in_contexts",
    "parse_analogy",
    "score_analogies",
    "shared_word",
    "solve_analogy",
]

InContext = Callable[[str], Sequence[tuple[str, "NDArray[np.floating]"]]]
"""A text's words in order, each with its vector there."""

_FIVE = 5


@dataclass(frozen=True, kw_only=True)
class Relation:
    """How the analogies of one relation were answered.

    Parameters
    ----------
    name : str
        The relation.
    asked : int
        Questions whose words all have vectors.
    first, among : int
        Those whose answer came first, and among the first five.
    left_out : int
        Questions with a word that is unknown.
    """

    name: str
    asked: int
    first: int
    among: int
    left_out: int


@dataclass(frozen=True, kw_only=True)
class AnalogyScores:
    """How analogies were answered.

    Parameters
    ----------
    relations : tuple of Relation
        One each.
    asked, first, among, left_out : int
        Their sums.
    candidates : int
        Words among which the answer is looked for.
    unknown : tuple of str
        Words that have no vector, or that are no candidates where they are the answer.
    """

    relations: tuple[Relation, ...]
    asked: int
    first: int
    among: int
    left_out: int
    candidates: int
    unknown: tuple[str, ...]


def parse_analogy(text: str) -> tuple[tuple[str, int], ...]:
    """Read words with their signs.

    Raises
    ------
    InputError
        Where it is no sum of at least two words, one of them added.

    Examples
    --------
    >>> parse_analogy("king - man + woman")
    (('king', 1), ('man', -1), ('woman', 1))
    """
    form = "write words with + and - between them, and spaces around, as in 'king - man + woman'"
    terms: list[tuple[str, int]] = []
    sign: int | None = None
    for part in text.split():
        if part in ("+", "-", "\u2212"):
            if sign is not None:
                raise InputError(f"The analogy {text!r} has no word before {part!r}; {form}.")
            sign = 1 if part == "+" else -1
        elif sign is None and terms:
            raise InputError(f"The analogy {text!r} has no sign before {part!r}; {form}.")
        else:
            terms.append((part, sign or 1))
            sign = None
    if sign is not None:
        raise InputError(f"The analogy {text!r} ends with a sign; {form}.")
    if len(terms) < 2 or all(sign < 0 for _, sign in terms):
        raise InputError(
            f"The analogy {text!r} is not a sum of two words or more, at least one of them "
            f"added; {form}."
        )
    return tuple(terms)


def solve_analogy(
    space: WordSpace, terms: Sequence[tuple[str, int]], n: int
) -> list[tuple[str, float]]:
    """List the words nearest to a sum of words, the question's own left out.

    3CosAdd: the words x of the greatest ``cos(x, b - a + c)``, the vectors a, b and c being of
    length 1. Mikolov, Yih & Zweig 2013, "Linguistic regularities in continuous space word
    representations", NAACL; named so by Levy & Goldberg 2014, CoNLL, doi:10.3115/v1/W14-1618.

    Raises
    ------
    InputError
        Where a word has no vector.
    """
    found = space.require([word for word, _ in terms])
    asked = np.sum([sign * own.vector for own, (_, sign) in zip(found, terms, strict=True)], axis=0)
    return space.nearest(asked[np.newaxis], [_forms([word for word, _ in terms], found)], n)[0]


def score_analogies(space: WordSpace, questions: Sequence[Analogy]) -> AnalogyScores:
    """Ask analogies by 3CosAdd (`solve_analogy`), and count right answers by relation."""
    words = list(dict.fromkeys(word for one in questions for word in (one.a, one.b, one.c)))
    known = dict(zip(words, space.find(words), strict=True))
    unknown = [word for word, own in known.items() if own is None]
    unknown += [one.d for one in questions if one.d not in space]
    asked, vectors, left_out = [], [], []
    for one in questions:
        found = [known[word] for word in (one.a, one.b, one.c)]
        there = [own for own in found if own is not None]
        if len(there) == len(found) and one.d in space:
            a, b, c = there
            asked.append(one)
            vectors.append(b.vector - a.vector + c.vector)
            left_out.append(_forms((one.a, one.b, one.c), there))
    answers = space.nearest(np.array(vectors), left_out, _FIVE) if asked else []
    places = {
        id(one): next(
            (at for at, (word, _) in enumerate(own) if word.casefold() == one.d.casefold()), None
        )
        for one, own in zip(asked, answers, strict=True)
    }
    relations = []
    for name in dict.fromkeys(one.relation for one in questions):
        of = [one for one in questions if one.relation == name]
        at = [places[id(one)] for one in of if id(one) in places]
        relations.append(
            Relation(
                name=name,
                asked=len(at),
                first=at.count(0),
                among=len([place for place in at if place is not None]),
                left_out=len(of) - len(at),
            )
        )
    return AnalogyScores(
        relations=tuple(relations),
        asked=len(asked),
        first=sum(own.first for own in relations),
        among=sum(own.among for own in relations),
        left_out=len(questions) - len(asked),
        candidates=len(space.words),
        unknown=tuple(dict.fromkeys(unknown)),
    )


def shared_word(texts: Sequence[str], words: Sequence[str]) -> str:
    """Choose the word that is compared: the one of `words` that all texts share, or any such.

    Raises
    ------
    InputError
        Where there is none, or, without `words`, more than one.

    Examples
    --------
    >>> shared_word(["A bat flew.", "He swung the bat."], [])
    'bat'
    """
    each = [{word.casefold() for word in words_of(text)} for text in texts]
    shared = set.intersection(*each)
    for word in words:
        if word.casefold() in shared:
            return word
    if words:
        raise InputError(
            f"None of the words {', '.join(map(repr, words))} stands in every --context; "
            "give it in the same form in each."
        )
    found = sorted(word for word in shared if len(word) > 1 and word[0].isalpha())
    if not found:
        raise InputError("The texts of --context share no word; write one in each of them.")
    if len(found) > 1:
        raise InputError(
            f"The texts of --context share {', '.join(found)}; say which is meant with --word."
        )
    return found[0]


def cosines_in_contexts(
    in_context: InContext, word: str, texts: Sequence[str]
) -> NDArray[np.float64]:
    """Compare a word's vectors in several texts.

    Parameters
    ----------
    in_context : callable
        Gives a text's words with their vectors there.
    word : str
        In any case; where a text has it twice, the first counts.
    texts : sequence of str
        Each has the word.

    Returns
    -------
    ndarray of shape (n_texts, n_texts)
        Cosines; nan where the encoder knows no vector of the word.
    """
    vectors = []
    for text in texts:
        own = [vector for name, vector in in_context(text) if name.casefold() == word.casefold()]
        if not own:
            return np.full((len(texts), len(texts)), np.nan)
        vectors.append(own[0].astype(np.float64))
    matrix = np.array(vectors)
    lengths = np.linalg.norm(matrix, axis=1)
    if not lengths.all():
        return np.full((len(texts), len(texts)), np.nan)
    unit = matrix / lengths[:, np.newaxis]
    return np.asarray(np.clip(unit @ unit.T, -1, 1))


def _forms(words: Sequence[str], found: Sequence[Found]) -> list[str]:
    return [*words, *(form for own in found for form in own.forms)]
