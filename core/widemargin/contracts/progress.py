"""Progress: how long work tells people where it is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ["Once", "Progress", "Silent", "Stage"]


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


class Once:
    """Progress that passes each note on once: what holds in every fold is said once.

    Parameters
    ----------
    progress : Progress
        Who is told.

    Examples
    --------
    >>> class Printed(Silent):
    ...     def note(self, message: str) -> None:
    ...         print(message)
    >>> once = Once(Printed())
    >>> once.note("few words")
    few words
    >>> once.note("few words")
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._said: set[str] = set()

    def stage(self, name: str, total: float | None = None) -> AbstractContextManager[Stage]:
        """Open a stage of the other's."""
        return self._progress.stage(name, total)

    def note(self, message: str) -> None:
        """Tell people one fact, if they were not told already."""
        if message not in self._said:
            self._said.add(message)
            self._progress.note(message)
