"""Which engine a run uses, what it could not solve, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from widemargin import native
from widemargin.errors import ConfigError, DataError
from widemargin.runs.identity import engine_name, sources_hash
from widemargin.svm.engines.scikit_learn import ScikitLearn

Run = Callable[..., Any]
SEARCH = "inner search"


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WIDEMARGIN_NATIVE", "0")
    native._load.cache_clear()
    yield
    monkeypatch.undo()
    native._load.cache_clear()


@pytest.mark.usefixtures("no_library")
def test_the_native_engine_is_refused_before_data_are_read(
    run_quickly: Run, watcher: Any, tmp_path: Path
) -> None:
    watch = watcher()
    with pytest.raises(ConfigError) as caught:
        run_quickly("texts", svm={"engine": "native"}, progress=watch)
    assert str(caught.value) == (
        "svm.engine: The native engine is not available: WIDEMARGIN_NATIVE=0 turns it off; unset "
        "the variable to use it. Or take 'auto', for which scikit-learn's solvers do the work "
        "meanwhile; widemargin doctor says what is in place."
    )
    assert caught.value.exit_code == 2
    assert not watch.stages
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").glob("*/*"))


@pytest.mark.usefixtures("no_library")
def test_the_engine_that_solves_is_told_and_not_the_one_asked_for(run_quickly: Run) -> None:
    assert engine_name("auto") == "scikit-learn"
    manifest = json.loads((run_quickly(svm={"C": 1.0}).path / "manifest.json").read_text())
    assert manifest["engine"] == "scikit-learn"


@pytest.mark.skipif(native.library() is None, reason="there is no native library here")
def test_folds_that_another_engine_solved_are_not_reused(
    run_quickly: Run, watcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other, again = watcher(), watcher(), watcher()
    made = run_quickly(progress=first)
    assert json.loads((made.path / "manifest.json").read_text())["engine"].startswith("native (")
    with monkeypatch.context() as inside:
        inside.setattr(native, "_load", lambda: (None, "it was not compiled", ""))
        run_quickly(progress=other)
    run_quickly(progress=again)
    assert [watch.stages[SEARCH] for watch in (first, other, again)] == [3 + 1, 3 + 1, 1]


def test_the_hash_of_sources_sees_c_and_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "some_sources"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    seen = {sources_hash(["some_sources"])}
    for name in ("a.c", "a.h", "b.py"):
        (package / name).write_text("1")
        seen.add(sources_hash(["some_sources"]))
    assert len(seen) == 4
    (package / "notes.txt").write_text("1")
    assert sources_hash(["some_sources"]) in seen


def test_machines_that_were_stopped_are_a_finding(
    run_quickly: Run, watcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    solve = ScikitLearn.solve_rows

    def stopped(self: ScikitLearn, *rows: Any, **options: Any) -> Any:
        found = solve(self, *rows, **options)
        return replace(found, converged=np.zeros_like(found.converged))

    monkeypatch.setattr(ScikitLearn, "solve_rows", stopped)
    watch = watcher()
    run = run_quickly(svm={"C": [1.0, 10.0], "engine": "scikit-learn"}, progress=watch)
    [finding] = [one for one in run.record.metrics["findings"] if one["code"] == "WM009"]
    assert finding["severity"] == "warning"
    assert (
        "for the final model, for the models of 3 outer folds and in 2 of 2 cells"
        in finding["message"]
    )
    assert not [note for note in watch.notes if "optimality" in note]


@pytest.mark.parametrize(
    ("encoder", "where"),
    [
        ("tabular", "--set features.encoder.scale=none"),
        (
            [{"name": "tabular", "as": "one"}, {"name": "tabular", "as": "two", "scale": "robust"}],
            "scale: none beside the name in features.encoder",
        ),
    ],
)
def test_negative_rows_under_chi2_name_the_setting_that_makes_them(
    run_quickly: Run, tmp_path: Path, encoder: Any, where: str
) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.random(40), "b": rng.random(40), "label": ["no", "yes"] * 20})
    table.to_csv(tmp_path / "t.csv", index=False)
    data = {"path": str(tmp_path / "t.csv")}
    svm = {"kernel": "chi2", "C": 1.0, "gamma": 0.1}
    with pytest.raises(DataError) as caught:
        run_quickly("table", data=data, features={"encoder": encoder}, svm=svm)
    names = "tabular" if isinstance(encoder, str) else "one and two"
    assert str(caught.value).endswith(
        f" Or, if no column is negative in itself, keep {names} from centring them: {where}."
    )
    if isinstance(encoder, str):
        run_quickly("table", data=data, features={"encoder": {"scale": "none"}}, svm=svm)
        table["a"] -= 0.5
        table.to_csv(tmp_path / "t.csv", index=False)
        with pytest.raises(DataError, match=r"as rbf\.$"):
            run_quickly("table", data=data, features={"encoder": {"scale": "none"}}, svm=svm)
