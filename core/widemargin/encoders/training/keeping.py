"""When the state of training goes to the checkpoints, and under which key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from widemargin.contracts import Checkpoints, State

__all__ = ["PACE", "Keeper", "Pace", "checkpoint_key"]


@dataclass(frozen=True)
class Pace:
    """How often the state of training is kept.

    Parameters
    ----------
    seconds : float
        From one state kept to the next, at least.
    times : float
        So many times as long as writing the last one took, at least.

    Examples
    --------
    >>> Pace().wait(0.1), Pace().wait(3.0), Pace(0, 0).wait(3.0)
    (15.0, 60.0, 0.0)
    """

    seconds: float = 15.0
    times: float = 20.0

    def wait(self, took: float) -> float:
        """Return the seconds until the next state is kept."""
        return max(float(self.seconds), self.times * took)


PACE = Pace()
"""An epoch and 15 s of work are lost at most, or 20 times what writing takes where that is more."""


def checkpoint_key(key: str, told: Mapping[str, Any]) -> str:
    """Return a caller's key with a hash of all else that the result depends on.

    Examples
    --------
    >>> checkpoint_key("cnn", {"seed": 0})
    'cnn-de7d7744ccd7722e'
    """
    text = json.dumps(told, sort_keys=True)
    return f"{key}-{hashlib.sha256(text.encode()).hexdigest()[:16]}".removeprefix("-")


class Keeper:
    """Keeps states that are worth the time that keeping takes.

    Parameters
    ----------
    checkpoints : Checkpoints or None
        Where; None for nowhere.
    key : str
        Under which key.
    pace : Pace, optional
        How often; by default `PACE`.
    """

    def __init__(self, checkpoints: Checkpoints | None, key: str, pace: Pace | None = None) -> None:
        self._checkpoints, self._key = checkpoints, key
        self._pace = pace or PACE
        self._next = monotonic() + self._pace.wait(0)

    def load(self) -> State | None:
        """Return what an interrupted training left."""
        return None if self._checkpoints is None else self._checkpoints.load(self._key)

    def offer(self, state: State) -> None:
        """Keep a state, if the last one was kept long enough ago."""
        started = monotonic()
        if self._checkpoints is None or started < self._next:
            return
        self._checkpoints.save(self._key, state)
        ended = monotonic()
        self._next = ended + self._pace.wait(ended - started)

    def drop(self) -> None:
        """Forget what was kept: training has ended."""
        if self._checkpoints is not None:
            self._checkpoints.drop(self._key)
