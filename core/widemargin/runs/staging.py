"""Staging: the hidden places where files are written until they are whole, and whose they are."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["DAY", "STAGING", "age", "has_ended", "held", "is_abandoned", "staging"]

STAGING = ".staging-"
"""What the names of such places begin with."""
DAY = 86_400
"""Seconds in which another machine's process is taken to be still writing."""
_PROCESSES = Path("/proc/self/ns/pid")


def staging(final: Path) -> Path:
    """Name the hidden place beside `final`, after the process that writes there."""
    return final.with_name(f"{STAGING}{os.getpid()}@{_host()}@{final.name}")


def _host() -> str:
    """Name the machine, and the space that its process numbers are of.

    Containers may share a machine's name and folders, and number their processes by themselves.
    """
    host = re.sub(r"[^\w.-]", "", platform.node())
    with suppress(OSError):
        return f"{host}.{_PROCESSES.stat().st_ino}"
    return host  # no Linux


def is_abandoned(path: Path) -> bool:
    """Say whether nobody writes in a hidden place any more."""
    ended = has_ended(path)
    return age(path) > DAY if ended is None else ended


def has_ended(path: Path) -> bool | None:
    """Say whether the process of a hidden place has ended; None where it cannot be asked after."""
    pid, _, rest = path.name.removeprefix(STAGING).partition("@")
    # Another machine's processes cannot be asked after, and on Windows asking would end ours.
    if pid.isdecimal() and pid.isascii() and rest.startswith(f"{_host()}@") and os.name != "nt":
        return not _is_alive(int(pid))
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True  # somebody else's
    except (ProcessLookupError, OverflowError):
        return False
    return pid > 0


def age(path: Path) -> float:
    """Return the seconds since a folder was written; 0 where it is gone already."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0


@contextmanager
def held(folder: Path) -> Iterator[os.stat_result]:
    """Hold a folder open, so that the system gives its number to no other meanwhile."""
    if os.name == "nt":  # there no folder can be opened, nor moved while a file of it is read
        yield folder.stat()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield os.fstat(handle)
    finally:
        os.close(handle)
