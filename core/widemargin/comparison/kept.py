"""What is kept of a comparison: cells that came to an end, and their runs of before."""

from __future__ import annotations

import json
from dataclasses import dataclass

from widemargin.comparison.plan import Cell
from widemargin.contracts import RunRecord
from widemargin.contracts.use_case import COMPARISONS
from widemargin.errors import RunNotFoundError
from widemargin.runs.store import RunStore, read_record

__all__ = ["FILE", "Finished", "finished_runs"]

FILE = "comparison.json"
"""What a comparison's folder says for programs: its cells, their runs, and all numbers."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A cell that came to an end.

    Parameters
    ----------
    cell : Cell
        The cell.
    identity : str
        Hash of all that its run depends on: config, data, versions, engine, threads, sources, and
        the weights that its encoders read; empty where the run existed before.
    run : RunRecord, optional
        Its run; None where it failed.
    problem : str
        What the run said when it failed.
    """

    cell: Cell
    identity: str
    run: RunRecord | None = None
    problem: str = ""


def finished_runs(store: RunStore) -> dict[str, RunRecord]:
    """Read which cells of any comparison have a run that is still there, by identity."""
    told: dict[str, str] = {}
    for path in sorted((store.home / COMPARISONS).glob(f"*/{FILE}")):
        try:
            cells = json.loads(path.read_bytes())["cells"]
            told |= {
                cell["identity"]: cell["folder"]
                for cell in cells
                if cell["folder"] and cell["identity"]
            }
        except (OSError, ValueError, KeyError, TypeError):
            continue
    found = {}
    for identity, run in told.items():
        try:
            found[identity] = read_record(store.home / run)
        except RunNotFoundError:
            continue  # deleted or damaged since; it is run again
    return found
