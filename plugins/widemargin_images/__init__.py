"""Images: tell classes of small images apart."""

from __future__ import annotations

from pathlib import Path

from widemargin import UseCase, Wording, hookimpl
from widemargin.encoders import Features
from widemargin_images.data import Digits, FashionMnist, IdxFolder
from widemargin_images.pictures import ImageFolder, ImageTable
from widemargin_images.torchvision_sets import TorchvisionSet

__all__ = ["register_use_cases"]


@hookimpl
def register_use_cases() -> list[UseCase]:
    """Return the use case ``images``."""
    return [
        UseCase(
            name="images",
            summary="Tell small images apart, such as pieces of clothing.",
            task="classification",
            data=(FashionMnist, ImageFolder, ImageTable, IdxFolder, TorchvisionSet, Digits),
            features=Features,
            defaults={
                "features": {"encoder": {"name": "hog", "size": 28, "pixels_per_cell": 4}},
                "svm": {"kernel": "rbf"},
            },
            primary_metric={"classification": "accuracy"},
            metrics=(
                "accuracy",
                "f1_macro",
                "balanced_accuracy",
                "f1",
                "mcc",
                "roc_auc",
                "roc_auc_ovr",
                "log_loss",
            ),
            fixture={
                "source": "idx",
                "path": str(Path(__file__).with_name("fixture")),
                "classes": ["disc", "cross", "bars"],
            },
            wording=Wording(
                item="image", items="images", headline="Names {accuracy} of images rightly"
            ),
        )
    ]
