"""The LMDB environments that a process has open: one a folder, and its own after a fork."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["close_environment", "environment_of", "open_environment"]

# Address space, not memory and not disk: the file grows with what is in it. Windows takes disk.
_MAP_BYTES = (1 << 40) if sys.platform != "win32" and sys.maxsize > 2**32 else (1 << 30)


@dataclass(frozen=True)
class _Opened:
    environment: Any
    inode: int
    pid: int


# A process may open an LMDB environment once, and a forked child must open its own.
_opened: dict[str, _Opened] = {}
_opening = threading.RLock()


def _renew_lock() -> None:
    global _opening
    _opening = threading.RLock()


if hasattr(os, "register_at_fork"):
    # Another thread may have held it when the process was forked.
    os.register_at_fork(after_in_child=_renew_lock)


def environment_of(folder: Path) -> Any:
    """Return the environment of a folder, opened if need be.

    Raises
    ------
    lmdb.Error
        Where it cannot be opened; `CorruptedError` where its file was cut off.
    """
    with _opening:
        key = str(folder.resolve())
        known = _opened.get(key)
        # Another process may have pruned the folder and begun anew.
        if known is not None and (known.inode, known.pid) == (_inode(folder), os.getpid()):
            return known.environment
        # A child must close what it inherited before it opens its own. An environment that was
        # pruned is only let go: another thread may be reading its last pages.
        if known is not None and known.pid != os.getpid():
            close_environment(folder)
        environment = open_environment(folder)
        _opened[key] = _Opened(environment, _inode(folder), os.getpid())
        return environment


def open_environment(folder: Path) -> Any:
    """Open the environment of a folder anew; `environment_of` is for all but a new process.

    Raises
    ------
    lmdb.Error
        As `environment_of`.
    """
    import lmdb

    # Writes are whole in any case; without metasync the last one may be lost with the power.
    environment = lmdb.open(
        str(folder), map_size=_MAP_BYTES, metasync=False, max_readers=1024, meminit=False
    )
    environment.reader_check()
    # Reading a mapped page beyond the end of the file would end the process.
    whole = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    size = (folder / "data.mdb").stat().st_size
    if size < whole:
        environment.close()
        raise lmdb.CorruptedError(f"data.mdb was cut off: {size:,} of {whole:,} bytes")
    return environment


def close_environment(folder: Path) -> None:
    """Close the environment of a folder where it is open."""
    with _opening:
        known = _opened.pop(str(folder.resolve()), None)
        if known is not None:
            known.environment.close()


def _inode(folder: Path) -> int:
    try:
        return (folder / "data.mdb").stat().st_ino
    except OSError:
        return -1
