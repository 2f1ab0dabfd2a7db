"""Temporary folders of cells: deleted in the end, also where a comparison was killed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from widemargin.comparison.folders import cell_folder
from widemargin.runs.staging import staging

HOST = staging(Path("a")).name.split("@")[1]
# Linux gives no process a number above 2 ** 22.
ENDED = 2**22 + 1


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_there_for_its_cell_and_gone_afterwards(temporary: Path) -> None:
    with cell_folder() as one, cell_folder() as other:
        (one / "cell.yaml").write_bytes(b"")
        assert {one, other} == set(temporary.iterdir())
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="processes cannot be asked after")
def test_what_a_killed_comparison_left_is_deleted_by_the_next_one(temporary: Path) -> None:
    left = temporary / f".staging-{ENDED}@{HOST}@widemargin-cell-a1"
    (left / "embeddings").mkdir(parents=True)
    (left / "cell.yaml").write_bytes(b"seed: 0")
    with cell_folder() as mine:
        assert list(temporary.iterdir()) == [mine]


@pytest.mark.parametrize(
    "name",
    [
        f".staging-{os.getpid()}@{HOST}@widemargin-cell-a1",
        f".staging-{ENDED}@another-host@widemargin-cell-a1",
        f".staging-{ENDED}@{HOST}@of-somebody-else",
        f".staging-{ENDED}@{HOST}0@widemargin-cell-a1",
        ".staging-@widemargin-cell-a1",
        f".staging-\N{SUPERSCRIPT TWO}@{HOST}@widemargin-cell-a1",
    ],
    ids=[
        *("a living process", "another machine", "another program", "another space of processes"),
        *("nobody's", "no number"),
    ],
)
def test_what_may_be_in_use_stays_however_old_it_is(temporary: Path, name: str) -> None:
    (temporary / name).mkdir()
    os.utime(temporary / name, (0, 0))
    with cell_folder():
        assert (temporary / name).is_dir()
