"""The command line, called in this process, and one small run to ask about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from widemargin.api import Run
from widemargin.cli.main import main
from widemargin.registry import discover


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*words: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(list(words))
        captured = capsys.readouterr()
        return Said(int(stop.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def fixtures() -> Mapping[str, Mapping[str, Any]]:
    return {name: case.fixture for name, case in discover().use_cases.items()}


@pytest.fixture(scope="session")
def small_runs(tmp_path_factory: pytest.TempPathFactory, fixtures: Any) -> Path:
    """Return a folder with one run of each use case."""
    import widemargin

    runs = tmp_path_factory.mktemp("runs")
    for name, fixture in fixtures.items():
        made: Run = widemargin.run(name, data=fixture, svm={"C": 1}, runs=runs)
        assert made.path.is_dir()
    return runs
