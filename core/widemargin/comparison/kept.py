"""What is kept of a comparison: cells that came to an end, and their runs of before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from widemargin.comparison.checking import Checked
from widemargin.comparison.plan import Cell, Plan
from widemargin.contracts import Progress, RunRecord
from widemargin.contracts.counting import agreeing
from widemargin.contracts.use_case import COMPARISONS
from widemargin.errors import RunNotFoundError
from widemargin.runs.store import RunStore, read_record

__all__ = ["FILE", "Finished", "finished_runs", "take_finished"]

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


def take_finished(
    plan: Plan,
    known: Mapping[str, RunRecord],
    checked: Mapping[str, Checked],
    results: dict[str, Finished],
    progress: Progress,
) -> None:
    """Take the cells whose run is there from before.

    Parameters
    ----------
    plan : Plan
        All cells.
    known : mapping of str to RunRecord
        Runs by identity, as of `finished_runs`.
    checked : mapping of str to Checked
        The cells that can begin, by name.
    results : dict of str to Finished
        Where what is found is put, by the cells' names.
    progress : Progress
        Told of how many there are.
    """
    taken = 0
    for cell in plan.cells:
        if cell.name not in checked:
            continue  # it existed before, or cannot be run
        identity = checked[cell.name].identity()
        if run := known.get(identity):
            results[cell.name] = Finished(cell=cell, identity=identity, run=run)
            taken += 1
    if taken:
        progress.note(
            f"{taken} of {len(plan.cells)} {agreeing(taken, 'were')} finished before, and not run "
            "again; "
            "--fresh runs all."
        )
