"""The embedding store: vectors of encoders that learn nothing, kept from run to run.

One folder an encoder identity, each an LMDB environment: a memory-mapped B+ tree that never
overwrites a page in use, so that readers never wait, several processes may write in turn, and a
process killed at any moment leaves what was whole before (Chu 2011, "MDB: A Memory-Mapped Database
and Backend for OpenLDAP"). A key is the hash of an item's content, a value its float32 vector and a
CRC of it.

Tried as well: SQLite in WAL mode, a row a vector, reads 384 numbers 100,000 to 170,000 times a
second where LMDB does 250,000 to 400,000 (two busy cores).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Progress, Silent
from widemargin.data.assets import data_home
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EmbeddingStore", "Shelf", "ShelfState", "store_folder"]

# Address space, not memory and not disk: the file grows with what is in it. Windows takes disk.
_MAP_BYTES = (1 << 40) if sys.platform != "win32" and sys.maxsize > 2**32 else (1 << 30)
_IDENTITY = "identity.json"
_CRC_BYTES = 4
_MARKED_AGAIN = 3600.0  # seconds after which another use is noted


def store_folder() -> Path:
    """Say where the store lies: in the data home."""
    return data_home() / "embeddings"


@dataclass(frozen=True, kw_only=True)
class ShelfState:
    """What the store has of one encoder.

    Parameters
    ----------
    folder : Path
        Where it lies.
    identity : mapping
        The encoder's identity; empty where its file cannot be read.
    vectors : int
        How many are kept.
    size : int
        Bytes on disk.
    used : float
        When it was last used, in seconds since 1970.
    damaged : int
        Vectors that were found damaged and removed; -1 where the whole cannot be read.
    """

    folder: Path
    identity: Mapping[str, Any]
    vectors: int
    size: int
    used: float
    damaged: int = 0


class EmbeddingStore:
    """Vectors by encoder identity and content.

    Parameters
    ----------
    folder : Path
        Where it lies; made when something is first kept.
    progress : Progress, optional
        Told once where the store cannot be used; work goes on without it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = EmbeddingStore(Path(folder))
    ...     shelf = store.shelf({"name": "lengths", "dimension": 2})
    ...     shelf.write([b"0" * 16], np.ones((1, 2), np.float32))
    ...     out = np.zeros((2, 2), np.float32)
    ...     shelf.read([b"0" * 16, b"1" * 16], out).tolist()
    [True, False]
    """

    def __init__(self, folder: Path, progress: Progress | None = None) -> None:
        self.folder = folder
        self.progress = progress or Silent()

    def shelf(self, identity: Mapping[str, Any]) -> Shelf:
        """Return the part of the store that belongs to an encoder identity."""
        written = json.dumps(identity, sort_keys=True, ensure_ascii=False)
        key = hashlib.blake2b(written.encode(), digest_size=12).hexdigest()
        folder = self.folder / f"{identity['name']}-{key}"
        return Shelf(folder, written, int(identity["dimension"]), self.progress)

    def states(self) -> Iterator[ShelfState]:
        """Say what is kept, encoder by encoder, by name."""
        for folder in self._folders():
            yield _state(folder, verify=False)

    def verify(self) -> Iterator[ShelfState]:
        """Check every vector; those that are damaged are removed, and will be made again."""
        for folder in self._folders():
            yield _state(folder, verify=True)

    def prune(self, *, older_than: float | None = None, names: Sequence[str] = ()) -> list[Path]:
        """Delete what is kept of encoders.

        Parameters
        ----------
        older_than : float, optional
            Only those not used for so many days.
        names : sequence of str
            Only encoders of these names; by default all.

        Returns
        -------
        list of Path
            The folders that were deleted.

        Raises
        ------
        DataError
            Where one cannot be deleted.
        """
        gone = []
        for state in list(self.states()):
            name = state.identity.get("name") or state.folder.name.rpartition("-")[0]
            age = (time.time() - state.used) / 86400
            if (names and name not in names) or (older_than is not None and age < older_than):
                continue
            _close(state.folder)
            try:
                shutil.rmtree(state.folder)
            except OSError as error:
                raise DataError(
                    f"{state.folder}: cannot be deleted ({error.strerror or error}). "
                    "End the processes that use it."
                ) from error
            gone.append(state.folder)
        return gone

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if (path / "data.mdb").is_file())


class Shelf:
    """One encoder's vectors.

    Parameters
    ----------
    folder : Path
        Its folder.
    identity : str
        The encoder's identity, as JSON.
    dimension : int
        Numbers of a vector.
    progress : Progress
        Told where the folder cannot be used.
    """

    def __init__(self, folder: Path, identity: str, dimension: int, progress: Progress) -> None:
        self.folder = folder
        self.identity = identity
        self.dimension = dimension
        self.progress = progress

    def read(self, keys: Sequence[bytes], out: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Put the vectors that are kept into the rows of `out`, and say which these are.

        Parameters
        ----------
        keys : sequence of bytes
            Hashes of contents.
        out : ndarray of shape (n_keys, dimension), float32, C-contiguous
            Rows whose key is not kept are left as they are.
        """
        found = np.zeros(len(keys), dtype=bool)
        if not (self.folder / "data.mdb").is_file():
            return found
        size = 4 * self.dimension
        whole = size + _CRC_BYTES
        flat = out.reshape(-1).view(np.uint8).data
        with self._told("read"), _environment(self.folder).begin(buffers=True) as transaction:
            get, crc32 = transaction.get, zlib.crc32
            for row, key in enumerate(keys):
                value = get(key)
                # What was damaged on the disk is as good as absent.
                if value is not None and len(value) == whole:
                    vector = value[:size]
                    if crc32(vector) == int.from_bytes(value[size:], "little"):
                        flat[row * size : (row + 1) * size] = vector
                        found[row] = True
        return found

    def write(self, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Keep vectors, all of them or none."""
        with self._told("written"):
            if not (self.folder / _IDENTITY).is_file():
                self.folder.mkdir(parents=True, exist_ok=True)
                _write_whole(self.folder / _IDENTITY, self.identity)
            _mark_used(self.folder)
            rows = [_checked(row.tobytes()) for row in np.ascontiguousarray(vectors, np.float32)]
            _put(self.folder, list(zip(keys, rows, strict=True)))

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Go on without the store where it fails: it saves time, and holds nothing else."""
        import lmdb

        try:
            yield
        except (lmdb.Error, OSError) as error:
            if (str(self.folder), what) in _said:
                return
            _said.add((str(self.folder), what))
            name = self.folder.name.rpartition("-")[0]
            self.progress.note(
                f"The embedding store {self.folder} cannot be {what} ({error}); vectors are "
                f"computed again. Where it is damaged, `widemargin store prune {name}` mends it."
            )


def _checked(vector: bytes) -> bytes:
    return vector + zlib.crc32(vector).to_bytes(_CRC_BYTES, "little")


def _put(folder: Path, pairs: list[tuple[bytes, bytes]]) -> None:
    import lmdb

    environment = _environment(folder)
    try:
        with environment.begin(write=True) as transaction:
            transaction.cursor().putmulti(pairs)
    except (lmdb.MapFullError, lmdb.MapResizedError):
        environment.set_mapsize(2 * environment.info()["map_size"])
        with environment.begin(write=True) as transaction:
            transaction.cursor().putmulti(pairs)


# What a process has said already: of one folder once is enough.
_said: set[tuple[str, str]] = set()


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


def _environment(folder: Path) -> Any:
    import lmdb

    with _opening:
        key = str(folder.resolve())
        known = _opened.get(key)
        # Another process may have pruned the folder and begun anew.
        if known is not None and (known.inode, known.pid) == (_inode(folder), os.getpid()):
            return known.environment
        # A child must close what it inherited before it opens its own. An environment that was
        # pruned is only let go: another thread may be reading its last pages.
        if known is not None and known.pid != os.getpid():
            _close(folder)
        # Writes are whole in any case; without metasync the last one may be lost with the power.
        environment = lmdb.open(
            str(folder), map_size=_MAP_BYTES, metasync=False, max_readers=1024, meminit=False
        )
        environment.reader_check()
        _opened[key] = _Opened(environment, _inode(folder), os.getpid())
        _mark_used(folder)
        return environment


def _inode(folder: Path) -> int:
    try:
        return (folder / "data.mdb").stat().st_ino
    except OSError:
        return -1


def _close(folder: Path) -> None:
    with _opening:
        known = _opened.pop(str(folder.resolve()), None)
        if known is not None:
            known.environment.close()


def _mark_used(folder: Path) -> None:
    mark = folder / "used"
    if not mark.is_file() or time.time() - mark.stat().st_mtime > _MARKED_AGAIN:
        mark.touch()


def _write_whole(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _state(folder: Path, *, verify: bool) -> ShelfState:
    import lmdb

    try:
        identity = dict(json.loads((folder / _IDENTITY).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        identity = {}
    damaged, vectors = 0, 0
    try:
        environment = _environment(folder)
        if verify:
            damaged = _remove_damaged(environment, 4 * int(identity.get("dimension", 0)))
        vectors = environment.stat()["entries"]
    except lmdb.Error:
        damaged = -1
    used = folder / "used"
    stamp = used if used.is_file() else folder / "data.mdb"
    size = sum(
        path.stat().st_blocks * 512 if hasattr(os, "statvfs") else path.stat().st_size
        for path in folder.iterdir()
    )
    return ShelfState(
        folder=folder,
        identity=identity,
        vectors=vectors,
        size=size,
        used=stamp.stat().st_mtime,
        damaged=damaged,
    )


def _remove_damaged(environment: Any, size: int) -> int:
    bad = []
    with environment.begin() as transaction:
        for key, value in transaction.cursor():
            vector = value[:-_CRC_BYTES]
            right = len(vector) == (size or len(vector)) and _checked(vector) == value
            if (
                not right
                or len(vector) % 4
                or not np.isfinite(np.frombuffer(vector, np.float32)).all()
            ):
                bad.append(key)
    if bad:
        with environment.begin(write=True) as transaction:
            for key in bad:
                transaction.delete(key)
    return len(bad)
