"""Runs whose features train a network: kept, compared, reported, continued."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import widemargin

Run = Callable[..., Any]
CNN = {"encoder": {"name": "cnn", "size": 8, "epochs": 2, "dimension": 4, "device": "cpu"}}


def page_of(run: Any) -> str:
    return Path(run.report).read_text(encoding="utf-8")


def test_a_network_trained_in_a_run_shows_its_curve_and_which_epoch_was_kept(
    run_quickly: Run, tmp_path: Path
) -> None:
    run = run_quickly("pictures", features=CNN)
    (told,) = json.loads((run.path / "training.json").read_text())["networks"]
    assert told["block"] == "cnn"
    assert [set(epoch) for epoch in told["epochs"]] == [{"train", "held_out", "learning_rate"}] * 2
    page = page_of(run)
    assert "Loss of cnn over the epochs" in page
    assert f"kept: epoch {told['best']}" in page
    assert run.metrics is not None
    assert json.loads((run.path / "metrics.json").read_text())["n_folds"]["inner"] == 1
    # Nothing of the training is left behind when the run is written.
    assert not list((tmp_path / "runs" / ".work").glob("training-*"))


def test_a_trained_run_repeats_to_the_byte_and_predicts_again(run_quickly: Run) -> None:
    first, second = (run_quickly("pictures", features=CNN, fresh=True) for _ in range(2))
    for name in ("metrics.json", "predictions.parquet", "model/features.safetensors"):
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes(), name
    fixture = Path(str(first.record.config["data"]["path"]))
    picture = next(fixture.rglob("*.png"))
    (answer,) = widemargin.load(first.path).predict([picture]).to_dict("records")
    assert answer["label"] in {"cat", "dog", *first.record.metrics["classes"]}


def test_few_held_out_items_are_told_of_once(run_quickly: Run, watcher: Any) -> None:
    watch = watcher()
    run_quickly("pictures", features=CNN, progress=watch)
    said = [note for note in watch.notes if "Fewer than 10 held-out pictures of a class" in note]
    assert len(said) == 1
    watch = watcher()
    run_quickly("texts", progress=watch)
    assert not any("Fewer than 10 held-out" in note for note in watch.notes)


def test_items_of_networks_trained_apart_are_ranked_by_their_probabilities(
    run_quickly: Run,
) -> None:
    features = {"encoder": {**CNN["encoder"], "size": 16, "epochs": 8}}
    run = run_quickly("pictures", features=features, evaluation={"outer": 5, "inner": 5})
    metrics = json.loads((run.path / "metrics.json").read_text())["metrics"]
    assert metrics["accuracy"]["value"] > 0.8
    assert metrics["roc_auc"]["value"] > 0.9


class Killed(BaseException):
    """What no code of ours catches."""


def test_a_run_killed_in_a_training_goes_on_within_it(
    run_quickly: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from widemargin.encoders.training import keeping
    from widemargin.runs.checkpoints import RunCheckpoints

    monkeypatch.setattr(keeping, "PACE", keeping.Pace(0, 0))
    saved: list[str] = []
    save = RunCheckpoints.save

    def counted(self: RunCheckpoints, key: str, state: Any) -> None:
        save(self, key, state)
        saved.append(key)
        if len(saved) == 3:  # the second network, after its first epoch
            raise Killed

    monkeypatch.setattr(RunCheckpoints, "save", counted)
    with pytest.raises(Killed):
        run_quickly("pictures", features=CNN, seed=3)
    assert list((tmp_path / "runs" / ".work").glob("training-*"))
    loaded: list[str] = []
    load = RunCheckpoints.load

    def told(self: RunCheckpoints, key: str) -> Any:
        state = load(self, key)
        if state is not None:
            loaded.append(key)
        return state

    monkeypatch.setattr(RunCheckpoints, "load", told)
    continued = run_quickly("pictures", features=CNN, seed=3)
    # Both networks of the first outer part go on: the first had ended when the second was killed.
    assert len(loaded) == 2
    whole = run_quickly("pictures", features=CNN, seed=3, fresh=True)
    assert (continued.path / "metrics.json").read_bytes() == (
        whole.path / "metrics.json"
    ).read_bytes()
