"""Models of one's own: in a folder, or under a hub name in the local cache; nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from widemargin.encoders.libraries import require_library
from widemargin.errors import DataError, nearest

__all__ = ["model_config", "model_folder", "quiet_transformers", "read_json"]


def model_folder(name: str, encoder: str) -> Path:
    """Return the folder of a model that is here, in the local Hugging Face cache if need be.

    Parameters
    ----------
    name : str
        A folder as ``save_pretrained`` writes it, or a name on the hub.
    encoder : str
        What needs it, for messages.

    Raises
    ------
    DataError
        Where there is no such folder, it holds no model, or the cache does not have the name.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise DataError(
                f"{encoder}: {folder}: holds no config.json; give a folder as save_pretrained "
                "writes it."
            )
        return folder.absolute()
    if folder.is_file():
        raise DataError(f"{encoder}: {name} is a file; give a folder as save_pretrained writes it.")
    if _is_path(name):
        raise DataError(f"{encoder}: {_missing(folder)}")
    hub = require_library("huggingface_hub", encoder, "text")
    try:
        return Path(hub.snapshot_download(name, local_files_only=True))
    except hub.errors.HFValidationError as error:
        raise DataError(f"{encoder}: {name}: is no folder, and no name of a model.") from error
    except (OSError, ValueError) as error:  # the hub's own error for what the cache lacks is both
        if folder.parent != Path() and folder.parent.is_dir():
            raise DataError(
                f"{encoder}: {_missing(folder)} Nor is it the name of a model in the local Hugging "
                "Face cache."
            ) from error
        near = _near(Path(), folder.parts[0])
        raise DataError(
            f"{encoder}: {name}: is no folder, and no model in the local Hugging Face cache.{near} "
            f"Fetch it with: hf download {name}"
        ) from error


def _is_path(name: str) -> bool:
    """Say whether a name can only be a path: on the hub it is ``name`` or ``owner/name``."""
    return (
        name.startswith((".", "~", "/"))
        or name.endswith("/")
        or name.count("/") > 1
        or "\\" in name
        or Path(name).is_absolute()
    )


def _missing(folder: Path) -> str:
    """Say that there is no such folder, from where on, and what there is in its place."""
    there = folder
    while not there.parent.exists() and there != there.parent:
        there = there.parent
    where = f": {there.parent.absolute()} has no {there.name!r}" if there != folder else ""
    return f"there is no folder {folder}{where}.{_near(there.parent, there.name)}"


def _near(folder: Path, name: str) -> str:
    """Name the folder beside which is called most nearly so, in a question; else nothing."""
    try:
        beside = [path.name for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return ""
    return nearest(name, beside)


def model_config(folder: Path) -> Mapping[str, Any]:
    """Read a model's ``config.json``.

    Raises
    ------
    DataError
        Where it cannot be read, or holds no settings.
    """
    path = folder / "config.json"
    config = read_json(path)
    if not isinstance(config, dict):
        raise DataError(f"{path}: holds no settings of a model, but a {type(config).__name__}.")
    return config


def read_json(path: Path) -> Any:
    """Read a file of JSON.

    Raises
    ------
    DataError
        Where it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error


@contextmanager
def quiet_transformers(encoder: str) -> Iterator[Any]:
    """Give transformers, which says nothing within; errors are raised as ever.

    Parameters
    ----------
    encoder : str
        What needs it, for messages.

    Raises
    ------
    DataError
        Where it or torch is not installed.
    """
    from widemargin.encoders.images.torchvision_shim import ensure_torchvision_operators

    require_library("torch", encoder, "text")
    ensure_torchvision_operators()  # transformers imports torchvision where there is one
    transformers = require_library("transformers", encoder, "text")
    logging = transformers.utils.logging
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield transformers
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
