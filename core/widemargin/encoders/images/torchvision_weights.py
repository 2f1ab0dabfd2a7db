"""Weights of torchvision's image classifiers: which file they are in, and what it holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from widemargin.encoders.images.torchvision_shim import require_torchvision
from widemargin.encoders.libraries import require_library
from widemargin.errors import DataError, nearest

__all__ = ["published_as", "read_classifier", "weights_path"]


def _published(name: str, model: str) -> Any:
    """Return torchvision's enum of the model's published weights."""
    models = require_torchvision(name).models
    known = models.list_models(module=models)
    if model not in known:
        raise DataError(
            f"{name}: torchvision has no image classifier {model!r}.{nearest(model, known)}"
        )
    return models.get_model_weights(model)


def weights_path(name: str, model: str, weights: str | Path | None) -> Path:
    """Return the file of a model's weights: the one given, or what torch fetched earlier.

    Raises
    ------
    DataError
        Where there is no such model or file; nothing is fetched.
    """
    published = _published(name, model)
    if weights is not None:
        path = Path(weights).expanduser()
        if not path.is_file():
            raise DataError(
                f"{name}: {path}: there is no such file. weights is the file of the weights of "
                f"{model}, from {published.DEFAULT.url}."
            )
        return path
    torch = require_library("torch", name, "vision")
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    # The newest ones first, which are torchvision's default.
    for one in (published.DEFAULT, *published):
        path = folder / _file_name(one)
        if path.is_file():
            return path
    raise DataError(
        f"{name}: the weights of {model} are not here. Get {published.DEFAULT.url}, and put the "
        f"file into {folder}, or set weights to its path. Nothing is fetched by itself."
    )


def published_as(name: str, model: str, path: Path) -> Any:
    """Return the published weights that a file is, by its name; the default ones for others."""
    published = _published(name, model)
    return next((one for one in published if _file_name(one) == path.name), published.DEFAULT)


def _file_name(published: Any) -> str:
    return str(published.url).rpartition("/")[2]


# What torchvision's own builders set when they load published weights.
_BUILT_WITH = {
    "googlenet": {"transform_input": True, "init_weights": False},
    "inception_v3": {"transform_input": True, "init_weights": False},
}
# The published files of densenets are older than the names of its layers.
_OLD_NAME = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)")


def read_classifier(name: str, model: str, path: Path) -> Any:
    """Build one of torchvision's classifiers and give it the weights of a file.

    Raises
    ------
    DataError
        Where the file holds no weights, or another model's.
    """
    torch = require_library("torch", name, "vision")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = {_OLD_NAME.sub(r"\1", key): value for key, value in state.items()}
    # torch.load raises nearly anything for a file that is none of its own.
    except Exception as error:  # noqa: BLE001
        raise DataError(
            f"{name}: {path}: is no file of weights, or holds more than weights "
            f"({type(error).__name__}). Get it again, or save it with "
            "torch.save(model.state_dict(), path)."
        ) from None
    # Its first weights, drawn at random, are replaced; nobody else's random numbers move.
    with torch.random.fork_rng(devices=[]):
        network = require_torchvision(name).models.get_model(
            model, weights=None, **_BUILT_WITH.get(model, {})
        )
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        told = " ".join(str(error).split())
        raise DataError(
            f"{name}: {path}: these are not the weights of {model} ({told[:200]})."
        ) from None
    return network
