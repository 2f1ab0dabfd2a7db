"""Words' similarity: how cosines agree with what people say of pairs of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation.draws import LEAST
from widemargin.evaluation.intervals import Interval, bootstrap_intervals
from widemargin.evaluation.probing.bundled import WordPair
from widemargin.evaluation.probing.word_space import WordSpace
from widemargin.evaluation.tally import Formula, Numbers, Tally, ratio

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
        Its interval, 95%, over pairs; nan where there are too few.
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

    Parameters
    ----------
    space : WordSpace
        The words.
    pairs : sequence of WordPair
        Graded pairs.
    resamples, random_state
        As for `bootstrap_intervals`.
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
    sure = _interval(grades, seen, resamples, random_state)
    once = np.ones((1, len(kept)))
    places = (_ranks(seen, once) - _ranks(grades, once))[0]
    return Similarity(
        correlation=spearman(grades, seen),
        low=sure.low,
        high=sure.high,
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
    if len(first) < LEAST:
        return float("nan")
    return _SPEARMAN.value(_predictions(first, second))


def _interval(
    grades: NDArray[np.float64], seen: NDArray[np.float64], resamples: int, random_state: int
) -> Interval:
    if len(grades) < LEAST:
        return Interval(float("nan"), float("nan"), float("nan"))
    (found,) = bootstrap_intervals(
        _predictions(grades, seen), [_SPEARMAN], resamples=resamples, random_state=random_state
    ).values()
    return found


def _predictions(first: NDArray[np.float64], second: NDArray[np.float64]) -> Predictions:
    return Predictions(
        y_true=first,
        y_pred=second,
        decision=second,
        probability=None,
        classes=(),
        positive=1,
        ids=np.arange(len(first)).astype(str),
        weight=np.ones(len(first)),
    )


def _ranks(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank values under each weighting, by what lies below them and half of what equals them."""
    distinct, place = np.unique(values, return_inverse=True)
    held = weight @ np.eye(len(distinct))[place]
    return np.asarray((np.cumsum(held, axis=1) - held / 2)[:, place])


def _rank_correlation(tally: Tally) -> Numbers:
    weight = tally.weight
    first, second = (
        ranks - ratio((weight * ranks).sum(axis=1), tally.total)[:, np.newaxis]
        for ranks in (
            _ranks(values, weight)
            for values in (tally.predictions.y_true, tally.predictions.y_pred)
        )
    )
    scale = (weight * first**2).sum(axis=1) * (weight * second**2).sum(axis=1)
    return ratio((weight * first * second).sum(axis=1), np.sqrt(scale))


_SPEARMAN = Metric(
    name="spearman",
    title="Spearman's correlation",
    summary="correlation of ranks",
    task="regression",
    compute=Formula(_rank_correlation),
    bounds=(-1, 1),
)
