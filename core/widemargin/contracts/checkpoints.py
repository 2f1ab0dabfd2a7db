"""Checkpoints: where training that takes long keeps how far it is."""

from __future__ import annotations

from typing import Protocol

from widemargin.contracts.encoder import State

__all__ = ["Checkpoints"]


class Checkpoints(Protocol):
    """Keeps the state of training under a key, so that training killed in the middle goes on.

    The key says all that the result depends on: settings, weights, items, targets, versions. A
    state is kept whole or not at all, and a damaged one counts as none.
    """

    def load(self, key: str) -> State | None:
        """Return what was kept last under the key; None where there is nothing usable."""
        ...

    def save(self, key: str, state: State) -> None:
        """Keep a state under the key in place of an earlier one."""
        ...

    def drop(self, key: str) -> None:
        """Forget what is kept under the key; nothing happens where nothing is."""
        ...
