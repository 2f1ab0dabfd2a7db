"""YAML text becomes plain values that know their lines, or one clear message."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from widemargin.config import Document, read
from widemargin.config.scalars import to_yaml
from widemargin.errors import ConfigError


def message(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        Document.parse(text, "my.yaml")
    return str(caught.value)


def problems(text: str) -> list[str]:
    return [str(problem) for problem in Document.parse(text, "my.yaml").problems]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 1e5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("012", 12),
        ("0o17", 15),
        ("0xfF", 255),
        ("+3", 3),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2024-01-31", "2024-01-31"),
        ("0b11", "0b11"),
        ("<<", "<<"),
        ("'1'", "1"),
        ('"true"', "true"),
    ],
)
def test_a_word_means_what_the_core_schema_of_yaml_1_2_says(word: str, value: Any) -> None:
    read_back = Document.parse(f"key: {word}").values["key"]
    assert read_back == value
    assert type(read_back) is type(value)


def test_nan_is_a_number() -> None:
    assert math.isnan(Document.parse("key: .nan").values["key"])


def test_a_number_of_thousands_of_digits_is_left_as_text() -> None:
    assert Document.parse("key: " + "9" * 5000).values["key"] == "9" * 5000


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["1e3", "no", "0o7", "0x1F", ".inf", "~", "1.", "- a", "a: b", "#", "*x"]),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), plain, min_size=1, max_size=4))
def test_what_is_written_reads_back_as_the_same(values: dict[str, Any]) -> None:
    document = Document.parse(to_yaml(values))
    assert document.values == values
    assert document.problems == ()


def test_every_path_has_its_line() -> None:
    document = Document.parse("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n\ne: 3\n")
    assert document.line_of(("a",)) == 1
    assert document.line_of(("a", "b")) == 2
    assert document.line_of(("a", "c", 1)) == 5
    assert document.line_of(("a", "c", 1, "d")) == 5
    assert document.line_of(("e",)) == 7
    assert document.line_of(("f",)) is None


def test_a_key_given_twice_is_refused_with_both_lines() -> None:
    assert problems("svm:\n  C: 1\n  kernel: rbf\n  C: {x: [2]}\n") == [
        "my.yaml:4: svm.C: is given twice, on lines 2 and 4; keep one"
    ]
    assert Document.parse("a: 1\na: 2").values == {"a": 1}


def test_anchors_aliases_and_tags_are_refused_all_at_once() -> None:
    text = "a: &x 1\nb: *x\nc: !!python/object/apply:os.getcwd []\nd: [1, !int 2]\n"
    assert problems(text) == [
        "my.yaml:1: a: the anchor &x is not allowed; remove it",
        "my.yaml:2: b: the alias *x is not allowed; write the value",
        "my.yaml:3: c: the tag !!python/object/apply:os.getcwd is not allowed; remove it",
        "my.yaml:4: d[1]: the tag !int is not allowed; remove it",
    ]
    assert Document.parse(text).values == {"a": 1, "c": [], "d": [1, 2]}


def test_a_key_that_is_no_text_is_refused() -> None:
    assert problems("w:\n  null: 2\n  ? [a]\n  : 4\n  no: 5\n") == [
        "my.yaml:2: w: a key must be text; write 'null' in quotes",
        "my.yaml:3: w: a key must be text",
    ]


def test_a_key_that_looks_like_a_number_is_the_text_that_was_written() -> None:
    values = Document.parse("w:\n  1: 2\n  007: 3\n  true: 4\n").values
    assert values == {"w": {"1": 2, "007": 3, "true": 4}}


def test_a_second_document_is_refused() -> None:
    assert problems("a: 1\n---\nb: 2\n") == [
        "my.yaml:2: holds a second document behind '---'; keep one"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n\tb: 2", "my.yaml:2: is not YAML: a tab cannot indent a line; use spaces"),
        ("a: 1\nb: c: d", "my.yaml:2: is not YAML: a ': ' has no place here; put quotes"),
        ("a: 1\nb\n", "my.yaml:3: is not YAML: a key needs ': ' and a value behind it (it beg"),
        ("a: 'x\nb: 1", "my.yaml:2: is not YAML: a text in quotes is not closed (it begins on"),
        ('a: "C:\\Users"', "my.yaml:1: is not YAML: double quotes give the backslash a meaning"),
        ("a: [1, 2\nb: 3", "my.yaml:2: is not YAML: a list in [ ] needs commas"),
        ("a: {b: 1]", "my.yaml:1: is not YAML: a mapping in { } needs commas"),
        ("a:\n  b: 1\n c: 2", "my.yaml:3: is not YAML: this line does not fit the lines above"),
        ("a: @x", "my.yaml:1: is not YAML: a text that begins with this character needs quotes"),
        ("a: |x\n  y", "my.yaml:1: is not YAML: while scanning a block scalar expected chomping"),
        ("a: 1\nb: x\x01", "my.yaml:2: the character U+0001 is not allowed in YAML; remove it"),
        ("a: " + "[" * 99, "my.yaml:1: a[0] ...: is nested more than 50 deep"),
        ("", "my.yaml: is empty; `widemargin config new NAME` prints a config"),
        ("# only words\n", "my.yaml: is empty"),
        ("- a", "my.yaml:1: must hold settings such as 'use_case: spam'; it holds a list"),
        ("spam", "my.yaml:1: must hold settings such as 'use_case: spam'; it holds a single val"),
    ],
)
def test_text_that_is_no_config_is_refused_with_what_to_do(text: str, said: str) -> None:
    assert message(text).startswith(said)


def test_problems_found_before_a_syntax_error_are_told_too() -> None:
    assert message("a: 1\na: 2\nb: [").splitlines() == [
        "my.yaml:2: a: is given twice, on lines 1 and 2; keep one",
        "my.yaml:3: is not YAML: a list in [ ] or a mapping in { } is not closed",
    ]


@settings(max_examples=300)
@given(st.text() | st.text("ab1:-[]{}'\"#&*!|>%@`,?~. \n\t\\"))
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    with contextlib.suppress(ConfigError):
        Document.parse(text)


def test_a_file_is_read_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_bytes("\ufeffuse_case: spam # Grüße\n".encode())
    document = read(path)
    assert document.values == {"use_case": "spam"}
    assert document.name == str(path)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    def refusal(path: Path) -> str:
        with pytest.raises(ConfigError) as caught:
            read(path)
        return str(caught.value).removeprefix(str(path))

    latin = tmp_path / "latin.yaml"
    latin.write_bytes("a: 1\nb: Grüße".encode("latin-1"))
    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    assert refusal(latin) == ":2: byte 0xfc is not UTF-8; save the file as UTF-8"
    assert refusal(empty) == ": is empty; `widemargin config new NAME` prints a config"
    assert refusal(tmp_path) == ": is a folder; name a YAML file in it"
    assert refusal(tmp_path / "no.yaml") == (
        ": there is no such file; `widemargin config new NAME` prints a config"
    )
    assert refusal(latin / "x.yaml") == ": cannot be read: Not a directory"


def test_the_use_case_of_a_document_is_its_name_or_a_message() -> None:
    assert Document.parse("use_case: spam").use_case() == "spam"
    for text in ("use_case: 5", "use_case:", "seed: 1\nuse_case: [a]"):
        with pytest.raises(ConfigError, match="must be the name of a use case, as in 'use_case: s"):
            Document.parse(text, "my.yaml").use_case()
