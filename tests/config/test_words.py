"""What a setting takes is said in plain words, whatever type its author chose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from widemargin.config.schema import json_schema
from widemargin.config.words import at, shown, type_words
from widemargin.contracts import Grid, Section


class Inner(Section):
    low: int = 0
    high: int = 1


class Opaque:
    pass


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "a whole number"),
        (float, "a number"),
        (bool, "true or false"),
        (str, "text"),
        (Path, "a path"),
        (str | None, "text, or null"),
        (int | str, "a whole number or text"),
        (int | str | None, "a whole number, text, or null"),
        (Literal["a"], "a"),
        (Literal["a", "b"], "one of a, b"),
        (Literal["a", "b"] | None, "a, b, or null"),
        (Literal["a", 1, "1"], "one of a, 1, '1'"),
        (Annotated[int, Field(ge=0, le=9)], "a whole number from 0 to 9"),
        (Annotated[int, Field(ge=2)], "a whole number of at least 2"),
        (Annotated[int, Field(le=2)], "a whole number of at most 2"),
        (Annotated[float, Field(gt=0, lt=1)], "a number above 0 and below 1"),
        (Annotated[float, Field(gt=0, le=1)], "a number above 0 and at most 1"),
        (Annotated[float, Field(ge=0, lt=1)], "a number of at least 0 and below 1"),
        (Annotated[str, Field(min_length=1)], "text of at least 1 character"),
        (tuple[str, ...], "a list of texts"),
        (tuple[Path, ...], "a list of paths"),
        (tuple[int, int], "a list of 2 whole numbers"),
        (tuple[int, str], "a list of a whole number, text"),
        (
            Annotated[tuple[float, ...], Field(max_length=3)],
            "a list of numbers of at most 3 values",
        ),
        (tuple[Literal["a", "b"], ...], "a list of values, each one of a, b"),
        (tuple[tuple[int, int], ...], "a list of lists of 2 whole numbers"),
        (dict[str, float], "a mapping of names to numbers"),
        (dict[str, Any], "a mapping of names to values"),
        (Inner, "a section with low, high"),
        (str | tuple[str, ...], "text or a list of them"),
        (Grid, "auto, a number above 0, or a list of them"),
        (Opaque, "anything"),
        (Any, "anything"),
    ],
)
def test_a_type_is_said_in_words(annotation: Any, words: str) -> None:
    class Sample(Section):
        setting: annotation

    schema = json_schema(Sample)
    place = at(("setting",), schema)
    assert place is not None
    assert type_words(place, schema) == words


def test_a_place_that_the_schema_does_not_know_has_none() -> None:
    class Sample(Section):
        inner: Inner
        flags: dict[str, int]

    schema = json_schema(Sample)
    assert at(("inner", "low"), schema) == {"default": 0, "title": "Low", "type": "integer"}
    assert at(("flags", "anything"), schema) == {"type": "integer"}
    assert at(("inner", "lowest"), schema) is None
    assert at(("inner", 0), schema) is None


def test_a_given_value_is_shown_as_it_was_written() -> None:
    values = ["abc", "1", True, None, 1e-9, [1, "x"], {"a": []}]
    assert [shown(value) for value in values] == [
        "'abc'",
        "'1'",
        "true",
        "null",
        "1.0e-09",
        "[1, x]",
        "{a: []}",
    ]
