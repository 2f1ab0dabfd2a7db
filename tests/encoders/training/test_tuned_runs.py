"""Runs that fine-tune: compared with the frozen encoder, saved, and told in the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import widemargin
from widemargin.registry import discover
from widemargin.runs import runner
from widemargin.runs.assessment import gather

pytest.importorskip("torch", reason='needs pip install "widemargin[text]"')
pytest.importorskip("tokenizers")

MakeModel = Callable[[str], Mapping[str, Any]]
TRAIN = {"epochs": 1, "steps": 3, "batch_size": 8, "device": "cpu"}


@pytest.fixture(scope="module")
def run(make_model: MakeModel, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("tuned")
    return widemargin.run(
        "texts",
        data=dict(discover().use_case("texts").fixture),
        features={
            "encoder": {"name": "bert", "model": str(make_model("bert")["model"])},
            "train": TRAIN,
        },
        svm={"C": 1.0},
        evaluation={"outer": 3, "inner": 3, "resamples": 100},
        runs=folder / "runs",
    )


def test_the_same_machine_on_the_frozen_encoder_is_measured_on_the_same_items(run: Any) -> None:
    metrics = json.loads((run.path / "metrics.json").read_text())
    compared = metrics["frozen"]
    assert set(compared) == set(metrics["metrics"])
    for name, own in compared.items():
        assert own["tuned"] == metrics["metrics"][name]
        if own["gain"]["value"] is not None:
            assert own["gain"]["value"] == pytest.approx(
                own["tuned"]["value"] - own["frozen"]["value"], abs=1e-12
            )
    # What is trained chooses C on one held-out part, and so does what it is compared with.
    assert metrics["n_folds"]["inner"] == 1


def test_frozen_predictions_have_no_weights_of_the_fine_tuned_model(
    make_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered = []

    def keep(*args: Any) -> Any:
        gathered.append(gather(*args))
        return gathered[-1]

    monkeypatch.setattr(runner, "gather", keep)
    widemargin.run(
        "texts",
        data=dict(discover().use_case("texts").fixture),
        features={
            "encoder": {"name": "bert", "model": str(make_model("bert")["model"])},
            "train": TRAIN,
        },
        svm={"C": 1.0, "class_weight": {"positive": 2.0}},
        evaluation={"outer": 3, "inner": 3, "resamples": 100},
        runs=tmp_path,
    )
    (out,) = gathered
    assert out.frozen is not None
    assert out.predictions.label_weights == (1.0, 2.0)
    assert out.frozen.label_weights == out.frozen.costs == ()


def test_the_report_compares_and_draws_the_curve(run: Any) -> None:
    page = Path(run.report).read_text(encoding="utf-8")
    assert "Fine-tuned beside frozen" in page
    assert "with the fine-tuned encoder and" in page
    assert "Loss of bert over the epochs" in page


def test_the_manifest_names_the_weights_and_how_they_were_trained(run: Any) -> None:
    (identity,) = run.record.manifest["encoders"]
    assert identity["name"] == "bert"
    assert identity["weights"]
    assert identity["train"]["steps"] == 3


def test_the_saved_model_predicts_with_what_training_changed(run: Any) -> None:
    again = widemargin.load(run.path)
    texts = ["a good day", "a bad day"]
    first = run.predict(texts)
    assert again.predict(texts).to_dict() == first.to_dict()
