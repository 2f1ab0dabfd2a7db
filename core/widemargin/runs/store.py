"""The run store: folders that appear whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from widemargin.contracts import RunRecord
from widemargin.errors import ConfigError, RunNotFoundError, nearest

__all__ = ["RunStore", "read_record", "runs_home"]

_WORK = ".work"
_STAGING = ".staging-"


def runs_home(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of runs: ``WIDEMARGIN_RUNS``, else ``runs`` in the working directory.

    Examples
    --------
    >>> runs_home({}).as_posix()
    'runs'
    """
    return Path((os.environ if environ is None else environ).get("WIDEMARGIN_RUNS") or "runs")


class RunStore:
    """Runs on disk: ``<home>/<use_case>/<id>/``.

    A run is written into a hidden folder beside its place and renamed when it is whole, so that
    nothing ever reads half a run. What an interrupted run had computed is kept, outer fold by
    outer fold, in ``<home>/.work``.

    Parameters
    ----------
    home : Path
        The folder of runs.
    """

    def __init__(self, home: Path) -> None:
        self.home = home

    def new_id(self, use_case: str) -> str:
        """Return an unused id that sorts by time, as in ``20261122-174502-9f3a``."""
        while True:
            now = datetime.now(UTC)
            # The last four digits are the fraction of the second, in 65,536ths.
            made = f"{now:%Y%m%d-%H%M%S}-{now.microsecond * 65536 // 1_000_000:04x}"
            if not (self.home / use_case / made).exists():
                return made

    def write(self, use_case: str, run_id: str, files: Mapping[str, bytes]) -> Path:
        """Write a run's files, by their paths in its folder; the run appears when all are there."""
        folder = self.home / use_case
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep(folder)
        place = folder / f"{_STAGING}{os.getpid()}-{run_id}"
        _write_folder(place, folder / run_id, files)
        return folder / run_id

    def find(self, name: str) -> RunRecord:
        """Find a run by path, id, the beginning of an id, use case (its last run) or ``latest``.

        Raises
        ------
        RunNotFoundError
            Where none or several answer to the name.
        """
        path = Path(name)
        if (path / "manifest.json").is_file():
            return read_record(path)
        found = self.folders()
        if name == "latest" and found:
            return read_record(max(found, key=lambda run: run.name))
        own = [run for run in found if run.parent.name == name]
        if own:
            return read_record(max(own, key=lambda run: run.name))
        ids = [run.name for run in found]
        case, _, wanted = name.rpartition("/")
        fitting = [
            run
            for run in found
            if run.name.startswith(wanted) and case in ("", run.parent.name) and wanted
        ]
        if len(fitting) == 1:
            return read_record(fitting[0])
        if fitting:
            raise RunNotFoundError(
                f"{name!r} begins the ids of {len(fitting)} runs: "
                f"{', '.join(run.name for run in fitting[:5])}. Give more of it."
            )
        remedy = (
            "`widemargin runs` lists them."
            if found
            else "There is none yet: `widemargin run spam` makes the first."
        )
        raise RunNotFoundError(
            f"No run answers to {name!r} in {self.home}.{nearest(name, ids)} {remedy}"
        )

    def folders(self) -> list[Path]:
        """List the folders of whole runs, by use case and time."""
        return sorted(
            path.parent
            for path in self.home.glob("*/*/manifest.json")
            if not path.parent.name.startswith(".") and not path.parent.parent.name.startswith(".")
        )

    def records(self) -> list[RunRecord]:
        """Read every whole run, by use case and time; those that cannot be read are left out."""
        records = []
        for folder in self.folders():
            try:
                records.append(read_record(folder))
            except RunNotFoundError:
                continue
        return records

    def add_artefact(self, run: Path, name: str, content: bytes) -> Path:
        """Add a file to a run, or replace it, in one step."""
        return _write_whole(run / name, content)

    def kept(self, key: str) -> dict[str, bytes] | None:
        """Return the files kept under a key, or None."""
        folder = self.home / _WORK / key
        if not folder.is_dir():
            return None
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def keep(self, key: str, files: Mapping[str, bytes]) -> None:
        """Keep files under a key, all or none."""
        work = self.home / _WORK
        work.mkdir(parents=True, exist_ok=True)
        self._sweep(work)
        shutil.rmtree(work / key, ignore_errors=True)
        try:
            _write_folder(work / f"{_STAGING}{os.getpid()}-{key}", work / key, files)
        except OSError:
            # Another process may have kept the same work meanwhile; equal keys, equal files.
            if not (work / key).is_dir():
                raise

    def prune(self, *, keep: int, use_case: str = "", dry_run: bool = False) -> list[Path]:
        """Delete all but the last `keep` runs of each use case, and the work kept for any.

        Returns
        -------
        list of Path
            The run folders that were (or with `dry_run` would be) deleted.
        """
        doomed: list[Path] = []
        by_case: dict[str, list[Path]] = {}
        for run in self.folders():
            by_case.setdefault(run.parent.name, []).append(run)
        for case, own in by_case.items():
            if use_case in ("", case):
                doomed.extend(own[: max(0, len(own) - keep)])
        if not dry_run:
            for run in doomed:
                # Hidden first: a deletion that is cut short leaves nothing that looks like a run.
                hidden = run.with_name(f"{_STAGING}0-{run.name}")
                run.rename(hidden)
                shutil.rmtree(hidden)
            shutil.rmtree(self.home / _WORK, ignore_errors=True)
            for folder in self.home.glob("*"):
                if folder.is_dir():
                    self._sweep(folder)
        return doomed

    def _sweep(self, folder: Path) -> None:
        """Delete what killed processes left behind."""
        for path in folder.glob(f"{_STAGING}*"):
            owner = path.name.removeprefix(_STAGING).partition("-")[0]
            old = time.time() - path.stat().st_mtime > 86_400
            if owner.isdigit() and (old or not _is_alive(int(owner))):
                shutil.rmtree(path, ignore_errors=True)


def read_record(path: Path) -> RunRecord:
    """Read a run's folder.

    Raises
    ------
    RunNotFoundError
        Where a file of the record is absent or damaged.
    """
    from widemargin.config import read

    try:
        manifest: dict[str, Any] = json.loads((path / "manifest.json").read_bytes())
        metrics: dict[str, Any] = json.loads((path / "metrics.json").read_bytes())
        return RunRecord(
            path=path,
            id=manifest["id"],
            use_case=manifest["use_case"],
            manifest=manifest,
            config=read(path / "config.yaml").values,
            metrics=metrics,
        )
    except (OSError, ValueError, KeyError, TypeError, ConfigError) as error:
        raise RunNotFoundError(
            f"{path} is not a whole run ({type(error).__name__}: {error}). "
            "Run the use case again, or delete the folder."
        ) from error


def _write_folder(place: Path, final: Path, files: Mapping[str, bytes]) -> None:
    """Write files into `place` and rename it to `final`; a failure leaves neither."""
    shutil.rmtree(place, ignore_errors=True)
    try:
        for name, content in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        place.rename(final)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _write_whole(path: Path, content: bytes) -> Path:
    part = path.with_name(f"{_STAGING}{os.getpid()}-{path.name}")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _is_alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # there, signal 0 would end the process; age decides
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
