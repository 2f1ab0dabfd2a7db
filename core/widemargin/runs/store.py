"""The run store: folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from widemargin.contracts import RunRecord
from widemargin.contracts.use_case import COMPARISONS
from widemargin.errors import InputError, RunNotFoundError, nearest
from widemargin.runs.reading import has_manifest, last_whole, only_cells, read_record
from widemargin.runs.staging import DAY, STAGING, age, held, is_abandoned, staging

__all__ = ["RunStore", "read_record", "runs_home"]

_WORK = ".work"


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
    outer fold, in ``<home>/.work``. Several processes, and several machines, may share the folder.

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

    def check_writable(self) -> None:
        """Make the folder of runs where it is absent, and try to write in it.

        Raises
        ------
        InputError
            Where it cannot be made or written.
        """
        with self._told():
            self.home.mkdir(parents=True, exist_ok=True)
            probe = staging(self.home / "probe")
            probe.mkdir(exist_ok=True)
            probe.rmdir()

    def write(self, use_case: str, run_id: str, files: Mapping[str, bytes]) -> Path:
        """Write a run's files, by their paths in its folder; the run appears when all are there.

        Raises
        ------
        InputError
            Where the folder of runs cannot be written; so do `keep` and `add_artefact`.
        """
        folder = self.home / use_case
        with self._told():
            folder.mkdir(parents=True, exist_ok=True)
            self._sweep(folder)
            place = staging(folder / run_id)
            try:
                _fill(place, files)
                place.rename(folder / run_id)
            finally:
                shutil.rmtree(place, ignore_errors=True)
        return folder / run_id

    def comparison(self, name: str) -> Path:
        """Return the folder of a comparison, which need not be there."""
        return self.home / COMPARISONS / name

    def write_comparison(self, name: str, files: Mapping[str, bytes]) -> Path:
        """Write a comparison's files in place of its earlier ones, each whole, in their order.

        At no time is one of them gone that was there; the last is what programs go by.
        """
        folder = self.comparison(name)
        with self._told():
            folder.mkdir(parents=True, exist_ok=True)
            self._sweep(folder)
            for file, content in files.items():
                _write_whole(folder / file, content)
            for path in _entries(folder):
                if path.name not in files and not path.name.startswith(STAGING):
                    path.unlink(missing_ok=True)
        return folder

    def find(self, name: str) -> RunRecord:
        """Find a run by path, id, the beginning of an id, use case (its last run) or ``latest``.

        The last run is the last whole one that no comparison made for a cell of its own; a warning
        names those after it that cannot be read.

        Raises
        ------
        RunNotFoundError
            Where none or several answer to the name, or where a last run is asked for and all are
            cells of comparisons.
        """
        path = Path(name)
        if has_manifest(path):
            return read_record(path)
        found = self.folders()
        own = found if name == "latest" else [run for run in found if run.parent.name == name]
        if own:
            if (last := last_whole(own)) is None:
                raise RunNotFoundError(only_cells(name, own))
            return last
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

    def last(self, use_case: str) -> RunRecord | None:
        """Return the run that a use case's name stands for, as `find` does; None for no such run.

        Raises
        ------
        RunNotFoundError
            Where there are runs besides cells of comparisons, and none can be read.
        """
        return last_whole(self.folders(use_case))

    def folders(self, use_case: str = "") -> list[Path]:
        """List the runs' folders, by use case and time; of one use case, or of all."""
        return [
            run
            for case in ([self.home / use_case] if use_case else _entries(self.home))
            for run in _entries(case)
            if not case.name.startswith(".") and not run.name.startswith(".") and has_manifest(run)
        ]

    def records(self) -> list[RunRecord]:
        """Read every whole run, by use case and time; a warning names each that cannot be read."""
        records = []
        for folder in self.folders():
            try:
                records.append(read_record(folder))
            except RunNotFoundError as error:
                warnings.warn(str(error), stacklevel=2)
        return records

    def add_artefact(self, run: Path, name: str, content: bytes) -> Path:
        """Add a file to a run, or replace it, in one step."""
        with self._told():
            self._sweep(run)
            return _write_whole(run / name, content)

    def kept(self, key: str) -> dict[str, bytes] | None:
        """Return the files kept under a key, or None."""
        folder = self.home / _WORK / key
        try:
            with held(folder) as before:
                found = [path for path in folder.iterdir() if path.is_file()]
                files = {path.name: path.read_bytes() for path in found}
                # Replaced meanwhile: the files may be some of the one and some of the other.
                same = os.path.samestat(before, folder.stat())
        except OSError:
            return None  # never kept, or being replaced or deleted by another process
        return files if same else None

    def keep(self, key: str, files: Mapping[str, bytes]) -> None:
        """Keep files under a key, all or none."""
        with self._told():
            self._keep(self.home / _WORK / key, files)

    def forget(self, key: str) -> None:
        """Delete what is kept under a key; nothing happens where nothing is."""
        with self._told():
            _delete(self.home / _WORK / key)

    def _keep(self, final: Path, files: Mapping[str, bytes]) -> None:
        final.parent.mkdir(parents=True, exist_ok=True)
        self._sweep(final.parent)
        place, aside = staging(final), staging(final.with_name(f"old-{final.name}"))
        try:
            _fill(place, files)
            with suppress(OSError):  # there is none yet, as a rule
                final.rename(aside)
            place.rename(final)
        except OSError as error:
            # Another process may have kept the same work meanwhile; equal keys, equal files.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY) and not final.is_dir():
                raise
        finally:
            shutil.rmtree(place, ignore_errors=True)
            shutil.rmtree(aside, ignore_errors=True)

    def prune(self, *, keep: int, use_case: str = "", dry_run: bool = False) -> list[Path]:
        """Delete all but the last `keep` runs of each use case, and of its comparisons' cells.

        Cells are counted by themselves, so that they never push out the run that the use case's
        name stands for. A run that cannot be read is named in a warning, and neither counted nor
        deleted.

        Returns
        -------
        list of Path
            The run folders that were (or with `dry_run` would be) deleted.
        """
        doomed: list[Path] = []
        alike: dict[tuple[str, bool], list[Path]] = {}
        for record in self.records():
            kind = (record.path.parent.name, bool(record.comparison))
            alike.setdefault(kind, []).append(record.path)
        for (case, _), own in alike.items():
            if use_case in ("", case):
                doomed.extend(own[: max(0, len(own) - keep)])
        if not dry_run:
            with self._told():
                for run in doomed:
                    _delete(run)
            for folder in _entries(self.home):
                self._sweep(folder)
            for run in self.folders():
                self._sweep(run)
        return doomed

    def prune_work(self, *, every: bool = False, dry_run: bool = False) -> int:
        """Delete the finished folds that runs kept, those of the last day only with `every`.

        A run that is under way may still want what is younger; it computes again what is gone.

        Returns
        -------
        int
            How many folds were (or with `dry_run` would be) deleted.
        """
        work = self.home / _WORK
        doomed = [
            kept
            for kept in _entries(work)
            if not kept.name.startswith(".") and (every or age(kept) > DAY)
        ]
        if not dry_run:
            with self._told():
                for kept in doomed:
                    _delete(kept)
            with suppress(OSError):  # where anything is left in it
                work.rmdir()
        return len(doomed)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say of a folder that cannot be written how to mend it."""
        try:
            yield
        except OSError as error:
            raise InputError(
                f"The folder of runs, {self.home}, cannot be written "
                f"({error.strerror or error}). Name another with --runs or WIDEMARGIN_RUNS "
                "(runs= in Python), or see to its permissions and the space left."
            ) from error

    def _sweep(self, folder: Path) -> None:
        """Delete what killed processes left behind in a folder."""
        for path in _entries(folder):
            if path.name.startswith(STAGING) and is_abandoned(path):
                shutil.rmtree(path, ignore_errors=True)
                with suppress(OSError):  # it was a folder, or another process swept it
                    path.unlink()


def _entries(folder: Path) -> list[Path]:
    """List a folder in order; nothing where it is none, or is being deleted."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _fill(place: Path, files: Mapping[str, bytes]) -> None:
    shutil.rmtree(place, ignore_errors=True)
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _delete(folder: Path) -> None:
    """Delete a folder: hidden first, so that one cut short leaves nothing that looks whole."""
    hidden = staging(folder)
    with suppress(FileNotFoundError):  # another process was first
        folder.rename(hidden)
        shutil.rmtree(hidden)


def _write_whole(path: Path, content: bytes) -> Path:
    part = staging(path)
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
