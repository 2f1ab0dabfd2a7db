"""Jobs: each cell runs in a process of its own, within a budget; finished ones are kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from widemargin.comparison.budget import Budget, Estimates, megabytes
from widemargin.comparison.checking import Checked, check_cells
from widemargin.comparison.kept import Finished, finished_runs
from widemargin.comparison.plan import Cell, Plan
from widemargin.comparison.processes import Ended, start
from widemargin.config import RunConfig, dump_yaml
from widemargin.contracts import Progress, RunRecord
from widemargin.data.assets import data_home, require
from widemargin.encoders.store import STORE_VARIABLE
from widemargin.errors import AssetError
from widemargin.runs.store import RunStore, read_record

if TYPE_CHECKING:
    from widemargin.registry import Registry

__all__ = ["run_cells"]

_PAUSE = 0.05


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
        Where Ctrl-C stopped it; it says how to go on.
    """
    budget = budget or Budget()
    checked, unread = check_cells(
        plan, registry, budget, offline=offline, mirror=mirror, progress=progress
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
    _take_finished(plan, {} if fresh else finished_runs(store), checked, results, progress)
    given = _Given(store=store, fresh=fresh, offline=offline, mirror=mirror, progress=progress)
    jobs = _Jobs(plan, given, budget, checked, results, write)
    if results:
        write(jobs.finished())
    try:
        jobs.run()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{len(results)} of {len(plan.cells)} are finished and kept; the same command"
            f"{' without --fresh' if fresh else ''} goes on with the others."
        ) from None
    return jobs.finished()


def _take_finished(
    plan: Plan,
    known: dict[str, RunRecord],
    checked: dict[str, Checked],
    results: dict[str, Finished],
    progress: Progress,
) -> None:
    """Take the cells whose run is there from before."""
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
            f"{taken} of {len(plan.cells)} are finished from before and are not run again; "
            "--fresh runs all."
        )


@dataclass(frozen=True, kw_only=True)
class _Given:
    """What all cells are run with."""

    store: RunStore
    fresh: bool
    offline: bool
    mirror: str
    progress: Progress

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
    process: Any
    left: ExitStack
    killed: str = ""


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
        if not self.waiting:
            return
        try:
            with self.progress.stage("cells", total=len(self.waiting)) as stage:
                while self.waiting or self.running:
                    self._start_what_fits()
                    for one in [*self.running]:
                        ended = one.process.ended()
                        if ended is not None:
                            self._end(one, ended)
                            stage.advance()
                    self._watch()
                    if self.running:
                        time.sleep(_PAUSE)
        finally:
            for one in self.running:
                one.process.stop()
                one.left.close()

    def _start_what_fits(self) -> None:
        for cell in [*self.waiting]:
            if len(self.running) >= self.budget.jobs:
                return
            expected = self.estimates.of(cell)
            if refused := self.budget.refuses(expected):
                self.waiting.remove(cell)
                self._keep(cell, self.checked[cell.name].identity(), refused)
                continue
            others = [one.cell for one in self.running]
            if self._must_wait(cell, others):
                continue
            if self.budget.fits(expected, [self.estimates.of(other) for other in others]):
                self.waiting.remove(cell)
                self._start(cell)

    def _must_wait(self, cell: Cell, others: Sequence[Cell]) -> bool:
        """Say whether another cell is encoding what this one will find in the store."""
        own = self.checked[cell.name].shared
        return any(own & self.checked[other.name].shared for other in others)

    def _start(self, cell: Cell) -> None:
        checked = self.checked[cell.name]
        try:
            assert cell.config is not None
            for asset in cell.config.features.assets:
                require(
                    asset,
                    data_home(),
                    offline=self.given.offline,
                    mirror=self.given.mirror,
                    progress=self.progress,
                )
        except AssetError as error:
            self._keep(cell, checked.identity(), str(error))
            return
        # Before the run: a file that changes meanwhile makes another identity than it has then.
        identity = checked.identity()
        with ExitStack() as stack:
            stack.enter_context(self.progress.stage(cell.name))
            folder = Path(stack.enter_context(TemporaryDirectory()))
            environment = self.budget.environment()
            words = self.given.words(_write_config(cell.config, folder))
            if self.given.fresh:
                # Vectors that other runs had encoded would hide what encoding costs.
                environment[STORE_VARIABLE] = str(folder / "embeddings")
            process = start(words, environment, folder)
            self.running.append(_Running(cell, identity, process, stack.pop_all()))

    def _watch(self) -> None:
        """End what holds more than the budget: the one alone, or the last that was started."""
        held = [one.process.held() or 0 for one in self.running]
        limit = self.budget.memory
        if limit is None or not self.running or sum(held) <= limit:
            return
        one = self.running[-1]
        if len(self.running) == 1:
            one.killed = (
                f"it held {megabytes(held[0])}, more than the {megabytes(limit)} that --memory "
                "allows, and was ended"
            )
            one.process.kill()
            return
        self.progress.note(
            f"{one.cell.name}: ended and put off, as all together hold {megabytes(sum(held))}."
        )
        self.running.remove(one)
        self.estimates.raise_to(one.cell, limit)  # it then runs alone
        one.process.stop()
        one.left.close()
        self.waiting.append(one.cell)

    def _end(self, one: _Running, ended: Ended) -> None:
        self.running.remove(one)
        one.left.close()
        said = [line for line in ended.err.splitlines() if line.strip()]
        if ended.code:
            problem = "\n".join(line.removeprefix("Error: ") for line in said)
            problem = one.killed or problem or _told_of(ended.code, one.process.most)
            self._keep(one.cell, one.identity, problem)
            return
        for line in said:
            self.progress.note(f"{one.cell.name}: {line}")
        record = read_record(Path(json.loads(ended.out)["path"]))
        self._keep(one.cell, one.identity, run=record)

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
