"""Remedies: which setting of the config mends what a kernel refuses about the features."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from widemargin.encoders import Features
from widemargin.errors import ParameterError
from widemargin.svm.blocks import NegativeRowsError

if TYPE_CHECKING:
    from widemargin.config import RunConfig

__all__ = ["naming_settings"]


@contextmanager
def naming_settings(config: RunConfig) -> Iterator[None]:
    """Add to a kernel's refusal of negative rows the setting that makes them so.

    Raises
    ------
    ParameterError
        The refusal, with the setting where there is one.
    """
    try:
        yield
    except NegativeRowsError as error:
        message = f"{error}{_remedy(config, error.block)}"
        raise ParameterError(message, error.parameter, error.block) from error


def _remedy(config: RunConfig, block: str | None) -> str:
    """Name the encoders of a block, or of all features, that centre what they scale."""
    features = config.features
    if not isinstance(features, Features):
        return ""
    centring = [
        choice
        for choice in features.encoder
        if block in (None, choice.name) and getattr(choice.settings, "scale", "none") != "none"
    ]
    if not centring:
        return ""
    names = " and ".join(choice.name for choice in centring)
    where = (
        "--set features.encoder.scale=none"
        if len(features.encoder) == 1
        else "scale: none beside the name in features.encoder"
    )
    return f" Or, if no column is negative in itself, keep {names} from centring them: {where}."
