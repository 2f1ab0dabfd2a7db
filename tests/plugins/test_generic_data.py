"""The generic plugin's loaders: people's own tables and texts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import widemargin_generic
from widemargin import DataError
from widemargin.data import fingerprint
from widemargin.encoders import TabularEncoder
from widemargin_generic.examples import BreastCancer, Diabetes
from widemargin_generic.tables import TableFile
from widemargin_generic.texts import TextFile, TextFolder

HOME = Path("nowhere")
FOLDER = Path(widemargin_generic.__file__).parent

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, content: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    return write_file


def lines(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def read(loader: Any, source: Path) -> list[str]:
    return [text for batch in loader.read_items(source) for text in batch.X["text"]]


# --- texts ----------------------------------------------------------------------------------------


def test_the_fixtures_load() -> None:
    texts = TextFile(path=FOLDER / "texts_fixture.csv").load(HOME)
    assert (len(texts), texts.classes) == (60, ("negative", "positive"))
    table = TableFile(path=FOLDER / "table_fixture.csv", label="price").load(HOME)
    assert (len(table), table.task) == (80, "regression")
    assert table.X.isna().to_numpy().any()
    assert set(map(str, table.X.dtypes)) == {"float64", "object"}


def test_few_numbers_are_classes_and_many_a_target(write: Write) -> None:
    stars = write("a.csv", lines("body,stars", [f"t{i},{i % 5 + 1}.0" for i in range(30)]))
    dataset = TextFile(path=stars, text="body", label="stars").load(HOME)
    assert dataset.classes == ("1", "2", "3", "4", "5")
    assert dataset.card.notes == (
        f"{stars}: column 'stars' has 5 distinct numbers, so this is classification; for "
        "regression say --set data.task=regression.",
    )
    prices = write("b.csv", lines("body,price", [f"t{i},{i}" for i in range(30)]))
    dataset = TextFile(path=prices, text="body", label="price").load(HOME)
    assert dataset.task == "regression"
    assert dataset.y.dtype == np.float64
    assert "30 distinct numbers, so this is regression; for classification" in dataset.card.notes[0]


def test_the_task_may_be_said(write: Write) -> None:
    path = write("a.csv", lines("text,label", [f"t{i},{i % 3}" for i in range(9)]))
    assert TextFile(path=path, task="regression").load(HOME).task == "regression"
    assert TextFile(path=path, task="classification").load(HOME).card.notes == ()


def test_empty_texts_and_missing_labels_are_counted(write: Write) -> None:
    path = write("a.csv", 'text,label\ngood,yes\nbad,no\n"",no\nhm,?\nhm,N/A\n')
    dataset = TextFile(path=path).load(HOME)
    assert list(dataset.ids) == ["a.csv:2", "a.csv:3"]
    assert dataset.card.notes[-1] == "3 of 5 rows were left out: 1 without text, 2 without label."


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (["a,x"], {}, "only 'x' in 1 rows; two classes are needed"),
        (["a,", ",x"], {}, "no row has both a text and a label"),
        (["a,x"], {"text": "txt"}, r"no column 'txt'\. Did you mean 'text'\?"),
        (
            ["a,1", "b,2", "c,three"],
            {"task": "regression"},
            r"column 'label' should be a number and is 'three' at a\.csv:4 \(and is no number in "
            r"1 of 3 rows\)\. .*--set data\.task=classification",
        ),
        (
            [f"t{i},{i}" for i in range(40)] + ["t,forty"],
            {},
            r"should be a number and is 'forty' at a\.csv:42",
        ),
        (
            [f"t{i},label {i}" for i in range(40)],
            {},
            r"has 40 distinct values in 40 rows, which is neither a number nor a few classes",
        ),
        (["a,5", "b,5"], {"task": "regression"}, "the target is 5 in every row"),
    ],
)
def test_texts_that_cannot_be_used_are_one_clear_message(
    write: Write, rows: list[str], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        TextFile(path=write("a.csv", lines("text,label", rows)), **settings).load(HOME)


def test_class_folders_are_read(write: Write, tmp_path: Path) -> None:
    write("box/pos/1.txt", "good\nindeed")
    write("box/neg/sub/2.txt", "bad")
    write("box/neg/3.txt", "")
    write("box/readme.txt", "no item")
    (tmp_path / "box" / "neg" / "4.txt").write_bytes(b"\0\1")
    dataset = TextFolder(path=tmp_path / "box").load(HOME)
    assert dict(zip(dataset.ids, dataset.y, strict=True)) == {
        "neg/sub/2.txt": "neg",
        "pos/1.txt": "pos",
    }
    assert dataset.card.notes == (
        "2 of 4 files were left out: 1 empty, 1 undecodable (first: neg/3.txt).",
    )


def test_a_file_that_cannot_be_read_is_named(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("box/ham/1.txt", "hi")

    def refused(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(DataError, match=r"1\.txt: cannot be read \(Permission denied\)\."):
        TextFolder(path=tmp_path / "box").load(HOME)


def test_a_folder_without_class_folders_is_refused(write: Write, tmp_path: Path) -> None:
    write("box/1.txt", "x")
    with pytest.raises(DataError, match=r"no folder with \.txt files in it; each class needs"):
        TextFolder(path=tmp_path / "box").load(HOME)
    with pytest.raises(DataError, match="does not exist; a folder of class folders is needed"):
        TextFolder(path=tmp_path / "x").load(HOME)


def test_text_items_come_in_the_shape_that_was_trained_on(write: Write, tmp_path: Path) -> None:
    path = write("new/a.txt", "one\n\ntwo")
    assert read(TextFile(path=path), path) == ["one", "", "two"]
    assert read(TextFolder(path=path), path) == ["one\n\ntwo"]
    assert read(TextFolder(path=path), tmp_path / "new") == ["one\n\ntwo"]
    assert read(TextFolder(path=path), write("t.csv", "text\nhi\n")) == ["hi"]
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"there is no \.txt file in it"):
        read(TextFolder(path=path), tmp_path / "none")


# --- tables ---------------------------------------------------------------------------------------

ROWS = [f"n{i},{i % 7}.5,{'ab'[i % 2]},same,,{i},{i % 2}" for i in range(200)]
HEADER = "name,size,kind,fixed,nothing,counter,label"


def test_columns_are_found_and_announced(write: Write) -> None:
    dataset = TableFile(path=write("a.csv", lines(HEADER, ROWS))).load(HOME)
    assert dict(dataset.kinds) == {"size": "table", "kind": "table"}
    assert dataset.classes == ("0", "1")
    assert dataset.card.notes[1:] == (
        "Numeric columns (1): size.",
        "Categorical columns (1): kind.",
        "Columns left out: name (all values differ), fixed (the same everywhere), nothing (no "
        "value), counter (a row counter).",
        "The label can be told from one column alone: kind (ROC AUC 1.000). A column that is "
        "written once the label is known leaks it: leave it out with data.ignore.",
    )


def test_a_row_counter_is_known_even_with_rows_left_out(write: Write) -> None:
    rows = [f"{i},{i % 7},{i % 2 if i % 5 else ''}" for i in range(50)]
    dataset = TableFile(path=write("a.csv", lines("n,x,label", rows))).load(HOME)
    assert (len(dataset), list(dataset.X), list(dataset.X.index[:2])) == (40, ["x"], [0, 1])


def test_columns_named_are_kept(write: Write) -> None:
    path = write("a.csv", lines(HEADER, ROWS))
    dataset = TableFile(path=path, columns=("counter", "kind")).load(HOME)
    assert list(dataset.X) == ["counter", "kind"]
    assert list(TableFile(path=path, ignore=("kind",)).load(HOME).X) == ["size"]


def test_missing_values_and_slips_among_numbers_are_missing(write: Write) -> None:
    cells = [str(i * i) for i in range(296)] + ["?", "NA", "", "12 cm"]
    path = write(
        "a.csv", lines("x,k,label", [f"{c},{'pq'[i % 2]},{i % 2}" for i, c in enumerate(cells)])
    )
    dataset = TableFile(path=path).load(HOME)
    assert dataset.X["x"].isna().sum() == 4
    assert "4 of 600 values are missing." in dataset.card.notes
    assert (
        "Not every value is a number in x (1 taken for missing, '12 cm' at a.csv:301). Correct "
        "what is a slip." in dataset.card.notes
    )


def test_missing_categories_stay_missing(write: Write) -> None:
    path = write("a.csv", "k,label\np,0\nNone,1\nq,0\np,1\nq,1\n")
    assert TableFile(path=path).load(HOME).X["k"].isna().tolist() == [
        False,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (["0", "1", "0"], "classification"),
        (["1", "2", "3"], "regression"),
        (["good", "bad", "bad"], "classification"),
    ],
)
def test_the_target_says_the_task(write: Write, labels: list[str], task: str) -> None:
    path = write("a.csv", lines("x,label", [f"{i * i},{label}" for i, label in enumerate(labels)]))
    assert TableFile(path=path).load(HOME).task == task


def test_rows_without_a_label_are_left_out(write: Write) -> None:
    path = write("a.csv", "x,label\n1,0\n5,\n2,1\n")
    dataset = TableFile(path=path).load(HOME)
    assert list(dataset.ids) == ["a.csv:2", "a.csv:4"]
    assert "1 of 3 rows was left out: no label." in dataset.card.notes


def test_ids_and_groups_are_columns(write: Write) -> None:
    path = write("a.csv", "who,row,x,label\nann,r1,1,0\nbob,r2,4,1\nann,r3,2,1\n,r4,9,0\n")
    dataset = TableFile(path=path, id="row", group="who").load(HOME)
    assert list(dataset.ids) == ["r1", "r2", "r3", "r4"]
    assert list(dataset.X) == ["x"]
    assert dataset.groups is not None
    assert list(dataset.groups) == ["ann", "bob", "ann", "a.csv:5"]


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("x,y\n1,2\n", {}, r"no column 'label'\. The columns are x, y"),
        ("x,label\n1,\n", {}, "column 'label' is empty in every row"),
        ("x,label\n1,0\n1,1\n", {}, r"no column is left to learn from\. Columns left out: x"),
        ("x,label\n1,0\n2,1\n", {"group": "gruop"}, "no column 'gruop'"),
        ("x,label\n1,0\n2,1\n", {"columns": ("z",)}, "no column 'z'"),
        ("x,label\n1,0\n2,1\n", {"columns": ("x", "label")}, r"data\.columns names 'label'"),
        (
            "x,i,label\n1,a,0\n2,a,1\n",
            {"id": "i"},
            r"column 'i' names 'a' twice, at a\.csv:2 and a\.csv:3; .* --set data\.group=i",
        ),
        ("x,i,label\n1,,0\n2,a,1\n", {"id": "i"}, r"column 'i' is empty at a\.csv:2"),
        ("x,label\n1,0\n2,0\n", {}, "only '0' in 2 rows"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_clear_message(
    write: Write, content: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        TableFile(path=write("a.csv", content), **settings).load(HOME)


def test_a_row_reads_the_same_in_whatever_batch(write: Write) -> None:
    path = write("a.csv", "x,k,label\n 5 ,?,1\nfive,red,0\n")
    [items] = TableFile(path=path).read_items(path)
    assert items.ids == ["a.csv:2", "a.csv:3"]
    assert items.kinds == {"x": "table", "k": "table"}
    frame = pd.DataFrame(items.X)
    assert frame["x"].tolist() == ["5", "five"]
    assert frame["k"].isna().tolist() == [True, False]


def test_items_need_the_columns_named_and_may_lack_the_label(write: Write) -> None:
    loader = TableFile(path=Path("a.csv"), columns=("x", "k"), id="row")
    [items] = loader.read_items(write("new.csv", "row,k,extra,x\nr1,red,0,3\n"))
    assert (list(items.X), items.ids) == (["k", "x"], ["r1"])
    with pytest.raises(DataError, match=r"new\.csv: there is no column 'k'"):
        next(iter(loader.read_items(write("new.csv", "x\n3\n"))))


def test_loading_twice_gives_the_same_data() -> None:
    loader = TableFile(path=FOLDER / "table_fixture.csv", label="price")
    assert fingerprint(loader.load(HOME)) == fingerprint(loader.load(HOME))


def test_scikit_learns_examples_load_offline(tmp_path: Path) -> None:
    diabetes, cancer = Diabetes().load(tmp_path), BreastCancer().load(tmp_path)
    assert (len(diabetes), diabetes.task) == (442, "regression")
    assert diabetes.card.units == "disease progression score"
    assert (len(cancer), cancer.classes) == (569, ("benign", "malignant"))
    assert cancer.positive_class == "malignant"
    assert (cancer.y == "malignant").sum() == 212
    diabetes.X.to_csv(tmp_path / "new.csv", index=False)
    [items] = Diabetes().read_items(tmp_path / "new.csv")
    assert list(items.X) == list(diabetes.X)


@pytest.mark.parametrize("loader", [TextFile, TextFolder, TableFile, Diabetes, BreastCancer])
def test_every_setting_has_a_line_of_help(loader: Any) -> None:
    for name, field in loader.model_fields.items():
        assert field.description, name
        assert "\n" not in field.description


def table_of(tmp_path: Path, area: list[str]) -> Any:
    path = tmp_path / "t.csv"
    lines = [f'"{value}",{at % 3},{at * 3.5}' for at, value in enumerate(area)]
    path.write_text("\n".join(["area,kind,price", *lines]) + "\n", encoding="utf-8")
    return TableFile(path=path, label="price").load(tmp_path)


def test_a_measurement_with_some_slips_stays_a_number_and_says_so(tmp_path: Path) -> None:
    area = [str(10.5 + at) if at % 10 else "unknown" for at in range(100)]
    dataset = table_of(tmp_path, area)
    assert dataset.X["area"].dtype.kind == "f"
    assert any(
        "area (10 taken for missing, the first 'unknown' at t.csv:2)" in note
        for note in dataset.card.notes
    )


def test_grouped_thousands_are_numbers(tmp_path: Path) -> None:
    dataset = table_of(tmp_path, [f"{1000 + 7 * at:,}" for at in range(60)])
    assert dataset.X["area"].iloc[1] == 1007


def test_decimal_commas_are_read_alike_to_learn_and_to_predict(write: Write) -> None:
    rows = [f"{at},5;{1 + at % 8}.{100 + at};{at % 2}" for at in range(40)]
    path = write("a.csv", lines("size;price;label", rows))
    loader = TableFile(path=path, decimal_commas=("price",))
    dataset = loader.load(HOME)
    assert dataset.X["size"].tolist() == [at + 0.5 for at in range(40)]
    assert dataset.X["price"].tolist() == [1000.0 * (1 + at % 8) + 100 + at for at in range(40)]
    (items,) = loader.read_items(path)
    assert list(items.X["price"]) == dataset.X["price"].tolist()
    typed = loader.checked({"size": ["0,5"], "price": ["1.234"]})
    assert list(typed["price"]) == [1234.0]
    encoder = TabularEncoder().fit(dataset.X)
    np.testing.assert_allclose(encoder.transform(items.X), encoder.transform(dataset.X))
    with pytest.raises(DataError, match="no column 'prise'"):
        TableFile(path=path, decimal_commas=("prise",)).load(HOME)


def test_a_label_of_decimal_commas_is_read_as_they_say(write: Write) -> None:
    rows = [f"{at}.5;{'ab'[at % 2]};{1 + at % 8}.{100 + at}" for at in range(40)]
    path = write("a.csv", lines("size;kind;price", [*rows, "1.5;a;410"]))
    numbers = [1 + at % 8 + (100 + at) / 1000 for at in range(40)]
    plain = TableFile(path=path, label="price", decimal_commas=("kind",)).load(HOME)
    np.testing.assert_allclose(plain.y, [*numbers, 410])
    assert "decimal ones: --set 'data.decimal_commas=[kind, price]'." in plain.card.notes[0]
    commas = TableFile(path=path, label="price", decimal_commas=("price",)).load(HOME)
    np.testing.assert_allclose(commas.y, [*(1000 * number for number in numbers), 410])
    assert "--set 'data.dec" not in commas.card.notes[0]
    # Numbers that a file holds as such have no commas.
    pd.DataFrame({"size": numbers, "price": numbers}).to_parquet(path.with_suffix(".parquet"))
    for named in ((), ("price",)):
        binary = TableFile(
            path=path.with_suffix(".parquet"), label="price", decimal_commas=named
        ).load(HOME)
        np.testing.assert_allclose(binary.y, numbers)
        assert "--set 'data.dec" not in " ".join(binary.card.notes)


def test_copies_of_rows_stay_together_and_tie_the_groups_of_persons(write: Write) -> None:
    rows = [f"{at * 1.7:.1f},{'ab'[at % 2]},{at * 3 % 7}.5,p{at},{at % 2}" for at in range(40)]
    rows += [rows[0].replace("p0", "p7"), rows[1]]
    path = write("a.csv", lines("size,kind,more,person,label", rows))
    alone = TableFile(path=path, ignore=("person",)).load(HOME)
    assert alone.groups is not None
    assert alone.groups[40:].tolist() == alone.groups[:2].tolist()
    assert any(
        note == "2 of 42 rows are copies of another one, label and all; no split parts copies."
        for note in alone.card.notes
    )
    grouped = TableFile(path=path, group="person").load(HOME)
    assert grouped.groups is not None
    assert grouped.groups[40] == grouped.groups[0] == grouped.groups[7]


def test_a_category_with_hardly_a_value_twice_is_named(tmp_path: Path) -> None:
    dataset = table_of(tmp_path, [f"name {at // 2 if at < 20 else at}" for at in range(60)])
    assert any("area (50 values in 60 rows)" in note for note in dataset.card.notes)
