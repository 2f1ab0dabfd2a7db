"""Package tools (pip, npm, apt-get) as child processes that show progress and never linger."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from widemargin.contracts.progress import Stage
from widemargin.data.assets.staging import RoadError

__all__ = ["find_tool", "run_tool"]

LOOK_AGAIN = 0.1  # seconds between two looks at what has arrived
STALLED = 300.0  # seconds without a new byte after which a tool is stopped


def find_tool(name: str) -> str:
    """Return the path of a command.

    Raises
    ------
    RoadError
        Where it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        raise RoadError(f"the command {name} is not installed here")
    return path


def run_tool(
    command: Sequence[str], work: Path, stage: Stage, *, total: int = 0, folder: Path | None = None
) -> None:
    """Run a tool to its end and take the bytes that grow below `work` for its progress.

    Old versions of these tools have no progress that a program could read.

    Parameters
    ----------
    command : sequence of str
        The command and its arguments; no shell reads them.
    work : Path
        The folder for all its temporary files.
    stage : Stage
        Told how many bytes more are there.
    total : int
        How many bytes are expected; 0 where that is unknown.
    folder : Path or None
        Where the tool runs; None for the current folder, where its own settings may point from.

    Raises
    ------
    RoadError
        Where it fails, with its own words, or stalls.
    """
    environ = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(work))}
    log = work / "log.txt"
    with log.open("wb") as output:
        try:
            # A list of our own making around the pinned name and version of a package.
            process = subprocess.Popen(  # noqa: S603
                command,
                env=environ,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise RoadError(f"{command[0]} does not start: {error.strerror or error}") from None
        try:
            stalled = _wait(process, work, stage, total)
        finally:  # on Ctrl-C as well: nothing goes on behind the user's back
            if process.poll() is None:
                process.kill()
            process.wait()
    if stalled:
        raise RoadError(f"stopped after {STALLED:.0f} seconds without a new byte")
    if process.returncode:
        raise RoadError(_reason(log.read_text(encoding="utf-8", errors="replace")))


def _wait(process: subprocess.Popen[bytes], work: Path, stage: Stage, total: int) -> bool:
    """Advance the stage until the process ends; whether it stalled instead."""
    shown, last, last_change = 0, 0, time.monotonic()
    while True:
        try:
            process.wait(LOOK_AGAIN)
        except subprocess.TimeoutExpired:
            pass
        else:
            return False
        now = _bytes_below(work)
        if now != last:
            last, last_change = now, time.monotonic()
        elif time.monotonic() - last_change > STALLED:
            return True
        # The tools copy the package once more at their end: that is no progress.
        reached = min(now, total) if total else now
        if reached > shown:
            stage.advance(reached - shown)
            shown = reached


def _bytes_below(folder: str | Path) -> int:
    size = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    size += _bytes_below(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_size
    except OSError:
        pass  # the tool deletes its temporary files while they are counted
    return size


def _reason(log: str) -> str:
    """Pick what went wrong out of what a tool wrote."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for mark in ("ERROR: ", "npm error ", "npm ERR! ", "E: "):
        if marked := [line.removeprefix(mark) for line in lines if line.startswith(mark)]:
            return "; ".join(marked[:2])
    return lines[-1] if lines else "it failed without a word"
