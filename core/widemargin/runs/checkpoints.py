"""Checkpoints of a run: the training of networks, kept beside finished folds."""

from __future__ import annotations

import json

from widemargin.contracts import State
from widemargin.runs.store import RunStore

__all__ = ["RunCheckpoints"]

_ARRAYS, _META = "arrays.safetensors", "meta.json"


class RunCheckpoints:
    """Keeps the state of training in the run store's kept work, whole or not at all.

    Parameters
    ----------
    store : RunStore
        Where work is kept.
    fresh : bool
        Whether to begin anew where an earlier run was interrupted.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as home:
    ...     checkpoints = RunCheckpoints(RunStore(Path(home)))
    ...     checkpoints.save("cnn", State({}, {"epoch": 3}))
    ...     checkpoints.load("cnn").meta
    {'epoch': 3}
    """

    def __init__(self, store: RunStore, *, fresh: bool = False) -> None:
        self._store = store
        self._fresh = fresh
        self._own: set[str] = set()
        self._ended: set[str] = set()

    def load(self, key: str) -> State | None:
        """Return what was kept last; None where there is nothing, or it is damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        if self._fresh and key not in self._own:
            return None
        files = self._store.kept(_name(key)) or {}
        try:
            return State(load(files[_ARRAYS]), json.loads(files[_META]))
        except (KeyError, TypeError, ValueError, SafetensorError):
            return None

    def save(self, key: str, state: State) -> None:
        """Keep a state in place of an earlier one."""
        from safetensors.numpy import save

        self._own.add(key)
        files = {
            _ARRAYS: bytes(save(dict(state.arrays))),
            _META: json.dumps(dict(state.meta)).encode(),
        }
        self._store.keep(_name(key), files)

    def drop(self, key: str) -> None:
        """Forget what is kept, as soon as what the training was for is kept itself (`clear`)."""
        self._ended.add(key)

    def clear(self) -> None:
        """Forget the trainings that have ended: what they were for is kept or written."""
        for key in self._ended:
            self._store.forget(_name(key))
        self._ended.clear()


def _name(key: str) -> str:
    return f"training-{key}"
