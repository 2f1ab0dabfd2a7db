"""A table as people have it: every peculiarity is told once, by file, line and column."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from widemargin.cli import main as main_module

MISSING = ("", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "?")
HEADER = "cust_id;amount;when;agreed;big;gaps;town;empty;same;label"
WHEN = ("{day:02d}.03.2019", "2019-04-{day:02d}", "5/{day}/19")

Write = Callable[..., Path]


def rows(n: int = 81) -> list[list[str]]:
    made = []
    for at in range(n):
        day = 1 + at % 28
        made.append(
            [
                f"id{at:03d}",
                f" {at * 37 % 101},{at % 10}5 " if at % 3 else f"{at * 37 % 101}.{at % 10}",
                WHEN[at % 3].format(day=day),
                ("Yes", "yes", "YES ", "NO")[at % 4],
                {20: "1e308", 21: "-1.7e308", 30: "inf"}.get(at, f"{at * 53 % 97 / 7:.3f}"),
                MISSING[at // 9] if at % 9 == 0 else f"{at * 29 % 89 / 3:.2f}",
                ("K\u00f6ln", " Ulm", "Bonn ")[at * 7 % 5 % 3],
                "",
                "x",
                "good" if at * 37 % 101 > 50 else "bad",
            ]
        )
    return made


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, cells: list[list[str]], encoding: str = "utf-8-sig") -> Path:
        path = tmp_path / name
        lines = [HEADER, *(";".join(row) for row in cells)]
        path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
        return path

    return write_file


def train(call: Any, name: str, path: Path, runs: Path) -> Any:
    settings = (f"data.path={path}", "svm.C=1", "evaluation.outer=3", "evaluation.inner=2")
    words = [word for setting in settings for word in ("--set", setting)]
    said = call("run", name, *words, "--runs", str(runs))
    assert said.code == 0, said.err
    return " ".join(said.err.split())


@pytest.mark.parametrize(("name", "encoding"), [("table", "utf-8-sig"), ("credit", "cp1252")])
def test_every_peculiarity_is_told_once(
    call: Any, write: Write, tmp_path: Path, name: str, encoding: str
) -> None:
    made = rows()
    said = train(call, name, write("dirty.csv", [*made, *made[40:43]], encoding), tmp_path)
    for told in (
        "Numeric columns (3): amount, big, gaps.",
        "Categorical columns (2): agreed, town.",
        "12 of 420 values are missing.",
        "Not every value is a number in big (3 taken for missing, the first '1e308' at "
        "dirty.csv:22). Infinite numbers, and those beyond 1e75, count as none. Correct what is a "
        "slip.",
        "Commas are decimal ones in amount (37,15).",
        "Spelt in several ways, each a category of its own: agreed (Yes 22, YES 21, yes 21).",
        "Columns left out: cust_id (all values differ), when (dates; give a number in their place, "
        "such as the days between two of them), empty (no value), same (the same everywhere).",
        "3 of 84 ",
    ):
        assert said.count(told) == 1, told
    assert "Warning" not in said


def test_new_rows_need_the_columns_and_no_order_and_say_what_they_lack(
    call: Any, write: Write, tmp_path: Path
) -> None:
    train(call, "table", write("dirty.csv", rows()), tmp_path)
    new = rows(4)
    new[1][4], new[2][4], new[3][6] = "1.7e308", "1e60", "Paris"
    path = write("new.csv", new)
    said = call("predict", "table", "--file", str(path), "--format", "csv", "--runs", str(tmp_path))
    answers = said.out.splitlines()[1:]
    assert [line.split(",")[0] for line in answers] == [f"new.csv:{line}" for line in range(2, 6)]
    assert "big: '1.7e308' is beyond 1e75, the largest number, and counts as missing" in answers[1]
    assert "town: 'Paris' is new to the model or rare there, and counts as other" in answers[3]
    assert "Warning" not in said.err
    # Another order, further columns, and none of those that say nothing.
    other = [[row[at] for at in (6, 5, 4, 3, 1)] + ["more"] for row in new]
    lines = ["town;gaps;big;agreed;amount;further", *(";".join(row) for row in other)]
    path.write_text("\n".join(lines), encoding="utf-8")
    again = call(
        "predict", "table", "--file", str(path), "--format", "csv", "--runs", str(tmp_path)
    )
    assert again.out.splitlines()[1:] == answers
    path.write_text("Town;big\nUlm;1\nBonn;2\n", encoding="utf-8")
    said = call("predict", "table", "--file", str(path), "--runs", str(tmp_path))
    assert said.code == 2
    assert " ".join(said.err.split()).endswith(
        "Error: the columns 'amount', 'agreed', 'gaps', 'town', which the model was trained on, "
        "are absent. It needs amount, agreed, big, gaps, town."
    )


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda lines: [lines[0].replace("gaps", "amount "), *lines[1:]],
            "Error: {path}: the header names 'amount' more than once; rename one.",
        ),
        (
            lambda lines: [*lines[:56], lines[56].replace(";x;", ';"x;'), *lines[57:]],
            "Error: {path}:57: a double quote is not closed",
        ),
        (
            lambda lines: [*lines[:56], lines[56].replace(";x;", ";"), *lines[57:]],
            "Error: {path}:57: the row has 9 cells and the header has 10.",
        ),
        (
            lambda lines: [*lines[:56], lines[56] + "!", *lines[57:]],
            "Error: dirty.csv: there is only 1 item of class 'bad!'; cross-validation",
        ),
    ],
)
def test_a_table_that_cannot_be_read_is_one_message_with_its_line(
    call: Any, write: Write, spoil: Any, message: str
) -> None:
    path = write("dirty.csv", rows())
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(spoil(lines)), encoding="utf-8")
    said = call("run", "table", "--set", f"data.path={path}")
    assert said.code == 2
    assert message.format(path=path) in " ".join(said.err.split())
    assert said.err.count("Error") == 1


def test_a_warning_is_told_once(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(*_: Any, **__: Any) -> int:
        with warnings.catch_warnings(action="always"):
            for row in (1, 2, 2, 3, 3):
                warnings.warn(f"row {row}", UserWarning, stacklevel=1)
        return 0

    monkeypatch.setattr(main_module, "app", warn)
    assert call("list").err.split("\n") == [*(f"Warning: row {row}" for row in (1, 2, 3)), ""]


def test_a_perfect_score_names_the_column_that_tells_it(
    call: Any, write: Write, tmp_path: Path
) -> None:
    made = [[*row[:6], {"good": "A1", "bad": "B7"}[row[9]], *row[7:]] for row in rows()]
    path = write("told.csv", made)
    words = [f"data.path={path}", "data.columns=[town]", "svm.C=1", "evaluation.outer=3"]
    given = [word for setting in words for word in ("--set", setting)]
    said = call("run", "table", *given, "--runs", str(tmp_path))
    assert said.code == 0
    assert (
        "WM008 Macro F1 1.0000 is suspiciously good. One column alone tells the answer: town (ROC "
        "AUC 1.000). Leave it out where" in " ".join(said.out.split())
    )
