"""The budget: how many cells run at once, what they hold together, and processes that are ended."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from widemargin.comparison import Budget, budget, checking, jobs, parse_memory, processes
from widemargin.comparison.budget import Expected
from widemargin.comparison.processes import Ended, Process, held_memory
from widemargin.errors import InputError

Compare = Any
Config = Any
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")


class Slow:
    """Stands for a process that fails after some looks at it, and holds so many bytes.

    One that is `deaf` goes on when it is told to stop.
    """

    def __init__(self, looks: int, held: int, *, deaf: bool = False) -> None:
        self.looks, self.bytes, self.most, self.deaf = looks, held, held, deaf
        self.told = self.killed = False

    def ended(self, seconds: float = 0) -> Ended | None:
        self.looks -= 1
        if self.killed:
            return Ended(-9, "", "")
        if self.told and not self.deaf:
            return Ended(130, "", "Stopped.")
        return None if self.looks > 0 else Ended(1, "", "Error: only a stand-in\n")

    def held(self) -> int:
        return self.bytes

    def wait(self, seconds: float) -> int | None:
        raise AssertionError("the loop waits for nobody")

    def tell(self, stop: signal.Signals = signal.SIGINT) -> None:
        self.told = True

    def kill(self) -> None:
        self.killed = True


class Starts:
    """Remembers what was started, and how many were under way then."""

    def __init__(self, held: Callable[[str], int], looks: int, *, deaf: bool) -> None:
        self.held, self.looks, self.deaf = held, looks, deaf
        self.made: list[Slow] = []
        self.at_once: list[int] = []
        self.environments: list[Mapping[str, str]] = []

    def __call__(self, words: Sequence[str], environment: Mapping[str, str], folder: Path) -> Slow:
        text = Path(words[0]).read_text(encoding="utf-8")
        self.made.append(Slow(self.looks, self.held(text), deaf=self.deaf))
        going = [one for one in self.made if one.looks > 0 and not (one.told or one.killed)]
        self.at_once.append(len(going))
        self.environments.append(environment)
        return self.made[-1]


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Starts]:
    def begin(
        held: Callable[[str], int] = lambda text: 10**6, looks: int = 3, *, deaf: bool = False
    ) -> Starts:
        made = Starts(held, looks, deaf=deaf)
        monkeypatch.setattr(jobs, "Process", made)
        monkeypatch.setattr(jobs, "_PAUSE", 0)
        monkeypatch.setattr(budget, "available_threads", lambda: 4)
        return made

    return begin


def kernels(compare: Compare, config: Config, **given: Any) -> Any:
    axes = {"encoder": "tfidf,lsa", "kernel": "linear,rbf"}
    return compare(config("texts"), axes=axes, **given)[0]


def test_cells_run_one_after_the_other_unless_more_are_asked_for(
    compare_targets: Compare, config: Config, starts: Any
) -> None:
    made = starts()
    kernels(compare_targets, config)
    assert made.at_once == [1, 1, 1, 1]
    made = starts()
    monkeyed = os.environ.get("OMP_NUM_THREADS")
    kernels(compare_targets, config, budget=Budget(2))
    assert max(made.at_once) == 2
    assert [one["OMP_NUM_THREADS"] for one in made.environments] == ["2"] * 4
    assert os.environ.get("OMP_NUM_THREADS") == monkeyed


def test_two_cells_that_read_the_same_vectors_do_not_both_encode(
    compare_targets: Compare, config: Config, starts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = starts()
    monkeypatch.setattr(checking, "_shared", lambda *_: frozenset({"the same"}))
    kernels(compare_targets, config, budget=Budget(4))
    assert made.at_once == [1, 1, 1, 1]


def test_a_cell_that_holds_too_much_is_ended_and_named_and_the_others_go_on(
    compare_targets: Compare, config: Config, starts: Any
) -> None:
    made = starts(lambda text: 900_000_000 if "kernel: rbf" in text else 1_000_000)
    found = kernels(compare_targets, config, budget=Budget(memory=500_000_000))
    problems = {row.name: row.problem for row in found.rows}
    said = "it held 900 MB, more than the 500 MB that --memory allows, and was ended"
    assert problems["tfidf with rbf"] == problems["lsa with rbf"] == said
    assert problems["tfidf with linear"] == problems["lsa with linear"] == "only a stand-in"
    assert [one.killed for one in made.made] == [False, True, False, True]


def test_of_several_that_hold_too_much_together_one_is_put_off(
    compare_targets: Compare, config: Config, starts: Any, notes: Any, monkeypatch: Any
) -> None:
    made = starts(lambda text: 600_000_000)
    # Of both it was known that they hold little.
    monkeypatch.setattr(budget.Estimates, "of", known_to_hold_little)
    found = kernels(compare_targets, config, budget=Budget(2, memory=1_000_000_000), progress=notes)
    assert any("ended and put off, as all together hold 1,200 MB" in told for told in notes.told)
    assert {row.problem for row in found.rows} == {"only a stand-in"}
    put_off = [one for one in made.made if one.told]
    assert len(made.made) == 4 + len(put_off)
    assert 1 <= len(put_off) <= 4
    assert not any(one.killed for one in made.made)


def test_one_that_is_put_off_and_does_not_end_is_killed_while_the_others_go_on(
    compare_targets: Compare, config: Config, starts: Any, monkeypatch: Any
) -> None:
    made = starts(lambda text: 600_000_000, looks=400, deaf=True)
    monkeypatch.setattr(jobs, "_GRACE", 0.001)
    monkeypatch.setattr(jobs, "_PAUSE", 0.001)
    monkeypatch.setattr(budget.Estimates, "of", known_to_hold_little)
    found = kernels(compare_targets, config, budget=Budget(2, memory=1_000_000_000))
    assert {row.problem for row in found.rows} == {"only a stand-in"}
    put_off = [one for one in made.made if one.told]
    assert put_off
    assert all(one.killed and one.looks > 0 for one in put_off)
    assert len(made.made) == 4 + len(put_off)


def test_weights_are_fetched_before_any_cell_begins(
    compare_targets: Compare, config: Config, starts: Any, monkeypatch: Any
) -> None:
    made = starts()
    begun: list[tuple[str, int]] = []
    monkeypatch.setattr(
        checking, "require", lambda asset, *_, **__: begun.append((asset.name, len(made.made)))
    )
    axes = {"encoder": "tfidf,glove", "kernel": "linear,rbf"}
    compare_targets(config("texts"), axes=axes, budget=Budget(2))
    assert begun == [("glove-6b-50d", 0)]
    assert len(made.made) == 4


def test_cells_that_encode_into_stores_of_their_own_do_not_wait_for_each_other(
    compare_targets: Compare, config: Config, starts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = starts()
    monkeypatch.setattr(checking, "_shared", lambda *_: frozenset({"the same"}))
    kernels(compare_targets, config, budget=Budget(4), fresh=True)
    assert made.at_once == [1, 2, 3, 4]


def known_to_hold_little(self: Any, cell: Any) -> Expected:
    raised: Expected = self._raised.get(cell.name, Expected(1000))
    return raised


def test_what_nothing_is_known_of_runs_alone_under_a_limit(
    compare_targets: Compare, config: Config, starts: Any
) -> None:
    made = starts()
    kernels(compare_targets, config, budget=Budget(4, memory=10**12))
    assert made.at_once == [1, 1, 1, 1]


def test_a_cell_that_held_too_much_before_is_not_begun(
    compare_targets: Compare, config: Config, calls: Any
) -> None:
    path = config("texts")
    first, _ = compare_targets(path, axes={"kernel": "linear,rbf"})
    assert len(calls.words) == 2
    again, _ = compare_targets(
        path, axes={"kernel": "linear,rbf"}, fresh=True, budget=Budget(memory=1_000_000)
    )
    assert len(calls.words) == 2
    for row in again.rows:
        assert "of the same settings held" in row.problem
        assert "more than the 1 MB that --memory allows; it was not begun" in row.problem
    assert first.rows[0].run is not None


@pytest.mark.parametrize("given", [0, 5])
def test_as_many_jobs_as_threads_at_most(given: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "available_threads", lambda: 4)
    with pytest.raises(InputError, match="--jobs must be between 1 and 4"):
        Budget(given)


@pytest.mark.parametrize(
    "text", ["4", "GB", "0GB", "4 TB", "1KB", "-1GB", "much", "9" * 400 + "GB"]
)
def test_a_size_of_memory_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(
        InputError, match="--memory must be a number above 0 and a unit, MB, GB, MiB or"
    ):
        parse_memory(text)


def test_without_a_way_to_look_a_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "can_watch", lambda: False)
    with pytest.raises(InputError, match="--memory needs Linux"):
        Budget(memory=10**9)
    assert Budget().memory is None


@LINUX
def test_a_process_is_watched_and_says_how_it_ended(tmp_path: Path) -> None:
    # It begins when it was seen.
    (tmp_path / "sitecustomize.py").write_text(
        "import pathlib\nimport time\n"
        "while not pathlib.Path(__file__).with_name('seen').exists():\n    time.sleep(0.01)\n",
        encoding="utf-8",
    )
    going = Process(["--help"], {**os.environ, "PYTHONPATH": str(tmp_path)}, tmp_path)
    while going.most <= 1_000_000:
        assert going.ended(0.02) is None
        going.held()
    (tmp_path / "seen").touch()
    while (ended := going.ended(0.02)) is None:
        pass
    assert (ended.code, ended.err) == (0, "")
    assert "Usage" in ended.out
    assert going.held() is None
    assert held_memory(os.getpid()) > 10_000_000  # type: ignore[operator]  # it is Linux


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_a_process_that_the_system_kills_ends_with_its_signal(tmp_path: Path) -> None:
    going = Process(["spam"], dict(os.environ), tmp_path)
    going.kill()
    ended = going.ended(10)
    assert ended is not None
    assert ended.code == -signal.SIGKILL
    processes.stop_all([going])


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_processes_that_do_not_end_are_killed_where_the_wait_for_them_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Process, seconds: float) -> None:
        raise KeyboardInterrupt

    going = [Process(["spam"], dict(os.environ), tmp_path) for _ in range(2)]
    wait = Process.wait
    monkeypatch.setattr(Process, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        processes.stop_all(going)
    monkeypatch.setattr(Process, "wait", wait)
    assert [one.wait(0) for one in going] == [-signal.SIGKILL] * 2


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_kill_and_a_closed_terminal_stop_as_ctrl_c_does_and_handlers_stay_as_they_were() -> None:
    @processes.stopped_as_by_ctrl_c()
    def killed() -> None:
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        signal.raise_signal(signal.SIGTERM)

    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with pytest.raises(KeyboardInterrupt):
            killed()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
