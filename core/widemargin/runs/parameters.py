"""Parameters of estimators, by their paths in a config."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from widemargin.errors import DataError, ParameterError

__all__ = ["named_by_path"]

# All others are settings of the section svm, by the same name.
_PATHS = {"cv": "evaluation.inner"}


@contextmanager
def named_by_path() -> Iterator[None]:
    """Say where in the config the parameter stands that an error is about.

    Raises
    ------
    DataError
        In place of a ParameterError, which knows the parameter's name alone.

    Examples
    --------
    >>> with named_by_path():
    ...     raise ParameterError("choose a smaller gamma", "gamma", block="words")
    Traceback (most recent call last):
    widemargin.errors.DataError: svm.blocks.words.gamma: choose a smaller gamma
    """
    try:
        yield
    except ParameterError as error:
        own = error.parameter if error.block is None else f"blocks.{error.block}.{error.parameter}"
        path = _PATHS.get(own, f"svm.{own}")
        raise DataError(f"{path}: {error}") from error
