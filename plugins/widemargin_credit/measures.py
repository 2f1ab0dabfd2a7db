r"""Measures of credit scores: Gini's coefficient, Kolmogorov and Smirnov's statistic, stability.

Gini is :math:`2\,\mathrm{AUC} - 1`. KS is the largest distance between the distributions of the
scores of good and bad. The population stability index of two samples of scores is
:math:`\sum_b (q_b - p_b) \ln (q_b / p_b)` over ten bins that hold equally many of the first sample;
below 0.1 the samples count as alike, above 0.25 as shifted (Siddiqi 2006, "Credit Risk
Scorecards").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from widemargin import DataError, Metric, Predictions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["GINI", "KS", "Stability", "gini", "ks", "stability", "wilson"]

_BINS = 10
_FEWEST = 0.5


def gini(predictions: Predictions) -> float:
    """Return twice the ROC AUC minus 1."""
    return 2 * float(_auc().compute(predictions)) - 1


@cache
def _auc() -> Metric:
    from widemargin.evaluation import METRICS

    return next(metric for metric in METRICS if metric.name == "roc_auc")


def ks(predictions: Predictions) -> float:
    """Return the largest distance of the two classes' distributions of the decision."""
    import numpy as np

    positive = predictions.y_true == predictions.positive
    order = np.argsort(predictions.decision, kind="stable")
    weight, own = predictions.weight[order], positive[order]
    n_bad, n_good = weight[own].sum(), weight[~own].sum()
    if n_bad <= 0 or n_good <= 0:
        return float("nan")
    apart = np.cumsum(np.where(own, weight / n_bad, -weight / n_good))
    decision = predictions.decision[order]
    # Within a run of equal decisions the distributions have no step of their own.
    ends = np.append(decision[1:] != decision[:-1], True)
    return float(np.abs(apart[ends]).max())


GINI = Metric(
    name="gini",
    title="Gini",
    summary="twice the ROC AUC minus 1: 0 for chance, 1 for a perfect ranking",
    task="classification",
    compute=gini,
    needs="decision",
    n_classes="two",
    bounds=(-1, 1),
)

KS = Metric(
    name="ks",
    title="KS",
    summary="largest distance between the distributions of the scores of good and bad",
    task="classification",
    compute=ks,
    needs="decision",
    n_classes="two",
    bounds=(0, 1),
)


@dataclass(frozen=True)
class Stability:
    """How two samples of scores agree.

    Parameters
    ----------
    index : float
        The population stability index.
    edges : tuple of float
        Where the second and each further bin begins.
    expected, actual : tuple of float
        Share of each sample in each bin.
    """

    index: float
    edges: tuple[float, ...]
    expected: tuple[float, ...]
    actual: tuple[float, ...]


def stability(expected: Sequence[float], actual: Sequence[float], bins: int = _BINS) -> Stability:
    """Compare two samples of scores.

    A bin without any counts as half a score, so that no logarithm is of 0. Where all of the first
    sample are one score, the bins are below, at and above it.

    Parameters
    ----------
    expected, actual : sequence of float
        The scores; bins hold equally many of the first.
    bins : int, default=10
        How many.

    Raises
    ------
    DataError
        Where a sample is empty, or a score is no number.

    Examples
    --------
    >>> stability([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], bins=2).index
    0.0
    """
    import numpy as np

    first, second = (np.asarray(own, dtype=np.float64) for own in (expected, actual))
    for name, own in (("expected", first), ("actual", second)):
        if not len(own) or np.isnan(own).any():
            why = f"score {np.isnan(own).argmax()} is no number" if len(own) else "there are none"
            raise DataError(f"stability: of the {name} scores {why}; it compares known scores.")
    # Edges are scores of the first sample, so that none of its bins is empty.
    edges = np.unique(np.quantile(first, np.linspace(0, 1, bins + 1)[1:-1], method="higher"))
    edges = edges[edges > first.min()]
    if first.min() == first.max():
        edges = np.array([first[0], np.nextafter(first[0], np.inf)])

    def shares(values: NDArray[Any]) -> NDArray[Any]:
        places = np.searchsorted(edges, values, side="right")
        counts = np.maximum(np.bincount(places, minlength=len(edges) + 1), _FEWEST)
        return np.asarray(counts / counts.sum())

    p, q = shares(first), shares(second)
    index = float(((q - p) * np.log(q / p)).sum())
    return Stability(index, tuple(edges.tolist()), tuple(p.tolist()), tuple(q.tolist()))


def wilson(hits: float, n: float, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return Wilson's interval of a share (1927, Journal of the American Statistical Association).

    Examples
    --------
    >>> tuple(round(end, 3) for end in wilson(5, 10))
    (0.237, 0.763)
    """
    if n <= 0:
        return 0.0, 1.0
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * ((share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5)
    # Rounding may leave the share a hair outside where it is 0 or 1.
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
