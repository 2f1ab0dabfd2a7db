"""Spam detection: tell spam from wanted messages."""

from __future__ import annotations

from pathlib import Path

from widemargin import UseCase, Wording, hookimpl
from widemargin.encoders import Features
from widemargin_spam.data import SMS, EmlFolder, Maildir, Mbox, SpamAssassin, TableFile
from widemargin_spam.sections import mail_server_section

__all__ = ["register_use_cases"]


@hookimpl
def register_use_cases() -> list[UseCase]:
    """Return the use case ``spam``."""
    return [
        UseCase(
            name="spam",
            summary="Tell spam from wanted messages.",
            task="classification",
            data=(SMS, TableFile, EmlFolder, Mbox, Maildir, SpamAssassin),
            features=Features,
            defaults={"features": {"encoder": "tfidf"}},
            primary_metric={"classification": "f1"},
            metrics=(
                "accuracy",
                "f1",
                "precision",
                "recall",
                "mcc",
                "roc_auc",
                "average_precision",
                "caught_at_0.1",
                "caught_at_0.5",
                "brier",
            ),
            fixture={"source": "file", "path": str(Path(__file__).with_name("fixture.csv"))},
            wording=Wording(
                item="message",
                items="messages",
                piece="word",
                pieces="words",
                example="free entry, win cash",
                headline="Catches {caught_at_0.1} of {positive} at 0.1% of {negative} blocked",
            ),
            report_sections=mail_server_section,
        )
    ]
