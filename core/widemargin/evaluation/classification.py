"""Formulas of the classification metrics; each takes a tally and honours its weights.

A value is nan where the class that it speaks of is absent from the truth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from widemargin.evaluation.tally import Climb, Numbers, Tally, ratio

__all__ = [
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "brier",
    "caught_at",
    "f1",
    "f1_macro",
    "log_loss",
    "mcc",
    "mean_cost",
    "precision",
    "recall",
    "roc_auc",
]


def accuracy(tally: Tally) -> Numbers:
    """Share of items whose predicted class is the true one."""
    return ratio(tally.hits.sum(axis=1), tally.total)


def mean_cost(tally: Tally) -> Numbers:
    """Mean over the items of what each one's mistake costs; 1 a mistake where all are alike."""
    predictions = tally.predictions
    wrong = (predictions.y_true != predictions.y_pred).astype(np.float64)
    if predictions.costs:
        wrong *= np.array(predictions.costs)[predictions.y_true]
    return tally.mean(wrong)


def balanced_accuracy(tally: Tally) -> Numbers:
    """Mean of the classes' recalls."""
    return np.asarray(ratio(tally.hits, tally.actual).mean(axis=1))


def precision(tally: Tally) -> Numbers:
    """Share of the items called positive that are; nan where none is called so."""
    code = tally.predictions.positive
    found = np.where(tally.actual[:, code] > 0, tally.predicted[:, code], 0.0)
    return ratio(tally.hits[:, code], found)


def recall(tally: Tally) -> Numbers:
    """Share of the positives that are called so."""
    code = tally.predictions.positive
    return ratio(tally.hits[:, code], tally.actual[:, code])


def f1(tally: Tally) -> Numbers:
    """F1 of the positive class, ``2 TP / (2 TP + FP + FN)``; 0 where none is found."""
    return _f1_by_class(tally)[:, tally.predictions.positive]


def f1_macro(tally: Tally) -> Numbers:
    """Mean of the classes' F1."""
    return np.asarray(_f1_by_class(tally).mean(axis=1))


def _f1_by_class(tally: Tally) -> Numbers:
    both = np.where(tally.actual > 0, tally.actual + tally.predicted, 0.0)
    return ratio(2 * tally.hits, both)


def mcc(tally: Tally) -> Numbers:
    """Correlation of prediction and truth; 0 where only one class is ever predicted.

    The form for any number of classes of Gorodkin, "Comparing two K-category assignments by a
    K-category correlation coefficient", Computational Biology and Chemistry 28 (2004).
    """
    actual, predicted = tally.actual, tally.predicted
    total = actual.sum(axis=1, keepdims=True)
    covariance = tally.hits.sum(axis=1) * total[:, 0] - (actual * predicted).sum(axis=1)
    # Written as sums of products, the spreads are exactly 0 where there is but one class.
    spread = (actual * (total - actual)).sum(axis=1)
    spread_predicted = (predicted * (predicted.sum(axis=1, keepdims=True) - predicted)).sum(axis=1)
    value = ratio(covariance, np.sqrt(spread) * np.sqrt(spread_predicted))
    return np.where((spread > 0) & (spread_predicted <= 0), 0.0, value)


def roc_auc(tally: Tally) -> Numbers:
    """Chance that a positive is ranked above a negative of its held-out part, ties counting half.

    With more than two classes, the mean over the classes, each against all the others. Every pair
    counts alike. Pairs across parts are left out, since two models' decisions are in units of
    their own: ranked together they say less than either does (Forman and Scholz, "Apples-to-apples
    in cross-validation studies", SIGKDD Explorations 12, 2010). Where few parts have two classes,
    as where each is one item or one patient, all rows are ranked together.
    """
    return np.asarray(np.mean([_auc(climbs) for climbs in tally.climbs_by_part], axis=0))


def _auc(climbs: Sequence[Climb]) -> Numbers:
    won, pairs = np.zeros(1), np.zeros(1)
    for climb in climbs:
        positive, negative = climb.positive, climb.negative
        # Trapezia under the curve: the first step starts from (0, 0).
        area = (np.diff(negative, axis=1) * (positive[:, 1:] + positive[:, :-1])).sum(axis=1)
        won = won + (area + negative[:, 0] * positive[:, 0]) / 2
        pairs = pairs + positive[:, -1] * negative[:, -1]
    return ratio(won, pairs)


def average_precision(tally: Tally) -> Numbers:
    """Mean of the precisions at each threshold, weighted by the recall gained there.

    One threshold cuts the rows of all held-out parts: that is what it is asked for. Decisions of
    parts in other units therefore lower it, as they do `caught_at`, though not `roc_auc`. The mean
    over the parts would be no such chance over pairs: precision goes by how common positives are
    in each part, and where a part has few of them it comes out too high.
    """
    (climb,) = tally.climbs
    positive, passed = climb.positive, climb.positive + climb.negative
    precision = np.divide(positive, passed, out=np.zeros_like(passed), where=passed > 0)
    gained = np.diff(positive, axis=1, prepend=0.0)
    value = ratio((gained * precision).sum(axis=1), positive[:, -1])
    return np.where(climb.negative[:, -1] > 0, value, np.nan)


def caught_at(tally: Tally, limit: float) -> Numbers:
    """Share of positives above the lowest threshold that blocks at most `limit` of negatives.

    Items whose decisions tie are blocked together, so the limit is never exceeded.
    """
    (climb,) = tally.climbs
    blocked = ratio(climb.negative, climb.negative[:, -1:])
    # A climb never falls, so the steps within the limit are the first ones.
    steps = (blocked <= limit).sum(axis=1)
    caught = climb.positive[np.arange(len(steps)), steps - 1]
    share = ratio(np.where(steps > 0, caught, 0.0), climb.positive[:, -1])
    return np.where(climb.negative[:, -1] > 0, share, np.nan)


def log_loss(tally: Tally) -> Numbers:
    """Mean of minus the logarithm of the true class's probability."""
    probability = tally.predictions.probability
    if probability is None:
        return np.full(len(tally.weight), np.nan)
    true = probability[np.arange(len(probability)), tally.predictions.y_true]
    tiny = np.finfo(np.float64).eps
    return tally.mean(-np.log(np.clip(true, tiny, 1 - tiny)))


def brier(tally: Tally) -> Numbers:
    """Mean squared difference of probability and truth.

    Of the positive class where there are two (0 to 1), summed over the classes where there are
    more (0 to 2); Brier, "Verification of forecasts expressed in terms of probability", Monthly
    Weather Review 78 (1950).
    """
    predictions = tally.predictions
    if predictions.probability is None:
        return np.full(len(tally.weight), np.nan)
    truth = predictions.y_true[:, np.newaxis] == np.arange(len(predictions.classes))
    squares = (predictions.probability - truth) ** 2
    if predictions.is_binary:
        return tally.mean(squares[:, predictions.positive])
    return tally.mean(squares.sum(axis=1))
