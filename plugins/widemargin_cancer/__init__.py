"""Cancer: tell tumours apart by the expression of their genes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from widemargin import EncoderSpec, ReportSection, UseCase, Wording, hookimpl
from widemargin.encoders import Features
from widemargin_cancer.genes import GENES
from widemargin_cancer.geo import GeoFile
from widemargin_cancer.published import NCI60, Golub, Khan
from widemargin_cancer.tables import GeneTable

if TYPE_CHECKING:
    from widemargin.evaluation import Study

__all__ = ["register_encoders", "register_use_cases"]


@hookimpl
def register_encoders() -> list[EncoderSpec]:
    """Return the encoder ``genes``."""
    return [GENES]


@hookimpl
def register_use_cases() -> list[UseCase]:
    """Return the use case ``cancer``."""
    return [
        UseCase(
            name="cancer",
            summary="Tell tumours apart by the expression of their genes.",
            task="classification",
            data=(Khan, GeneTable, GeoFile, NCI60, Golub),
            features=Features,
            defaults={"features": {"encoder": "genes"}},
            primary_metric={"classification": "accuracy"},
            metrics=(
                "accuracy",
                "balanced_accuracy",
                "f1_macro",
                "f1",
                "mcc",
                "roc_auc",
                "roc_auc_ovr",
                "log_loss",
            ),
            fixture={
                "source": "file",
                "path": str(Path(__file__).with_name("fixture.csv")),
                "label": "tumour",
                "group": "patient",
                "id": "sample",
            },
            wording=Wording(
                item="sample",
                items="samples",
                piece="gene",
                pieces="genes",
                headline="Names {accuracy} of samples rightly",
            ),
            analyse=_analyse,
        )
    ]


def _analyse(study: Study) -> Sequence[ReportSection]:
    from widemargin_cancer.sections import gene_sections

    return gene_sections(study)
