"""Libraries that an extra brings: imported when an encoder needs them, and missed politely."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from widemargin.errors import LibraryError

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
    LibraryError
        Where it is not installed.

    Examples
    --------
    >>> require_library("json", "tfidf", "text").__name__
    'json'
    """
    if module.partition(".")[0] == "torch":
        # Its threads wait for one another at every layer. By default they spin meanwhile, and where
        # others work on the same cores, training is ten times slower for it (`training.loop`). The
        # OpenMP that comes with torch reads this when it is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or module.partition(".")[0] != error.name.partition(".")[0]:
            raise
        raise LibraryError(
            f"{encoder} needs {module.partition('.')[0]}, which is not installed. "
            f'Install it with pip install "widemargin[{extra}]".'
        ) from error
