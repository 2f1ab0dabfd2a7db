"""Runs of tiny data to predict with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import widemargin
from widemargin.api import Run
from widemargin.registry import discover

MakeRun = Callable[..., Run]


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Run a use case once for all tests that ask for the same; ``three`` is a table of classes."""
    home = tmp_path_factory.mktemp("runs")
    made: dict[str, Run] = {}

    def three() -> dict[str, Any]:
        rng = np.random.default_rng(0)
        place = np.repeat([0.0, 3.0, 6.0], 12)
        path = home / "three.csv"
        columns = {"a": place + rng.normal(size=36), "b": rng.random(36)}
        pd.DataFrame({**columns, "label": np.repeat(["ant", "bee", "cat"], 12)}).to_csv(
            path, index=False
        )
        return {"path": str(path)}

    def make(use_case: str, kernel: str = "linear") -> Run:
        key = f"{use_case} {kernel}"
        if key not in made:
            name = "table" if use_case == "three" else use_case
            data = three() if use_case == "three" else discover().use_case(name).fixture
            made[key] = widemargin.run(
                name,
                data=dict(data),
                svm={"kernel": kernel, "C": 1.0, "gamma": 0.3},
                evaluation={"outer": 3, "inner": 2, "resamples": 100},
                runs=home / key.replace(" ", "-"),
            )
        return made[key]

    return make


@pytest.fixture
def copied(make_run: MakeRun, tmp_path: Path) -> Path:
    """A run's folder that a test may spoil."""
    import shutil

    return Path(shutil.copytree(make_run("spam").path, tmp_path / "spam" / "copied"))
