"""A use case's name stands for its last run in every command, and for none of a comparison's."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import widemargin
from widemargin.runs.store import RunStore

Call = Callable[..., Any]
CELL = "99990101-120000-0001"
FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_generic" / "pictures_fixture"
USED = ("spam", "pictures")


def make_cell(run: Path, target: Path) -> None:
    """Copy a run as one that a comparison made later."""
    made = shutil.copytree(run, target / run.parent.name / CELL)
    manifest = json.loads((made / "manifest.json").read_bytes())
    manifest |= {"id": CELL, "comparison": "spam-1f2e", "created": "9999-01-01T12:00:00+00:00"}
    (made / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.fixture(scope="module")
def small_runs(tmp_path_factory: pytest.TempPathFactory, fixtures: Any) -> Path:
    """Return a folder with one run of each of two use cases."""
    folder = tmp_path_factory.mktemp("runs")
    for name in USED:
        quick = {"outer": 2, "inner": 2, "resamples": 100, "map": "none"}
        widemargin.run(name, data=fixtures[name], svm={"C": 1}, evaluation=quick, runs=folder)
    return folder


@pytest.fixture
def runs(small_runs: Path, tmp_path: Path) -> Path:
    """Return a folder with a run of each of two use cases, and a later one of a comparison."""
    folder = tmp_path / "runs"
    for name in USED:
        run = RunStore(small_runs).find(name).path
        shutil.copytree(run, folder / name / run.name)
        make_cell(run, folder)
    return folder


@pytest.fixture
def cells(small_runs: Path, tmp_path: Path) -> Path:
    """Return a folder with nothing but what comparisons made."""
    for name in USED:
        make_cell(RunStore(small_runs).find(name).path, tmp_path / "cells")
    return tmp_path / "cells"


WORDS = [
    ("predict", "spam", "win cash"),
    ("predict", "latest", "--file", str(FIXTURE)),
    ("sort", "pictures", str(FIXTURE), "--into", "sorted"),
    ("show", "spam"),
    ("show",),
    ("report", "spam"),
    ("encode", "latest", "-o", "vectors.parquet"),
    ("run", "--like", "spam", "--set", "evaluation.outer=2", "--quiet"),
]
NAMES = [" ".join(words[:2]) for words in WORDS]


@pytest.mark.parametrize("words", WORDS, ids=NAMES)
def test_commands_that_take_a_name_for_the_last_run_pass_over_cells(
    call: Call, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    # What is of a comparison cannot even be read by those that only ask for the last run.
    for name in USED:
        shutil.rmtree(runs / name / CELL / "model")
        (runs / name / CELL / "config.yaml").unlink()
    said = call(*words, "--runs", str(runs))
    assert said.code == 0, said.err
    assert CELL not in said.out + said.err


@pytest.mark.parametrize("words", WORDS, ids=NAMES)
def test_where_there_are_only_cells_every_command_says_what_to_type(
    call: Call, cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    said = call(*words, "--runs", str(cells))
    assert said.code == 2
    assert "there are only runs that `widemargin compare` made" in said.err
    assert f"or name one of these by its id, such as {CELL}: `widemargin runs` lists" in said.err


def test_a_cell_answers_to_its_id_and_names_it_for_predictions(
    call: Call, cells: Path, small_runs: Path
) -> None:
    said = call("show", f"spam/{CELL}", "--runs", str(cells))
    assert said.code == 0
    assert f"Predict  widemargin predict {CELL} " in said.out
    assert (
        "Predict  widemargin predict spam " in call("show", "spam", "--runs", str(small_runs)).out
    )
    assert call("predict", f"spam/{CELL}", "win cash", "--runs", str(cells)).code == 0


def test_runs_tells_what_made_each(call: Call, runs: Path) -> None:
    words = ("runs", "--use-case", "spam", "--runs", str(runs))
    assert [one["comparison"] for one in json.loads(call(*words, "--json").out)] == [
        "",
        "spam-1f2e",
    ]
    _, first, second = call(*words).out.splitlines()
    assert "  run  " in first
    assert "  compare  " in second


def test_list_tells_of_the_run_that_the_name_stands_for(
    call: Call, runs: Path, cells: Path
) -> None:
    def last(folder: Path) -> Any:
        (row,) = json.loads(call("list", "spam", "--runs", str(folder), "--json").out)
        return row["last"]

    assert last(runs)["run"] == RunStore(runs).find("spam").id != CELL
    assert last(cells) is None


@pytest.mark.filterwarnings("default")
def test_list_warns_of_a_use_case_whose_only_run_is_damaged(call: Call, runs: Path) -> None:
    run = RunStore(runs).find("spam").path
    (run / "metrics.json").unlink()
    said = call("list", "--runs", str(runs), "--json")
    rows = {row["name"]: row["last"] for row in json.loads(said.out)}
    assert rows["spam"] is None
    assert rows["pictures"] is not None
    assert f"Warning: {run} is not a whole run" in said.err


def test_a_mail_is_judged_by_the_last_run_and_passes_where_there_are_only_cells(
    runs: Path, cells: Path
) -> None:
    def filtered(folder: Path) -> subprocess.CompletedProcess[bytes]:
        words = [sys.executable, "-m", "widemargin", "filter", "spam", "--runs", str(folder)]
        return subprocess.run(words, input=b"\nwin cash\n", capture_output=True, check=True)

    assert f"(run spam/{RunStore(runs).find('spam').id})".encode() in filtered(runs).stdout
    done = filtered(cells)
    assert done.stdout == b"\nwin cash\n"
    assert f"such as {CELL}".encode() in done.stderr
