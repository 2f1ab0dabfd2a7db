"""Intervals over few items or groups: each is left out once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation import METRICS, bootstrap_intervals, draws, take

Make = Callable[..., Predictions]

CLASSIFICATION = [metric for metric in METRICS if metric.task == "classification"]
REGRESSION = [metric for metric in METRICS if metric.task == "regression"]
ACCURACY = METRICS[:1]


def _rated_by_group(binary: Make, rng: np.random.Generator, n_groups: int) -> Predictions:
    """Each group is right on its own share of its rows: 0.9 on average, give or take 0.07."""
    drawn = np.repeat(np.arange(n_groups), 40)
    share = rng.beta(15.6, 1.73, n_groups)
    right = rng.random(len(drawn)) < share[drawn]
    y = rng.integers(0, 2, len(drawn))
    return replace(binary(y, np.where(right, 1.0, -1.0) * (2 * y - 1)), drawn=drawn)


@pytest.mark.parametrize("n_groups", [3, 5, 8])
def test_few_groups_cover_the_truth_about_as_often_as_promised_and_resampling_them_does_not(
    binary: Make, n_groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def covered() -> float:
        rng = np.random.default_rng(0)
        shares = []
        for _ in range(300):
            one = _rated_by_group(binary, rng, n_groups)
            interval = bootstrap_intervals(one, ACCURACY, groups=one.drawn, resamples=200)
            shares.append(0.9 in interval["accuracy"])
        return float(np.mean(shares))

    # 0.95 has a standard deviation of 0.013 over 300.
    assert covered() == pytest.approx(0.95, abs=0.035)
    monkeypatch.setattr(draws, "FEW", 0)
    assert covered() < 0.9


def test_few_groups_of_one_size_have_the_interval_of_student_on_the_log_odds(binary: Make) -> None:
    one = _rated_by_group(binary, np.random.default_rng(1), 5)
    assert one.drawn is not None
    (interval,) = bootstrap_intervals(one, ACCURACY, groups=one.drawn).values()
    shares = (one.y_true == one.y_pred).reshape(5, 40).mean(axis=1)
    mean, error = shares.mean(), shares.std(ddof=1) / math.sqrt(5)
    middle, reach = math.log(mean / (1 - mean)), 2.7764451 * error / (mean * (1 - mean))
    ends = [1 / (1 + math.exp(-(middle + side))) for side in (-reach, reach)]
    assert [interval.low, interval.high] == pytest.approx(ends)


def test_few_groups_give_intervals_within_the_metrics_bounds(binary: Make, numeric: Make) -> None:
    wide = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(4), 12)
        y = rng.integers(0, 2, 48)
        skill = rng.choice([-0.5, 1.0, 4.0], 4)[groups]
        truth = rng.normal(size=48)
        for metrics, predictions in (
            (CLASSIFICATION, binary(y, rng.normal(size=48) + skill * (2 * y - 1))),
            (REGRESSION, numeric(truth, truth + rng.normal(size=48) * np.exp(skill))),
        ):
            found = bootstrap_intervals(predictions, metrics, groups=groups)
            for metric in metrics:
                interval = found[metric.name]
                if math.isnan(interval.low):
                    continue
                assert metric.bounds[0] <= interval.low <= interval.value, metric.name
                assert interval.value <= interval.high <= metric.bounds[1], metric.name
                wide += 1
    assert wide > 500


def test_fewer_than_three_groups_tell_nothing_of_how_sure_a_number_is(binary: Make) -> None:
    for n_groups in (1, 2):
        one = _rated_by_group(binary, np.random.default_rng(0), n_groups)
        interval = bootstrap_intervals(one, ACCURACY, groups=one.drawn)["accuracy"]
        assert 0.5 < interval.value < 1
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)


def test_a_metric_that_fails_on_nothing_is_asked_of_no_nothing(binary: Make) -> None:
    """Leaving out the only group leaves no row of any weight."""
    strict = Metric(
        name="strict",
        title="strict",
        summary="Share of items named rightly, which cannot be of none.",
        task="classification",
        compute=lambda told: float(np.average(told.y_true == told.y_pred, weights=told.weight)),
    )
    one = _rated_by_group(binary, np.random.default_rng(0), 1)
    interval = bootstrap_intervals(one, [strict], groups=one.drawn)["strict"]
    assert 0.5 < interval.value < 1
    assert math.isnan(interval.low)


def test_few_groups_that_are_alike_by_chance_have_no_interval_of_no_width(binary: Make) -> None:
    y = np.tile([0, 1], 10)
    wrong = np.arange(20) % 5 == 0
    alike = binary(y, np.where(wrong, -1.0, 1.0) * (2 * y - 1))
    interval = bootstrap_intervals(alike, ACCURACY, groups=np.arange(20) // 5)["accuracy"]
    assert interval.value == 0.8
    assert math.isnan(interval.low)
    # Without a mistake they say what the exact binomial interval does, however few they are.
    for size in (5, 10, 20):
        flawless = bootstrap_intervals(
            binary(y, 2.0 * y - 1), ACCURACY, groups=np.arange(20) // size
        )["accuracy"]
        assert flawless.high == 1
        assert flawless.low == pytest.approx(0.025 ** (size / 20))


def test_a_metric_that_needs_one_of_few_groups_has_no_interval(binary: Make) -> None:
    groups = np.repeat(np.arange(5), 8)
    y = (groups == 0).astype(int)
    rng = np.random.default_rng(0)
    found = bootstrap_intervals(binary(y, rng.normal(size=40)), CLASSIFICATION, groups=groups)
    assert found["recall"].left_out == 1
    assert math.isnan(found["recall"].low)
    assert found["accuracy"].left_out == 0
    assert found["accuracy"].low < found["accuracy"].high


def test_groups_of_no_weight_are_none_of_the_few(binary: Make) -> None:
    one = _rated_by_group(binary, np.random.default_rng(0), 30)
    assert one.drawn is not None
    weighed = replace(one, weight=(one.drawn < 5).astype(float))
    kept = take(one, one.drawn < 5)
    assert (
        bootstrap_intervals(weighed, ACCURACY, groups=one.drawn)["accuracy"]
        == (bootstrap_intervals(kept, ACCURACY, groups=kept.drawn)["accuracy"])
    )
