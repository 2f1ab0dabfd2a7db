"""`svm.costs` and class weights: what decides labels, in the run and in what it saves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import widemargin
from widemargin.cli.predict_notes import legend
from widemargin.errors import ConfigError
from widemargin.evaluation import METRICS
from widemargin.runs.predictions import predictions_of
from widemargin.svm.calibration import least_cost

COSTS = {"malignant": 9.0}  # and 1.0 for benign, which sorts first
WEIGHTS = {"malignant": 8.0}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def _run(runs: Path, **svm: Any) -> widemargin.Run:
    return widemargin.run(
        "table", data={"source": "breast-cancer"}, svm={"C": 1.0, "gamma": 0.03, **svm}, runs=runs
    )


def _told(run: widemargin.Run) -> pd.DataFrame:
    return pd.read_parquet(run.path / "predictions.parquet")


@pytest.fixture(scope="module")
def costly(runs: Path) -> widemargin.Run:
    return _run(runs, costs=COSTS)


def test_an_item_is_called_costly_from_the_threshold_on_that_the_costs_imply(
    costly: widemargin.Run,
) -> None:
    told = _told(costly)
    expected = np.where(told["probability: malignant"] > 1 / 10, "malignant", "benign")
    assert (told["y_pred"].astype(str) == expected).all()
    between = told["probability: malignant"].between(0.1, 0.5, inclusive="neither")
    assert between.any()


def test_costs_change_labels_and_nothing_before_them(costly: widemargin.Run, runs: Path) -> None:
    plain = _run(runs)
    for column in ("probability: malignant", "decision"):
        assert (_told(plain)[column] == _told(costly)[column]).all()
    called = [(_told(run)["y_pred"].astype(str) == "malignant").sum() for run in (plain, costly)]
    assert called[0] < called[1]


def test_the_mean_cost_counts_what_each_mistake_costs(costly: widemargin.Run) -> None:
    told = _told(costly)
    wrong = told["y_true"].astype(str) != told["y_pred"].astype(str)
    each = np.where(told["y_true"].astype(str) == "malignant", 9.0, 1.0)
    read = predictions_of(told, costly.record.metrics)
    assert read is not None
    metric = next(one for one in METRICS if one.name == "mean_cost")
    assert metric.compute(read) == pytest.approx((each * wrong).mean())
    dummy = costly.record.metrics["baselines"]["dummy"]["metrics"]
    # To call all of them malignant costs 0.63 an item; to call none so, 3.35.
    assert dummy["accuracy"] == pytest.approx(212 / 569)


def test_the_worst_mistakes_are_the_surest_by_what_decided_the_labels(
    costly: widemargin.Run,
) -> None:
    told = _told(costly)
    wrong = told[told["y_true"].astype(str) != told["y_pred"].astype(str)]
    weighed = 9 * wrong["probability: malignant"] / (1 + 8 * wrong["probability: malignant"])
    sure = weighed.where(wrong["y_pred"].astype(str) == "malignant", 1 - weighed)
    expected = wrong["id"][sure.sort_values(ascending=False, kind="stable").index[:10]]
    content = json.loads((costly.path / "explanation.json").read_text(encoding="utf-8"))
    assert [one["id"] for one in content["mistakes"]] == expected.tolist()
    page = (costly.path / "report.html").read_text(encoding="utf-8")
    assert "most confidently so, by probabilities times what mistakes cost." in page


def test_the_saved_model_decides_by_the_costs(costly: widemargin.Run) -> None:
    from widemargin.data.assets import data_home

    X = costly.predictor.config.data.load(data_home()).X
    table = costly.predict(X.iloc[:200])
    shares = [one.probabilities["malignant"] for one in costly.predictor.predict(X.iloc[:200])]
    assert (table["label"] == np.where(np.array(shares) > 0.1, "malignant", "benign")).all()
    assert costly.predictor.threshold is not None
    plain_threshold = costly.predictor.model.calibration.probabilities(
        np.array([costly.predictor.threshold])
    )[0]
    assert plain_threshold[1] == pytest.approx(0.1, abs=1e-6)


def test_a_cost_of_no_class_is_refused_by_name(runs: Path) -> None:
    with pytest.raises(ConfigError, match=r"svm\.costs.*'cancer' is no class.*benign, malignant"):
        _run(runs, costs={"cancer": 2})
    with pytest.raises(ConfigError, match=r"svm\.costs.*costs are of classes"):
        widemargin.run(
            "table", data={"source": "diabetes"}, svm={"C": 1, "costs": {"a": 2}}, runs=runs
        )


@given(
    probability=st.lists(st.floats(0.01, 1), min_size=2, max_size=6),
    costs=st.lists(st.floats(0.1, 100), min_size=6, max_size=6),
)
def test_no_other_class_has_a_smaller_expected_cost(
    probability: list[float], costs: list[float]
) -> None:
    shares = np.array(probability) / sum(probability)
    own = np.array(costs[: len(shares)])
    expected = [(own * shares).sum() - own[j] * shares[j] for j in range(len(shares))]
    chosen = int(least_cost(shares[None], tuple(own))[0])
    assert expected[chosen] == pytest.approx(min(expected))


@pytest.mark.parametrize("costs", ["none", COSTS])
def test_class_weights_leave_probabilities_to_the_items_as_they_come(
    runs: Path, costs: Any
) -> None:
    run = _run(runs, class_weight=WEIGHTS, costs=costs)
    told = _told(run)
    truth = (told["y_true"].astype(str) == "malignant").mean()
    # Smoothed targets keep the heavier class from certainty, as if it were the rarer one.
    assert told["probability: malignant"].mean() == pytest.approx(truth, abs=0.015)
    assert run.record.metrics["label_weights"] == [1.0, 8.0 if costs == "none" else 9.0]


@pytest.fixture(scope="module", params=["sigmoid", "isotonic"])
def weighed(runs: Path, request: pytest.FixtureRequest) -> widemargin.Run:
    return _run(runs, class_weight=WEIGHTS, calibration=request.param)


def test_class_weights_decide_labels_as_costs_do(weighed: widemargin.Run) -> None:
    told = _told(weighed)
    probability = told["probability: malignant"]
    expected = np.where(probability > 1 / 9, "malignant", "benign")
    assert (told["y_pred"].astype(str) == expected).all()
    assert probability.between(1 / 9, 0.5, inclusive="neither").any()
    read = predictions_of(told, weighed.record.metrics)
    assert read is not None
    assert (read.costs, read.label_weights) == ((), (1.0, 8.0))
    page = (weighed.path / "report.html").read_text(encoding="utf-8")
    assert "By what the classes weigh, " in page
    assert "the call changes" in page


def test_the_saved_model_decides_by_the_class_weights(weighed: widemargin.Run) -> None:
    from widemargin.data.assets import data_home

    predictor = weighed.predictor
    X = predictor.config.data.load(data_home()).X.iloc[:200]
    table = weighed.predict(X)
    shares = np.array([one.probabilities["malignant"] for one in predictor.predict(X)])
    assert (table["label"] == np.where(shares > 1 / 9, "malignant", "benign")).all()
    margins = np.array([one.margin for one in predictor.predict(X)])
    assert predictor.threshold is not None
    assert ((margins > predictor.threshold) == (table["label"] == "malignant")).all()
    assert "Label: the most probable class after the classes' weights" in legend(predictor)


def _drawn(y: Any) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(len(y), 2)) + 1.5 * np.array([[0, 0], [1, 0], [0, 1]])[y]
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "kind": np.array(list("xyz"))[y]})


def _run_drawn(runs: Path, table: pd.DataFrame, **svm: Any) -> widemargin.Run:
    table.to_csv(runs / "drawn.csv", index=False)
    return widemargin.run(
        "table",
        data={"path": str(runs / "drawn.csv"), "label": "kind"},
        svm={"C": 1.0, "gamma": 0.3, "class_weight": "balanced", **svm},
        runs=runs,
    )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_costs_beside_class_weights_change_labels_and_nothing_before_them(
    runs: Path, n_classes: int
) -> None:
    y = np.random.default_rng(1).choice(3, p=[0.7, 0.2, 0.1], size=300) % n_classes
    names = list("xyz")[:n_classes]
    columns = [f"probability: {name}" for name in names]
    plain, costly = (_run_drawn(runs, _drawn(y), costs=costs) for costs in ("none", {"y": 3.0}))
    probability = _told(costly)[columns].to_numpy()
    np.testing.assert_array_equal(probability, _told(plain)[columns].to_numpy())
    expected = np.array(names)[(probability * [1.0, 3.0, 1.0][:n_classes]).argmax(axis=1)]
    assert (_told(costly)["y_pred"].astype(str) == expected).all()


def test_classes_that_weigh_alike_have_no_label_weights(runs: Path) -> None:
    run = _run_drawn(runs, _drawn(np.arange(60) % 2))
    assert run.record.metrics["label_weights"] == []
    assert "Label: the more probable class, " in legend(run.predictor)


def test_labels_beyond_two_classes_are_those_of_the_decisions_that_the_weights_moved(
    runs: Path,
) -> None:
    y = np.random.default_rng(1).choice(3, p=[0.6, 0.3, 0.1], size=300)
    table = _drawn(y)
    run = _run_drawn(runs, table)
    told = _told(run)
    weights = np.array(run.record.metrics["label_weights"])
    assert weights[0] < weights[1] < weights[2]
    probability = told[[f"probability: {name}" for name in "xyz"]].to_numpy()
    decision = told[[f"decision: {name}" for name in "xyz"]].to_numpy()
    label = np.array(list("xyz"))[decision.argmax(axis=1)]
    assert (told["y_pred"].astype(str) == label).all()
    assert (decision.argmax(axis=1) != probability.argmax(axis=1)).mean() > 0.05
    assert probability.mean(axis=0) == pytest.approx(np.bincount(y) / 300, abs=0.03)
    items = table[["a", "b"]]
    loaded = widemargin.load(run.path)
    assert legend(loaded.predictor) == (
        "Margin: how many other classes the label beats, and a bit for how clearly. "
        "Label: the most probable class after the classes' weights."
    )
    shares = np.array([list(one.probabilities.values()) for one in loaded.predictor.predict(items)])
    expected = np.array(list("xyz"))[(shares * weights).argmax(axis=1)]
    assert (loaded.predict(items)["label"] == expected).all()


def test_predictions_of_runs_without_label_weights_are_decided_by_their_costs(
    costly: widemargin.Run,
) -> None:
    before = {k: v for k, v in costly.record.metrics.items() if k != "label_weights"}
    read = predictions_of(_told(costly), before)
    assert read is not None
    assert read.label_weights == read.costs == (1.0, 9.0)
