"""WM010: words without vectors.

What it means
-------------
Word vectors stand in front, and they do not know every word of the training texts. A word without
a vector counts for nothing, and a text without any known word is the same point as all such texts,
whatever it says; where vectors are made of letters (fasttext), an unknown word gets a guess.
Below 70% of the words, or with more than 5% of the texts without a known one, the vectors are of
another language or field than the texts, and the finding is a warning. New texts fare no better.
Punctuation is not counted.

What to do
----------
Give vectors of the texts' language and field, train them on the texts (``vectors: corpus``, with a
smaller ``min_count`` where it leaves out much), or choose an encoder that reads every word, as
tfidf does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from widemargin.contracts.counting import agreeing, counted
from widemargin.evaluation.checks.context import CheckContext, Finding

if TYPE_CHECKING:
    from widemargin.encoders.text.known_words import KnownWords

CODE: Final = "WM010"
TITLE: Final = "words without vectors"

_LEAST_KNOWN = 0.7
_MOST_UNKNOWN = 0.05


def check(context: CheckContext) -> Finding | None:
    """Say which share of words and of texts word vectors know."""
    told, few = [], []
    for counts in context.known_words:
        if counts.n_known < counts.n_words:
            told.append(_describe(counts))
            known, unknown = counts.n_known / counts.n_words, counts.n_unknown / counts.n_texts
            if known < _LEAST_KNOWN or unknown > _MOST_UNKNOWN:
                few.append(counts)
    if not told:
        return None
    if few:
        own = (
            "lower min_count"
            if all(counts.trained for counts in few)
            else "give vectors of the texts' language and field, train them on the texts (vectors: "
            "corpus)"
        )
        told.append(
            f"That is too little to tell the texts apart: {own}, or choose an encoder that reads "
            "every word, as tfidf does."
        )
    return Finding(CODE, TITLE, "warning" if few else "note", " ".join(told))


def _describe(counts: KnownWords) -> str:
    said = (
        f"{counts.block} has vectors for {_share(counts.n_known, counts.n_words)} of the words in "
        f"the training texts; {counts.n_unknown:,} of {counted(counts.n_texts, 'text')} "
        f"({_share(counts.n_unknown, counts.n_texts)}) {agreeing(counts.n_unknown, 'have')} no "
        "word that it knows."
    )
    if counts.n_composed:
        said += " Unknown words get vectors made of their letters."
    return said


def _share(part: int, whole: int) -> str:
    """Write a share; 100% and 0% are said of all and of none only."""
    if part in (0, whole):
        return f"{part / whole:.0%}"
    return f"{min(max(part / whole, 0.001), 0.999):.1%}"
