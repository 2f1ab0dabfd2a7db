"""Pictures and recordings: folders of class folders, tables of paths, and copies kept together."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from widemargin import DataError
from widemargin.data import PictureFolder, PictureTable

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_generic" / "pictures_fixture"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "pictures"))


def test_the_class_is_the_folder(folder: Path) -> None:
    (folder / "spots" / "notes.txt").write_text("none of them")
    (folder / ".DS_Store").write_text("hidden")
    (folder / "grids").mkdir()
    dataset = PictureFolder(path=folder).load(folder)
    assert dataset.classes == ("spots", "stripes")
    assert len(dataset) == 24
    assert dataset.groups is None
    assert dataset.card.notes == (
        "1 folder has no picture and made no class: grids.",
        "1 other file was left out: spots/notes.txt.",
    )


def test_of_many_files_and_folders_left_out_the_first_are_named(folder: Path) -> None:
    for number in range(7):
        (folder / f"{number}.heic").write_text("")
        (folder / f"class{number}").mkdir()
    assert PictureFolder(path=folder).load(folder).card.notes == (
        "7 folders have no picture and made no class: class0, class1, class2, class3, class4 and "
        "2 more.",
        "7 other files were left out: 0.heic, 1.heic, 2.heic, 3.heic, 4.heic and 2 more.",
    )


def test_copies_stay_on_one_side_of_every_split(folder: Path) -> None:
    shutil.copy(folder / "spots" / "01.png", folder / "stripes" / "other.png")
    dataset = PictureFolder(path=folder).load(folder)
    assert dataset.groups is not None
    groups = dict(zip(dataset.ids.tolist(), dataset.groups, strict=True))
    assert groups["spots/01.png"] == groups["stripes/other.png"]
    assert len(set(groups.values())) == 24
    assert "1 picture is a copy of another one; no split parts copies." in dataset.card.notes


def test_a_table_names_files_beside_it(folder: Path) -> None:
    table = folder / "table.csv"
    table.write_text("file,label\nspots/01.png,a\nspots/02.png,b\n,b\n")
    dataset = PictureTable(path=table).load(folder)
    assert [path.name for path in dataset.X["picture"]] == ["01.png", "02.png"]
    table.write_text("file,label\nspots/01.png,a\ngone.png,b\n")
    with pytest.raises(DataError, match=r"table.csv:3: there is no file .*gone\.png\. Paths start"):
        PictureTable(path=table).load(folder)
    table.write_text("file,label\nspots/01.png,a\ngone.png,b\nlost.png,b\n")
    with pytest.raises(DataError) as caught:
        PictureTable(path=table).load(folder)
    first, *lines, last = str(caught.value).splitlines()
    assert first == "2 of 3 pictures cannot be read:"
    assert [line.partition(".csv:")[2][0] for line in lines] == ["3", "4"]
    assert last.startswith("Mend them or leave them out")


@pytest.mark.parametrize("empty", [True, False])
def test_a_folder_without_pictures_is_refused(tmp_path: Path, empty: bool) -> None:
    root = tmp_path / "none"
    if empty:
        (root / "cat").mkdir(parents=True)
    with pytest.raises(DataError, match=r"each class needs a folder|does not exist"):
        PictureFolder(path=root).load(tmp_path)


def test_folders_within_the_classes_folders_may_name_what_belongs_together(folder: Path) -> None:
    for name in ("spots", "stripes"):
        for number, path in enumerate(sorted((folder / name).glob("*.png"))):
            person = folder / name / f"person{number % 3}"
            person.mkdir(exist_ok=True)
            path.rename(person / path.name)
    dataset = PictureFolder(path=folder, group="subfolder").load(folder)
    assert dataset.groups is not None
    told = {name.split("/")[1] for name in dataset.ids.tolist()}
    assert set(dataset.groups.tolist()) == told == {"person0", "person1", "person2"}
    (folder / "spots" / "person0").rename(folder / "spots" / "person9")
    shutil.copy(folder / "spots" / "person1" / "02.png", folder / "spots" / "loose.png")
    with pytest.raises(DataError, match=r"spots/loose\.png lies in no folder within its class's"):
        PictureFolder(path=folder, group="subfolder").load(folder)


def test_a_copy_ties_the_groups_that_it_lies_in(folder: Path) -> None:
    shutil.copy(folder / "spots" / "01.png", folder / "copy.png")
    table = folder / "table.csv"
    table.write_text(
        "file,label,person\nspots/01.png,a,anna\nspots/02.png,b,anna\ncopy.png,a,bo\n"
        "spots/03.png,b,bo\nspots/04.png,a,\nspots/05.png,b,cy\n"
    )
    groups = PictureTable(path=table, group="person").load(folder).groups
    assert groups is not None
    assert len({groups[row] for row in range(4)}) == 1
    assert len(set(groups.tolist())) == 3


def test_copies_with_another_label_are_named(folder: Path) -> None:
    shutil.copy(folder / "spots" / "01.png", folder / "stripes" / "other.png")
    shutil.copy(folder / "spots" / "02.png", folder / "spots" / "same.png")
    notes = PictureFolder(path=folder).load(folder).card.notes
    assert notes == (
        "2 pictures are copies of another one; no split parts copies.",
        "1 copy has another label than the first of the same content: spots/01.png (spots) and "
        "stripes/other.png (stripes).",
    )


def test_a_path_written_on_windows_is_found(folder: Path) -> None:
    table = folder / "table.csv"
    table.write_text("file,label\nspots\\01.png,a\nspots/02.png,b\n")
    dataset = PictureTable(path=table).load(folder)
    assert [path.name for path in dataset.X["picture"]] == ["01.png", "02.png"]


def test_a_table_given_as_a_folder_is_told_how_to_be_read(folder: Path) -> None:
    table = folder / "table.csv"
    table.write_text("file,label\nspots/01.png,a\n")
    with pytest.raises(DataError, match=r"is a file; .* data\.source=table reads"):
        PictureFolder(path=table).load(folder)
