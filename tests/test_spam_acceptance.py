"""`widemargin run spam` on the real collection: the numbers that the README promises."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import widemargin
from widemargin.api import Run
from widemargin.data.assets import data_home, require
from widemargin.errors import AssetError
from widemargin.registry import discover


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asset = discover().assets()["sms-spam"]
    try:
        require(asset, data_home())
    except AssetError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the real collection cannot be had: {error}")
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def made(runs: Path) -> Run:
    return widemargin.run("spam", runs=runs, fresh=True)


def test_the_collection_is_whole_and_near_duplicates_leave_5104_messages(made: Run) -> None:
    said = made.record.metrics
    assert said["n_items"] == 5104
    assert said["near_duplicates"]["removed"] == 5574 - 5104


def test_accuracy_and_f1_reach_what_is_required(made: Run) -> None:
    assert made.metrics["accuracy"] >= 0.987
    assert made.metrics["f1"] >= 0.95


def test_letting_near_duplicates_cross_would_have_flattered_the_score(made: Run) -> None:
    duplicates: dict[str, Any] = made.record.metrics["near_duplicates"]
    assert duplicates["crossing"]["f1"] > duplicates["apart"]["f1"]


def test_it_beats_the_dummy_and_its_interval_holds_the_value(made: Run) -> None:
    said = made.record.metrics
    f1 = said["metrics"]["f1"]
    assert f1["low"] < f1["value"] < f1["high"]
    assert f1["low"] > said["baselines"]["dummy"]["metrics"]["f1"]


def test_predictions_are_the_most_probable_class(made: Run) -> None:
    import pandas as pd

    table = pd.read_parquet(made.path / "predictions.parquet")
    assert ((table["probability: spam"] > 0.5) == (table["y_pred"] == "spam")).all()
    assert len(table) == made.record.metrics["n_items"]


def test_a_second_fresh_run_writes_the_same_metrics_byte_for_byte(made: Run, runs: Path) -> None:
    again = widemargin.run("spam", runs=runs, fresh=True)
    one, two = (run.path / "metrics.json" for run in (made, again))
    assert one.read_bytes() == two.read_bytes()
    assert made.id != again.id


def test_an_obvious_spam_and_an_obvious_ham_are_told_apart(made: Run) -> None:
    table = made.predict(
        ["WINNER! Claim your free cash prize, txt WIN to 80082 now", "see you at home tonight"],
        explain=True,
    )
    assert list(table["label"]) == ["spam", "ham"]
    assert table["shares"][0]["free"] > 0


def test_the_record_names_the_data_it_was_made_from(made: Run) -> None:
    manifest = json.loads((made.path / "manifest.json").read_bytes())
    assert len(manifest["data_sha256"]) == 64
    assert manifest["timings"]["total"] > 0
