"""Runs of tiny data, and a progress that remembers what it was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import widemargin
from widemargin.contracts import Stage
from widemargin.registry import discover

QUICK: dict[str, Any] = {"outer": 3, "inner": 2, "resamples": 100}


class Watch:
    """Counts stages and keeps notes; may interrupt the outer folds after some of them."""

    def __init__(self, interrupt_after: int = 0) -> None:
        self.stages: Counter[str] = Counter()
        self.notes: list[str] = []
        self._interrupt_after = interrupt_after

    @contextmanager
    def stage(self, name: str, total: float | None = None) -> Iterator[Stage]:
        self.stages[name] += 1
        yield _Step(self._interrupt_after if name == "outer folds" else 0)

    def note(self, message: str) -> None:
        self.notes.append(message)


class _Step:
    def __init__(self, interrupt_after: int) -> None:
        self._left = interrupt_after

    def advance(self, steps: float = 1) -> None:
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt


Watcher = Callable[..., Watch]
RunTexts = Callable[..., Any]


@pytest.fixture
def watcher() -> Watcher:
    return Watch


@pytest.fixture
def run_quickly(tmp_path: Path) -> RunTexts:
    """Run a use case on its fixture, or on other data, into one store."""

    def run(use_case: str = "texts", **sections: Any) -> Any:
        sections.setdefault("data", dict(discover().use_case(use_case).fixture))
        sections["evaluation"] = {**QUICK, **sections.get("evaluation", {})}
        sections.setdefault("svm", {"C": 1.0, "gamma": 0.1})
        return widemargin.run(use_case, runs=tmp_path / "runs", **sections)

    return run
