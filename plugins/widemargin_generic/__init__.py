"""People's own data, no code: texts, tables, pictures and recordings."""

from __future__ import annotations

from pathlib import Path

from widemargin import UseCase, Wording, hookimpl
from widemargin.data import PictureFolder, PictureTable, RecordingFolder, RecordingTable
from widemargin.encoders import Features
from widemargin_generic.examples import BreastCancer, Diabetes
from widemargin_generic.tables import TableFile
from widemargin_generic.texts import TextFile, TextFolder

__all__ = ["register_use_cases"]

_METRICS = (
    "f1_macro",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "mcc",
    "roc_auc",
    "roc_auc_ovr",
    "average_precision",
    "log_loss",
    "r2",
    "mae",
    "rmse",
    "median_ae",
)


@hookimpl
def register_use_cases() -> list[UseCase]:
    """Return the use cases ``texts``, ``table``, ``pictures`` and ``recordings``."""
    here = Path(__file__)
    return [
        UseCase(
            name="texts",
            summary="Classify or rate texts of your own.",
            task="auto",
            data=(TextFile, TextFolder),
            features=Features,
            primary_metric={"classification": "f1_macro", "regression": "r2"},
            metrics=_METRICS,
            fixture={"path": str(here.with_name("texts_fixture.csv"))},
            defaults={"features": {"encoder": "tfidf"}},
            wording=Wording(
                item="text",
                items="texts",
                piece="word",
                pieces="words",
                example="not worth the money",
            ),
        ),
        UseCase(
            name="table",
            summary="Predict a column of a table of your own from the others.",
            task="auto",
            data=(TableFile, Diabetes, BreastCancer),
            features=Features,
            primary_metric={"classification": "f1_macro", "regression": "r2"},
            metrics=_METRICS,
            fixture={"path": str(here.with_name("table_fixture.csv")), "label": "price"},
            defaults={"features": {"encoder": "tabular"}, "svm": {"kernel": "rbf"}},
            wording=Wording(item="row", items="rows", piece="column", pieces="columns"),
        ),
        UseCase(
            name="pictures",
            summary="Sort pictures of your own into classes, or rate them.",
            task="auto",
            data=(PictureFolder, PictureTable),
            features=Features,
            primary_metric={"classification": "f1_macro", "regression": "r2"},
            metrics=_METRICS,
            fixture={"path": str(here.with_name("pictures_fixture"))},
            defaults={"features": {"encoder": "hog"}, "svm": {"kernel": "rbf"}},
            wording=Wording(item="picture", items="pictures"),
        ),
        UseCase(
            name="recordings",
            summary="Sort recordings of your own into classes, or rate them.",
            task="auto",
            data=(RecordingFolder, RecordingTable),
            features=Features,
            primary_metric={"classification": "f1_macro", "regression": "r2"},
            metrics=_METRICS,
            fixture={"path": str(here.with_name("recordings_fixture"))},
            defaults={"features": {"encoder": "mfcc"}, "svm": {"kernel": "rbf"}},
            wording=Wording(item="recording", items="recordings"),
        ),
    ]
