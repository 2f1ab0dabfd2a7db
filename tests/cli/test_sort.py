"""`widemargin sort`: files into folders, none lost, moved or overwritten."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import widemargin
from widemargin.errors import InputError
from widemargin.serving.sorting import NOT_SURE, class_folders, place_file

Call = Callable[..., Any]
FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_generic" / "pictures_fixture"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    widemargin.run(
        "pictures",
        data={"path": str(FIXTURE)},
        svm={"C": 10.0, "gamma": 1.0},
        evaluation={"outer": 2, "inner": 2, "resamples": 100},
        runs=folder,
    )
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six photos without labels, two of them with one name in two folders."""
    root = tmp_path / "photos"
    for name, own in (("spots", "one"), ("stripes", "two")):
        (root / own).mkdir(parents=True)
        for number in (1, 2, 3):
            shutil.copy2(FIXTURE / name / f"0{number}.png", root / own / f"0{number}.png")
    return root


def _content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_file_goes_to_its_class_and_stays_where_it_was(
    call: Call, runs: Path, photos: Path
) -> None:
    before = _content(photos)
    said = call("sort", "latest", str(photos), "--sure", "0.5", "--runs", str(runs))
    assert said.code == 0, said.err
    assert _content(photos) == before
    assert _content(photos.with_name("photos-sorted")) == {
        **{f"spots/one/0{n}.png": before[f"one/0{n}.png"] for n in (1, 2, 3)},
        **{f"stripes/two/0{n}.png": before[f"two/0{n}.png"] for n in (1, 2, 3)},
    }
    assert "3  " in said.out
    assert str(photos.with_name("photos-sorted") / "spots") in said.out


def test_what_no_class_is_probable_enough_for_goes_to_not_sure(
    call: Call, runs: Path, photos: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    words = ("--into", str(target), "--sure", "1", "--runs", str(runs), "--json")
    said = call("sort", "latest", str(photos), *words)
    assert said.code == 0, said.err
    assert json.loads(said.out)["folders"] == {NOT_SURE: 6}
    assert len(_content(target / NOT_SURE)) == 6


def test_the_same_command_again_adds_what_is_new_and_overwrites_nothing(
    call: Call, runs: Path, photos: Path
) -> None:
    words = ("sort", "latest", str(photos), "--sure", "0.5", "--runs", str(runs))
    call(*words)
    target = photos.with_name("photos-sorted")
    (target / "spots" / "one" / "01.png").write_bytes(b"edited by hand")
    shutil.copy2(FIXTURE / "spots" / "04.png", photos / "one" / "04.png")
    said = call(*words)
    assert said.code == 0, said.err
    found = _content(target)
    assert found["spots/one/01.png"] == b"edited by hand"
    assert found["spots/one/01 (2).png"] == (photos / "one" / "01.png").read_bytes()
    assert "spots/one/04.png" in found
    assert len(found) == 8
    assert "5 pictures were there from before." in said.out


def test_links_lead_to_the_files(call: Call, runs: Path, photos: Path, tmp_path: Path) -> None:
    target = tmp_path / "links"
    words = ("--into", str(target), "--sure", "0.5", "--link", "--runs", str(runs))
    for _ in range(2):
        assert call("sort", "latest", str(photos), *words).code == 0
    made = [path for path in target.rglob("*") if not path.is_dir()]
    assert len(made) == 6
    assert all(path.is_symlink() and photos in path.resolve().parents for path in made)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_sorted(
    call: Call, runs: Path, photos: Path
) -> None:
    (photos / "torn.png").write_bytes(b"\x89PNG torn")
    said = call("sort", "latest", str(photos), "--sure", "0.5", "--runs", str(runs))
    assert said.code == 3
    assert "torn.png" in said.err
    assert "1 of 7 pictures could not be sorted" in said.err
    assert len(_content(photos.with_name("photos-sorted"))) == 6


def test_a_name_as_long_as_a_name_can_be_is_sorted(call: Call, runs: Path, photos: Path) -> None:
    name = f"{'a' * 251}.png"
    shutil.copy2(FIXTURE / "spots" / "01.png", photos / name)
    said = call("sort", "latest", str(photos), "--sure", "0.5", "--runs", str(runs))
    assert said.code == 0, said.err
    assert (photos.with_name("photos-sorted") / "spots" / name).is_file()


def test_a_file_sorted_otherwise_before_is_told(call: Call, runs: Path, photos: Path) -> None:
    words = ("sort", "latest", str(photos), "--runs", str(runs))
    assert "another folder" not in call(*words, "--sure", "0.5").err
    said = call(*words, "--sure", "1")
    assert said.code == 0, said.err
    assert "6 pictures had been sorted into another folder before" in " ".join(said.err.split())
    assert "one/01.png (in 'not sure' and 'spots')" in " ".join(said.err.split())


def test_pictures_within_other_files_are_no_files_to_sort(
    call: Call, runs: Path, tmp_path: Path
) -> None:
    fixture = FIXTURE.parents[1] / "widemargin_images" / "fixture"
    widemargin.run(
        "images",
        data={"source": "idx", "path": str(fixture)},
        svm={"C": 10.0, "gamma": 1.0},
        evaluation={"resamples": 100, "inner": 2},
        runs=tmp_path,
    )
    said = call("sort", "images", str(fixture), "--runs", str(tmp_path))
    assert said.code == 2
    assert "read out of other files" in " ".join(said.err.split())
    assert not Path(f"{fixture}-sorted").exists()


def test_a_target_within_what_is_sorted_is_refused_before_anything_is_written(
    call: Call, runs: Path, photos: Path
) -> None:
    for into in (photos, photos / "sorted"):
        said = call("sort", "latest", str(photos), "--into", str(into), "--runs", str(runs))
        assert said.code == 2
        assert "lies in what is sorted" in said.err
    assert len(_content(photos)) == 6
    said = call("sort", "latest", str(photos / "absent"), "--runs", str(runs))
    assert said.code == 2
    assert "absent: is absent." in " ".join(said.err.split())


def test_what_the_model_learned_from_is_no_target(call: Call, runs: Path, photos: Path) -> None:
    for into in (FIXTURE, FIXTURE / "spots"):
        said = call("sort", "latest", str(photos), "--into", str(into), "--runs", str(runs))
        assert said.code == 2
        assert "learned from what lies there" in " ".join(said.err.split())
    assert "not sure" not in {path.name for path in FIXTURE.iterdir()}


def test_another_models_folders_are_no_target(call: Call, runs: Path, photos: Path) -> None:
    target = photos.with_name("photos-sorted")
    (target / "cats").mkdir(parents=True)
    said = call("sort", "latest", str(photos), "--runs", str(runs))
    assert said.code == 2
    assert "holds the folder 'cats' and none of this" in " ".join(said.err.split())
    (target / "spots").mkdir()
    said = call("sort", "pictures", str(photos), "--sure", "0.5", "--runs", str(runs))
    assert said.code == 0, said.err
    assert "which learned from pictures_fixture." in said.err


def test_a_table_may_not_send_copies_elsewhere(call: Call, runs: Path, photos: Path) -> None:
    table = photos / "list.csv"
    table.write_text("file\n../outside.png\n", encoding="utf-8")
    shutil.copy2(FIXTURE / "spots" / "01.png", photos.parent / "outside.png")
    said = call("sort", "latest", str(table), "--runs", str(runs))
    assert said.code == 2
    assert "sort takes the folder that it is in" in " ".join(said.err.split())


def test_the_folder_one_stands_in_is_sorted_beside_it(
    call: Call, runs: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    said = call("sort", "latest", ".", "--sure", "0.5", "--runs", str(runs))
    assert said.code == 0, said.err
    assert len(_content(photos.with_name("photos-sorted"))) == 6
    assert len(_content(photos)) == 6


def test_a_run_of_texts_is_no_run_to_sort_by(call: Call, small_runs: Path, photos: Path) -> None:
    said = call("sort", "spam", str(photos), "--runs", str(small_runs))
    assert said.code == 2
    assert "sort is for classes of files" in said.err


def test_classes_that_would_share_a_folder_are_refused() -> None:
    assert class_folders(["a/b", "c"]) == {"a/b": "a_b", "c": "c"}
    with pytest.raises(InputError, match="would share the folder 'a_b'"):
        class_folders(["a/b", "a_b"])
    with pytest.raises(InputError, match="would share the folder 'Not sure'"):
        class_folders(["Not sure"])


def test_a_copy_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(b"a")

    def full(_: object, part: Path) -> None:
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(OSError, match="No space left"):
        place_file(source, tmp_path / "out" / "a.png", link=False)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_is_found_under_its_other_name_though_the_first_is_gone(tmp_path: Path) -> None:
    source, out = tmp_path / "a.png", tmp_path / "out"
    source.write_bytes(b"a")
    out.mkdir()
    (out / "a (2).png").write_bytes(b"a")
    assert not place_file(source, out / "a.png", link=False)
    assert _content(out) == {"a (2).png": b"a"}


def test_without_hard_links_a_rename_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = tmp_path / "a.png", tmp_path / "out"
    source.write_bytes(b"a")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert place_file(source, out / "a.png", link=False)
    assert _content(out) == {"a.png": b"a"}
    source.write_bytes(b"b")
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="not permitted"):
        place_file(source, out / "b.png", link=False)
    assert _content(out) == {"a.png": b"a"}
