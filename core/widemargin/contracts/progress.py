"""Progress: how long work tells people where it is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ["Progress", "Silent", "Stage"]


class Stage(Protocol):
    """One stage of work that is under way."""

    def advance(self, steps: float = 1) -> None:
        """Say that so many steps more are done."""
        ...


class Progress(Protocol):
    """Where a long piece of work tells what it does."""

    def stage(self, name: str, total: float | None = None) -> AbstractContextManager[Stage]:
        """Open a stage; `total` is its number of steps where that is known."""
        ...

    def note(self, message: str) -> None:
        """Tell people one fact, as ``"373 near-duplicates became one item each"``."""
        ...


class _SilentStage(AbstractContextManager["_SilentStage"]):
    def advance(self, steps: float = 1) -> None:
        """Say nothing."""

    def __exit__(self, *reason: object) -> None:
        """Let errors through."""


class Silent:
    """Progress that nobody watches.

    Examples
    --------
    >>> with Silent().stage("reading", total=3) as stage:
    ...     stage.advance()
    """

    def stage(self, name: str, total: float | None = None) -> AbstractContextManager[Stage]:
        """Open a stage that says nothing."""
        return _SilentStage()

    def note(self, message: str) -> None:
        """Say nothing."""
