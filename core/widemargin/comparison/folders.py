"""Temporary folders of cells: deleted with their cell, or by the next comparison."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from widemargin.runs.staging import STAGING, has_ended, staging

__all__ = ["cell_folder"]

_NAME = "widemargin-cell-"


@contextmanager
def cell_folder() -> Iterator[Path]:
    """Lend a cell a temporary folder, and delete first what killed comparisons left of theirs.

    Under ``--fresh`` such a folder holds all vectors of a cell. Age does not count here: a cell may
    take days, and who shares the folder may be another machine.
    """
    mine = staging(Path(gettempdir()) / _NAME)
    for left in mine.parent.glob(f"{STAGING}*@{_NAME}*"):
        if has_ended(left):
            shutil.rmtree(left, ignore_errors=True)  # somebody else's may refuse
    with TemporaryDirectory(prefix=mine.name) as folder:
        yield Path(folder)
