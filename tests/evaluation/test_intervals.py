"""Bootstrap intervals and scores by fold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation import (
    METRICS,
    Interval,
    bootstrap_intervals,
    fold_scores,
    paired_intervals,
)

Make = Callable[..., Predictions]

CLASSIFICATION = [metric for metric in METRICS if metric.task == "classification"]
REGRESSION = [metric for metric in METRICS if metric.task == "regression"]
ACCURACY = METRICS[:1]


def _simulated(binary: Make, seed: int, n: int = 400) -> Predictions:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.3).astype(int)
    return binary(y, rng.normal(size=n) + 2 * y - 1)


def test_the_value_is_exactly_that_of_the_metric_and_lies_inside(
    binary: Make, numeric: Make
) -> None:
    for metrics, predictions in (
        (CLASSIFICATION, _simulated(binary, 0)),
        (REGRESSION, numeric(np.arange(50.0), np.arange(50.0) + np.sin(np.arange(50.0)))),
    ):
        intervals = bootstrap_intervals(predictions, metrics, resamples=200, random_state=0)
        assert list(intervals) == [metric.name for metric in metrics]
        for metric in metrics:
            if metric.name.startswith("caught"):
                continue  # 280 negatives tell nothing of 0.5% of them
            interval = intervals[metric.name]
            assert interval.value == metric.compute(predictions)
            assert interval.low <= interval.value <= interval.high
            assert interval.value in interval
            assert interval.width == interval.high - interval.low > 0


def test_the_formulas_give_under_many_weightings_what_they_give_one_by_one(
    binary: Make, multiclass: Make, numeric: Make
) -> None:
    rng = np.random.default_rng(1)
    odds = rng.random((120, 3))
    cases = (
        (CLASSIFICATION, _simulated(binary, 1, n=120)),
        (
            [metric for metric in CLASSIFICATION if metric.n_classes != "two"],
            multiclass(rng.integers(0, 3, 120), odds / odds.sum(axis=1, keepdims=True)),
        ),
        (REGRESSION, numeric(rng.normal(size=120), rng.normal(size=120))),
    )
    for metrics, predictions in cases:
        # A lambda hides the formula, so that each resample is computed on its own.
        slow = [
            Metric(
                name=metric.name,
                title="",
                summary="",
                task=metric.task,
                compute=lambda p, metric=metric: metric.compute(p),  # type: ignore[misc]  # mypy does not type defaults of lambdas
                n_classes=metric.n_classes,
                quantile=metric.quantile,
            )
            for metric in metrics
        ]
        fast = bootstrap_intervals(predictions, metrics, resamples=150, random_state=3)
        for name, expected in bootstrap_intervals(
            predictions, slow, resamples=150, random_state=3
        ).items():
            assert fast[name].low == pytest.approx(expected.low, rel=1e-10, nan_ok=True)
            assert fast[name].high == pytest.approx(expected.high, rel=1e-10, nan_ok=True)
            assert fast[name].left_out == expected.left_out


def test_the_seed_decides_the_draws(binary: Make) -> None:
    predictions = _simulated(binary, 2)
    first = bootstrap_intervals(predictions, CLASSIFICATION, resamples=300, random_state=5)
    assert first == bootstrap_intervals(predictions, CLASSIFICATION, resamples=300, random_state=5)
    assert first != bootstrap_intervals(predictions, CLASSIFICATION, resamples=300, random_state=6)


def test_the_intervals_cover_the_truth_about_as_often_as_they_promise(binary: Make) -> None:
    covered = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 2, 200)
        right = rng.random(200) < 0.8
        predictions = binary(y, np.where(right, 1.0, -1.0) * (2 * y - 1))
        (interval,) = bootstrap_intervals(
            predictions, ACCURACY, resamples=300, confidence=0.9, random_state=seed
        ).values()
        covered += 0.8 in interval
    # 0.9 of 300 is 270 with a standard deviation of 5.
    assert 250 <= covered <= 288


def test_the_width_is_that_of_the_binomial_distribution(binary: Make) -> None:
    n = 1000
    y = np.repeat([0, 1], n // 2)
    wrong = np.arange(n) % 10 == 0
    predictions = binary(y, np.where(wrong, -1.0, 1.0) * (2 * y - 1))
    (interval,) = bootstrap_intervals(
        predictions, ACCURACY, resamples=4000, confidence=0.95, random_state=0
    ).values()
    assert interval.width == pytest.approx(2 * 1.96 * math.sqrt(0.9 * 0.1 / n), rel=0.08)


def test_more_confidence_makes_a_wider_interval(binary: Make) -> None:
    predictions = _simulated(binary, 3)
    widths = [
        bootstrap_intervals(
            predictions, ACCURACY, resamples=500, confidence=confidence, random_state=0
        )["accuracy"].width
        for confidence in (0.6, 0.8, 0.95, 0.99)
    ]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_groups_that_are_right_or_wrong_together_make_a_wider_interval(binary: Make) -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    right = rng.random(40)[groups] < 0.8
    y = rng.integers(0, 2, 400)
    predictions = binary(y, np.where(right, 1.0, -1.0) * (2 * y - 1))
    items = bootstrap_intervals(predictions, ACCURACY, random_state=0)["accuracy"]
    grouped = bootstrap_intervals(predictions, ACCURACY, groups=groups, random_state=0)["accuracy"]
    # Ten rows that agree are worth one: the interval is wider by the root of ten.
    assert grouped.width / items.width == pytest.approx(math.sqrt(10), rel=0.2)


def test_groups_of_one_row_each_are_items(binary: Make) -> None:
    predictions = _simulated(binary, 4)
    names = np.array([f"g{k:03}" for k in range(len(predictions))])
    assert bootstrap_intervals(predictions, ACCURACY, groups=names, random_state=0) == (
        bootstrap_intervals(predictions, ACCURACY, random_state=0)
    )


def test_resamples_without_a_class_are_left_out_of_its_metrics_and_counted(binary: Make) -> None:
    y = np.array([1] + [0] * 119)
    predictions = binary(y, np.linspace(1, -1, 120))
    intervals = bootstrap_intervals(predictions, CLASSIFICATION, random_state=0)
    assert intervals["accuracy"].left_out == 0
    # The chance that an item is not drawn in 120 draws is 0.36.
    assert 300 < intervals["recall"].left_out < 430
    assert intervals["roc_auc"].left_out == intervals["recall"].left_out
    assert intervals["roc_auc"].low < 1.0 == intervals["roc_auc"].high


def test_a_metric_that_is_undefined_has_no_interval(binary: Make) -> None:
    predictions = binary(np.zeros(120), np.linspace(-1, 1, 120))
    interval = bootstrap_intervals(predictions, CLASSIFICATION, resamples=100, random_state=0)
    assert math.isnan(interval["roc_auc"].low)
    assert math.isnan(interval["roc_auc"].high)
    assert interval["roc_auc"].left_out == 100
    assert 0.5 not in interval["roc_auc"]


def test_the_items_own_weight_counts_in_the_resamples(binary: Make) -> None:
    y = np.arange(200) % 2
    wrong = np.arange(200) < 100
    predictions = binary(y, np.where(wrong, -1.0, 1.0) * (2 * y - 1), np.where(wrong, 1.0, 9.0))
    interval = bootstrap_intervals(predictions, ACCURACY, random_state=0)["accuracy"]
    assert interval.value == 0.9
    assert 0.85 < interval.low < 0.9 < interval.high < 0.95


def test_groups_of_another_length_and_no_predictions_are_refused(binary: Make) -> None:
    predictions = _simulated(binary, 5, n=20)
    with pytest.raises(ValueError, match="groups has 3 rows and there are 20 predictions"):
        bootstrap_intervals(predictions, ACCURACY, groups=np.zeros(3))
    with pytest.raises(ValueError, match="there are no predictions to resample"):
        bootstrap_intervals(binary(np.zeros(0), np.zeros(0)), ACCURACY)


def test_an_interval_knows_what_lies_in_it() -> None:
    interval = Interval(0.5, 0.4, 0.7)
    assert 0.4 in interval
    assert 0.7 in interval
    assert 0.71 not in interval
    assert float("nan") not in interval


def test_a_fold_scores_as_its_rows_alone_do(binary: Make) -> None:
    y = np.array([0, 1, 0, 1, 1, 1])
    predictions = binary(y, np.array([-1.0, 1.0, 2.0, 1.0, 1.0, -1.0]))
    scores = fold_scores(predictions, np.array([2, 2, 0, 0, 1, 1]), CLASSIFICATION)
    assert scores["accuracy"] == (0.5, 0.5, 1.0)
    assert scores["recall"] == (1.0, 0.5, 1.0)
    assert math.isnan(scores["roc_auc"][1])
    with pytest.raises(ValueError, match="folds has 2 rows and there are 6"):
        fold_scores(predictions, np.array([0, 1]), ACCURACY)


def test_a_model_differs_from_itself_by_nothing(binary: Make) -> None:
    own = _simulated(binary, 0)
    for interval in paired_intervals(own, own, CLASSIFICATION, resamples=100).values():
        assert (interval.value, interval.low, interval.high) == (0, 0, 0)


def test_a_paired_difference_is_surer_than_two_intervals(binary: Make) -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(400) < 0.3).astype(int)
    decision = rng.normal(size=400) + 2 * y - 1
    # The second model errs where the first does, and on a few more items.
    worse = np.where(np.arange(400) % 40 == 0, -decision, decision)
    first, second = binary(y, decision), binary(y, worse)
    gain = paired_intervals(first, second, ACCURACY)["accuracy"]
    single = bootstrap_intervals(first, ACCURACY)["accuracy"]
    assert gain.value == pytest.approx(
        ACCURACY[0].compute(first) - ACCURACY[0].compute(second), abs=1e-12
    )
    assert gain.width < single.width


def test_a_paired_interval_covers_the_true_difference_as_often_as_it_promises(binary: Make) -> None:
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        y = (rng.random(300) < 0.5).astype(int)
        # Each errs on its own account: on 10% and on 20% of all items.
        first = np.where(rng.random(300) < 0.1, 1 - y, y) - 0.5
        second = np.where(rng.random(300) < 0.2, 1 - y, y) - 0.5
        gain = paired_intervals(
            binary(y, first), binary(y, second), ACCURACY, resamples=300, random_state=seed
        )["accuracy"]
        covered += 0.1 in gain
    assert 88 <= covered <= 100


def test_predictions_of_other_items_are_not_paired(binary: Make) -> None:
    own = _simulated(binary, 0)
    with pytest.raises(ValueError, match="not of the same items"):
        paired_intervals(own, replace(own, ids=own.ids[::-1]), ACCURACY)


def test_twenty_of_twenty_right_leave_open_what_the_exact_binomial_interval_does(
    binary: Make, multiclass: Make
) -> None:
    y = np.repeat([0, 1], 10)
    flawless = binary(y, 2.0 * y - 1)
    intervals = bootstrap_intervals(flawless, CLASSIFICATION, random_state=0)
    exact = 0.025 ** (1 / 20)
    assert intervals["accuracy"].low == pytest.approx(exact)
    for name in ("accuracy", "f1", "mcc", "roc_auc"):
        assert intervals[name].value == pytest.approx(1) == intervals[name].high
        assert 0.5 < intervals[name].low < 0.9, name
    # Within held-out parts too, where decisions are ranked part by part.
    parted = replace(flawless, part=np.arange(20) % 2)
    assert 0.5 < bootstrap_intervals(parted, CLASSIFICATION)["roc_auc"].low < 0.9
    three = np.repeat([0, 1, 2], 10)
    interval = bootstrap_intervals(multiclass(three, np.eye(3)[three]), ACCURACY)["accuracy"]
    assert interval.low == pytest.approx(0.025 ** (1 / 30))
    grouped = bootstrap_intervals(flawless, ACCURACY, groups=np.arange(20) // 2)["accuracy"]
    assert grouped.low == pytest.approx(0.025 ** (1 / 10))


def test_a_rare_class_that_was_found_whole_leaves_open_what_its_own_items_do(
    binary: Make,
) -> None:
    y = np.repeat([1, 0], [5, 195])
    exact = 0.025 ** (1 / 5)
    # Without a mistake, and with five wanted ones blocked.
    for wrong in (0, 5):
        decision = 2.0 * y - 1
        decision[195 : 195 + wrong] = 1
        interval = bootstrap_intervals(binary(y, decision), CLASSIFICATION)["recall"]
        assert interval.low == pytest.approx(exact)
        assert interval.high == 1
    accuracy = bootstrap_intervals(binary(y, 2.0 * y - 1), ACCURACY)["accuracy"]
    assert accuracy.low == pytest.approx(0.025 ** (1 / 200), abs=1e-3)
    grouped = bootstrap_intervals(
        binary(y, 2.0 * y - 1), CLASSIFICATION, groups=np.arange(200) // 2
    )["recall"]
    assert grouped.low == pytest.approx(0.025 ** (1 / 3))


def test_a_perfect_ranking_is_left_open_though_labels_are_wrong(binary: Make) -> None:
    y = np.repeat([0, 1], 10)
    decision = np.where(y == 1, 5.0, 1.0) + np.linspace(0, 1, 20)
    intervals = bootstrap_intervals(binary(y, decision), CLASSIFICATION, random_state=0)
    assert intervals["accuracy"].value == 0.5
    assert intervals["roc_auc"].value == intervals["roc_auc"].high == 1
    assert 0.5 < intervals["roc_auc"].low < 0.9
    # What never changes but is not at its best stays as it is; of few it may be chance.
    many = np.repeat([0, 1], 60)
    idle = bootstrap_intervals(binary(many, np.full(120, -1.0)), CLASSIFICATION, random_state=0)
    assert idle["f1"].low == idle["f1"].high == 0
    assert idle["roc_auc"].low == idle["roc_auc"].high == 0.5


def test_one_mistake_is_enough_for_resamples_to_tell(binary: Make) -> None:
    y = np.repeat([0, 1], 50)
    decision = 2.0 * y - 1
    decision[0] = 1
    interval = bootstrap_intervals(binary(y, decision), ACCURACY, random_state=0)["accuracy"]
    assert interval.high == 1
    assert interval.low == pytest.approx(0.97, abs=0.011)


def test_two_models_without_a_mistake_may_differ_by_what_neither_shows(binary: Make) -> None:
    y = np.repeat([0, 1], 10)
    one, other = binary(y, 2.0 * y - 1), binary(y, 4.0 * y - 2)
    gain = paired_intervals(one, other, ACCURACY, random_state=0)["accuracy"]
    assert gain.value == 0
    assert gain.high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert gain.low == -gain.high


def test_rows_that_weigh_nothing_are_no_evidence(binary: Make) -> None:
    y = np.repeat([0, 1], 10)
    weight = np.r_[np.ones(4), np.zeros(6), np.ones(4), np.zeros(6)]
    interval = bootstrap_intervals(binary(y, 2.0 * y - 1, weight), ACCURACY)["accuracy"]
    assert interval.low == pytest.approx(0.025 ** (1 / 8))
