"""Jobs: each cell runs in a process of its own, within a budget; finished ones are kept."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from widemargin.comparison.budget import Budget, Estimates, megabytes
from widemargin.comparison.checking import Checked, check_cells, fetch_weights
from widemargin.comparison.folders import cell_folder
from widemargin.comparison.kept import Finished, finished_runs, take_finished
from widemargin.comparison.plan import Cell, Plan
from widemargin.comparison.processes import Ended, Process, stop_all, stopped_as_by_ctrl_c
from widemargin.config import RunConfig, dump_yaml
from widemargin.contracts import Progress, RunRecord
from widemargin.encoders.store import STORE_VARIABLE
from widemargin.runs.identity import COMPARISON_VARIABLE
from widemargin.runs.store import RunStore, read_record

if TYPE_CHECKING:
    from widemargin.registry import Registry

__all__ = ["run_cells"]

_PAUSE = 0.05
_GRACE = 2.0
"""Seconds in which a cell that is put off may end by itself; it still holds its memory then."""


Write = Callable[[Sequence[Finished]], None]


def run_cells(
    plan: Plan,
    registry: Registry,
    store: RunStore,
    *,
    budget: Budget | None = None,
    fresh: bool = False,
    offline: bool = False,
    mirror: str = "",
    progress: Progress,
    write: Write,
) -> list[Finished]:
    """Run every cell that is not finished yet.

    Each is an ordinary run of the store, made by ``widemargin run`` in a process of its own, so
    that its peak of memory is its own and nothing of one cell is left in the next.

    Parameters
    ----------
    plan : Plan
        The cells.
    registry : Registry
        What is installed.
    store : RunStore
        Where runs and the comparison are kept.
    budget : Budget, optional
        How many run at once, and within what memory; by default one after the other.
    fresh : bool
        Whether to run cells again that are finished, and to encode all items again.
    offline : bool
        Whether fetching assets is forbidden.
    mirror : str
        Folder or address that assets are looked for in first.
    progress : Progress
        Told of every cell.
    write : callable
        ``write(finished)``: called after every cell.

    Returns
    -------
    list of Finished
        One a cell, in the plan's order.

    Raises
    ------
    InputError
        Where a cell cannot run at all, as where its encoder reads another kind of item, or where
        no target's data can be had; nothing is run then.
    KeyboardInterrupt
        Where Ctrl-C, `kill` or a closed terminal stopped it; it says how to go on.
    """
    given = _Given(store=store, fresh=fresh, offline=offline, mirror=mirror, progress=progress)
    with stopped_as_by_ctrl_c():
        return _run_cells(plan, registry, given, budget or Budget(), write)


def _run_cells(
    plan: Plan, registry: Registry, given: _Given, budget: Budget, write: Write
) -> list[Finished]:
    progress = given.progress
    checked, unread = check_cells(
        plan, registry, budget, offline=given.offline, mirror=given.mirror, progress=progress
    )
    results = {
        cell.name: Finished(cell=cell, identity="", run=cell.run)
        for cell in plan.cells
        if cell.run is not None
    }
    for name, problem in unread.items():
        cell = next(cell for cell in plan.cells if cell.name == name)
        results[name] = Finished(cell=cell, identity="", problem=problem)
        progress.note(f"{name} failed: {problem}")
    take_finished(plan, given.finished_before(), checked, results, progress)
    jobs = _Jobs(plan, given, budget, checked, results, write)
    if results:
        write(jobs.finished())
    try:
        jobs.run()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{len(results)} of {len(plan.cells)} are finished and kept; the same command"
            f"{' without --fresh' if given.fresh else ''} goes on with the others."
        ) from None
    return jobs.finished()


@dataclass(frozen=True, kw_only=True)
class _Given:
    """What all cells are run with."""

    store: RunStore
    fresh: bool
    offline: bool
    mirror: str
    progress: Progress

    def finished_before(self) -> dict[str, RunRecord]:
        """Read the runs of any comparison that need not be made again, by identity."""
        return {} if self.fresh else finished_runs(self.store)

    def words(self, config: Path) -> list[str]:
        """Return what follows ``widemargin run``."""
        words = [str(config), "--runs", str(self.store.home), "--json", "--quiet"]
        words += ["--offline"] if self.offline else []
        words += ["--data-mirror", self.mirror] if self.mirror else []
        return words + (["--fresh"] if self.fresh else [])


@dataclass
class _Running:
    """A cell under way."""

    cell: Cell
    identity: str
    process: Process
    left: ExitStack
    killed: str = ""
    until: float = math.inf
    """When it is killed, where it was told to make way; it runs again when it has."""

    @property
    def is_put_off(self) -> bool:
        """Say whether it was told to make way."""
        return self.until < math.inf


class _Jobs:
    """The cells that are left: started as the budget allows, watched, and kept when they end."""

    def __init__(
        self,
        plan: Plan,
        given: _Given,
        budget: Budget,
        checked: dict[str, Checked],
        results: dict[str, Finished],
        write: Write,
    ) -> None:
        self.plan, self.given, self.budget = plan, given, budget
        self.checked, self.results = checked, results
        self.progress, self.write = given.progress, write
        self.waiting = [cell for cell in plan.cells if cell.name not in results]
        self.running: list[_Running] = []
        self.estimates = Estimates(given.store if budget.memory else None)

    def finished(self) -> list[Finished]:
        """List what came to an end, in the plan's order."""
        return [self.results[cell.name] for cell in self.plan.cells if cell.name in self.results]

    def run(self) -> None:
        """Run all that is left."""
        # Before any begins: while a fetch takes its time nobody watches what cells hold.
        self._fetch_weights()
        if not self.waiting:
            return
        try:
            with self.progress.stage("cells", total=len(self.waiting)) as stage:
                while self.waiting or self.running:
                    self._start_what_fits()
                    for one in [*self.running]:
                        ended = one.process.ended()
                        if ended is not None and self._end(one, ended):
                            stage.advance()
                    self._watch()
                    if self.running:
                        time.sleep(_PAUSE)
        finally:
            try:
                stop_all([one.process for one in self.running])
            finally:
                for one in self.running:
                    one.left.close()

    def _fetch_weights(self) -> None:
        begun = [cell for cell in self.waiting if not self._refused(cell)]
        given = self.given
        problems = fetch_weights(
            begun, offline=given.offline, mirror=given.mirror, progress=self.progress
        )
        for cell in begun:
            if problem := problems.get(cell.name):
                self.waiting.remove(cell)
                self._keep(cell, self.checked[cell.name].identity(), problem)

    def _refused(self, cell: Cell) -> str:
        return self.budget.refuses(self.estimates.of(cell))

    def _start_what_fits(self) -> None:
        for cell in [*self.waiting]:
            if len(self.running) >= self.budget.jobs:
                return
            if refused := self._refused(cell):
                self.waiting.remove(cell)
                self._keep(cell, self.checked[cell.name].identity(), refused)
                continue
            others = [one.cell for one in self.running]
            if self._must_wait(cell, others):
                continue
            expected = self.estimates.of(cell)
            if self.budget.fits(expected, [self.estimates.of(other) for other in others]):
                self.waiting.remove(cell)
                self._start(cell)

    def _must_wait(self, cell: Cell, others: Sequence[Cell]) -> bool:
        """Say whether another cell is encoding what this one will find in the store."""
        if self.given.fresh:
            return False  # each has a store of its own
        own = self.checked[cell.name].shared
        return any(own & self.checked[other.name].shared for other in others)

    def _start(self, cell: Cell) -> None:
        # Before the run: a file that changes meanwhile makes another identity than it has then.
        identity = self.checked[cell.name].identity()
        if run := self.given.finished_before().get(identity):
            self._keep(cell, identity, run=run)  # another comparison has made it meanwhile
            return
        assert cell.config is not None
        with ExitStack() as stack:
            stack.enter_context(self.progress.stage(cell.name))
            folder = stack.enter_context(cell_folder())
            environment = {**self.budget.environment(), COMPARISON_VARIABLE: self.plan.name}
            words = self.given.words(_write_config(cell.config, folder))
            if self.given.fresh:
                # Vectors that other runs had encoded would hide what encoding costs.
                environment[STORE_VARIABLE] = str(folder / "embeddings")
            process = Process(words, environment, folder)
            self.running.append(_Running(cell, identity, process, stack.pop_all()))

    def _watch(self) -> None:
        """End what holds more than the budget: the one alone, or the last that was started."""
        limit = self.budget.memory
        if limit is None:
            return
        held = [one.process.held() or 0 for one in self.running]
        for one in self.running:
            if time.monotonic() > one.until:
                one.process.kill()
        left = [k for k, one in enumerate(self.running) if not one.is_put_off]
        # What those hold that make way already is soon free.
        own = sum(held[k] for k in left)
        if not left or own <= limit:
            return
        last = self.running[left[-1]]
        if len(left) == 1:
            last.killed = (
                f"it held {megabytes(own)}, more than the {megabytes(limit)} that --memory "
                "allows, and was ended"
            )
            last.process.kill()
            return
        self.progress.note(
            f"{last.cell.name}: ended and put off, as all together hold {megabytes(own)}."
        )
        self.estimates.raise_to(last.cell, limit)  # it then runs alone
        last.process.tell()
        last.until = time.monotonic() + _GRACE

    def _end(self, one: _Running, ended: Ended) -> bool:
        """Keep what a process left; False where it has only made way."""
        self.running.remove(one)
        one.left.close()
        if one.is_put_off and ended.code:
            self.waiting.append(one.cell)
            return False
        said = [line for line in ended.err.splitlines() if line.strip()]
        if ended.code:
            problem = "\n".join(line.removeprefix("Error: ") for line in said)
            problem = one.killed or problem or _told_of(ended.code, one.process.most)
            self._keep(one.cell, one.identity, problem)
            return True
        for line in said:
            self.progress.note(f"{one.cell.name}: {line}")
        record = read_record(Path(json.loads(ended.out)["path"]))
        self._keep(one.cell, one.identity, run=record)
        return True

    def _keep(
        self, cell: Cell, identity: str, problem: str = "", run: RunRecord | None = None
    ) -> None:
        self.results[cell.name] = Finished(cell=cell, identity=identity, run=run, problem=problem)
        self.write(self.finished())
        done = f"finished, {len(self.results)} of {len(self.plan.cells)}."
        self.progress.note(f"{cell.name}: {done}" if run else f"{cell.name} failed: {problem}")


def _write_config(config: RunConfig, folder: Path) -> Path:
    path = folder / "cell.yaml"
    path.write_text(dump_yaml(config), encoding="utf-8")
    return path


def _told_of(code: int, most: int) -> str:
    """Say what is known of a process that ended without a word."""
    said = f"its process ended with code {code}"
    if code == -9:
        said += "; it was killed, as the system does where memory runs out"
        said += f". It held {megabytes(most)} when it was last looked at" if most else ""
    return said
