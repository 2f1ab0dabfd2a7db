"""Whether two models differ: paired tests on folds, or on items, that both were measured on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation.draws import Method, method_of
from widemargin.evaluation.gaps import Gap, gaps

__all__ = [
    "PairedTest",
    "corrected_t_test",
    "few_shot_overlap",
    "holm",
    "paired_bootstrap",
    "paired_bootstraps",
]


@dataclass(frozen=True)
class PairedTest:
    """What folds, or items, say of the difference of two models.

    Parameters
    ----------
    difference : float
        Mean over the folds of the first's score less the second's, or that of all items; nan where
        there is none.
    low, high : float
        Ends of its interval; nan where they cannot tell.
    p : float
        How often they differ at least as much where the models do not, between 0 and 1; nan where
        they cannot tell.
    n_paired : int
        Folds on which both scores are defined; items, or groups of them, where those are drawn.
    of : {"folds", "items"}
        What was paired.
    quantile : bool
        Whether the scores rest on a quantile, so that few items were resampled too.
    """

    difference: float
    low: float
    high: float
    p: float
    n_paired: int
    of: Literal["folds", "items"] = "folds"
    quantile: bool = False

    @property
    def by(self) -> Literal["t-test"] | Method:
        """How it was tested; empty where items, or groups, cannot tell."""
        if self.of == "folds":
            return "t-test"
        if math.isnan(self.p):
            return ""
        return method_of(self.n_paired, quantile=self.quantile)


def corrected_t_test(
    first: Sequence[float],
    second: Sequence[float],
    *,
    overlap: float,
    confidence: float = 0.95,
) -> PairedTest:
    r"""Test whether two models differ on the same folds.

    The corrected resampled t-test of Nadeau and Bengio, "Inference for the generalization error"
    (Machine Learning 52, 2003). Training parts of folds overlap, so that the folds' differences
    :math:`d_1, \dots, d_J` resemble each other and the usual t-test is far too sure. The variance
    of their mean is taken as

    .. math:: \left(\frac{1}{J} + \frac{\rho}{1 - \rho}\right) s^2,

    with :math:`s^2` the variance of the differences and :math:`\rho` the correlation of two folds,
    and compared with Student's distribution of :math:`J - 1` degrees of freedom. The correlation
    is not known. For folds that train on all rows they do not hold out, Nadeau and Bengio take
    :math:`n_{test} / (n_{test} + n_{train})`, of which the term :math:`\rho / (1 - \rho)` is
    :math:`n_{test} / n_{train}`.

    Parameters
    ----------
    first, second : sequence of float
        Scores by fold, in the same order; a fold on which either is nan is left out.
    overlap : float
        The term :math:`\rho / (1 - \rho)`: rows that a fold holds out for each that it trains on,
        as 0.25 with five folds; `few_shot_overlap` where training parts are small draws; 0 for
        folds that share nothing, which makes it the usual t-test.
    confidence : float
        Coverage of the interval.

    Returns
    -------
    PairedTest
        Interval and p are nan with fewer than two folds, and where all folds differ by the same
        amount other than 0, of which no variance can be taken.

    Raises
    ------
    ValueError
        Where the two have different lengths, or `overlap` is below 0.

    Examples
    --------
    >>> test = corrected_t_test([0.9, 0.8, 0.9], [0.8, 0.7, 0.6], overlap=0.5)
    >>> round(test.difference, 3), round(test.p, 2)
    (0.167, 0.25)
    """
    if len(first) != len(second):
        raise ValueError(f"there are {len(first)} scores of the first and {len(second)} others")
    if not overlap >= 0:
        raise ValueError(f"overlap must be 0 or above; got {overlap}")
    scores = [(a, b) for a, b in zip(first, second, strict=True) if math.isfinite(a - b)]
    differences = [a - b for a, b in scores]
    n_folds = len(differences)
    if not n_folds:
        return PairedTest(math.nan, math.nan, math.nan, math.nan, 0)
    mean = math.fsum(differences) / n_folds
    if not any(differences):
        return PairedTest(0.0, 0.0, 0.0, 1.0, n_folds) if n_folds > 1 else _unsure(mean, n_folds)
    squares = math.fsum((one - mean) ** 2 for one in differences)
    # What is left of equal differences is rounding, of some 1e-16 of the scores themselves.
    size = max(abs(score) for pair in scores for score in pair)
    if n_folds < 2 or squares <= n_folds * (1e-12 * size) ** 2:
        return _unsure(mean, n_folds)
    from scipy.special import stdtr, stdtrit

    error = math.sqrt((1 / n_folds + overlap) * squares / (n_folds - 1))
    reach = error * float(stdtrit(n_folds - 1, (1 + confidence) / 2))
    p = 2 * float(stdtr(n_folds - 1, -abs(mean) / error))
    return PairedTest(mean, mean - reach, mean + reach, p, n_folds)


def few_shot_overlap(
    class_sizes: Sequence[int], shots: int, *, n_splits: int, n_repeats: int = 1
) -> float:
    r"""Return the term of `corrected_t_test` for folds that train on small draws.

    A fold then trains on a few rows of each class, drawn from all that it does not hold out. How
    many rows it holds out says nothing of how alike two folds are: what they share does. Where two
    symmetric functions of :math:`m` independent rows have :math:`c` in common, their correlation
    is :math:`c / m` at most (Hoeffding, "A class of statistics with asymptotically normal
    distribution", Annals of Mathematical Statistics 19, 1948). So :math:`\rho` is taken to be the
    share of rows that two folds are expected to have in common, the mean over all pairs of folds:

    - A row that one fold drew may be drawn by another of the same repeat unless that one holds it
      out, of which the chance is :math:`(K - 2) / (K - 1)` with :math:`K` folds, and by one of
      another repeat with the chance :math:`(K - 1) / K`; it then is with the share of its class
      that is drawn. Two folds have no training row in common, hence 0, where there is one repeat
      of two folds.
    - Folds of different repeats hold out :math:`1 / K` of their rows in common too, and the larger
      of the two shares counts.

    The more is drawn, the nearer the folds are to those that train on all rows; the term is never
    more than theirs.

    Parameters
    ----------
    class_sizes : sequence of int
        Rows of each class.
    shots : int
        Rows of each class that a fold trains on; all where there are fewer.
    n_splits : int
        Folds of a repeat.
    n_repeats : int, default=1
        Repeats with other splits.

    Examples
    --------
    >>> round(few_shot_overlap([2000, 2000], 16, n_splits=5), 4)
    0.0076
    >>> few_shot_overlap([20, 20], 16, n_splits=5)
    0.25
    """
    pools = [size * (n_splits - 1) / n_splits for size in class_sizes]
    drawn = [min(shots, pool) for pool in pools]
    share = sum(own * own / pool for own, pool in zip(drawn, pools, strict=True)) / sum(drawn)
    within = share * (n_splits - 2) / (n_splits - 1)
    across = max(share * (n_splits - 1) / n_splits, 1 / n_splits)
    n_folds = n_splits * n_repeats
    alike = ((n_splits - 1) * within + (n_folds - n_splits) * across) / (n_folds - 1)
    most = 1 / (n_splits - 1)
    return min(alike / (1 - alike), most) if alike < 1 else most


def paired_bootstrap(
    predictions: Predictions,
    others: Predictions,
    metric: Metric,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    groups: NDArray[Any] | None = None,
    random_state: int = 0,
) -> PairedTest:
    """Test whether two models differ on the same items.

    For what is measured on one held-out part, or item by item: there are no folds whose scores
    could be compared. The items are drawn anew; of fewer than 100 items, or groups, each is left
    out once (`gaps.gaps`). No model is trained anew, so this tells how sure the difference is for
    these models, and not how much other training items would change it.

    Parameters
    ----------
    predictions, others : Predictions
        Out-of-sample predictions of the same n_samples items, in one order.
    metric : Metric
        What to compare.
    resamples, confidence, groups, random_state
        As for `paired_intervals`.

    Returns
    -------
    PairedTest
        Interval and p are nan where the metric is undefined, and where the items cannot tell, as
        `gaps.gaps` says.

    Raises
    ------
    ValueError
        Where there are no predictions, or the two are not of the same items.
    """
    return paired_bootstraps(
        predictions,
        others,
        [metric],
        resamples=resamples,
        confidence=confidence,
        groups=groups,
        random_state=random_state,
    )[metric.name]


def paired_bootstraps(
    predictions: Predictions,
    others: Predictions,
    metrics: Sequence[Metric],
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    groups: NDArray[Any] | None = None,
    other_groups: NDArray[Any] | None = None,
    random_state: int = 0,
) -> dict[str, PairedTest]:
    """Test several metrics of two models on the same draws of the same items.

    Parameters
    ----------
    predictions, others, resamples, confidence, groups, random_state
        As for `paired_bootstrap`.
    metrics : sequence of Metric
        What to compare; each p is its own.
    other_groups : array, optional
        The group of each row of `others`, where its rows are not those of `predictions`: as of
        models that held out each item another number of times. Both have the same groups.

    Returns
    -------
    dict of str to PairedTest
        By the metric's name.

    Raises
    ------
    ValueError
        As `paired_bootstrap`.
    """
    drawn = gaps(
        predictions,
        others,
        metrics,
        resamples=resamples,
        confidence=confidence,
        groups=groups,
        other_groups=other_groups,
        random_state=random_state,
    )
    return {metric.name: _on_items(drawn[metric.name], metric) for metric in metrics}


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Correct p-values for there being several: Holm's step-down procedure.

    Holm, "A simple sequentially rejective multiple test procedure" (Scandinavian Journal of
    Statistics 6, 1979): the chance that any of the tests finds a difference where there is none
    stays below the level, however the tests depend on each other. A nan is no test, and stays.

    Parameters
    ----------
    p_values : sequence of float
        One for each test.

    Returns
    -------
    tuple of float
        In the same order.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    corrected = list(p_values)
    order = sorted((p, k) for k, p in enumerate(p_values) if not math.isnan(p))
    largest = 0.0
    for rank, (p, k) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - rank)))
        corrected[k] = largest
    return tuple(corrected)


def _on_items(gap: Gap, metric: Metric) -> PairedTest:
    resampled = metric.quantile is not None
    return PairedTest(gap.value, gap.low, gap.high, gap.p, gap.n_units, "items", resampled)


def _unsure(mean: float, n_folds: int) -> PairedTest:
    return PairedTest(mean, math.nan, math.nan, math.nan, n_folds)
