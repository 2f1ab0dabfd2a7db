"""When the state of training is kept."""

from __future__ import annotations

import pytest

from widemargin.contracts import State
from widemargin.encoders.training import keeping
from widemargin.encoders.training.keeping import PACE, Keeper, Pace


class Writing:
    """Checkpoints that take their time, on a clock of their own."""

    def __init__(self, takes: float) -> None:
        self.now = 0.0
        self.takes = takes
        self.kept: list[float] = []

    def load(self, key: str) -> State | None:
        return None

    def save(self, key: str, state: State) -> None:
        self.kept.append(self.now)
        self.now += self.takes

    def drop(self, key: str) -> None:
        pass


def kept(
    monkeypatch: pytest.MonkeyPatch, takes: float, seconds: int, pace: Pace | None = None
) -> list[float]:
    """Offer a state each second of work; return when it was kept."""
    writing = Writing(takes)
    monkeypatch.setattr(keeping, "monotonic", lambda: writing.now)
    keeper = Keeper(writing, "own", pace)
    for _ in range(seconds):
        writing.now += 1
        keeper.offer(State({}, {}))
    return writing.kept


def test_quick_writing_is_done_every_15_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept(monkeypatch, 0.0, 60) == [15, 30, 45, 60]


def test_slow_writing_takes_a_twentieth_of_the_time_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert kept(monkeypatch, 5.0, 315) == [15, 120, 225, 330]
    assert PACE.times == 20


def test_a_pace_of_nothing_keeps_every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept(monkeypatch, 5.0, 3, Pace(0, 0)) == [1, 7, 13]
    monkeypatch.setattr(keeping, "PACE", Pace(0, 0))
    assert kept(monkeypatch, 5.0, 3) == [1, 7, 13]
