"""Pictures and recordings: folders of class folders, tables of paths, and copies kept together."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from widemargin import DataError
from widemargin_generic.files import PictureFolder, PictureTable

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_generic" / "pictures_fixture"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "pictures"))


def test_the_class_is_the_folder(folder: Path) -> None:
    (folder / "spots" / "notes.txt").write_text("none of them")
    dataset = PictureFolder(path=folder).load(folder)
    assert dataset.classes == ("spots", "stripes")
    assert len(dataset) == 24
    assert dataset.groups is None
    assert "Other files left out: 1." in dataset.card.notes


def test_copies_stay_on_one_side_of_every_split(folder: Path) -> None:
    shutil.copy(folder / "spots" / "01.png", folder / "stripes" / "other.png")
    dataset = PictureFolder(path=folder).load(folder)
    assert dataset.groups is not None
    groups = dict(zip(dataset.ids.tolist(), dataset.groups, strict=True))
    assert groups["spots/01.png"] == groups["stripes/other.png"]
    assert len(set(groups.values())) == 24
    assert "1 pictures are copies of another one; no split parts copies." in dataset.card.notes


def test_a_table_names_files_beside_it(folder: Path) -> None:
    table = folder / "table.csv"
    table.write_text("file,label\nspots/01.png,a\nspots/02.png,b\n,b\n")
    dataset = PictureTable(path=table).load(folder)
    assert [path.name for path in dataset.X["picture"]] == ["01.png", "02.png"]
    table.write_text("file,label\nspots/01.png,a\ngone.png,b\n")
    with pytest.raises(DataError, match=r"there is no file .*gone\.png"):
        PictureTable(path=table).load(folder)


@pytest.mark.parametrize("empty", [True, False])
def test_a_folder_without_pictures_is_refused(tmp_path: Path, empty: bool) -> None:
    root = tmp_path / "none"
    if empty:
        (root / "cat").mkdir(parents=True)
    with pytest.raises(DataError, match=r"each class needs a folder|does not exist"):
        PictureFolder(path=root).load(tmp_path)
