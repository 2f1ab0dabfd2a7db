"""Calibration curves, their error, and operating points."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from widemargin.contracts import Predictions
from widemargin.evaluation import (
    METRICS,
    calibration_curve,
    expected_calibration_error,
    operating_points,
)

Make = Callable[..., Predictions]


def _coins(binary: Make, said: float, true: float, n: int = 1000, positive: int = 1) -> Predictions:
    y = (np.arange(n) < true * n).astype(int)
    y = y if positive == 1 else 1 - y
    return binary(y, np.zeros(n), probability=np.full(n, said), positive=positive)


@pytest.mark.parametrize("positive", [0, 1])
def test_the_error_is_the_distance_between_promise_and_truth(binary: Make, positive: int) -> None:
    assert expected_calibration_error(_coins(binary, 0.8, 0.8, positive=positive)) < 1e-9
    error = expected_calibration_error(_coins(binary, 0.8, 0.5, positive=positive))
    assert error == pytest.approx(0.3)


def test_probabilities_that_are_drawn_from_have_next_to_no_error(binary: Make) -> None:
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    predictions = binary(rng.random(20_000) < p, np.zeros(20_000), probability=p)
    assert expected_calibration_error(predictions) < 0.015
    for part in calibration_curve(predictions):
        assert part.observed == pytest.approx(part.predicted, abs=0.05)


def test_the_curve_holds_every_item_once_and_leaves_empty_bins_out(binary: Make) -> None:
    p = np.array([0.0, 0.05, 0.5, 0.55, 1.0])
    curve = calibration_curve(binary(np.array([0, 0, 1, 0, 1]), np.zeros(5), probability=p))
    assert [part.n_samples for part in curve] == [2, 2, 1]
    assert [part.observed for part in curve] == [0.0, 0.5, 1.0]
    assert [part.predicted for part in curve] == pytest.approx([0.025, 0.525, 1.0])


def test_weights_count_in_the_curve(binary: Make) -> None:
    p = np.array([0.5, 0.5])
    predictions = binary(np.array([0, 1]), np.zeros(2), np.array([1.0, 3.0]), probability=p)
    (part,) = calibration_curve(predictions)
    assert part.observed == 0.75
    assert (part.n_samples, part.weight) == (2, 4.0)
    assert expected_calibration_error(predictions) == 0.25


def test_with_three_classes_the_likeliest_class_is_judged(multiclass: Make) -> None:
    probability = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.1, 0.2, 0.7]])
    curve = calibration_curve(multiclass(np.array([0, 1, 2, 2]), probability))
    assert [(part.predicted, part.observed) for part in curve] == [
        pytest.approx((0.6, 0.5)),
        pytest.approx((0.7, 1.0)),
    ]


def test_repeats_make_an_item_no_surer(binary: Make) -> None:
    y = np.array([1, 1, 1, 0] * 10)
    once = binary(y, np.zeros(40), probability=np.full(40, 0.75))
    often = binary(np.tile(y, 5), np.zeros(200), probability=np.full(200, 0.75))
    items = np.tile(np.arange(40), 5)
    often = replace(often, ids=items.astype(str))
    (one,), (five,) = calibration_curve(once), calibration_curve(often)
    assert (one.n_samples, one.n_items) == (40, 40)
    assert (five.n_samples, five.n_items) == (200, 40)
    assert one.n_independent == pytest.approx(40)
    assert five.n_independent == pytest.approx(40)
    flawless = replace(often, y_true=np.ones(200, dtype=np.int64))
    assert calibration_curve(flawless)[0].n_independent == pytest.approx(40)


def test_groups_that_go_together_count_as_one_and_others_as_many(binary: Make) -> None:
    y = np.repeat([1, 0], 50)
    predictions = binary(y, np.zeros(100), probability=np.full(100, 0.75))
    (alike,) = calibration_curve(replace(predictions, drawn=np.repeat(np.arange(10), 10)))
    assert 8 < alike.n_independent < 12
    (mixed,) = calibration_curve(replace(predictions, drawn=np.tile(np.arange(50), 2)))
    assert mixed.n_independent == pytest.approx(100)
    (one,) = calibration_curve(replace(predictions, drawn=np.zeros(100)))
    assert one.n_independent == 1
    # How alike members of a group are is told by all bins, for those where all came out alike too.
    sure = np.where(np.arange(100) < 50, 0.95, 0.65)
    y = np.where(np.arange(100) < 50, 1, np.arange(100) % 2)
    parted = binary(y, np.zeros(100), probability=sure)
    for drawn, least, most in ((np.arange(100) // 2, 49, 51), (np.arange(100) % 10, 9, 11)):
        curve = calibration_curve(replace(parted, drawn=drawn))
        assert least < curve[1].n_independent < most


def test_numbers_have_no_calibration(numeric: Make) -> None:
    predictions = numeric(np.arange(3.0), np.arange(3.0))
    assert calibration_curve(predictions) == ()
    assert math.isnan(expected_calibration_error(predictions))


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(st.integers(0, 1), st.integers(-6, 6), st.integers(1, 4)), max_size=40),
    limit=st.sampled_from([0.0, 0.01, 0.1, 0.5, 0.9]),
    positive=st.sampled_from([0, 1]),
)
def test_a_threshold_blocks_what_it_says_and_no_lower_one_keeps_to_the_limit(
    binary: Make, rows: list[tuple[int, int, int]], limit: float, positive: int
) -> None:
    y, decision, weight = np.array([(0, -1, 1), (1, 1, 1), *rows]).T
    predictions = binary(y, decision, weight, positive=positive)
    is_positive = y == positive
    (point,) = operating_points(predictions, [limit])

    def share(above: np.ndarray, of: np.ndarray) -> float:
        return float(weight[above & of].sum() / weight[of].sum())

    above = decision > point.threshold
    assert point.limit == limit
    assert share(above, ~is_positive) == pytest.approx(point.blocked)
    assert share(above, is_positive) == pytest.approx(point.caught)
    assert point.blocked <= limit
    assert share(decision >= point.threshold, ~is_positive) > limit


def test_operating_points_catch_what_the_metrics_say(binary: Make) -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(3000) < 0.2).astype(int)
    predictions = binary(y, np.round(rng.normal(size=3000) + 3 * y, 2))
    caught = {
        metric.name: metric.compute(predictions) for metric in METRICS if metric.n_classes == "two"
    }
    tenth, half = operating_points(predictions, [0.001, 0.005])
    assert tenth.caught == pytest.approx(caught["caught_at_0.1"], rel=1e-12)
    assert half.caught == pytest.approx(caught["caught_at_0.5"], rel=1e-12)
    assert tenth.threshold > half.threshold


def test_there_are_no_operating_points_without_both_classes(binary: Make) -> None:
    assert operating_points(binary(np.zeros(3), np.arange(3.0))) == ()
    assert operating_points(binary(np.ones(3), np.arange(3.0))) == ()
    assert operating_points(binary(np.zeros(0), np.zeros(0))) == ()


def test_operating_points_refuse_three_classes_and_impossible_limits(
    binary: Make, multiclass: Make
) -> None:
    three = multiclass(np.array([0, 1, 2]), np.eye(3))
    with pytest.raises(ValueError, match="operating points need two classes; there are 3"):
        operating_points(three)
    with pytest.raises(ValueError, match="lies from 0 to below 1; got 5"):
        operating_points(binary(np.array([0, 1]), np.array([-1.0, 1.0])), [5])
