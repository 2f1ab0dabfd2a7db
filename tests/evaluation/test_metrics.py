"""Metrics: equal to scikit-learn's, weighted, and undefined rather than wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as reference

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation import METRICS, take

Make = Callable[..., Predictions]

BY_NAME = {metric.name: metric for metric in METRICS}
CLASSIFICATION = [metric for metric in METRICS if metric.task == "classification"]
REGRESSION = [metric for metric in METRICS if metric.task == "regression"]


def _near(value: float) -> Any:
    return pytest.approx(value, rel=1e-12, abs=1e-12, nan_ok=True)


# Quarters tie often and add up exactly, so that a weighted median has one right answer.
QUARTERS = st.integers(-6, 6).map(lambda k: k / 4)
FLOATS = st.floats(-5, 5, allow_nan=False, width=32)
WEIGHTS = st.integers(1, 12).map(lambda k: k / 4)


def _rows(*columns: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    return st.lists(st.tuples(*columns), min_size=2, max_size=50)


def _columns(rows: list[tuple[Any, ...]]) -> list[NDArray[Any]]:
    return [np.array(column) for column in zip(*rows, strict=True)]


BINARY_REFERENCE: dict[str, Callable[[Predictions, NDArray[np.bool_]], float]] = {
    "accuracy": lambda p, y: reference.accuracy_score(p.y_true, p.y_pred, sample_weight=p.weight),
    # Without costs; with them it is tested in tests/runs/test_mistake_costs.py.
    "mean_cost": lambda p, y: reference.zero_one_loss(p.y_true, p.y_pred, sample_weight=p.weight),
    "balanced_accuracy": lambda p, y: reference.balanced_accuracy_score(
        p.y_true, p.y_pred, sample_weight=p.weight
    ),
    "f1": lambda p, y: reference.f1_score(
        p.y_true, p.y_pred, pos_label=p.positive, sample_weight=p.weight
    ),
    "f1_macro": lambda p, y: reference.f1_score(
        p.y_true, p.y_pred, average="macro", sample_weight=p.weight
    ),
    "precision": lambda p, y: reference.precision_score(
        p.y_true, p.y_pred, pos_label=p.positive, sample_weight=p.weight, zero_division=math.nan
    ),
    "recall": lambda p, y: reference.recall_score(
        p.y_true, p.y_pred, pos_label=p.positive, sample_weight=p.weight
    ),
    "mcc": lambda p, y: reference.matthews_corrcoef(p.y_true, p.y_pred, sample_weight=p.weight),
    "roc_auc": lambda p, y: reference.roc_auc_score(y, p.decision, sample_weight=p.weight),
    "roc_auc_ovr": lambda p, y: reference.roc_auc_score(y, p.decision, sample_weight=p.weight),
    "average_precision": lambda p, y: reference.average_precision_score(
        y, p.decision, sample_weight=p.weight
    ),
    "log_loss": lambda p, y: reference.log_loss(
        p.y_true, p.probability, sample_weight=p.weight, labels=[0, 1]
    ),
    "brier": lambda p, y: reference.brier_score_loss(
        y, _probability(p)[:, p.positive], sample_weight=p.weight
    ),
}


def _probability(predictions: Predictions) -> NDArray[np.float64]:
    assert predictions.probability is not None
    return predictions.probability


@pytest.mark.parametrize("name", BINARY_REFERENCE)
@settings(max_examples=60)
@given(
    rows=_rows(st.integers(0, 1), st.one_of(QUARTERS, FLOATS), WEIGHTS),
    positive=st.sampled_from([0, 1]),
)
def test_a_binary_metric_equals_that_of_scikit_learn(
    name: str, binary: Make, rows: list[tuple[Any, ...]], positive: int
) -> None:
    y, decision, weight = _columns([(0, -1.0, 1.0), (1, 0.5, 0.25), *rows])
    predictions = binary(y, decision, weight, positive=positive)
    expected = BINARY_REFERENCE[name](predictions, y == positive)
    assert BY_NAME[name].compute(predictions) == _near(expected)


def test_every_metric_of_two_classes_is_compared_with_scikit_learn_or_with_its_definition() -> None:
    assert {metric.name for metric in CLASSIFICATION} - set(BINARY_REFERENCE) == {
        "caught_at_0.1",
        "caught_at_0.5",
    }


MULTICLASS_REFERENCE: dict[str, Callable[[Predictions], float]] = {
    "accuracy": lambda p: reference.accuracy_score(p.y_true, p.y_pred, sample_weight=p.weight),
    "mean_cost": lambda p: reference.zero_one_loss(p.y_true, p.y_pred, sample_weight=p.weight),
    "balanced_accuracy": lambda p: reference.balanced_accuracy_score(
        p.y_true, p.y_pred, sample_weight=p.weight
    ),
    "f1_macro": lambda p: reference.f1_score(
        p.y_true, p.y_pred, average="macro", sample_weight=p.weight
    ),
    "mcc": lambda p: reference.matthews_corrcoef(p.y_true, p.y_pred, sample_weight=p.weight),
    "roc_auc_ovr": lambda p: reference.roc_auc_score(
        p.y_true, p.probability, sample_weight=p.weight, multi_class="ovr"
    ),
    "log_loss": lambda p: reference.log_loss(
        p.y_true, p.probability, sample_weight=p.weight, labels=[0, 1, 2]
    ),
    "brier": lambda p: reference.brier_score_loss(
        p.y_true, p.probability, sample_weight=p.weight, labels=[0, 1, 2]
    ),
}


@pytest.mark.parametrize("name", MULTICLASS_REFERENCE)
@settings(max_examples=60)
@given(
    rows=_rows(st.integers(0, 2), *[st.integers(1, 6)] * 3, WEIGHTS),
)
def test_a_multiclass_metric_equals_that_of_scikit_learn(
    name: str, multiclass: Make, rows: list[tuple[Any, ...]]
) -> None:
    y, a, b, c, weight = _columns([(0, 1, 2, 3, 1.0), (1, 1, 2, 1, 0.25), (2, 4, 1, 1, 2.0), *rows])
    odds = np.column_stack([a, b, c]).astype(np.float64)
    predictions = multiclass(y, odds / odds.sum(axis=1, keepdims=True), weight)
    expected = MULTICLASS_REFERENCE[name](predictions)
    assert BY_NAME[name].compute(predictions) == _near(expected)


def test_every_metric_of_more_than_two_classes_is_compared_on_three_classes() -> None:
    assert {m.name for m in CLASSIFICATION if m.n_classes != "two"} == set(MULTICLASS_REFERENCE)


REGRESSION_REFERENCE: dict[str, Callable[..., float]] = {
    "mae": reference.mean_absolute_error,
    "rmse": reference.root_mean_squared_error,
    "r2": reference.r2_score,
    "median_ae": reference.median_absolute_error,
}


@pytest.mark.parametrize("name", REGRESSION_REFERENCE)
@pytest.mark.parametrize("offset", [0.0, 1000.0])
@settings(max_examples=60)
@given(rows=_rows(QUARTERS, QUARTERS, WEIGHTS))
def test_a_regression_metric_equals_that_of_scikit_learn(
    name: str, offset: float, numeric: Make, rows: list[tuple[Any, ...]]
) -> None:
    y, y_pred, weight = _columns([(0.0, 1.0, 1.0), (2.5, 2.0, 0.5), *rows])
    predictions = numeric(y + offset, y_pred + offset, weight)
    expected = REGRESSION_REFERENCE[name](y + offset, y_pred + offset, sample_weight=weight)
    assert BY_NAME[name].compute(predictions) == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_the_median_error_of_equal_weights_is_the_plain_median(numeric: Make) -> None:
    error = np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.0])
    for weight in (1.0, 0.1, 1 / 3):
        predictions = numeric(np.zeros(6), error, np.full(6, weight))
        assert BY_NAME["median_ae"].compute(predictions) == 2.5


@settings(max_examples=60)
@given(rows=_rows(st.integers(0, 1), QUARTERS, WEIGHTS), limit=st.sampled_from([0.001, 0.005]))
def test_caught_is_the_most_that_any_threshold_within_the_limit_catches(
    binary: Make, rows: list[tuple[Any, ...]], limit: float
) -> None:
    # Many easy negatives, or no threshold but the strictest would keep to so small a limit.
    easy = [(0, -9.0, 1.0)] * 600
    y, decision, weight = _columns([(1, 0.5, 0.25), *easy, *rows])
    predictions = binary(y, decision, weight)
    negative, positive = y == 0, y == 1
    best = 0.0
    for threshold in np.unique(decision):
        above = decision > threshold
        if weight[above & negative].sum() / weight[negative].sum() <= limit:
            best = max(best, weight[above & positive].sum() / weight[positive].sum())
    name = f"caught_at_{100 * limit:g}"
    assert BY_NAME[name].compute(predictions) == _near(best)


def test_tied_items_are_caught_only_if_the_whole_tie_keeps_to_the_limit(binary: Make) -> None:
    y = np.array([1, 1, 0, 1] + [0] * 999)
    decision = np.array([3.0, 2.0, 1.0, 1.0] + [-1.0] * 999)
    caught = BY_NAME["caught_at_0.1"].compute
    assert caught(binary(y, decision)) == 1.0
    tied = np.where(np.arange(len(y)) == 4, 1.0, decision)
    assert caught(binary(y, tied)) == pytest.approx(2 / 3)


def test_a_single_blocked_negative_of_a_thousand_is_within_a_tenth_of_a_percent(
    binary: Make,
) -> None:
    y = np.array([0, 1] + [0] * 999)
    decision = np.array([2.0, 1.0] + [-1.0] * 999)
    assert BY_NAME["caught_at_0.1"].compute(binary(y, decision)) == 1.0
    assert BY_NAME["caught_at_0.1"].compute(binary(y[:-1], decision[:-1])) == 0.0


@pytest.mark.parametrize("metric", CLASSIFICATION, ids=lambda metric: metric.name)
@pytest.mark.parametrize("only", [0, 1])
def test_a_metric_is_undefined_without_a_warning_where_its_class_is_absent(
    metric: Metric, only: int, binary: Make
) -> None:
    predictions = binary(np.full(4, only), np.array([-1.0, 2.0, 0.5, 0.5]))
    value = metric.compute(predictions)
    of_any_truth = metric.name in ("accuracy", "mean_cost", "log_loss", "brier")
    of_positives = metric.name in ("f1", "recall", "precision") and only == 1
    assert math.isnan(value) != (of_any_truth or of_positives)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_of_no_items_or_of_weightless_items_is_undefined(
    metric: Metric, binary: Make, numeric: Make
) -> None:
    make = binary if metric.task == "classification" else numeric
    assert math.isnan(metric.compute(make(np.zeros(0), np.zeros(0))))
    weightless = make(np.array([0, 1, 1]), np.array([0.1, 0.5, -1.0]), np.zeros(3))
    assert math.isnan(metric.compute(weightless))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_row_of_weight_zero_counts_like_no_row_and_of_weight_two_like_two(
    metric: Metric, binary: Make, numeric: Make
) -> None:
    rng = np.random.default_rng(0)
    make = binary if metric.task == "classification" else numeric
    truth = rng.integers(0, 2, 300)
    times = rng.integers(0, 3, 300)
    weighted = make(truth, np.round(rng.normal(size=300) + truth, 1), times)
    repeated = take(weighted.with_weight(np.ones(300)), np.repeat(np.arange(300), times))
    assert metric.compute(weighted) == _near(metric.compute(repeated))


def test_f1_is_zero_where_nothing_is_found_and_precision_is_undefined(binary: Make) -> None:
    predictions = binary(np.array([0, 1, 1]), np.array([-1.0, -2.0, -3.0]))
    assert BY_NAME["f1"].compute(predictions) == 0.0
    assert BY_NAME["mcc"].compute(predictions) == 0.0
    assert math.isnan(BY_NAME["precision"].compute(predictions))


def test_metrics_of_probabilities_are_undefined_without_probabilities(binary: Make) -> None:
    predictions = replace(binary(np.array([0, 1]), np.array([-1.0, 1.0])), probability=None)
    for metric in CLASSIFICATION:
        assert math.isnan(metric.compute(predictions)) == (metric.needs == "probability")


def test_metrics_that_need_only_predictions_ignore_decisions_and_probabilities(
    binary: Make,
) -> None:
    predictions = binary(np.array([0, 1, 1, 0]), np.array([-1.0, 1.0, -0.5, 2.0]))
    blind = replace(predictions, decision=np.zeros(4), probability=None)
    for metric in CLASSIFICATION:
        if metric.needs == "prediction":
            assert metric.compute(blind) == metric.compute(predictions)


def test_r2_is_undefined_for_a_constant_target(numeric: Make) -> None:
    r2 = BY_NAME["r2"].compute
    assert math.isnan(r2(numeric(np.full(5, 0.1), np.arange(5.0))))
    assert math.isnan(r2(numeric(np.array([0.1, 0.7]), np.arange(2.0), np.array([0.3, 0.0]))))


def test_names_are_unique_and_titles_and_summaries_are_written() -> None:
    assert len(BY_NAME) == len(METRICS)
    for metric in METRICS:
        assert metric.title
        assert metric.summary
        assert not metric.summary.endswith(".")
    assert BY_NAME["caught_at_0.1"].title == "caught at 0.1% blocked"
    assert BY_NAME["accuracy"].format(0.98765) == "98.77%"
    assert BY_NAME["mae"].format(12.3456, "mmHg") == "12.35 mmHg"


def test_roc_auc_ranks_within_the_parts(binary: Make) -> None:
    """Two models' decisions may be in quite other units; pairs across them say nothing."""
    truth, decision = [0, 0, 1, 1, 0, 1], [-3.0, -2.0, -1.5, -1.0, 10.0, 11.0]
    together = binary(truth, decision)
    apart = replace(together, part=np.array([0, 0, 0, 0, 1, 1]))
    auc = BY_NAME["roc_auc"].compute
    assert auc(together) == pytest.approx(7 / 9)
    assert auc(apart) == 1.0
    # All pairs count alike: 4 of the first part and 1 of the second.
    wrong = replace(apart, decision=np.array([-3.0, -2.0, -1.5, -1.0, 11.0, 10.0]))
    assert auc(wrong) == pytest.approx(4 / 5)


def test_roc_auc_skips_parts_of_one_class(binary: Make) -> None:
    decided = binary([0, 1, 1, 1, 0], [0.0, 1.0, -9.0, -8.0, -7.0])
    auc = BY_NAME["roc_auc"].compute
    assert auc(replace(decided, part=np.array([0, 0, 1, 1, 2]))) == 1.0
    # Where each part is one item, all are ranked together.
    assert auc(replace(decided, part=np.arange(5))) == auc(decided) == pytest.approx(2 / 6)


def test_roc_auc_of_three_classes_ranks_within_the_parts(multiclass: Make) -> None:
    sure = np.eye(3)[[0, 1, 2, 0, 1, 2]]
    shifted = sure + np.array([0, 0, 0, 9, 9, 9])[:, np.newaxis]
    told = multiclass([0, 1, 2, 0, 1, 2], shifted)
    auc = BY_NAME["roc_auc_ovr"].compute
    assert auc(told) < 1.0
    assert auc(replace(told, part=np.array([0, 0, 0, 1, 1, 1]))) == 1.0


def test_roc_auc_of_patients_who_are_all_of_one_class_ranks_them_all(binary: Make) -> None:
    """One patient with both classes says nothing of the others."""
    truth = np.array([0, 1] * 15 + [1, 0])
    decision = np.where(truth == 1, 1.0, -1.0)
    decision[-2:] = [-0.5, 0.5]
    own = binary(truth, decision)
    auc = BY_NAME["roc_auc"].compute
    parts = np.append(np.arange(30), [30, 30])
    assert auc(replace(own, part=parts)) == auc(own) > 0.99
    # Here most positives have somebody of their part to be ranked against.
    assert auc(replace(own, part=np.append(np.repeat(np.arange(15), 2), [15, 15]))) == 15 / 16


def test_average_precision_ranks_all_parts_together_so_that_few_positives_do_not_flatter_it(
    binary: Make,
) -> None:
    """Decisions by chance have as much precision as there are positives, however they are parted.

    The mean over parts of ten rows with one positive each would be 0.29.
    """
    rng, compute = np.random.default_rng(0), BY_NAME["average_precision"].compute
    part = np.repeat(np.arange(20), 10)
    found, by_part = [], []
    for _ in range(30):
        told = replace(binary(np.tile([1] + [0] * 9, 20), rng.normal(size=200)), part=part)
        assert compute(told) == compute(replace(told, part=None))
        found.append(compute(told))
        by_part.append(np.mean([compute(take(told, part == one)) for one in range(20)]))
    assert np.mean(found) < 0.13
    assert np.mean(by_part) == pytest.approx(0.29, abs=0.02)


def test_no_value_is_out_of_its_metrics_bounds_and_the_best_is_at_one(
    binary: Make, multiclass: Make, numeric: Make
) -> None:
    rng = np.random.default_rng(0)
    y, odds, target = rng.integers(0, 2, 60), rng.random((60, 3)), rng.normal(size=60)
    three = rng.integers(0, 3, 60)
    cases = (
        (2, binary(y, rng.normal(size=60)), binary(y, 100.0 * (2 * y - 1))),
        (
            3,
            multiclass(three, odds / odds.sum(axis=1)[:, None]),
            multiclass(three, np.eye(3)[three]),
        ),
        (0, numeric(target, rng.normal(size=60)), numeric(target, target)),
    )
    seen = set()
    for n_classes, any_, best in cases:
        for metric in METRICS:
            if not metric.fits(best.task, n_classes):
                continue
            least, most = metric.bounds
            assert least <= metric.compute(any_) <= most, metric.name
            end = most if metric.greater_is_better else least
            assert metric.compute(best) == pytest.approx(end), metric.name
            seen.add(metric.name)
    assert seen == {metric.name for metric in METRICS}
