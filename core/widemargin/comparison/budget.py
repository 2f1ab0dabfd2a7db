"""The budget of a comparison: how many cells run at once, and the memory that they may hold."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from widemargin.comparison.plan import Cell
from widemargin.comparison.processes import can_watch
from widemargin.errors import InputError
from widemargin.native.jobs import available_threads
from widemargin.runs.identity import hash_of

if TYPE_CHECKING:
    from widemargin.contracts import RunRecord
    from widemargin.runs.store import RunStore

__all__ = ["Budget", "Estimates", "megabytes", "parse_memory"]

_SIZES = {"MB": 10**6, "GB": 10**9, "M": 10**6, "G": 10**9, "MIB": 2**20, "GIB": 2**30}


@dataclass(frozen=True)
class Budget:
    """How many cells run at once, and the memory that they may hold together.

    Parameters
    ----------
    jobs : int, default=1
        Cells at once; threads are divided among them.
    memory : int, optional
        Bytes; no limit by default.

    Raises
    ------
    InputError
        Where there are fewer than one or more than there are threads, or this system does not tell
        what memory a process holds.
    """

    jobs: int = 1
    memory: int | None = None

    def __post_init__(self) -> None:
        cores = available_threads()
        if not 1 <= self.jobs <= cores:
            raise InputError(
                f"--jobs must be between 1 and {cores}, the threads that this process may use; got "
                f"{self.jobs}."
            )
        if self.memory is not None and not can_watch():
            raise InputError(
                "--memory needs Linux, which tells what memory a process holds; leave it out here."
            )

    @property
    def threads(self) -> int:
        """Threads of each cell."""
        return available_threads() // self.jobs

    def environment(self) -> dict[str, str]:
        """Return the environment of a cell's process."""
        environment = dict(os.environ)
        if self.jobs > 1:
            environment["OMP_NUM_THREADS"] = str(self.threads)
        return environment

    def refuses(self, expected: Expected | None) -> str:
        """Say why a cell is not run at all; nothing where it is."""
        if self.memory is None or expected is None or not expected.of:
            return ""
        if expected.size <= self.memory:
            return ""
        return (
            f"the run {expected.of} of the same settings held {megabytes(expected.size)}, more "
            f"than the {megabytes(self.memory)} that --memory allows; it was not begun"
        )

    def fits(self, expected: Expected | None, others: Sequence[Expected | None]) -> bool:
        """Say whether a cell may begin beside others; one that nothing is known of runs alone."""
        if self.memory is None or not others:
            return True
        sizes = [one.size if one else self.memory for one in (expected, *others)]
        return sum(sizes) <= self.memory


@dataclass(frozen=True)
class Expected:
    """The most memory that a cell is expected to hold.

    Parameters
    ----------
    size : int
        Bytes.
    of : str
        The run of the very same settings that held it; empty where it is only one alike.
    """

    size: int
    of: str = ""


class Estimates:
    """What cells will hold, going by earlier runs.

    Parameters
    ----------
    store : RunStore or None
        The earlier runs; None where nobody asks.
    """

    def __init__(self, store: RunStore | None) -> None:
        self._same: dict[str, Expected] = {}
        self._alike: dict[str, int] = {}
        self._raised: dict[str, Expected] = {}
        for record in store.records() if store else ():
            peak = (record.manifest.get("costs") or {}).get("peak_memory")
            if not peak:
                continue
            if own := record.manifest.get("config_sha256"):
                self._same[own] = Expected(peak, record.id)
            alike = _alike(record)
            self._alike[alike] = max(peak, self._alike.get(alike, 0))

    def of(self, cell: Cell) -> Expected | None:
        """Return what a cell is expected to hold; None where nothing is known."""
        if cell.name in self._raised:
            return self._raised[cell.name]
        if found := self._same.get(cell.key):
            return found
        if cell.config is None:
            return None
        config = cell.config.to_dict()
        size = self._alike.get(_kind(cell.use_case, config.get("data"), config.get("features")))
        return Expected(size) if size else None

    def raise_to(self, cell: Cell, size: int) -> None:
        """Expect at least so much of a cell from now on."""
        self._raised[cell.name] = Expected(size)


def _alike(record: RunRecord) -> str:
    return _kind(record.use_case, record.config.get("data"), record.config.get("features"))


def _kind(use_case: str, data: object, features: object) -> str:
    """Say which runs hold about as much: those of the same data and features."""
    return hash_of([use_case, data, features])


def parse_memory(text: str) -> int:
    """Read a size of memory.

    Raises
    ------
    InputError
        Where it is none.

    Examples
    --------
    >>> parse_memory("1.5GB"), parse_memory("800 MB")
    (1500000000, 800000000)
    """
    found = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)\s*([A-Za-z]+)", text.strip())
    unit = _SIZES.get(found[2].upper()) if found else None
    if found is None or unit is None or not float(found[1]):
        raise InputError(
            "--memory must be a number above 0 and a unit, MB, GB, MiB or GiB, as in 4GB or "
            f"800MB; got {text!r}."
        )
    return int(float(found[1]) * unit)


def megabytes(size: int) -> str:
    """Write a size.

    Examples
    --------
    >>> megabytes(3_083_866_112)
    '3,084 MB'
    """
    return f"{size / 1e6:,.0f} MB"
