"""Processes: ``widemargin run`` in one of its own, watched for the memory that it holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from widemargin.runs.lifeline import LIFELINE_VARIABLE

__all__ = ["Ended", "Process", "held_memory", "stop_all", "stopped_as_by_ctrl_c"]

_STOPS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What stops a program besides Ctrl-C: `kill`, and a terminal that is closed."""


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str


class Process:
    """A run in a process of its own, which ends with this one, even where that is killed.

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
                stdin=subprocess.PIPE,  # its lifeline: closed by the system where we end
                stdout=out,
                stderr=err,
                env={**environment, "PYTHONIOENCODING": "utf-8", LIFELINE_VARIABLE: "1"},
            )
        self.most = 0
        """The most bytes that it was seen to hold."""
        self._is_told = False

    def ended(self, seconds: float = 0) -> Ended | None:
        """Return how it ended; None where it goes on after so many seconds.

        Raises
        ------
        KeyboardInterrupt
            Where it was interrupted, as all that a terminal runs are, and not by `tell`.
        """
        code = self.wait(seconds)
        if code is None:
            return None
        if code in (130, -signal.SIGINT) and not self._is_told:
            raise KeyboardInterrupt
        return Ended(code, _read(self._out), _read(self._err))

    def held(self) -> int | None:
        """Return the bytes that it and its own processes hold now; None where unknown."""
        now = held_memory(self._child.pid)
        self.most = max(self.most, now or 0)
        return now

    def wait(self, seconds: float) -> int | None:
        """Return the code that it ended with; None where it goes on after so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            code = self._child.wait(timeout=seconds)
            self._let_go()
            return code
        return None

    def tell(self, stop: signal.Signals = signal.SIGINT) -> None:
        """Tell it to stop, and go on at once; nothing happens where it has ended."""
        self._is_told = True
        if os.name == "nt":
            self._child.terminate()  # Windows has no other signal for one process
        else:
            self._child.send_signal(stop)

    def kill(self) -> None:
        """End it at once."""
        self._child.kill()
        self._child.wait()
        self._let_go()

    def _let_go(self) -> None:
        if self._child.stdin is not None:
            self._child.stdin.close()


def stop_all(going: Sequence[Process]) -> None:
    """Let processes end: Ctrl-C on a terminal has told them already, elsewhere we do.

    What does not end in time is killed, and so are all where this is interrupted itself.
    """
    try:
        for stop, seconds in ((None, 2), (signal.SIGINT, 20), (signal.SIGTERM, 5)):
            until = time.monotonic() + seconds
            for one in going:
                if stop is not None:
                    one.tell(stop)
            for one in going:
                one.wait(max(0.0, until - time.monotonic()))
    finally:
        for one in going:
            one.kill()


@contextmanager
def stopped_as_by_ctrl_c() -> Iterator[None]:
    """Stop for `kill` and for a closed terminal as for Ctrl-C, so that no cell is left behind.

    A signal that is ignored, as under ``nohup``, or that has a handler already is left alone; so
    are all outside the main thread, which alone may set handlers.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    own = threading.current_thread() is threading.main_thread()
    taken = [one for one in _STOPS if own and signal.getsignal(one) is signal.SIG_DFL]
    for one in taken:
        signal.signal(one, stop)
    try:
        yield
    finally:
        for one in taken:
            signal.signal(one, signal.SIG_DFL)


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
