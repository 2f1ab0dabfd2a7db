"""The words of training texts that get a vector: frequent enough, and no more than a bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

__all__ = ["count_words", "frequent_words"]


def count_words(texts: Iterable[Sequence[str]]) -> Counter[str]:
    """Count how often each word occurs, in the order in which they first do.

    Examples
    --------
    >>> count_words([["win", "cash", "win"], ["tea"]])
    Counter({'win': 2, 'cash': 1, 'tea': 1})
    """
    counts: Counter[str] = Counter()
    for words in texts:
        counts.update(words)
    return counts


def frequent_words(counts: Counter[str], min_count: int, max_words: int) -> list[str]:
    """List the words that occur at least `min_count` times, the most frequent ones first.

    Parameters
    ----------
    counts : Counter of str
        How often each occurs.
    min_count, max_words : int
        Occurrences that a word needs, and how many words there are at most; of words that occur
        equally often, those that came first are kept.

    Examples
    --------
    >>> frequent_words(count_words([["tea", "win", "cash", "win", "cash", "tea", "now"]]), 2, 2)
    ['tea', 'win']
    """
    # most_common(n) breaks ties in another order.
    ranked = sorted((-count, place) for place, count in enumerate(counts.values()))
    names = list(counts)
    return [names[place] for count, place in ranked[:max_words] if -count >= min_count]
