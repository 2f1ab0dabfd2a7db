"""Commands that a plugin adds to the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["RESERVED", "Command"]

_OWN = (
    "list run compare predict filter sort encode encoders probe store "
    "runs show report config data plugin doctor help"
)
RESERVED = frozenset(_OWN.split(" "))
"""Names of the command line itself, which no plugin can take."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that a plugin adds: ``widemargin NAME``.

    Parameters
    ----------
    name : str
        What is typed.
    summary : str
        One line of help.
    run : callable
        A function with typed parameters, as typer takes them.
    """

    name: str
    summary: str
    run: Callable[..., None]
