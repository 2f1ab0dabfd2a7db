"""Trading: predict shares from their past prices, and say what that would have earned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from widemargin import ReportSection, SplitRule, UseCase, Wording, hookimpl
from widemargin.encoders import Features
from widemargin_trading.data import Market, PriceTable
from widemargin_trading.live import LivePrices

if TYPE_CHECKING:
    from widemargin.evaluation import Study

__all__ = ["register_use_cases"]


@hookimpl
def register_use_cases() -> list[UseCase]:
    """Return the use case ``trading``."""
    return [
        UseCase(
            name="trading",
            summary="Predict shares from past prices, and say what it would have earned.",
            task="auto",
            data=(Market, PriceTable, LivePrices),
            features=Features,
            defaults={
                "features": {"encoder": "indicators"},
                "svm": {"kernel": "rbf"},
                "evaluation": {"outer": 5, "inner": 4, "embargo": 1},
            },
            primary_metric={"classification": "roc_auc", "regression": "r2"},
            metrics=(
                "roc_auc",
                "balanced_accuracy",
                "accuracy",
                "mcc",
                "brier",
                "log_loss",
                "r2",
                "mae",
                "rmse",
            ),
            fixture={"path": str(Path(__file__).with_name("fixture.csv")), "latest": None},
            # Invented prices, drawn by chance.
            fixture_is_noise=True,
            split=SplitRule(kind="walk-forward"),
            wording=Wording(
                item="decision",
                items="decisions",
                piece="indicator",
                pieces="indicators",
                headline="Ranks a rise above a fall {roc_auc} of the time",
                labelled=False,
            ),
            analyse=_analyse,
        )
    ]


def _analyse(study: Study) -> Sequence[ReportSection]:
    from widemargin_trading.sections import money_sections

    return money_sections(study)
