"""The lists of words that come with widemargin, of its own making.

``word_pairs.csv``: pairs of words of ten domains, each graded by plain judgement: 4 the same thing,
3 two of one close kind, 2 clearly connected, 1 loosely, 0 not at all. ``analogies.csv``: a is to b
as c is to d, in six relations. ``contexts.csv``: a word in two sentences of one meaning and in one
of another.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = [
    "Analogy",
    "ContextSet",
    "WordPair",
    "analogies",
    "bundled_words",
    "context_sets",
    "word_pairs",
]


@dataclass(frozen=True)
class WordPair:
    """Two words and how near people take them to be, from 0 to 4."""

    domain: str
    first: str
    second: str
    grade: int


@dataclass(frozen=True)
class Analogy:
    """A question: `a` is to `b` as `c` is to `d`."""

    relation: str
    a: str
    b: str
    c: str
    d: str


@dataclass(frozen=True)
class ContextSet:
    """A word in two sentences where it means the same, and in one where it does not."""

    word: str
    sentence: str
    like: str
    unlike: str


@cache
def word_pairs() -> tuple[WordPair, ...]:
    """Return the graded pairs.

    Examples
    --------
    >>> word_pairs()[0]
    WordPair(domain='people', first='guest', second='visitor', grade=4)
    """
    return tuple(
        WordPair(row["domain"], row["first"], row["second"], int(row["grade"]))
        for row in _rows("word_pairs.csv")
    )


@cache
def analogies() -> tuple[Analogy, ...]:
    """Return the questions, relation by relation.

    Examples
    --------
    >>> analogies()[0]
    Analogy(relation='capital of country', a='Norway', b='Oslo', c='Portugal', d='Lisbon')
    """
    return tuple(Analogy(**row) for row in _rows("analogies.csv"))


@cache
def context_sets() -> tuple[ContextSet, ...]:
    """Return the words with their sentences.

    Examples
    --------
    >>> context_sets()[0].word
    'bank'
    """
    return tuple(ContextSet(**row) for row in _rows("contexts.csv"))


@cache
def bundled_words() -> tuple[str, ...]:
    """Return every word of the lists once, pairs first.

    Examples
    --------
    >>> bundled_words()[:2]
    ('guest', 'visitor')
    """
    of_pairs = [word for pair in word_pairs() for word in (pair.first, pair.second)]
    of_analogies = [word for one in analogies() for word in (one.a, one.b, one.c, one.d)]
    return tuple(dict.fromkeys([*of_pairs, *of_analogies]))


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
