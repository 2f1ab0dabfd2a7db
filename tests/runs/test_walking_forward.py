"""Runs that walk forward: later items are held out, and earlier ones learned from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from widemargin.config import resolve
from widemargin.contracts import (
    Dataset,
    DatasetCard,
    DatasetLoader,
    Items,
    RunRecord,
    Silent,
    SplitRule,
    UseCase,
)
from widemargin.encoders import Features
from widemargin.errors import DataError
from widemargin.registry import discover
from widemargin.runs import RunStore
from widemargin.runs.runner import execute

WAIT = 3


class Drift(DatasetLoader):
    """A class that is what it was lately: shuffled folds see it coming, later days do not."""

    source: Literal["drift"] = "drift"

    def load(self, data_home: Path) -> Dataset:
        rng = np.random.default_rng(0)
        days = np.arange(240)
        # The class changes every six days or so; a day tells of those around it, and no more.
        runs = np.repeat(np.arange(60) % 2, rng.integers(4, 9, 60))[: len(days)]
        order = rng.permutation(len(days))
        table = pd.DataFrame({"day": days.astype(float)})
        return Dataset(
            X=table.iloc[order].reset_index(drop=True),
            kinds=dict.fromkeys(table.columns, "table"),
            y=np.where(runs == 1, "up", "down")[order],
            ids=np.array([f"day {day}" for day in days[order]]),
            times=days[order],
            label_times=days[order] + WAIT,
            card=DatasetCard(title="Drift", item="day"),
        )

    def read_items(self, source: Path) -> Iterator[Items]:
        raise NotImplementedError


CASE = UseCase(
    name="drift",
    summary="Drift",
    task="classification",
    data=(Drift,),
    features=Features,
    primary_metric={"classification": "roc_auc"},
    metrics=("accuracy",),
    fixture={},
    defaults={
        "features": {"encoder": "tabular"},
        "svm": {"kernel": "rbf", "C": 10.0, "gamma": 1000.0},
    },
    split=SplitRule(kind="walk-forward"),
)


def _run(folder: Path, **evaluation: Any) -> RunRecord:
    registry = discover()
    asked = {"outer": 4, "inner": 2, "resamples": 100, **evaluation}
    config = resolve(
        CASE, [{"evaluation": asked}], encoders=registry.encoders, kernels=registry.kernels
    )
    return execute(config, CASE, registry, RunStore(folder), progress=Silent())


def test_only_later_days_are_predicted_and_the_record_says_how(tmp_path: Path) -> None:
    record = _run(tmp_path)
    told = pd.read_parquet(record.path / "predictions.parquet")
    days = told["id"].str.removeprefix("day ").astype(int)
    assert sorted(days) == list(range(48, 240))
    assert record.metrics["split"] == "walk-forward"
    assert [days[told["fold"] == fold].min() for fold in range(4)] == [48, 96, 144, 192]


def test_shuffling_the_days_is_told_as_the_carelessness_that_it_is(tmp_path: Path) -> None:
    record = _run(tmp_path)
    (protocol,) = record.metrics["careless"]
    assert "all times shuffled" in protocol["title"]
    assert protocol["careless"]["roc_auc"] > 0.9
    assert protocol["honest"]["roc_auc"] < 0.7


@pytest.mark.parametrize(
    ("evaluation", "said"),
    [
        ({"repeats": 2}, r"evaluation\.repeats is 2, and a walk-forward split has no other"),
        ({"split": "leave-one-out"}, "leave-one-out would learn from what came later"),
        ({"split": "folds"}, "folds would learn from what came later"),
        ({"embargo": 60}, r"evaluation\.embargo \(60\) is too long"),
    ],
)
def test_settings_that_do_not_go_with_time_are_refused(
    tmp_path: Path, evaluation: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        _run(tmp_path, **evaluation)
