"""Words' similarity: how cosines agree with what people say of pairs of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from widemargin.evaluation.probing.bundled import WordPair
from widemargin.evaluation.probing.word_space import WordSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PairSeen", "Similarity", "score_similarity", "spearman"]


@dataclass(frozen=True)
class PairSeen:
    """Two words, people's grade, the cosine, and by how many places the two orders differ.

    `places` is above 0 where the encoder takes the two to be nearer than people do.
    """

    first: str
    second: str
    grade: int
    cosine: float
    places: float


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """How cosines agree with people's grades.

    Parameters
    ----------
    correlation : float
        Spearman's; nan for fewer than three pairs, or where all are alike.
    low, high : float
        Its bootstrap interval, 95%, over pairs.
    pairs : tuple of PairSeen
        Those whose words both have vectors.
    left_out : int
        The others.
    unknown : tuple of str
        Words that have no vector.
    spelt : tuple of str
        Words that are unknown, and whose vector was made of their letters.
    """

    correlation: float
    low: float
    high: float
    pairs: tuple[PairSeen, ...]
    left_out: int
    unknown: tuple[str, ...]
    spelt: tuple[str, ...]


def score_similarity(
    space: WordSpace, pairs: Sequence[WordPair], *, resamples: int = 2000, random_state: int = 0
) -> Similarity:
    """Compare cosines of words with people's grades by Spearman's rank correlation.

    The interval is the percentile bootstrap over pairs (Efron & Tibshirani 1993, chapter 13).

    Parameters
    ----------
    space : WordSpace
        The words.
    pairs : sequence of WordPair
        Graded pairs.
    resamples : int, default=2000
        How many resamples to draw.
    random_state : int, default=0
        Seed of the draws.
    """
    words = list(dict.fromkeys(word for pair in pairs for word in (pair.first, pair.second)))
    known = dict(zip(words, space.find(words), strict=True))
    kept, cosines = [], []
    for pair in pairs:
        first, second = known[pair.first], known[pair.second]
        if first is not None and second is not None:
            kept.append(pair)
            cosines.append(float(np.clip(first.vector @ second.vector, -1, 1)))
    grades = np.array([pair.grade for pair in kept], dtype=np.float64)
    seen = np.array(cosines)
    low, high = _interval(grades, seen, resamples, random_state)
    places = _ranks(seen) - _ranks(grades)
    return Similarity(
        correlation=spearman(grades, seen),
        low=low,
        high=high,
        pairs=tuple(
            PairSeen(pair.first, pair.second, pair.grade, cosine, float(place))
            for pair, cosine, place in zip(kept, cosines, places, strict=True)
        ),
        left_out=len(pairs) - len(kept),
        unknown=tuple(word for word, own in known.items() if own is None),
        spelt=tuple(
            word for word, own in known.items() if own is not None and own.how == "letters"
        ),
    )


def spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the correlation of ranks, equal values sharing theirs; nan where it is not defined.

    Examples
    --------
    >>> spearman(np.array([1.0, 2, 3, 3]), np.array([0.1, 0.5, 2, 9]))
    0.9486832980505138
    """
    if len(first) < 3:
        return float("nan")
    return float(_correlations(_ranks(first)[np.newaxis], _ranks(second)[np.newaxis])[0])


def _interval(
    grades: NDArray[np.float64], seen: NDArray[np.float64], resamples: int, random_state: int
) -> tuple[float, float]:
    if len(grades) < 3:
        return float("nan"), float("nan")
    rows = np.random.default_rng(random_state).integers(0, len(grades), (resamples, len(grades)))
    drawn = _correlations(_ranks(grades[rows]), _ranks(seen[rows]))
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=-1))


def _correlations(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's correlation of each row with the same row of the other."""
    first = first - first.mean(axis=1, keepdims=True)
    second = second - second.mean(axis=1, keepdims=True)
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    products = (first * second).sum(axis=1)
    return np.asarray(np.divide(products, scale, out=np.full(len(first), np.nan), where=scale > 0))
