"""What state the files of an asset are in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from widemargin.contracts.asset import Asset, AssetFile
from widemargin.errors import AssetError

__all__ = ["FileFinding", "FileState", "hash_of", "state_of", "verify"]

FileState = Literal["ok", "missing", "truncated", "tampered"]


@dataclass(frozen=True)
class FileFinding:
    """What `verify` found out about one file.

    Parameters
    ----------
    file : AssetFile
        The file as it should be.
    path : Path
        Where it should lie.
    state : {"ok", "missing", "truncated", "tampered"}
        A truncated file is shorter than it should be; a tampered one has other bytes.
    detail : str
        What is wrong, as ``"is truncated: 12 of 500 bytes"``; empty where nothing is.

    Examples
    --------
    >>> file = AssetFile(name="sms.csv", sha256="0" * 64, size=3)
    >>> print(FileFinding(file, Path("home/sms.csv"), "missing", "is missing"))
    sms.csv is missing
    """

    file: AssetFile
    path: Path
    state: FileState
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.file.name} {self.detail or 'is ok'}"


def verify(asset: Asset, home: Path) -> list[FileFinding]:
    """Hash every file of an asset.

    Parameters
    ----------
    asset : Asset
        The asset.
    home : Path
        The data home.

    Returns
    -------
    list of FileFinding
        One for each file, in the asset's order.

    Raises
    ------
    AssetError
        Where a file is there but may not be read.

    Examples
    --------
    >>> asset = Asset(name="sms", title="SMS", licence="CC BY 4.0", origin="Almeida 2011",
    ...               files=(AssetFile(name="sms.csv", sha256="0" * 64, size=3),))
    >>> [finding.state for finding in verify(asset, Path("nowhere"))]
    ['missing']
    """
    return [_finding(file, asset.path(home, file.name)) for file in asset.files]


def state_of(file: AssetFile, path: Path) -> tuple[FileState, str]:
    """Compare what lies at a path with what a file should be.

    Returns
    -------
    tuple of FileState and str
        The state, and what is wrong in words.
    """
    try:
        if not path.is_file():
            return "missing", "is missing"
        size = path.stat().st_size
        if size < file.size:
            return "truncated", f"is truncated: {size:,} of {file.size:,} bytes"
        if size > file.size:
            return "tampered", f"has {size:,} bytes where {file.size:,} are right"
        found = hash_of(path)
    except OSError as error:
        raise AssetError(
            f"{path} cannot be read ({error.strerror or error}); mend its permissions or delete it."
        ) from None
    if found != file.sha256:
        return "tampered", f"has sha256 {found[:12]}… where {file.sha256[:12]}… is right"
    return "ok", ""


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _finding(file: AssetFile, path: Path) -> FileFinding:
    state, detail = state_of(file, path)
    return FileFinding(file, path, state, detail)
