"""``--set key=value`` follows the rules of a file."""

from __future__ import annotations

from typing import Any

import pytest

from widemargin.config import parse_overrides


@pytest.mark.parametrize(
    ("assignment", "values"),
    [
        ("svm.C=10", {"svm": {"C": 10}}),
        ("svm.C=1e-3", {"svm": {"C": 0.001}}),
        ("svm.C=[1, 10]", {"svm": {"C": [1, 10]}}),
        ("svm.C = auto", {"svm": {"C": "auto"}}),
        ("seed=0x10", {"seed": 16}),
        ("data.path=reviews.csv", {"data": {"path": "reviews.csv"}}),
        (r"data.path=C:\mails: new.csv", {"data": {"path": r"C:\mails: new.csv"}}),
        ("data.path=*.csv", {"data": {"path": "*.csv"}}),
        ("data.text=#", {"data": {"text": "#"}}),
        ("data.text=a=b", {"data": {"text": "a=b"}}),
        ("data.text='5'", {"data": {"text": "5"}}),
        ("data.text=no", {"data": {"text": "no"}}),
        ("data.limit=", {"data": {"limit": None}}),
        ("svm={kernel: rbf, C: 1}", {"svm": {"kernel": "rbf", "C": 1}}),
        (
            "features.encoder.name=glove",
            {"features": {"encoder": {"name": "glove"}}},
        ),
    ],
)
def test_an_override_is_a_path_and_a_value(assignment: str, values: dict[str, Any]) -> None:
    document = parse_overrides([assignment])
    assert document.values == values
    assert document.name == "--set"
    assert document.problems == ()


def test_overrides_gather_and_the_later_counts() -> None:
    given = ["svm.C=1", "svm={kernel: rbf}", "svm.C=2", "seed=1"]
    assert parse_overrides(given).values == {"svm": {"C": 2, "kernel": "rbf"}, "seed": 1}


def test_malformed_overrides_are_told_together() -> None:
    given = ["svm.C", "=5", "svm..C=1", "a=1", "a.b.c=2", "svm.C=[1", "svm={C: 1, C: 2}", "b=[*x]"]
    document = parse_overrides(given)
    assert document.values == {"a": 1}
    assert [str(problem) for problem in document.problems] == [
        "--set: 'svm.C' must have the form key=value, as in svm.C=10",
        "--set: '=5' must have the form key=value, as in svm.C=10",
        "--set: 'svm..C=1' must have the form key=value, as in svm.C=10",
        "--set: a.b.c: 'a.b.c=2' sets a part of a, which another --set makes a value",
        "--set: svm.C: is not YAML: a list in [ ] needs commas between its values and a ']'",
        "--set: svm.C: is given twice, on lines 1 and 1; keep one",
        "--set: b[0]: the alias *x is not allowed; write the value",
    ]
