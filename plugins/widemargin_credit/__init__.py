"""Credit: say which applications will not be paid back, in points, reasons and costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from widemargin import EncoderSpec, Metric, Predictions, ReportSection, UseCase, Wording, hookimpl
from widemargin.encoders import Features
from widemargin_credit.applications import BAD
from widemargin_credit.data import ApplicationTable, GermanCredit
from widemargin_credit.loan import LOAN
from widemargin_credit.measures import GINI, KS

if TYPE_CHECKING:
    from widemargin.evaluation import Study

__all__ = ["register_encoders", "register_metrics", "register_use_cases"]

_DEFAULTS: dict[str, Any] = {
    "features": {
        "encoder": {
            "name": "loan",
            "categories": "weight-of-evidence",
            "numbers": "weight-of-evidence",
            "bins": "tree",
            "n_bins": 10,
            "smoothing": 10.0,
            "min_count": 20,
        }
    },
    "svm": {
        "kernel": "rbf",
        # Evidence is in log-odds whatever the columns are, so that one wide kernel serves: nearly
        # a sum of columns and of products of two.
        "gamma": 1 / 64,
        "C": [10.0, 30.0, 100.0, 300.0],
        "class_weight": "balanced",
        "costs": {BAD: 5.0},
    },
}


@hookimpl
def register_encoders() -> list[EncoderSpec]:
    """Return the encoder ``loan``."""
    return [LOAN]


@hookimpl
def register_metrics() -> list[Metric]:
    """Return Gini's coefficient and the statistic of Kolmogorov and Smirnov."""
    return [GINI, KS]


@hookimpl
def register_use_cases() -> list[UseCase]:
    """Return the use case ``credit``."""
    return [
        UseCase(
            name="credit",
            summary="Say which applications for credit will not be paid back.",
            task="classification",
            data=(GermanCredit, ApplicationTable),
            features=Features,
            defaults=_DEFAULTS,
            primary_metric={"classification": "roc_auc"},
            metrics=(
                "roc_auc",
                "gini",
                "ks",
                "brier",
                "mean_cost",
                "recall",
                "precision",
                "accuracy",
                "log_loss",
            ),
            fixture={"path": str(Path(__file__).with_name("fixture.csv")), "protected": ["sex"]},
            wording=Wording(
                item="application",
                items="applications",
                piece="column",
                pieces="columns",
                headline="Ranks a {positive} credit above a {negative} one {roc_auc} of the time",
            ),
            report_sections=_sections,
            analyse=_analyse,
        )
    ]


def _sections(predictions: Predictions) -> Sequence[ReportSection]:
    from widemargin_credit.profit import profit_sections

    return profit_sections(predictions)


def _analyse(study: Study) -> Sequence[ReportSection]:
    from widemargin_credit.sections import credit_sections

    return credit_sections(study)
