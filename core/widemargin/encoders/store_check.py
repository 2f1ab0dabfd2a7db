"""Checking environments of the embedding store, each vector of them, in a process of its own.

LMDB takes the pages of its file for right, and a damaged one may end the process that reads it
(a fault of memory, not an exception). So another process reads, and how it ends is a finding too.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from widemargin.encoders.store_environments import open_environment
from widemargin.errors import DataError

__all__ = ["CRC_BYTES", "Checked", "check_environments", "checked_value"]

CRC_BYTES = 4
"""Bytes of the CRC at the end of a value."""

_READY = "ready"
# Ends of a process that has read what is no page; on Windows the codes of the like.
_FAULTS = {-getattr(signal, name, 0) for name in ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL")}
_FAULTS = (_FAULTS - {0}) | {0xC0000005, 0xC0000006, 0xC0000374, 0xC0000409}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found in an environment.

    Parameters
    ----------
    vectors : int
        How many are right.
    damaged : int
        How many were not, and were removed.
    problem : str
        Why it cannot be read; empty where it can.
    lost : bool
        Whether this is damage, and not a want of permission or the like.
    """

    vectors: int = 0
    damaged: int = 0
    problem: str = ""
    lost: bool = False


def checked_value(vector: bytes) -> bytes:
    """Return a vector's bytes as they are kept: with their CRC."""
    return vector + zlib.crc32(vector).to_bytes(CRC_BYTES, "little")


def check_environments(folders: Sequence[tuple[Path, int]]) -> Iterator[tuple[Path, Checked]]:
    """Check environments one after the other; vectors that are damaged are removed from them.

    Parameters
    ----------
    folders : sequence of (Path, int)
        Each one's folder, and the bytes of one of its vectors; 0 where that is not known.

    Raises
    ------
    DataError
        Where no process can be started for it, or it is stopped from without.
    """
    left = list(folders)
    while left:
        process = subprocess.Popen(  # noqa: S603  # this very module
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            asked = json.dumps([[str(folder), size] for folder, size in left])
            with suppress(OSError):  # it ended before it read all: told below
                process.stdin.write(asked)
            with suppress(OSError):
                process.stdin.close()
            ready = process.stdout.readline().strip() == _READY
            for line in process.stdout:
                folder, _ = left.pop(0)
                yield folder, Checked(**json.loads(line))
        if not left:
            return
        if not ready or process.returncode not in _FAULTS:
            raise DataError(
                f"{left[0][0]}: cannot be checked: the process that checks it ended with "
                f"{process.returncode}. Nothing was deleted; try again."
            )
        folder, _ = left.pop(0)
        yield folder, Checked(problem="its pages are damaged", lost=True)


def check_environment(folder: Path, size: int) -> Checked:
    """Check every vector of an environment, and remove those that are damaged.

    Parameters
    ----------
    folder : Path
        Its folder; no environment of it may be open in this process.
    size : int
        Bytes of a vector; 0 where that is not known.
    """
    import lmdb

    try:
        environment = open_environment(folder)
    except (lmdb.InvalidError, lmdb.CorruptedError) as error:
        return Checked(problem=_told(error), lost=True)
    except (lmdb.Error, OSError) as error:
        return Checked(problem=_told(error))
    try:
        right, bad = _examine(environment, size)
        if bad:
            with environment.begin(write=True) as transaction:
                for key in bad:
                    transaction.delete(key)
    except (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.PanicError, _MisplacedError) as error:
        return Checked(problem=_told(error), lost=True)
    except (lmdb.Error, OSError) as error:
        return Checked(problem=_told(error))
    finally:
        environment.close()
    return Checked(vectors=right, damaged=len(bad))


class _MisplacedError(Exception):
    """Keys that are not in order, or not as many as the environment says."""


def _examine(environment: Any, size: int) -> tuple[int, list[bytes]]:
    right, bad, last = 0, [], b""
    with environment.begin(buffers=True) as transaction:
        for key, value in transaction.cursor():
            own = bytes(key)
            if own <= last:
                raise _MisplacedError("its keys are not in order")
            last = own
            if _is_right(value, size):
                right += 1
            else:
                bad.append(own)
        promised = transaction.stat()["entries"]
    if right + len(bad) != promised:
        raise _MisplacedError(f"{right + len(bad):,} of its {promised:,} vectors are found")
    return right, bad


def _is_right(value: Any, size: int) -> bool:
    import numpy as np

    length = len(value) - CRC_BYTES
    if length < 0 or length % 4 or (size and length != size):
        return False
    vector = value[:length]
    crc = int.from_bytes(value[length:], "little")
    return zlib.crc32(vector) == crc and bool(np.isfinite(np.frombuffer(vector, "<f4")).all())


def _told(error: Exception) -> str:
    # LMDB's own messages begin with the call and the name of the error.
    said, own, rest = str(error).partition(" MDB_")
    return rest.partition(": ")[2] if own else said


def _main() -> None:
    asked = json.loads(sys.stdin.read())
    sys.stdout.write(_READY + "\n")
    sys.stdout.flush()
    for folder, size in asked:
        answer = asdict(check_environment(Path(folder), size))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
