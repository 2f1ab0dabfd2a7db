"""The place inside the data home where files become whole before anybody may see them."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from widemargin.contracts.asset import Asset, AssetFile, Package
from widemargin.contracts.progress import Progress
from widemargin.data.assets.state import state_of

__all__ = ["RoadError", "Staging", "hold"]

CHUNK = 1 << 16
LOOK_AGAIN = 0.2  # seconds between two tries for the lock


class RoadError(Exception):
    """One road to a file failed; the message says why. The next road is tried."""


@dataclass(frozen=True)
class Staging:
    """One asset's folder of unfinished files, ``<data home>/.staging/<asset>``.

    It lies inside the data home so that the last step, from here to the final path, is one
    rename within a file system: a file is seen whole and verified, or not at all.

    What outlives an interruption is named by its hash, so a changed pin never meets old bytes:
    ``<sha256>.part`` (a download that can be resumed) and ``<sha256>.archive`` (a verified package
    whose files are still to be moved). Everything else is swept away.

    Parameters
    ----------
    asset : Asset
        The asset that is fetched.
    home : Path
        The data home.
    """

    asset: Asset
    home: Path

    @property
    def folder(self) -> Path:
        """Where the unfinished files lie."""
        return self.home / ".staging" / self.asset.name

    def part(self, file: AssetFile) -> Path:
        """Where a file grows while it is downloaded."""
        return self.folder / f"{file.sha256}.part"

    def archive(self, package: Package) -> Path:
        """Where a verified package waits until its files are moved."""
        return self.folder / f"{package.sha256}.archive"

    @contextmanager
    def work(self) -> Iterator[Path]:
        """Lend an empty folder that is gone afterwards."""
        folder = self.folder / "work"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def copy(self, file: AssetFile, source: IO[bytes]) -> None:
        """Read one file out of a stream, never more than its size, and put it in its place.

        Raises
        ------
        RoadError
            Where it is not the file that the asset names.
        """
        target = self.folder / f"{file.sha256}.new"
        left = file.size + 1  # one byte more tells a longer file
        with target.open("wb") as handle:
            while left and (chunk := source.read(min(CHUNK, left))):
                handle.write(chunk)
                left -= len(chunk)
        self.place(file, target)

    def place(self, file: AssetFile, whole: Path) -> None:
        """Check a finished file and rename it to its final path; a wrong one is deleted.

        Raises
        ------
        RoadError
            Where it is not the file that the asset names.
        """
        state, detail = state_of(file, whole)
        if state != "ok":
            whole.unlink(missing_ok=True)
            raise RoadError(f"{file.name} {detail}")
        final = self.asset.path(self.home, file.name)
        final.parent.mkdir(parents=True, exist_ok=True)
        whole.replace(final)

    def sweep(self, wanted: Iterable[AssetFile]) -> None:
        """Delete all but what can be resumed for the files that are still wanted."""
        kept = {self.part(file) for file in wanted}
        if kept and self.asset.package:
            kept.add(self.archive(self.asset.package))
        for entry in self.folder.iterdir() if self.folder.is_dir() else ():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry not in kept:
                entry.unlink()
        for folder in (self.folder, self.folder.parent):
            with suppress(OSError):  # not empty: there is something to resume, or another's work
                folder.rmdir()

    @contextmanager
    def lock(self, progress: Progress) -> Iterator[None]:
        """Keep other processes from fetching the same asset; wait where one already does.

        The operating system lets go of the lock when its process dies, however it dies.
        """
        path = self.folder.with_name(f"{self.asset.name}.lock")
        said = f"Another process is fetching {self.asset.name}: waiting for it."
        try:
            with hold(path, said, progress):
                yield
        finally:
            with suppress(OSError):  # another asset is being fetched
                path.parent.rmdir()


@contextmanager
def hold(path: Path, said: str, progress: Progress) -> Iterator[None]:
    """Hold a file as a lock; where another process has it, say so and wait."""
    told = False
    while (handle := _locked(path)) is None:
        if not told:
            progress.note(said)
            told = True
        time.sleep(LOOK_AGAIN)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows does not delete a file that is open
            path.unlink()
        handle.close()


def _locked(path: Path) -> IO[bytes] | None:
    """Open and lock a file; None where another process has it."""
    with suppress(FileExistsError):  # swept away while it was looked at: once more
        path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = path.open("ab")
    except FileNotFoundError:
        return None  # the folder was swept away in this very moment: look again
    try:
        _lock(handle)
        # Whoever had the lock may have deleted the file meanwhile: then this one guards nothing.
        if path.stat().st_ino == os.fstat(handle.fileno()).st_ino:
            return handle
    except (BlockingIOError, PermissionError, FileNotFoundError):
        pass
    except OSError:
        # Some network file systems have no locks. Two processes there do the work twice, and
        # the hash check still keeps anything wrong from being used.
        return handle
    handle.close()
    return None


if sys.platform == "win32":

    def _lock(handle: IO[bytes]) -> None:
        import msvcrt

        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)

else:

    def _lock(handle: IO[bytes]) -> None:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
