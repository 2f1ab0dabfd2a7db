"""Intervals over few items or groups: each is left out once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation import METRICS, Interval, bootstrap_intervals, draws, take
from widemargin.evaluation.paired import paired_bootstrap

Make = Callable[..., Predictions]

CLASSIFICATION = [metric for metric in METRICS if metric.task == "classification"]
REGRESSION = [metric for metric in METRICS if metric.task == "regression"]
ACCURACY = METRICS[:1]
MAE, MEDIAN = (next(one for one in METRICS if one.name == name) for name in ("mae", "median_ae"))


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


@pytest.mark.parametrize("n_rows", [20, 30])
def test_few_rows_cover_what_ranks_and_what_errs_and_resampling_them_covers_less(
    binary: Make, n_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = [one for one in METRICS if one.name in ("roc_auc", "average_precision", "brier")]

    def draw(rng: np.random.Generator, n: int) -> Predictions:
        y = (rng.random(n) < 0.4).astype(int)
        decision = rng.normal(size=n) + 2 * y - 1
        return binary(y, decision, probability=1 / (1 + np.exp(-2 * decision)))

    population = draw(np.random.default_rng(99), 100_000)
    truth = {metric.name: metric.value(population) for metric in metrics}

    def covered() -> dict[str, float]:
        rng, inside = np.random.default_rng(0), []
        for _ in range(200):
            found = bootstrap_intervals(draw(rng, n_rows), metrics, resamples=200)
            inside.append([truth[name] in one for name, one in found.items()])
        return dict(zip(truth, np.mean(inside, axis=0), strict=True))

    ours = covered()
    monkeypatch.setattr(draws, "FEW", 0)
    plain = covered()
    assert min(ours.values()) > 0.9, ours
    assert sum(ours.values()) > sum(plain.values()) + 0.1, (ours, plain)


def test_an_error_of_few_rows_has_its_interval_on_the_scale_of_its_logarithm(numeric: Make) -> None:
    rng = np.random.default_rng(2)
    one = numeric(np.zeros(12), rng.normal(size=12))
    (interval,) = bootstrap_intervals(one, [MAE]).values()
    errors = np.abs(one.y_pred)
    reach = 2.2009852 * errors.std(ddof=1) / math.sqrt(12) / errors.mean()
    assert [interval.low, interval.high] == pytest.approx(
        [errors.mean() / math.exp(reach), errors.mean() * math.exp(reach)]
    )


@pytest.mark.parametrize("n_rows", [8, 15, 30])
def test_a_median_of_few_rows_covers_the_truth_about_as_often_as_promised(
    numeric: Make, n_rows: int
) -> None:
    rng, inside = np.random.default_rng(0), []
    for _ in range(400):
        one = numeric(np.zeros(n_rows), rng.normal(size=n_rows))
        (interval,) = bootstrap_intervals(one, [MEDIAN], resamples=300).values()
        inside.append(0.67449 in interval)
    assert 0.93 < np.mean(inside) < 0.99


def test_equal_models_medians_of_few_rows_seldom_differ(numeric: Make) -> None:
    rng, differ = np.random.default_rng(0), []
    for _ in range(300):
        one, other = (numeric(np.zeros(15), rng.normal(size=15)) for _ in range(2))
        test = paired_bootstrap(one, other, MEDIAN, resamples=300)
        assert test.by == "bootstrap"
        differ.append(test.p < 0.05)
    assert np.mean(differ) < 0.06


def test_a_median_of_five_rows_may_lie_beyond_them_all_and_has_no_interval(numeric: Make) -> None:
    for n_rows, there in ((5, False), (6, True)):
        one = numeric(np.zeros(n_rows), np.arange(1.0, n_rows + 1))
        other = numeric(np.zeros(n_rows), 2 * np.arange(1.0, n_rows + 1))
        (interval,) = bootstrap_intervals(one, [MEDIAN]).values()
        test = paired_bootstrap(one, other, MEDIAN)
        assert interval.value == (n_rows + 1) / 2
        assert test.difference == -interval.value
        assert math.isfinite(interval.low) == math.isfinite(test.p) == there
        # What is the same in all is the same, though so few tell nothing else.
        assert paired_bootstrap(one, one, MEDIAN).p == 1


@pytest.mark.parametrize("metric", [MAE, MEDIAN])
@pytest.mark.parametrize("n_rows", [6, 99])
def test_models_that_differ_alike_on_all_of_few_rows_have_no_p(
    numeric: Make, metric: Metric, n_rows: int
) -> None:
    errors = np.arange(1.0, n_rows + 1)
    one = numeric(np.zeros(n_rows), errors)
    for more, there in ((0.3, False), (0.0, True), (1e-15, True)):
        test = paired_bootstrap(one, numeric(np.zeros(n_rows), errors + more), metric)
        assert test.difference == pytest.approx(-more)
        assert math.isfinite(test.low) == math.isfinite(test.p) == bool(test.by) == there
        if there:
            assert (test.low, test.high, test.p) == (0, 0, 1)


def test_what_is_caught_has_an_interval_where_three_negatives_lie_beyond(binary: Make) -> None:
    caught = next(metric for metric in METRICS if metric.name == "caught_at_0.5")
    rng = np.random.default_rng(0)

    def interval(negatives: int, size: int = 1, apart: float = 3.0) -> Interval:
        y = np.repeat([0, 1], [negatives, 100])
        one = binary(y, rng.normal(size=len(y)) + apart * y - apart / 2)
        (found,) = bootstrap_intervals(
            one, [caught], groups=np.arange(len(y)) // size, resamples=100
        ).values()
        return found

    assert math.isfinite(interval(600).low)
    few = interval(599)
    assert 0 < few.value < 1
    assert math.isnan(few.low)
    # Negatives of one group are no evidence of their own.
    assert math.isnan(interval(600, size=2).low)
    # Without a mistake the exact binomial interval tells, as of every other metric.
    assert 0 < interval(50, apart=50.0).low < interval(50, apart=50.0).high == 1


@pytest.mark.parametrize("n_units", [10, 30, 99, 100])
def test_the_p_of_draws_is_the_level_at_which_their_interval_ends_at_0(n_units: int) -> None:
    drawn = np.random.default_rng(0).normal(1.0, 1.0, 20_001)
    p = draws.student_level(2 * float(np.mean(drawn <= 0)), n_units)
    low, _ = draws.ends_of(drawn, n_units, 1 - p)
    assert low == pytest.approx(0, abs=1e-3)
    assert (p > 2 * np.mean(drawn <= 0)) == (n_units < 100)
