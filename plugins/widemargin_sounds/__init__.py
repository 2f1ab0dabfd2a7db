"""Sounds: tell recordings apart, such as the instruments of a drum kit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from widemargin import ReportSection, UseCase, Wording, hookimpl
from widemargin.data import RecordingFolder, RecordingTable
from widemargin.encoders import Features
from widemargin_sounds.kits import DrumKits

if TYPE_CHECKING:
    from widemargin.evaluation import Study

__all__ = ["register_use_cases"]


@hookimpl
def register_use_cases() -> list[UseCase]:
    """Return the use case ``sounds``."""
    return [
        UseCase(
            name="sounds",
            summary="Tell recordings apart, such as the instruments of a drum kit.",
            task="classification",
            data=(DrumKits, RecordingFolder, RecordingTable),
            features=Features,
            defaults={
                "features": {"encoder": ["strokes", "mfcc"]},
                "svm": {"blocks": {"strokes": "rbf", "mfcc": "rbf"}, "class_weight": "balanced"},
            },
            primary_metric={"classification": "f1_macro"},
            metrics=(
                "f1_macro",
                "accuracy",
                "balanced_accuracy",
                "f1",
                "mcc",
                "roc_auc",
                "roc_auc_ovr",
                "log_loss",
            ),
            fixture={
                "source": "folder",
                "path": str(Path(__file__).with_name("fixture")),
                "group": "subfolder",
            },
            wording=Wording(
                item="recording",
                items="recordings",
                headline="Names {accuracy} of recordings rightly",
            ),
            analyse=_analyse,
        )
    ]


def _analyse(study: Study) -> Sequence[ReportSection]:
    from widemargin_sounds.sections import group_sections

    return group_sections(study)
