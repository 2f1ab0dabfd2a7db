"""Numbers at every scale, as people read them."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin.contracts import Metric
from widemargin.contracts.metric import amount
from widemargin.errors import PluginError
from widemargin.report.figures.scales import tick_texts

ERROR = Metric(
    name="mae", title="MAE", summary="", task="regression", compute=lambda p: 1.0, unit="target"
)


@pytest.mark.parametrize("quantile", [-0.5, 0.0, 1.0, 95, math.nan])
def test_a_metric_of_a_quantile_that_is_no_share_is_refused(quantile: float) -> None:
    assert replace(ERROR, quantile=0.5).quantile == 0.5
    with pytest.raises(ValueError, match="metric 'mae': `quantile` must be above 0 and below 1"):
        replace(ERROR, quantile=quantile)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (67718.4, "67,718 EUR"),
        (139_000.0, "139,000 EUR"),
        (999_999_999.0, "999,999,999 EUR"),
        (1234.5, "1,234 EUR"),
        (12.3456, "12.35 EUR"),
        (43.0, "43 EUR"),
        (0.0, "0 EUR"),
        (-0.0123456, "-0.01235 EUR"),
        (1.5e9, "1.5e+09 EUR"),
        (math.nan, "undefined"),
        (math.inf, "inf EUR"),
    ],
)
def test_a_value_in_the_targets_units_is_grouped_and_has_no_exponent(
    value: float, text: str
) -> None:
    assert ERROR.format(value, "EUR") == text


@given(st.floats(1e-4, 999_999_999), st.integers(4, 8))
def test_an_amount_reads_back_to_its_digits(value: float, digits: int) -> None:
    text = amount(value, digits)
    assert "e" not in text
    assert not text.endswith((".0", "."))
    assert abs(float(text.replace(",", "")) - value) <= value * 10.0 ** (1 - digits)


def test_ticks_of_one_axis_are_written_alike() -> None:
    assert tick_texts([0.0, 500_000.0, 1_000_000.0, 1.5e6]) == [
        *("0", "500,000", "1,000,000", "1,500,000")
    ]
    assert tick_texts([5e8, 1e9]) == ["5e8", "1e9"]


@pytest.mark.parametrize(
    ("made", "said"),
    [("good", "'good'"), (None, "None"), (np.zeros(3), "an array of shape (3,)")],
)
def test_a_metric_that_returns_no_number_is_refused_with_its_place(made: Any, said: str) -> None:
    def compute(_: Any) -> Any:
        return made

    metric = Metric(name="hit", title="hit", summary="", task="classification", compute=compute)
    with pytest.raises(PluginError) as refused:
        metric.value(SimpleNamespace())  # type: ignore[arg-type]  # nothing is looked at
    line = compute.__code__.co_firstlineno
    assert str(refused.value) == (
        f"the metric 'hit' returned {said}; `compute` must return a float. "
        f"({__file__}, line {line})"
    )
    half: Any = np.float32(0.5)
    assert replace(metric, compute=lambda _: half).value(made) == 0.5
