"""What the command line shows: results on standard output, the rest on standard error."""

from __future__ import annotations

import json as json_module
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import typer

from widemargin.contracts import Progress, Stage

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

__all__ = ["Console", "JsonOption", "QuietOption"]

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no notes; results and errors only.")
]


@dataclass(frozen=True)
class Console:
    """Where a command writes.

    Results go to standard output: `print` for people, or `emit` where ``--json`` is on. Progress
    and notes go to standard error. Colour and progress bars appear on terminals only.
    """

    json: bool = False
    quiet: bool = False

    @cached_property
    def out(self) -> RichConsole:
        """Standard output."""
        return _rich(sys.stdout)

    @cached_property
    def err(self) -> RichConsole:
        """Standard error."""
        return _rich(sys.stderr)

    def print(self, renderable: Any = "") -> None:
        """Write a result for people; silent where ``--json`` is on."""
        if not self.json:
            self.out.print(renderable)

    def emit(self, value: Any) -> None:
        """Write a result as JSON where ``--json`` is on."""
        if self.json:
            sys.stdout.write(json_module.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def note(self, message: str) -> None:
        """Write one fact to standard error, unless quiet."""
        if not self.quiet:
            self.err.print(message, markup=False, highlight=False, style="dim")

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show stages with time left on a terminal; one line a stage elsewhere."""
        if self.quiet:
            yield _Quiet()
        elif self.err.is_terminal:
            from rich.progress import (
                BarColumn,
                SpinnerColumn,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )
            from rich.progress import (
                Progress as RichProgress,
            )

            columns = (
                SpinnerColumn(finished_text="[green]✓[/]"),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeElapsedColumn(),
                TextColumn("[dim]left[/]"),
                TimeRemainingColumn(compact=True),
            )
            with RichProgress(*columns, console=self.err) as bars:
                yield _Bars(bars, self)
        else:
            yield _Lines(self)


def _rich(stream: Any) -> RichConsole:
    from rich.console import Console as RichConsole

    terminal = stream.isatty()
    # Rich wraps at 80 columns where there is no terminal, which would break a script's grep.
    return RichConsole(file=stream, width=None if terminal else 120, soft_wrap=False)


class _Quiet:
    @contextmanager
    def stage(self, name: str, total: float | None = None) -> Iterator[Stage]:
        yield _Steps()

    def note(self, message: str) -> None:
        """Say nothing."""


class _Steps:
    def advance(self, steps: float = 1) -> None:
        """Say nothing."""


class _Lines:
    """One line for each outer stage that took over two seconds: for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._depth = 0

    @contextmanager
    def stage(self, name: str, total: float | None = None) -> Iterator[Stage]:
        start = time.monotonic()
        self._depth += 1
        try:
            yield _Steps()
        finally:
            self._depth -= 1
        if not self._depth and (seconds := time.monotonic() - start) > 2:
            self._console.note(f"{name}: {seconds:.0f} s")

    def note(self, message: str) -> None:
        self._console.note(message)


class _Bars:
    def __init__(self, bars: Any, console: Console) -> None:
        self._bars, self._console = bars, console
        self._depth = 0

    @contextmanager
    def stage(self, name: str, total: float | None = None) -> Iterator[Stage]:
        task = self._bars.add_task("  " * self._depth + name, total=total)
        self._depth += 1
        try:
            yield _BarStage(self._bars, task)
        finally:
            self._depth -= 1
        done = total if total is not None else 1
        self._bars.update(task, completed=done, total=done)
        if self._depth:
            # A stage inside another comes again and again; only the outer ones stay in sight.
            self._bars.remove_task(task)

    def note(self, message: str) -> None:
        self._console.note(message)


class _BarStage:
    def __init__(self, bars: Any, task: Any) -> None:
        self._bars, self._task = bars, task

    def advance(self, steps: float = 1) -> None:
        self._bars.advance(self._task, steps)
