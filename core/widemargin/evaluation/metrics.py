"""The metrics that come with widemargin, by name; plugins register more."""

from __future__ import annotations

from functools import partial

from widemargin.contracts import Metric
from widemargin.evaluation import classification, regression
from widemargin.evaluation.tally import Formula

__all__ = ["METRICS"]

METRICS: tuple[Metric, ...] = (
    Metric(
        name="accuracy",
        title="accuracy",
        summary="share of items whose predicted class is the true one",
        task="classification",
        compute=Formula(classification.accuracy),
        unit="%",
    ),
    Metric(
        name="balanced_accuracy",
        title="balanced accuracy",
        summary="mean over the classes of the share of each that is recognised",
        task="classification",
        compute=Formula(classification.balanced_accuracy),
        unit="%",
    ),
    Metric(
        name="f1",
        title="F1",
        summary="harmonic mean of precision and recall of the positive class",
        task="classification",
        compute=Formula(classification.f1),
        n_classes="two",
    ),
    Metric(
        name="f1_macro",
        title="macro F1",
        summary="mean over the classes of each one's F1",
        task="classification",
        compute=Formula(classification.f1_macro),
    ),
    Metric(
        name="precision",
        title="precision",
        summary="share of the items called positive that are positive",
        task="classification",
        compute=Formula(classification.precision),
        n_classes="two",
    ),
    Metric(
        name="recall",
        title="recall",
        summary="share of the positives that are called positive",
        task="classification",
        compute=Formula(classification.recall),
        n_classes="two",
    ),
    Metric(
        name="mcc",
        title="MCC",
        summary="Matthews correlation of prediction and truth: 0 for chance, 1 for no error",
        task="classification",
        compute=Formula(classification.mcc),
    ),
    Metric(
        name="roc_auc",
        title="ROC AUC",
        summary="chance that a positive is ranked above a negative",
        task="classification",
        compute=Formula(classification.roc_auc),
        needs="decision",
        n_classes="two",
    ),
    Metric(
        name="roc_auc_ovr",
        title="ROC AUC, one against the rest",
        summary="mean over the classes of the ROC AUC of each against all the others",
        task="classification",
        compute=Formula(classification.roc_auc),
        needs="decision",
        n_classes="more",
    ),
    Metric(
        name="average_precision",
        title="average precision",
        summary="mean precision over all recalls: the area under the precision-recall curve",
        task="classification",
        compute=Formula(classification.average_precision),
        needs="decision",
        n_classes="two",
    ),
    Metric(
        name="caught_at_0.1",
        title="caught at 0.1% blocked",
        summary="share of positives caught where at most 0.1% of the negatives are blocked",
        task="classification",
        compute=Formula(partial(classification.caught_at, limit=0.001)),
        needs="decision",
        n_classes="two",
        unit="%",
    ),
    Metric(
        name="caught_at_0.5",
        title="caught at 0.5% blocked",
        summary="share of positives caught where at most 0.5% of the negatives are blocked",
        task="classification",
        compute=Formula(partial(classification.caught_at, limit=0.005)),
        needs="decision",
        n_classes="two",
        unit="%",
    ),
    Metric(
        name="log_loss",
        title="log loss",
        summary="mean surprise of the truth under the probabilities, in nats",
        task="classification",
        compute=Formula(classification.log_loss),
        needs="probability",
        greater_is_better=False,
    ),
    Metric(
        name="brier",
        title="Brier score",
        summary="mean squared difference of probability and truth",
        task="classification",
        compute=Formula(classification.brier),
        needs="probability",
        greater_is_better=False,
    ),
    Metric(
        name="mae",
        title="mean absolute error",
        summary="mean distance of prediction and truth",
        task="regression",
        compute=Formula(regression.mae),
        greater_is_better=False,
        unit="target",
    ),
    Metric(
        name="rmse",
        title="RMSE",
        summary="root of the mean squared error",
        task="regression",
        compute=Formula(regression.rmse),
        greater_is_better=False,
        unit="target",
    ),
    Metric(
        name="r2",
        title="R2",
        summary="share of the target's variance that is predicted: 0 for its mean, 1 for no error",
        task="regression",
        compute=Formula(regression.r2),
    ),
    Metric(
        name="median_ae",
        title="median absolute error",
        summary="distance of prediction and truth that half of the items stay below",
        task="regression",
        compute=Formula(regression.median_ae),
        greater_is_better=False,
        unit="target",
    ),
)
"""Every metric of widemargin's own."""
