"""A small network, items that it learns, and checkpoints that can fail."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.contracts import State
from widemargin.encoders.training import keeping
from widemargin.encoders.training.arrays import arrays_of, seeded
from widemargin.encoders.training.loop import ArrayInputs, History, train_network
from widemargin.encoders.training.settings import TrainingSettings

torch: Any = pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')


def rings(n: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Draw points, and whether they lie outside of a circle."""
    X = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    return X, ((X**2).sum(1) > 1.4).astype(np.intp)


def small_network(seed: int = 0) -> Any:
    """Build one with all that has a state: weights, a batch norm, dropout."""
    nn = torch.nn
    with seeded(seed):
        return nn.Sequential(
            nn.Linear(2, 16),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(16, 8),
            nn.ReLU(),
        )


def shaken(batch: Any, generator: Any) -> Any:
    """Move each point at random."""
    return batch + 0.01 * torch.randn(batch.shape, generator=generator)


def trained(
    X: NDArray[np.float32],
    y: NDArray[np.intp],
    network: Any = None,
    inputs: Any = None,
    options: dict[str, Any] | None = None,
    **settings: Any,
) -> tuple[Any, History]:
    """Train the small network; return it with its history."""
    network = small_network() if network is None else network
    usual = {"epochs": 8, "batch_size": 16, "learning_rate": 0.02}
    history = train_network(
        network,
        ArrayInputs(X, shaken) if inputs is None else inputs,
        y,
        TrainingSettings(**{**usual, **settings}),
        dimension=8,
        n_classes=int(y.max()) + 1,
        **(options or {}),
    )
    return network, history


def same(one: Any, other: Any) -> bool:
    """Return whether two networks have the same weights, bit for bit."""
    a, b = arrays_of(one), arrays_of(other)
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


class Told:
    """Progress that remembers all."""

    def __init__(self) -> None:
        self.epochs = 0.0
        self.name = ""
        self.notes: list[str] = []

    @contextmanager
    def stage(self, name: str, total: float | None = None) -> Iterator[Any]:
        self.name = name
        yield self

    def advance(self, steps: float = 1) -> None:
        self.epochs += steps

    def note(self, message: str) -> None:
        self.notes.append(message)


class Kept:
    """Checkpoints in memory that raise after so many savings."""

    def __init__(self, fails_after: int | None = None) -> None:
        self.states: dict[str, State] = {}
        self.fails_after = fails_after
        self.saved: list[str] = []

    def load(self, key: str) -> State | None:
        return self.states.get(key)

    def save(self, key: str, state: State) -> None:
        meta = json.loads(json.dumps(state.meta, allow_nan=False))
        self.states[key] = State({name: own.copy() for name, own in state.arrays.items()}, meta)
        self.saved.append(key)
        if len(self.saved) == self.fails_after:
            raise KeyboardInterrupt

    def drop(self, key: str) -> None:
        self.states.pop(key, None)


class Folder:
    """Checkpoints in a folder: one file a key, put in place whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str) -> State | None:
        path = self.folder / f"{key}.npz"
        if not path.exists():
            return None
        with np.load(path) as kept:
            arrays = {name: kept[name] for name in kept.files}
        meta = json.loads(arrays.pop("meta.json").tobytes())
        return State(arrays, meta)

    def save(self, key: str, state: State) -> None:
        meta = np.frombuffer(json.dumps(state.meta, allow_nan=False).encode(), np.uint8)
        part = self.folder / "part.npz"
        np.savez(part, allow_pickle=False, **{**state.arrays, "meta.json": meta})
        part.replace(self.folder / f"{key}.npz")

    def drop(self, key: str) -> None:
        (self.folder / f"{key}.npz").unlink(missing_ok=True)


class Slow(ArrayInputs):
    """Items that take their time, so that training can be killed."""

    def batch(self, rows: NDArray[np.intp], generator: Any | None) -> Any:
        """Wait, and return them."""
        sleep(0.02)
        return super().batch(rows, generator)


def train_slowly(folder: str) -> None:
    """Train with checkpoints after each epoch; somebody kills this process meanwhile.

    It waits for that after half of its epochs.
    """

    class Waiting(Folder):
        def save(self, key: str, state: State) -> None:
            super().save(key, state)
            if len(state.meta["history"]["epochs"]) >= 20:
                sleep(3600)

    keeping.PACE = keeping.Pace(0, 0)
    X, y = rings(120)
    options = {"checkpoints": Waiting(Path(folder)), "key": "rings"}
    trained(X, y, inputs=Slow(X, shaken), options=options, epochs=40, patience=40)


if __name__ == "__main__":
    train_slowly(sys.argv[1])
