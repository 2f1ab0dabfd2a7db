"""What the command line shows: results on standard output, the rest on standard error."""

from __future__ import annotations

import json as json_module
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from widemargin.contracts import Progress, Silent, Stage

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.text import Text

__all__ = [
    "Column",
    "Console",
    "JsonOption",
    "MirrorOption",
    "OfflineOption",
    "QuietOption",
    "RunsOption",
]

RunsOption = Annotated[Path | None, typer.Option(help="Folder of runs.", envvar="WIDEMARGIN_RUNS")]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Fetch nothing.")]
MirrorOption = Annotated[
    str,
    typer.Option(
        help="Folder or address to look for data sets and weights in first.",
        envvar="WIDEMARGIN_DATA_MIRROR",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no notes; results and errors only.")
]


@dataclass(frozen=True)
class Column:
    """One column of `Console.table`.

    Parameters
    ----------
    head : str
        Its head.
    spare : int
        How soon it is left out where there is no room: the highest first, 0 never.
    below : bool
        Whether it then goes under its row, so that nothing is lost.
    right : bool
        Whether it is set to the right.
    leads : bool
        Whether the first row stands out.
    folds : bool
        Whether the head may take a line a word.
    """

    head: str
    spare: int = 0
    below: bool = False
    right: bool = False
    leads: bool = False
    folds: bool = False


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
        if self.json:
            return
        if self.out.is_terminal:
            self.out.print(renderable)
            return
        # Rich pads to the width; nobody who reads a file or a pipe wants the blanks.
        with self.out.capture() as captured:
            self.out.print(renderable)
        for line in captured.get().splitlines():
            sys.stdout.write(line.rstrip() + "\n")

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Write a table whose cells are never cut or folded.

        Where it is too wide, heads that fold take a line a word; then columns go, those of the
        highest `spare` first: under their rows, or altogether.
        """
        from rich.text import Text

        shown = list(range(len(columns)))
        heads = [[column.head] for column in columns]
        while (widths := _widths(heads, rows, shown)) and sum(widths) + 2 * (
            len(shown) - 1
        ) > self.out.width:
            spare = max(shown, key=lambda k: columns[k].spare)
            folded = [
                column.head.split() or [""] if column.folds else [column.head] for column in columns
            ]
            if heads != folded:
                heads = folded
            elif columns[spare].spare and len(shown) > 1:
                shown.remove(spare)
            else:
                break  # the terminal folds it, and nothing is lost
        lines = max(len(heads[k]) for k in shown)
        for at in range(lines):
            parts = [[*[""] * (lines - len(head)), *head][at] for head in heads]
            self._line(Text(_joined(columns, parts, shown, widths), style="dim"))
        below = [k for k, column in enumerate(columns) if column.below and k not in shown]
        for k, row in enumerate(rows):
            text = Text(_joined(columns, row, shown, widths))
            if k == 0 and any(column.leads for column in columns):
                text.stylize("bold")
            self._line(text)
            under = "; ".join(f"{columns[k].head}: {row[k].rstrip('.')}" for k in below if row[k])
            if under:
                for part in Text(under, style="dim").wrap(self.out, max(self.out.width - 4, 16)):
                    part.rstrip()
                    self._line(Text.assemble("    ", part))

    def _line(self, text: Text) -> None:
        if not self.json:
            self.out.print(text, soft_wrap=True, highlight=False)

    def say(self, line: str) -> None:
        """Write a line for people as it is, however long: a path, or what can be copied."""
        if not self.json:
            sys.stdout.write(line + "\n")

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
            yield Silent()
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


def _widths(
    heads: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], shown: Sequence[int]
) -> list[int]:
    from rich.cells import cell_len

    return [max(map(cell_len, [*heads[k], *(row[k] for row in rows)])) for k in shown]


def _joined(
    columns: Sequence[Column], cells: Sequence[str], shown: Sequence[int], widths: Sequence[int]
) -> str:
    from rich.cells import cell_len

    parts = []
    for k, width in zip(shown, widths, strict=True):
        blanks = " " * (width - cell_len(cells[k]))
        parts.append(blanks + cells[k] if columns[k].right else cells[k] + blanks)
    return "  ".join(parts).rstrip()


def _rich(stream: Any) -> RichConsole:
    from rich.console import Console as RichConsole

    terminal = stream.isatty()
    # Rich wraps at 80 columns where there is no terminal, which would break a script's grep.
    # Brackets and colons in what is shown are names' and paths', never markup.
    return RichConsole(file=stream, width=None if terminal else 120, markup=False, emoji=False)


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
            with Silent().stage(name, total) as silent:
                yield silent
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
