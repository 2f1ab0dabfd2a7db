"""Proteins: where in the cell they work, and which peptides kill microbes or tumour cells."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from widemargin import EncoderSpec, Predictions, ReportSection, UseCase, Wording, hookimpl
from widemargin.encoders import Features
from widemargin_proteins.files import SequenceFile
from widemargin_proteins.location import Location
from widemargin_proteins.peptides import Anticancer, Antimicrobial
from widemargin_proteins.signals import SIGNALS

if TYPE_CHECKING:
    from widemargin.evaluation import Study

__all__ = ["register_encoders", "register_use_cases"]

# Widths are half the median distance of a thousand training proteins. Residues and windows count
# twice. README.md says what was tried.
_LOCATION: dict[str, Any] = {
    "features": {
        "encoder": [
            {"name": "composition", "as": "residues", "ends": []},
            {"name": "composition", "as": "pairs", "pairs": True, "ends": [], "length": False},
            {"name": "composition", "as": "ends", "ends": [10, 20, 40, 80], "length": False},
            "autocovariance",
            "windows",
            "signals",
        ],
        "scaling": "none",
    },
    "svm": {
        "kernel": "rbf",
        "blocks": {
            "residues": {"gamma": 23},
            "pairs": {"gamma": 2.2},
            "ends": {"gamma": 0.36},
            "autocovariance": {"gamma": 1.15},
            "windows": {"gamma": 0.011},
            "signals": {"gamma": 0.18},
        },
        "weights": {
            "residues": 2,
            "pairs": 1,
            "ends": 1,
            "autocovariance": 1,
            "windows": 2,
            "signals": 1,
        },
        "C": [1, 2, 4],
        "class_weight": "root",
    },
}


@hookimpl
def register_encoders() -> list[EncoderSpec]:
    """Return the encoder ``signals``."""
    return [SIGNALS]


@hookimpl
def register_use_cases() -> list[UseCase]:
    """Return the use cases ``proteins`` and ``peptides``."""
    return [
        UseCase(
            name="proteins",
            summary="Tell where in the cell a protein works.",
            task="classification",
            data=(Location, SequenceFile),
            features=Features,
            defaults=_LOCATION,
            primary_metric={"classification": "f1_macro"},
            metrics=("accuracy", "f1_macro", "balanced_accuracy", "mcc", "log_loss"),
            fixture={
                "source": "file",
                "path": str(Path(__file__).with_name("proteins.fasta")),
                "label": "location",
            },
            wording=Wording(
                item="protein",
                items="proteins",
                headline="Names the class of {accuracy} of proteins rightly",
            ),
            report_sections=_report_location,
            analyse=_analyse_location,
        ),
        UseCase(
            name="peptides",
            summary="Tell which peptides kill microbes, or tumour cells.",
            task="classification",
            data=(Antimicrobial, Anticancer, SequenceFile),
            features=Features,
            defaults={
                "features": {
                    "encoder": [
                        {"name": "composition", "ends": [], "length": False},
                        {"name": "windows"},
                    ]
                },
                "svm": {"kernel": "rbf"},
            },
            primary_metric={"classification": "roc_auc"},
            metrics=("roc_auc", "average_precision", "mcc", "accuracy", "log_loss"),
            fixture={
                "source": "file",
                "path": str(Path(__file__).with_name("peptides.fasta")),
                "label": "activity",
            },
            wording=Wording(
                item="peptide",
                items="peptides",
                piece="k-mer",
                pieces="k-mers",
                headline="Ranks {positive} above {negative} {roc_auc} of the time",
            ),
            analyse=_analyse,
        ),
    ]


def _report_location(predictions: Predictions) -> Sequence[ReportSection]:
    from widemargin_proteins.places import place_sections

    return place_sections(predictions)


def _analyse_location(study: Study) -> Sequence[ReportSection]:
    from widemargin_proteins.places import mark_sections
    from widemargin_proteins.relatives import relative_sections

    sections: list[ReportSection] = []
    for name, make in (
        ("relatives across the split", relative_sections),
        ("what marks each place", mark_sections),
    ):
        try:
            sections += make(study)
        # What one section lacks must not take the other with it.
        except Exception as error:  # noqa: BLE001  # as said
            warnings.warn(
                f"{name}: left out of the report: {type(error).__name__}: {error}",
                RuntimeWarning,
                stacklevel=2,
            )
    return sections


def _analyse(study: Study) -> Sequence[ReportSection]:
    from widemargin_proteins.residues import residue_sections

    return residue_sections(study)
