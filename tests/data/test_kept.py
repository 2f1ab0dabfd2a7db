"""Folders that are kept: whole or not at all."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from widemargin.contracts import Silent
from widemargin.data import keep_folder
from widemargin.data.assets import staging
from widemargin.errors import AssetError


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_come_together_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "sets" / "one"
    with keep_folder(path, progress=Silent()) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "a").write_bytes(b"1")
        assert not path.exists()
    assert names(tmp_path) == ["sets/one/deep/a"]
    with suppress(ValueError), keep_folder(path, progress=Silent()) as new:
        (new / "b").write_bytes(b"2")
        raise ValueError("broken off")
    assert names(tmp_path) == ["sets/one/deep/a"]


def test_an_earlier_folder_keeps_what_the_new_one_has_not(tmp_path: Path) -> None:
    path = tmp_path / "one"
    (path / "deep").mkdir(parents=True)
    for name in ("a", "own", "deep/own"):
        (path / name).write_bytes(b"old")
    with keep_folder(path, progress=Silent()) as folder:
        (folder / "a").write_bytes(b"new")
    assert names(tmp_path) == ["one/a", "one/deep/own", "one/own"]
    assert (path / "a").read_bytes() == b"new"
    with keep_folder(path, progress=Silent()):
        pass
    assert len(names(tmp_path)) == 3


@pytest.mark.parametrize("placed", [False, True])
def test_what_a_killed_process_left_is_swept(tmp_path: Path, placed: bool) -> None:
    path = tmp_path / "one"
    for folder in (tmp_path / ".one.old", tmp_path / ".one.part", *([path] if placed else [])):
        folder.mkdir()
        (folder / "a").write_text(folder.name)
    with keep_folder(path, progress=Silent()) as folder:
        assert not list(folder.iterdir())
    assert names(tmp_path) == ["one/a"]
    assert (path / "a").read_text() == ("one" if placed else ".one.old")


def test_a_second_process_waits_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()

    class Noted(Silent):
        def note(self, message: str) -> None:
            assert message == f"Another process is writing {tmp_path / 'one'}: waiting for it."
            told.set()

    def second() -> None:
        with keep_folder(tmp_path / "one", progress=Noted()) as folder:
            (folder / "b").write_bytes(b"2")

    monkeypatch.setattr(staging, "LOOK_AGAIN", 0.01)
    with keep_folder(tmp_path / "one", progress=Silent()) as folder:
        thread = threading.Thread(target=second)
        thread.start()
        assert told.wait(1200)
        (folder / "a").write_bytes(b"1")
    thread.join()
    assert names(tmp_path) == ["one/a", "one/b"]


def test_a_folder_that_another_process_sweeps_away_meanwhile_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sets"

    def swept(self: Path, *given: object, **named: object) -> None:
        # What Python raises where it was there, and is not when it is looked at.
        monkeypatch.undo()
        raise FileExistsError(17, "File exists")

    monkeypatch.setattr(Path, "mkdir", swept)
    with keep_folder(folder / "one", progress=Silent()) as own:
        (own / "a").write_bytes(b"1")
    assert names(tmp_path) == ["sets/one/a"]


def test_a_folder_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    refused = pytest.raises(AssetError, match=r"one cannot be written \(.*\)\. Do something else")
    with (
        refused,
        keep_folder(tmp_path / "file" / "one", progress=Silent(), remedy="Do something else."),
    ):
        pass
