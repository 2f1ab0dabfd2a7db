"""Epochs: training that is not torch's, told, kept, and gone on with after a kill.

Word vectors train this way. `loop` does the same for networks, and stops early.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

from widemargin.contracts import Checkpoints, Progress, State
from widemargin.encoders.training.keeping import Keeper, checkpoint_key

__all__ = ["EpochTraining", "run_epochs", "training_key"]


class EpochTraining(Protocol):
    """Training whose whole state is known after each epoch."""

    def train_epoch(self, epoch: int) -> None:
        """Go through everything once; `epoch` counts from 0."""
        ...

    def get_state(self) -> State:
        """Return all that the next epoch depends on; arrays may be the ones in use."""
        ...

    def set_state(self, state: State) -> None:
        """Go on from there."""
        ...


def run_epochs(
    training: EpochTraining,
    total: int,
    *,
    name: str,
    progress: Progress,
    checkpoints: Checkpoints | None = None,
    key: Callable[[], str] | None = None,
) -> None:
    """Train for so many epochs, from the last checkpoint where there is one.

    Parameters
    ----------
    training : EpochTraining
        As it is before the first epoch.
    total : int
        How many epochs there are.
    name : str
        What is trained, for people.
    progress : Progress
        Told of each epoch.
    checkpoints : Checkpoints, optional
        Where the state is kept after epochs, 15 s apart at least; forgotten at the end.
    key : callable, optional
        ``key() -> str`` names all that the result depends on; asked where there are `checkpoints`.
    """
    keeper = Keeper(checkpoints, name if checkpoints is None or key is None else key())
    done = 0
    if (kept := keeper.load()) is not None:
        training.set_state(kept)
        done = int(kept.meta["epochs_done"])
        progress.note(f"{name}: goes on after epoch {done} of a training that was interrupted")
    with progress.stage(f"training {name}", total=total) as stage:
        if done:
            stage.advance(done)
        for epoch in range(done, total):
            training.train_epoch(epoch)
            stage.advance()
            if epoch + 1 < total:
                state = training.get_state()
                keeper.offer(State(state.arrays, {**state.meta, "epochs_done": epoch + 1}))
    keeper.drop()


def training_key(
    identity: Mapping[str, Any], items: Iterable[bytes], libraries: Sequence[str] = ()
) -> str:
    """Name what a training depends on: what is trained, on which items, by which versions.

    Parameters
    ----------
    identity : mapping of str to JSON value
        Name, version and parameters.
    items : iterable of bytes
        All that is learnt from, in order.
    libraries : sequence of str
        Packages whose versions count.

    Examples
    --------
    >>> training_key({"name": "glove", "seed": 0}, [b"win cash"])
    'glove-06b1f3671ed9dd31'
    """
    told = hashlib.sha256()
    for item in items:
        told.update(len(item).to_bytes(8, "little"))
        told.update(item)
    versions = {own: _version(own) for own in libraries}
    whole = {"identity": dict(identity), "items": told.hexdigest(), "versions": versions}
    return checkpoint_key(str(identity["name"]), whole)


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
