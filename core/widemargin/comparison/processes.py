"""Processes: ``widemargin run`` in one of its own, watched for the memory that it holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Ended", "Process", "held_memory", "start"]


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str


class Process:
    """A run in a process of its own.

    What it says goes to files, so that one that says much never waits for a reader.

    Parameters
    ----------
    words : sequence of str
        What follows ``widemargin run``.
    environment : mapping of str to str
        Its environment.
    folder : Path
        Where what it says is kept.
    """

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            # This interpreter and our own command, no shell.
            self._child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "widemargin", "run", *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**environment, "PYTHONIOENCODING": "utf-8"},
            )
        self.most = 0
        """The most bytes that it was seen to hold."""

    def ended(self, seconds: float = 0) -> Ended | None:
        """Return how it ended; None where it goes on after so many seconds.

        Raises
        ------
        KeyboardInterrupt
            Where it was interrupted, as all that a terminal runs are.
        """
        try:
            code = self._child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        if code in (130, -signal.SIGINT):
            raise KeyboardInterrupt
        return Ended(code, _read(self._out), _read(self._err))

    def held(self) -> int | None:
        """Return the bytes that it and its own processes hold now; None where unknown."""
        now = held_memory(self._child.pid)
        self.most = max(self.most, now or 0)
        return now

    def kill(self) -> None:
        """End it at once."""
        self._child.kill()
        self._child.wait()

    def stop(self) -> None:
        """Let it end: Ctrl-C on a terminal has told it already, elsewhere we do."""
        for tell, seconds in ((None, 2), (signal.SIGINT, 20), (signal.SIGTERM, 5)):
            if tell is not None:
                self._child.send_signal(tell)
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout=seconds)
                return
        self.kill()


def start(words: Sequence[str], environment: Mapping[str, str], folder: Path) -> Process:
    """Start a run."""
    return Process(words, environment, folder)


def held_memory(pid: int) -> int | None:
    """Return the bytes that a process and those it started hold; None where Linux's /proc is not.

    Examples
    --------
    >>> import os
    >>> (held_memory(os.getpid()) or 10**7) > 10**6
    True
    """
    own = Path(f"/proc/{pid}")
    try:
        lines = (own / "status").read_text(encoding="ascii", errors="replace").splitlines()
        children = [
            int(child)
            for task in (own / "task").iterdir()
            for child in (task / "children").read_text(encoding="ascii").split()
        ]
    except (OSError, ValueError):
        return None  # it has ended, or this is no Linux
    size = next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)
    return 1024 * size + sum(held_memory(child) or 0 for child in children)


def can_watch() -> bool:
    """Say whether this system tells what memory a process holds."""
    return held_memory(os.getpid()) is not None


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
