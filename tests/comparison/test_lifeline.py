"""A cell ends with the comparison that started it, even where that one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from widemargin.comparison.processes import Process, held_memory
from widemargin.registry import discover
from widemargin.runs.lifeline import LIFELINE_VARIABLE
from widemargin.runs.store import RunStore

PARENT = """
import os, signal, sys, time
from pathlib import Path
from widemargin.comparison.processes import Process

folder, runs, *words = sys.argv[1:]
going = Process([*words, "--runs", runs], dict(os.environ), Path(folder))
print(going._child.pid, flush=True)
while going.wait(0.05) is None and not (Path(runs) / ".work").exists():
    pass
os.kill(os.getpid(), signal.SIGKILL)
"""


def long_run() -> list[str]:
    """Return the words of a run that would take minutes."""
    settings = [f"data.path={discover().use_case('texts').fixture['path']}", "svm.C=1"]
    settings += ["evaluation.repeats=100", "evaluation.map=none"]
    return ["texts", "--quiet", *(word for one in settings for word in ("--set", one))]


def wait_for_the_end(pid: int) -> None:
    """Wait until a process that is nobody's child has ended, though nobody may have asked how."""
    deadline = time.monotonic() + 1200
    while held_memory(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells whether a process goes on")
@pytest.mark.parametrize("hears", [True, False], ids=["hears Ctrl-C", "ignores Ctrl-C"])
def test_a_cell_ends_when_the_comparison_is_killed(tmp_path: Path, hears: bool) -> None:
    runs = tmp_path / "runs"
    ignored = "" if hears else "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    words = [sys.executable, "-c", ignored + PARENT, str(tmp_path), str(runs), *long_run()]
    parent = subprocess.run(words, capture_output=True, text=True, check=False)
    assert parent.returncode == -signal.SIGKILL, parent.stderr
    try:
        wait_for_the_end(int(parent.stdout))
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(parent.stdout), signal.SIGKILL)
    said = (tmp_path / "err").read_text(encoding="utf-8")
    assert ("Finished folds are kept: the same command continues after" in said) is hears
    assert RunStore(runs).folders() == []


def test_a_run_that_nobody_watches_goes_on_where_its_input_ends(tmp_path: Path) -> None:
    fixture = discover().use_case("texts").fixture["path"]
    words = ["texts", "--runs", str(tmp_path), "--quiet", "--set", f"data.path={fixture}"]
    words += ["--set", "svm.C=1", "--set", "evaluation.map=none"]
    done = subprocess.run(
        [sys.executable, "-m", "widemargin", "run", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_process_that_ends_by_itself_lets_go_of_its_lifeline(tmp_path: Path) -> None:
    going = Process(["--help"], dict(os.environ), tmp_path)
    while going.ended(0.05) is None:
        pass
    assert going._child.stdin is not None
    assert going._child.stdin.closed


def test_a_cell_that_asks_for_input_finds_none_and_waits_for_nobody() -> None:
    asking = (
        "from widemargin.runs.lifeline import hold_lifeline\n"
        "hold_lifeline()\n"
        "try:\n"
        "    input()\n"
        "except EOFError:\n"
        "    print('none')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", asking],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, LIFELINE_VARIABLE: "1"},
    ) as cell:
        assert cell.stdout is not None
        try:
            assert cell.wait(1200) == 0
            assert cell.stdout.read().split() == [b"none"]
        finally:
            cell.kill()
