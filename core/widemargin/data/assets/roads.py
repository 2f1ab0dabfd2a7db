"""Every road to an asset's files, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from widemargin.contracts.asset import Asset, AssetFile
from widemargin.contracts.progress import Progress
from widemargin.data.assets.download import download
from widemargin.data.assets.packages import bring_from_debian, bring_from_npm, bring_from_pip
from widemargin.data.assets.staging import RoadError, Staging
from widemargin.errors import AssetError

__all__ = ["Road", "roads_to"]

_PACKAGES = {"pip": bring_from_pip, "npm": bring_from_npm, "debian": bring_from_debian}


@dataclass(frozen=True)
class Road:
    """One way to get files.

    Parameters
    ----------
    label : str
        What people call it.
    bring : callable
        Puts what it can of the wanted files in their places and returns why it could not get the
        others; may raise RoadError where it can get none.
    """

    label: str
    bring: Callable[[Sequence[AssetFile], Staging, Progress], list[str]]


def roads_to(asset: Asset, mirror: str) -> list[Road]:
    """List the roads outside the data home: the user's mirror, the package, the official URLs.

    Raises
    ------
    AssetError
        Where the mirror is neither a folder nor an http, https or file address.
    """
    roads = [_mirror(asset, mirror)] if mirror else []
    if (package := asset.package) is not None:
        bring = _PACKAGES[package.index]
        label = f"{package.index} package {package.name} {package.version}".rstrip()
        roads.append(Road(label, lambda wanted, *rest: bring(package, wanted, *rest)))
    most = max((len(file.urls) for file in asset.files), default=0)
    return roads + [_official(number) for number in range(most)]


def _mirror(asset: Asset, mirror: str) -> Road:
    scheme, separator, _ = mirror.partition("://")
    if not separator:
        return _folder(asset, mirror, Path(mirror).expanduser())
    if scheme == "file":
        return _folder(asset, mirror, Path(url2pathname(urlsplit(mirror).path)))
    if scheme not in ("http", "https"):
        raise AssetError(
            f"The data mirror {mirror!r} cannot be used: give a folder, or an address that begins "
            "with http://, https:// or file://."
        )
    base = mirror.rstrip("/") + "/" + quote(asset.name)

    def bring(wanted: Sequence[AssetFile], staging: Staging, progress: Progress) -> list[str]:
        addresses = {file: f"{base}/{quote(file.name)}" for file in wanted}
        return _download_each(addresses, staging, progress)

    return Road(f"mirror {mirror}", bring)


def _folder(asset: Asset, mirror: str, folder: Path) -> Road:
    def bring(wanted: Sequence[AssetFile], staging: Staging, progress: Progress) -> list[str]:
        failures = []
        with progress.stage(f"copying {asset.name}", sum(file.size for file in wanted)) as stage:
            for file in wanted:
                path = asset.path(folder, file.name)
                try:
                    source = path.open("rb")
                except OSError as error:
                    failures.append(f"{path}: {error.strerror or error}")
                    continue
                try:
                    with source:
                        staging.copy(file, source)
                except RoadError as error:
                    failures.append(f"its {error}")
                stage.advance(file.size)
        return failures

    return Road(f"mirror {mirror}", bring)


def _official(number: int) -> Road:
    def bring(wanted: Sequence[AssetFile], staging: Staging, progress: Progress) -> list[str]:
        addresses = {file: file.urls[number] for file in wanted if len(file.urls) > number}
        return _download_each(addresses, staging, progress)

    return Road("official address", bring)


def _download_each(
    addresses: dict[AssetFile, str], staging: Staging, progress: Progress
) -> list[str]:
    failures = []
    for file, url in addresses.items():
        part = staging.part(file)
        resumed = part.exists()
        try:
            with progress.stage(f"fetching {file.name}", file.size) as stage:
                download(url, part, file.size, stage.advance)
            try:
                staging.place(file, part)
            except RoadError:
                if not resumed:
                    raise
                # What was there came from elsewhere and was wrong: once more from the beginning.
                with progress.stage(f"fetching {file.name} again", file.size) as stage:
                    download(url, part, file.size, stage.advance)
                staging.place(file, part)
        except RoadError as error:
            failures.append(f"{url}: {error}")
    return failures
