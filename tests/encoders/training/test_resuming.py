"""Training that was killed goes on, and ends with the same weights, bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest

import widemargin.encoders.training.keeping as keeping

torch: Any = pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')


@pytest.fixture
def after_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PACE", keeping.Pace(0, 0))


@pytest.mark.parametrize("loss", ["cross-entropy", "supervised-contrastive"])
@pytest.mark.parametrize("epochs", [1, 4, 7])
def test_interrupted_training_goes_on_and_ends_the_same(
    small: Any, after_every_epoch: None, loss: str, epochs: int
) -> None:
    X, y = small.rings(150)
    whole, expected = small.trained(X, y, loss=loss)
    kept = small.Kept(fails_after=epochs)
    with pytest.raises(KeyboardInterrupt):
        small.trained(X, y, loss=loss, options={"checkpoints": kept, "name": "net"})
    told = small.Told()
    network, history = small.trained(
        X, y, loss=loss, options={"checkpoints": kept, "progress": told, "name": "net"}
    )
    assert small.same(network, whole)
    assert history == expected
    assert told.notes == [f"net: goes on after epoch {epochs} of a training that was interrupted"]
    assert told.epochs == pytest.approx(len(history.epochs))
    assert not kept.states


def test_weights_in_another_order_in_memory_end_the_same_too(
    small: Any, after_every_epoch: None
) -> None:
    nn = torch.nn

    def convolutions() -> Any:
        with small.seeded(1):
            return nn.Sequential(
                nn.Conv2d(3, 16, 3, padding=1),
                nn.BatchNorm2d(16),
                nn.ReLU(),
                nn.Conv2d(16, 24, 3),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(24, 8),
            ).to(memory_format=torch.channels_last)

    X = np.random.default_rng(0).normal(size=(90, 3, 9, 9)).astype(np.float32)
    y = np.arange(90) % 3
    inputs = small.ArrayInputs(X)
    whole, _ = small.trained(X, y, convolutions(), inputs, epochs=4)
    kept = small.Kept(fails_after=2)
    with pytest.raises(KeyboardInterrupt):
        small.trained(X, y, convolutions(), inputs, epochs=4, options={"checkpoints": kept})
    options = {"checkpoints": kept}
    network, _ = small.trained(X, y, convolutions(), inputs, epochs=4, options=options)
    assert small.same(network, whole)


def test_a_killed_process_leaves_what_another_goes_on_from(small: Any, tmp_path: Path) -> None:
    script = Path(__file__).with_name("small_training.py")
    child = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    folder = small.Folder(tmp_path)
    kept = None
    try:
        while kept is None or len(kept.meta["history"]["epochs"]) < 3:
            assert child.poll() is None, child.stderr and child.stderr.read().decode()
            sleep(0.05)
            for path in tmp_path.glob("rings-*.npz"):
                kept = folder.load(path.stem)
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == -signal.SIGKILL

    X, y = small.rings(120)
    options = {"epochs": 40, "patience": 40}
    whole, expected = small.trained(X, y, **options)
    told = small.Told()
    network, history = small.trained(
        X, y, options={"checkpoints": folder, "key": "rings", "progress": told}, **options
    )
    assert "goes on after epoch" in told.notes[0]
    assert small.same(network, whole)
    assert history == expected
    assert not list(tmp_path.glob("rings-*.npz"))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"loss": "triplet"},
        {"batch_size": 17},
        {"options": {"key": "others"}},
        {"options": {"head_rate": 0.1}},
        {"options": {"groups": np.arange(100)}},
        {"y": 1},
        {"network": 1},
    ],
)
def test_what_the_result_depends_on_is_in_the_key(
    small: Any, after_every_epoch: None, change: dict[str, Any]
) -> None:
    X, y = small.rings(100)
    kept = small.Kept()
    small.trained(X, y, epochs=1, options={"checkpoints": kept})
    small.trained(X, y, epochs=1, options={"checkpoints": kept})
    assert len(set(kept.saved)) == 1
    options = {"checkpoints": kept, **change.pop("options", {})}
    if "y" in change:
        y = np.roll(y, change.pop("y"))
    network = small.small_network(change.pop("network", 0))
    small.trained(X, y, network, epochs=1, options=options, **change)
    assert len(set(kept.saved)) == 2


def test_threads_are_in_the_key(
    small: Any, after_every_epoch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import widemargin.encoders.training.loop as loop

    X, y = small.rings(100)
    kept = small.Kept()
    for threads in (1, 2):
        monkeypatch.setattr(loop, "threads_to_use", lambda own=threads: own)
        small.trained(X, y, epochs=1, options={"checkpoints": kept})
    assert len(set(kept.saved)) == 2


def test_quick_training_keeps_nothing(small: Any) -> None:
    kept = small.Kept()
    small.trained(*small.rings(100), options={"checkpoints": kept})
    assert not kept.saved


def test_frozen_weights_are_not_kept(small: Any, after_every_epoch: None) -> None:
    X, y = small.rings(100)
    kept = small.Kept(fails_after=1)
    network = small.small_network()
    with pytest.raises(KeyboardInterrupt):
        small.trained(
            X, y, network, options={"checkpoints": kept, "parameters": [network[4].weight]}
        )
    (state,) = kept.states.values()
    assert "now/network/4.weight" in state.arrays
    assert "now/network/1.running_mean" in state.arrays
    assert "now/network/0.weight" not in state.arrays
