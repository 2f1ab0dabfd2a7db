from __future__ import annotations

import pytest

from widemargin.contracts import Metric
from widemargin.report.wordings import brief, listing, number, percent, seconds


def metric(unit: str) -> Metric:
    return Metric(
        name="m",
        title="m",
        summary="",
        task="regression",
        compute=lambda predictions: 0.0,
        unit=unit,  # type: ignore[arg-type]  # the cases below are its three values
    )


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.95912, "", "0.959"),
        (-0.00001, "", "0.000"),
        (-0.25, "", "\u22120.250"),
        (0.94117, "%", "94.1%"),
        (42.812, "target", "42.8 mg"),
        (None, "target", "undefined"),
    ],
)
def test_a_sentence_says_a_value_shortly(value: float | None, unit: str, said: str) -> None:
    assert brief(metric(unit), value, "mg") == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (1234567.0, "1,234,567"),
        (0.5, "0.5"),
        (1e-7, "1e\u22127"),
        (float("nan"), "undefined"),
    ],
)
def test_numbers_have_four_digits_at_most_behind_the_first(value: float, said: str) -> None:
    assert number(value) == said


def test_an_undefined_share_is_called_so() -> None:
    assert percent(None) == "undefined"


def test_long_times_are_said_in_hours() -> None:
    assert seconds(7260) == "2 h 1 min"


def test_a_single_part_is_listed_alone() -> None:
    assert listing(["a"]) == "a"
