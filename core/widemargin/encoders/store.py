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
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Progress, Silent
from widemargin.data.assets import data_home
from widemargin.encoders.store_check import CRC_BYTES, check_environments, checked_value
from widemargin.encoders.store_environments import close_environment, environment_of
from widemargin.encoders.store_state import IDENTITY_FILE, ShelfState, state_of, vector_size
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STORE_VARIABLE", "EmbeddingStore", "Shelf", "ShelfState", "store_folder"]

STORE_VARIABLE = "WIDEMARGIN_STORE"

_MARKED_AGAIN = 3600.0  # seconds after which another use is noted


def store_folder() -> Path:
    """Say where the store lies: where ``WIDEMARGIN_STORE`` says, else in the data home."""
    told = os.environ.get(STORE_VARIABLE)
    return Path(told) if told else data_home() / "embeddings"


class EmbeddingStore:
    """Vectors by encoder identity and content.

    Parameters
    ----------
    folder : Path
        Where it lies; made when something is first kept.
    progress : Progress, optional
        Told once where the store cannot be used; work goes on without it.

    Attributes
    ----------
    found : dict of str to (int, int)
        By encoder identity (the name of its folder), how many items were asked for first, and how
        many of them were kept already.

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
        self.found: dict[str, tuple[int, int]] = {}

    def shelf(self, identity: Mapping[str, Any]) -> Shelf:
        """Return the part of the store that belongs to an encoder identity."""
        written = json.dumps(identity, sort_keys=True, ensure_ascii=False)
        key = hashlib.blake2b(written.encode(), digest_size=12).hexdigest()
        folder = self.folder / f"{identity['name']}-{key}"
        return Shelf(folder, written, int(identity["dimension"]), self.progress)

    def states(self) -> Iterator[ShelfState]:
        """Say what is kept, encoder by encoder, by name; vectors are counted and not looked at.

        Raises
        ------
        DataError
            Where something else than a store is in its place.
        """
        for folder in self._folders():
            yield state_of(folder)

    def verify(self) -> Iterator[ShelfState]:
        """Check every vector, and remove what is damaged: it will be made again.

        Damaged vectors are removed one by one, and an encoder's all together where the file that
        holds them is damaged.

        Raises
        ------
        DataError
            Where something else than a store is in its place, or nothing can be checked.
        """
        sizes = [(folder, vector_size(folder)) for folder in self._folders()]
        for folder, found in check_environments(sizes):
            if not (folder / "data.mdb").is_file():
                continue  # another process has deleted it meanwhile
            state = replace(
                state_of(folder, count=False),
                vectors=found.vectors,
                damaged=found.damaged,
                problem=found.problem,
            )
            if found.lost:
                _delete(folder)
                state = replace(state, removed=True)
            yield state

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
            age = (time.time() - state.used) / 86400
            if names and state.name not in names:
                continue
            if older_than is not None and age < older_than:
                continue
            _delete(state.folder)
            gone.append(state.folder)
        return gone

    def _folders(self) -> list[Path]:
        there = self.folder
        while not os.path.lexists(there) and there != there.parent:
            there = there.parent
        if not there.is_dir():
            raise DataError(
                f"{there}: is a file, and the store of embeddings is the folder {self.folder}. "
                "Move the file away, or set WIDEMARGIN_HOME to another folder."
            )
        if there != self.folder:
            return []
        try:
            return sorted(path for path in there.iterdir() if (path / "data.mdb").is_file())
        except OSError as error:
            raise DataError(
                f"{there}: the store of embeddings cannot be read ({error.strerror or error})."
            ) from error


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
        whole = size + CRC_BYTES
        flat = out.reshape(-1).view(np.uint8).data
        with self._told("read"):
            _mark_used(self.folder)
        with self._told("read"), environment_of(self.folder).begin(buffers=True) as transaction:
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
            if not (self.folder / IDENTITY_FILE).is_file():
                self.folder.mkdir(parents=True, exist_ok=True)
                _write_whole(self.folder / IDENTITY_FILE, self.identity)
            _mark_used(self.folder)
            rows = [
                checked_value(row.tobytes()) for row in np.ascontiguousarray(vectors, np.float32)
            ]
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
            self.progress.note(
                f"The embedding store {self.folder} cannot be {what} ({error}); vectors are "
                "computed again. `widemargin store verify` says what is wrong, and removes what is "
                "damaged."
            )


def _put(folder: Path, pairs: list[tuple[bytes, bytes]]) -> None:
    import lmdb

    environment = environment_of(folder)
    try:
        with environment.begin(write=True) as transaction:
            transaction.cursor().putmulti(pairs)
    except (lmdb.MapFullError, lmdb.MapResizedError):
        environment.set_mapsize(2 * environment.info()["map_size"])
        with environment.begin(write=True) as transaction:
            transaction.cursor().putmulti(pairs)


# What a process has said already: of one folder once is enough.
_said: set[tuple[str, str]] = set()


def _write_whole(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _mark_used(folder: Path) -> None:
    mark = folder / "used"
    if not mark.is_file() or time.time() - mark.stat().st_mtime > _MARKED_AGAIN:
        mark.touch()


def _delete(folder: Path) -> None:
    close_environment(folder)
    try:
        # Another process may delete it too: the first file that is gone already ends the call.
        while folder.exists():
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be deleted ({error.strerror or error}). "
            "End the processes that use it."
        ) from error
