"""Tables and texts of people's own."""

import csv
import gzip
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin import DataError
from widemargin.data import iter_table, iter_texts, parse_numbers, read_table, text_items
from widemargin.data.readers.tables import table_format

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8", newline="")
        return path

    return write_file


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_of_a_csv_is_found_out(write: Write, delimiter: str) -> None:
    path = write("a.csv", delimiter.join(["text", "label"]) + f"\n1 2 3{delimiter}x\n")
    assert read_table(path).to_dict("list") == {"text": ["1 2 3"], "label": ["x"]}


def test_commas_in_quotes_do_not_pass_for_delimiters(write: Write) -> None:
    path = write("a.csv", 'text;n\n"a, b, c";1\n"d, e, f";2\n')
    assert read_table(path)["text"].tolist() == ["a, b, c", "d, e, f"]


cells = st.text(alphabet=st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_csv_comes_back_as_it_was_written(rows: list[tuple[str, str]]) -> None:
    import tempfile

    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
        assert list(read_table(path).itertuples(index=False, name=None)) == rows


def test_cells_stay_strings_and_the_index_is_the_line(write: Write) -> None:
    table = read_table(write("a.csv", 'text,label\n"two\nlines",007\nNA,1.0\n'))
    assert table["label"].tolist() == ["007", "1.0"]
    assert table["text"].tolist() == ["two\nlines", "NA"]
    assert table.index.tolist() == [2, 4]


def test_columns_choose_and_order(write: Write) -> None:
    assert list(read_table(write("a.csv", "a,b,c\n1,2,3\n"), columns=["c", "a"])) == ["c", "a"]


def test_a_column_without_a_name_is_called_by_its_place(write: Write) -> None:
    assert list(read_table(write("a.csv", ",text\n0,hi\n"))) == ["column 1", "text"]


def test_tsv_jsonl_and_gzip_read_alike(write: Write, tmp_path: Path) -> None:
    expected = {"text": ["hi", "you"], "label": ["a", "b"]}
    tabs = "text\tlabel\nhi\ta\nyou\tb\n"
    lines = '{"text": "hi", "label": "a"}\n\n{"text": "you", "label": "b"}\n'
    (tmp_path / "z.tsv.gz").write_bytes(gzip.compress(tabs.encode()))
    (tmp_path / "utf16.csv").write_bytes(tabs.encode("utf-16"))
    pd.DataFrame(expected).to_parquet(tmp_path / "a.parquet")
    for path in (
        write("a.tsv", tabs),
        write("a.txt", tabs),
        write("a.jsonl", lines),
        write("a.ndjson", lines),
        tmp_path / "z.tsv.gz",
        tmp_path / "utf16.csv",
        tmp_path / "a.parquet",
    ):
        assert read_table(path).to_dict("list") == expected, path


def test_json_integers_beside_null_stay_integers(write: Write) -> None:
    table = read_table(write("a.jsonl", '{"n": 5}\n{"n": null}\n{"m": [1, 2]}\n'))
    assert table["n"].tolist() == [5, None, None]
    assert table["m"].tolist()[2] == "[1, 2]"


def test_parquet_keeps_types_and_forgets_the_index(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5]}, index=["p", "q"])
    frame.to_parquet(tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert list(table.columns) == ["x"]
    assert table["x"].dtype == "float64"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", r"a\.csv: is empty; a header and rows are needed"),
        ("a.csv", "text,label\n", r"a\.csv: has no rows"),
        ("a.csv", "text,label\nhi,a\nhi,there,b\n", r"a\.csv:3: the row has 3 cells and the head"),
        ("a.csv", 'a,b\n1,2\n"x,3\n4,5\n', r"a\.csv:3: a double quote is not closed"),
        ("a.csv", "x,x,y\n1,2,3\n", r"a\.csv: the header names 'x' more than once; rename one"),
        ("a.jsonl", '{"a": 1}\n[1]\n', r"a\.jsonl:2: the line is a JSON list; each line must be"),
        ("a.jsonl", '{"a": 1}\n{a}\n', r"a\.jsonl:2: the line is no JSON"),
        ("a.jsonl", "\n", r"a\.jsonl: has no rows"),
        ("a.parquet", "text", r"a\.parquet: is no Parquet file that can be read"),
        ("a.xlsx", "x", r"a\.xlsx: the ending does not say how .* allowed are \.csv, \.tsv, \.txt"),
    ],
)
def test_a_malformed_table_is_one_clear_message(
    write: Write, name: str, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_table(write(name, content))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_an_absent_column_names_the_nearest_and_all(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frame = pd.DataFrame({"text": ["hi"], "label": ["a"]})
    if name == "a.csv":
        frame.to_csv(path, index=False)
    elif name == "a.jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    message = (
        r"no column 'lable'\. Did you mean 'label'\? The columns are text, label\. If one of them "
        r"is meant, rename it in the file or, for a run, .* --set data\.label=COLUMN\.$"
    )
    with pytest.raises(DataError, match=message):
        read_table(path, columns=["lable"])


def test_an_absent_table_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_table(tmp_path / "a.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)


def test_endings_do_not_mind_case() -> None:
    assert table_format(Path("A.CSV")) == "csv"
    assert table_format(Path("my.data.JSONL.gz")) == "jsonl"


@pytest.mark.parametrize("ending", ["csv", "txt"])
def test_a_long_file_is_read_in_constant_memory(tmp_path: Path, ending: str) -> None:
    def peak(n: int) -> int:
        path = tmp_path / f"{n}.{ending}"
        path.write_text("text\n" + "a message of some length\n" * n, encoding="utf-8")
        tracemalloc.start()
        try:
            count = sum(len(batch) for batch in text_items(iter_texts(path)))
            assert count == n + (ending == "txt")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # what is loaded once
    assert peak(40_000) < 1.5 * peak(4_000)


def test_batches_have_the_size_asked_for(write: Write) -> None:
    path = write("a.csv", "n\n" + "1\n" * 25)
    assert [len(frame) for frame in iter_table(path, rows=10)] == [10, 10, 5]


def test_lines_are_all_kept_even_the_empty_ones(write: Write) -> None:
    path = write("mails.txt", "win cash\r\n\r\nsee, you\n  \n")
    [batch] = text_items(iter_texts(path))
    assert batch.X["text"] == ["win cash", "", "see, you", "  "]
    assert batch.ids == ["mails.txt:1", "mails.txt:2", "mails.txt:3", "mails.txt:4"]


def test_empty_cells_of_a_table_are_items_too(write: Write) -> None:
    one_column = write("a.csv", "text\nhi\n\nyou\n")
    assert [text for _, text in iter_texts(one_column)] == ["hi", "", "you"]
    nulls = write("a.jsonl", '{"text": null}\n{"text": 5}\n')
    assert [text for _, text in iter_texts(nulls)] == ["", "5"]


def test_texts_come_from_the_column_named(write: Write) -> None:
    path = write("a.csv", "body,n\nhi,1\n")
    assert list(iter_texts(path, "body")) == [("a.csv:2", "hi")]
    with pytest.raises(DataError, match="no column 'text'"):
        list(iter_texts(path))


def test_half_of_a_surrogate_pair_in_jsonl_becomes_a_question_mark(tmp_path: Path) -> None:
    path = tmp_path / "half.jsonl"
    path.write_text('{"text": "see \\ud83d you", "label": "a"}\n', encoding="utf-8")
    assert list(read_table(path)["text"]) == ["see ? you"]


def test_numbers_are_read_with_grouped_thousands_and_nothing_else_is_guessed() -> None:
    given = ["1,234", "-1,234,567.5", "3,5", "12,34", " 7 ", "inf", "1e400", "x", None]
    read = parse_numbers(given)
    assert read[:2].tolist() == [1234.0, -1234567.5]
    assert read[4] == 7
    assert np.isnan(read[[2, 3, 5, 6, 7, 8]]).all()
