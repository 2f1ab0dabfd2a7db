"""Assets come into the data home: whole, verified, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from widemargin.contracts.asset import Asset
from widemargin.contracts.progress import Progress, Silent
from widemargin.data.assets.home import data_mirror
from widemargin.data.assets.roads import roads_to
from widemargin.data.assets.staging import RoadError, Staging
from widemargin.data.assets.state import FileFinding, verify
from widemargin.errors import AssetError

__all__ = ["fetch", "require"]

SHOWN = 5  # how many files a message lists
_SILENT: Final = Silent()


def require(
    asset: Asset,
    home: Path,
    *,
    offline: bool = False,
    mirror: str = "",
    progress: Progress = _SILENT,
) -> Path:
    """Return the folder that holds every file of an asset, verified; fetch what is not there.

    Every file is hashed at every call. A truncated or tampered one is fetched again, or refused
    where that is impossible; it is never used.

    Parameters
    ----------
    asset : Asset
        The asset.
    home : Path
        The data home.
    offline : bool
        Fetch nothing, not from the mirror either.
    mirror : str
        A folder or an http, https or file address that holds ``<asset>/<file>``, tried first;
        without it the one that ``WIDEMARGIN_DATA_MIRROR`` names.
    progress : Progress
        Where bars and notes go.

    Returns
    -------
    Path
        ``home / asset.name``.

    Raises
    ------
    AssetError
        Where a file cannot be had. The message names each road and why it failed.

    Examples
    --------
    >>> import hashlib, tempfile
    >>> from widemargin.contracts import AssetFile
    >>> file = AssetFile(name="a.txt", sha256=hashlib.sha256(b"abc").hexdigest(), size=3)
    >>> asset = Asset(name="letters", title="Letters", licence="CC0", origin="-", files=(file,))
    >>> with tempfile.TemporaryDirectory() as mirror, tempfile.TemporaryDirectory() as home:
    ...     _ = (Path(mirror) / "letters").mkdir()
    ...     _ = (Path(mirror) / "letters" / "a.txt").write_bytes(b"abc")
    ...     folder = require(asset, Path(home), mirror=mirror)
    ...     (folder / "a.txt").read_text()
    'abc'
    """
    wrong = _wrong(asset, home)
    if not wrong:
        return home / asset.name
    if offline:
        raise AssetError(
            f"{asset.name}: {_list(wrong)}, and nothing may be fetched offline. Run "
            f"`widemargin data fetch {asset.name}` while online, or put the right "
            f"{_files(wrong)} in place by hand:\n{_by_hand(wrong)}"
        )
    return fetch(asset, home, mirror=mirror, progress=progress)


def fetch(asset: Asset, home: Path, *, mirror: str = "", progress: Progress = _SILENT) -> Path:
    """Fetch those files of an asset that are absent or wrong, by the first road that has them.

    The roads are the mirror, the package, then the official addresses. An interrupted download
    goes on where it stopped. Two processes may call this at once: one works, the other waits.

    Parameters
    ----------
    asset : Asset
        The asset.
    home : Path
        The data home; created where it is absent.
    mirror : str
        As for `require`.
    progress : Progress
        Where bars and notes go.

    Returns
    -------
    Path
        ``home / asset.name``.

    Raises
    ------
    AssetError
        Where a file cannot be had, or the data home cannot be written.
    """
    roads = roads_to(asset, mirror or data_mirror())
    staging = Staging(asset, home)
    failures: list[str] = []
    try:
        with staging.lock(progress):
            wrong = _wrong(asset, home)  # another process may just have fetched it
            for finding in wrong:
                if finding.state != "missing":
                    progress.note(f"{asset.name}: {finding}; it is fetched again.")
            staging.sweep(finding.file for finding in wrong)
            try:
                for road in roads:
                    if not wrong:
                        break
                    staging.folder.mkdir(parents=True, exist_ok=True)
                    try:
                        why = road.bring([finding.file for finding in wrong], staging, progress)
                    except RoadError as error:
                        why = [str(error)]
                    failures += [f"  {road.label}: {_list(why)}"] if why else []
                    wrong = _wrong(asset, home)
            finally:
                staging.sweep(finding.file for finding in wrong)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"`widemargin data fetch {asset.name}` goes on where this stopped."
        ) from None
    except OSError as error:
        raise AssetError(
            f"{asset.name}: the data home {home} cannot be written "
            f"({error.strerror or error}). Free or mend it, or set WIDEMARGIN_HOME to a folder "
            "that you may write to."
        ) from error
    if wrong:
        raise AssetError(
            f"{asset.name}: {_list(wrong)}, and no road led to the right "
            f"{_files(wrong)}.\n"
            + "\n".join(failures or ["  the asset names no package and no address"])
            + f"\nMend one of these and run `widemargin data fetch {asset.name}`, point "
            "--data-mirror at a copy, or put the right "
            f"{_files(wrong)} in place by hand:\n{_by_hand(wrong)}"
        )
    return home / asset.name


def _wrong(asset: Asset, home: Path) -> list[FileFinding]:
    return [finding for finding in verify(asset, home) if finding.state != "ok"]


def _by_hand(wrong: Sequence[FileFinding]) -> str:
    lines = [f"  {finding.path}  sha256 {finding.file.sha256}" for finding in wrong[:SHOWN]]
    rest = [f"  and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    return "\n".join(lines + rest)


def _list(words: Iterable[object]) -> str:
    each = [str(word) for word in words]
    rest = [f"and {len(each) - SHOWN} more"] if len(each) > SHOWN else []
    return ", ".join(each[:SHOWN] + rest)


def _files(wrong: Sequence[FileFinding]) -> str:
    return "file" if len(wrong) == 1 else "files"
