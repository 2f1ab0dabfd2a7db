"""Libraries that an extra brings: imported when an encoder needs them, and missed politely."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from widemargin.errors import DataError

__all__ = ["require_library"]


def require_library(module: str, encoder: str, extra: str) -> Any:
    """Import a library that comes with an extra.

    Parameters
    ----------
    module : str
        What is imported.
    encoder : str
        What needs it, for the message.
    extra : str
        The extra of widemargin that brings it.

    Raises
    ------
    DataError
        Where it is not installed.

    Examples
    --------
    >>> require_library("json", "tfidf", "text").__name__
    'json'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or module.partition(".")[0] != error.name.partition(".")[0]:
            raise
        raise DataError(
            f"{encoder} needs {module.partition('.')[0]}, which is not installed. "
            f'Install it with pip install "widemargin[{extra}]".'
        ) from error
