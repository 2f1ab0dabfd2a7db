"""What the embedding store has of an encoder, as people are told of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from widemargin.encoders.store_environments import environment_of

__all__ = ["IDENTITY_FILE", "ShelfState", "state_of", "vector_size"]

IDENTITY_FILE = "identity.json"
"""The file of a folder that says whose vectors it holds."""


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
    damaged : int or None
        Vectors that were found damaged and removed; None where nobody looked.
    problem : str
        Why the whole cannot be read; empty where it can, as far as anybody looked.
    removed : bool
        Whether the whole was removed, since it was damaged.
    """

    folder: Path
    identity: Mapping[str, Any]
    vectors: int
    size: int
    used: float
    damaged: int | None = None
    problem: str = ""
    removed: bool = False

    @property
    def name(self) -> str:
        """The encoder's name; what the folder says of it where its identity cannot be read."""
        return str(self.identity.get("name") or self.folder.name.rpartition("-")[0])


def identity_of(folder: Path) -> dict[str, Any]:
    """Read the identity of the encoder whose folder it is; empty where it cannot be read."""
    try:
        return dict(json.loads((folder / IDENTITY_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def vector_size(folder: Path) -> int:
    """Return the bytes of one of an encoder's vectors; 0 where its identity cannot be read."""
    dimension = identity_of(folder).get("dimension")
    return 4 * dimension if isinstance(dimension, int) else 0


def state_of(folder: Path, *, count: bool = True) -> ShelfState:
    """Say what an encoder's folder holds.

    Parameters
    ----------
    folder : Path
        The folder.
    count : bool, default=True
        Whether vectors are counted, for which the environment is opened.
    """
    import lmdb

    vectors, problem = 0, ""
    if count:
        try:
            vectors = environment_of(folder).stat()["entries"]
        except (lmdb.Error, OSError) as error:
            problem = str(error)
    stamps = {path.name: own for path in _entries(folder) if (own := _stat(path)) is not None}
    used = stamps.get("used") or stamps.get("data.mdb")
    return ShelfState(
        folder=folder,
        identity=identity_of(folder),
        vectors=vectors,
        size=sum(
            own.st_blocks * 512 if hasattr(os, "statvfs") else own.st_size
            for own in stamps.values()
        ),
        used=used.st_mtime if used else time.time(),
        problem=problem,
    )


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []  # another process has deleted it


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None  # another process has just deleted it, or put it in its place
