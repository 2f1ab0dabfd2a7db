"""Weights of pretrained encoders: where they lie, and what tells one file from another."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from widemargin.contracts import Asset
from widemargin.data.assets import data_home, require
from widemargin.errors import DataError

__all__ = ["hash_of_path", "weights_folder"]


def weights_folder(asset: Asset) -> Path:
    """Return the folder that holds an asset's files, verified once a process; nothing is fetched.

    Raises
    ------
    AssetError
        Where a file is absent or wrong; it names the command that fetches it.
    """
    return _verified(asset, data_home())


@lru_cache(maxsize=32)
def _verified(asset: Asset, home: Path) -> Path:
    return require(asset, home, offline=True)


def hash_of_path(path: Path) -> str:
    """Hash a weight file, or all files of a folder with their names.

    Parameters
    ----------
    path : Path
        The file or the folder.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.

    Raises
    ------
    DataError
        Where there is neither, or it cannot be read.
    """
    try:
        stamps = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        if not stamps:
            raise DataError(f"{path}: there is no such file, and no folder with files in it.")
        told = tuple((str(one), one.stat().st_size, one.stat().st_mtime_ns) for one in stamps)
        return _hash(path, told)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from error


@lru_cache(maxsize=32)
def _hash(path: Path, files: tuple[tuple[str, int, int], ...]) -> str:
    # The sizes and times only tell when to read again; the hash is of names and contents.
    whole = hashlib.sha256()
    for name, _, _ in files:
        with Path(name).open("rb") as file:
            own = hashlib.file_digest(file, "sha256").hexdigest()
        place = Path(name).relative_to(path).as_posix() if path.is_dir() else ""
        whole.update(f"{len(place)}:{place}{own}".encode())
    return whole.hexdigest()
