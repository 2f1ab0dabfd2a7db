"""`svm.costs`: labels are those of the least expected cost, in the run and in what it saves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import widemargin
from widemargin.errors import ConfigError
from widemargin.evaluation import METRICS
from widemargin.runs.predictions import predictions_of
from widemargin.svm.calibration import least_cost

COSTS = {"malignant": 9.0}  # and 1.0 for benign, which sorts first


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


def test_beside_costs_class_weights_leave_probabilities_to_the_items_as_they_come(
    runs: Path,
) -> None:
    weights = {"malignant": 8.0}
    mean = {
        name: _told(run)["probability: malignant"].mean()
        for name, run in {
            "costs": _run(runs, class_weight=weights, costs=COSTS),
            "none": _run(runs, class_weight=weights),
        }.items()
    }
    truth = (_told(_run(runs))["y_true"].astype(str) == "malignant").mean()
    assert mean["costs"] == pytest.approx(truth, abs=0.01)
    assert mean["none"] > truth + 0.02
