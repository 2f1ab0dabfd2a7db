"""Comparisons of tiny data, with cells that run in this process where no process is tested."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from widemargin.api import Run, run_documents
from widemargin.comparing import compare_documents
from widemargin.comparison import Comparison, jobs
from widemargin.comparison.processes import Ended
from widemargin.config import Document
from widemargin.contracts import Silent
from widemargin.errors import WidemarginError
from widemargin.registry import discover
from widemargin.runs.identity import COMPARISON_VARIABLE
from widemargin.runs.store import RunStore

QUICK = {"outer": 3, "inner": 2, "resamples": 100, "map": "none"}


class Stopped:
    """Stands for a process that has ended."""

    def __init__(self, ended: Ended) -> None:
        self._ended, self.most = ended, 0

    def ended(self, seconds: float = 0) -> Ended:
        return self._ended

    def held(self) -> int | None:
        return None

    def wait(self, seconds: float) -> int:
        return self._ended.code

    def tell(self, stop: Any = None) -> None:
        pass

    def kill(self) -> None:
        pass


class Calls:
    """Stands for the processes of cells: runs each here, and remembers its words.

    ``fail`` names encoders whose cells raise; ``stop_at`` is the cell at which Ctrl-C comes.
    """

    def __init__(self) -> None:
        self.words: list[Sequence[str]] = []
        self.environments: list[Mapping[str, str]] = []
        self.fail: dict[str, tuple[int, str]] = {}
        self.stop_at = 0

    def __call__(
        self, words: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> Stopped:
        self.words.append(words)
        self.environments.append(environment)
        if len(self.words) == self.stop_at:
            raise KeyboardInterrupt
        text = Path(words[0]).read_text(encoding="utf-8")
        for name, (code, said) in self.fail.items():
            if f"name: {name}\n" in text:
                return Stopped(Ended(code, "", said))
        told = {COMPARISON_VARIABLE: environment[COMPARISON_VARIABLE]}
        try:
            with patch.dict(os.environ, told):
                made: Run = run_documents(
                    words[0], [], store=RunStore(Path(words[2])), fresh="--fresh" in words
                )
        except WidemarginError as error:
            return Stopped(Ended(error.exit_code, "", f"Error: {error}\n"))
        return Stopped(Ended(0, json.dumps({"path": str(made.path)}), ""))


class Notes(Silent):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def note(self, message: str) -> None:
        self.told.append(message)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    stand_in = Calls()
    monkeypatch.setattr(jobs, "Process", stand_in)
    return stand_in


Compare = Callable[..., tuple[Comparison, Path]]


@pytest.fixture
def compare_quickly(tmp_path: Path) -> Compare:
    """Compare on a use case's fixture, into one store."""

    def compare(
        encoders: str = "tfidf,lsa", *, use_case: str = "texts", **given: Any
    ) -> tuple[Comparison, Path]:
        settings: dict[str, Any] = {
            "data": dict(discover().use_case(use_case).fixture),
            "evaluation": QUICK,
            "svm": {"C": 1.0},
        }
        settings |= given.pop("settings", {})
        axes = {"encoder": encoders, **given.pop("axes", {})}
        return compare_documents(
            [use_case], Document(settings), axes, store=RunStore(tmp_path / "runs"), **given
        )

    return compare


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., str]:
    """Write a config of a use case on its fixture; settings replace whole sections."""

    def write(use_case: str, name: str = "", **settings: Any) -> str:
        content: dict[str, Any] = {
            "use_case": use_case,
            "data": dict(discover().use_case(use_case).fixture),
            "evaluation": QUICK,
            "svm": {"C": 1.0},
        }
        path = tmp_path / f"{name or use_case}.yaml"
        # JSON is YAML.
        path.write_text(json.dumps(content | settings), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def compare_targets(tmp_path: Path) -> Compare:
    """Compare targets into one store."""

    def compare(*targets: str, **given: Any) -> tuple[Comparison, Path]:
        axes, settings = given.pop("axes", {}), given.pop("settings", {})
        store = RunStore(given.pop("runs", tmp_path / "runs"))
        return compare_documents(targets, Document(settings), axes, store=store, **given)

    return compare
