"""What was tried on the same data is counted, and loaders bring what no hash pins."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from widemargin.config import resolve
from widemargin.contracts import (
    Dataset,
    DatasetCard,
    Progress,
    ReportSection,
    Silent,
    Study,
    UseCase,
)
from widemargin.contracts.loader import DatasetLoader
from widemargin.data import keep_file
from widemargin.encoders import Features
from widemargin.errors import AssetError
from widemargin.registry import discover
from widemargin.runs import RunStore
from widemargin.runs.runner import execute
from widemargin.runs.tried import tried_before

CARD = DatasetCard(title="Tides", sha256="ab")


def _leave(home: Path, name: str, case: str = "sea", **changes: Any) -> None:
    folder = home / case / name
    folder.mkdir(parents=True)
    told = {"config": "c1", "cells": 3, "title": "Tides", "sha256": "ab", **changes}
    for file, content in (
        ("manifest", {"config_sha256": told["config"]}),
        ("dataset", {"card": {"title": told["title"], "sha256": told["sha256"]}}),
        ("search", {"cells": [{}] * told["cells"]}),
    ):
        (folder / f"{file}.json").write_text(json.dumps(content), encoding="utf-8")


def test_runs_of_other_configs_on_the_same_source_are_counted_once_each(tmp_path: Path) -> None:
    assert tried_before(RunStore(tmp_path), "sea", CARD, "own") == (0, 0)
    _leave(tmp_path, "1")
    _leave(tmp_path, "2")
    _leave(tmp_path, "3", config="c2", cells=5)
    _leave(tmp_path, "4", config="own", cells=7)
    _leave(tmp_path, "5", config="c3", sha256="cd")
    _leave(tmp_path, "6", config="c4", case="land")
    assert tried_before(RunStore(tmp_path), "sea", CARD, "own") == (2, 8)


def test_without_a_hash_the_title_says_what_the_source_is(tmp_path: Path) -> None:
    _leave(tmp_path, "1", sha256="")
    _leave(tmp_path, "2", config="c2", sha256="", title="Winds")
    assert tried_before(RunStore(tmp_path), "sea", replace(CARD, sha256=""), "own") == (1, 3)


def test_a_run_that_is_not_whole_is_not_counted(tmp_path: Path) -> None:
    _leave(tmp_path, "1")
    (tmp_path / "sea" / "1" / "search.json").unlink()
    _leave(tmp_path, "2")
    (tmp_path / "sea" / "2" / "dataset.json").write_text("[]", encoding="utf-8")
    assert tried_before(RunStore(tmp_path), "sea", CARD, "own") == (0, 0)


class Brought(DatasetLoader):
    """Numbers that have to be brought before they are read."""

    source: Literal["brought"] = "brought"

    def fetch(self, data_home: Path, *, offline: bool, progress: Progress) -> None:
        if offline:
            raise AssetError("nothing may be brought offline")
        keep_file(data_home / "brought.csv", b"n\n1\n")

    def load(self, data_home: Path) -> Dataset:
        assert (data_home / "brought.csv").read_bytes() == b"n\n1\n"
        x = np.arange(40.0)
        return Dataset(
            X=pd.DataFrame({"x": x}),
            kinds={"x": "table"},
            y=np.where(x % 4 < 2, "low", "high"),
            ids=x.astype(int).astype(str),
            card=CARD,
        )

    def read_items(self, source: Path) -> Any:
        raise NotImplementedError


def _run(home: Path, seen: list[Study], *, offline: bool = False, C: Sequence[float]) -> None:
    def analyse(study: Study) -> Sequence[ReportSection]:
        seen.append(study)
        return []

    case = UseCase(
        name="sea",
        summary="Sea",
        task="classification",
        data=(Brought,),
        features=Features,
        primary_metric={"classification": "accuracy"},
        metrics=(),
        fixture={},
        defaults={"features": {"encoder": "tabular"}, "svm": {"kernel": "linear"}},
        analyse=analyse,
    )
    registry = discover()
    asked = {"svm": {"C": list(C)}, "evaluation": {"resamples": 100, "map": "none"}}
    config = resolve(case, [asked], encoders=registry.encoders, kernels=registry.kernels)
    execute(config, case, registry, RunStore(home), offline=offline, progress=Silent())


def test_an_analysis_is_told_how_much_was_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path / "home"))
    seen: list[Study] = []
    _run(tmp_path / "runs", seen, C=[0.1, 1.0, 10.0])
    _run(tmp_path / "runs", seen, C=[0.1, 1.0])
    _run(tmp_path / "runs", seen, C=[0.1, 1.0])
    told = [(one.searched, one.searched_before, one.runs_before) for one in seen]
    assert told == [(3, 0, 0), (2, 3, 1), (2, 3, 1)]


def test_a_loader_is_told_not_to_fetch_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path / "home"))
    with pytest.raises(AssetError, match="nothing may be brought offline"):
        _run(tmp_path / "runs", [], offline=True, C=[1.0])


def test_a_file_that_cannot_be_kept_says_where_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AssetError, match=r"cannot be written .* Set WIDEMARGIN_HOME"):
        keep_file(tmp_path / "file" / "a.csv", b"x")
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(AssetError, match="cannot be written"):
        keep_file(tmp_path / "taken.csv", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken.csv"]
