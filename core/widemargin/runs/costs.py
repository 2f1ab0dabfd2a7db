"""What a run costs: seconds by kind of work, and memory."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["WORK", "Spent", "peak_memory"]

WORK = ("encoding", "fitting", "predicting")
"""Making features; searching, fitting and calibrating machines; deciding held-out rows."""


class Spent:
    """Seconds by kind of work, over all models of a run.

    Examples
    --------
    >>> spent = Spent()
    >>> with spent("fitting"):
    ...     pass
    >>> spent.add({"encoding": 1.5})
    >>> spent.seconds["encoding"], sorted(spent.seconds)
    (1.5, ['encoding', 'fitting', 'predicting'])
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(WORK, 0.0)
        self.folds_kept = 0

    @contextmanager
    def __call__(self, work: str) -> Iterator[None]:
        """Count what is done inside."""
        start = time.perf_counter()
        yield
        self.seconds[work] += time.perf_counter() - start

    def add(self, seconds: Mapping[str, float]) -> None:
        """Count a fold that was kept: what was done before."""
        self.folds_kept += 1
        for work, own in seconds.items():
            self.seconds[work] += own

    def since(self, before: Mapping[str, float]) -> dict[str, float]:
        """Return what was added to an earlier copy of `seconds`."""
        return {work: round(own - before[work], 6) for work, own in self.seconds.items()}


def peak_memory() -> int | None:
    """Return the most bytes that this process has held in memory at once; None where unknown.

    On Linux ``VmHWM``, which begins anew with a program: what ``getrusage`` says of a child begins
    with its parent's memory at that moment.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    if os.name == "nt":
        return None
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most) * (1 if sys.platform == "darwin" else 1024)
