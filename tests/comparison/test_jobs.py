"""Jobs: cells run one after the other, what is finished is kept, and what fails is named."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import widemargin
from widemargin.comparison import checking, jobs
from widemargin.errors import AssetError, ConfigError, RunNotFoundError
from widemargin.registry import discover
from widemargin.runs.store import RunStore

FIXTURE = discover().use_case("texts").fixture["path"]
QUICK = {"outer": 3, "inner": 2, "resamples": 100, "map": "none"}
FILES = ["comparison.csv", "comparison.html", "comparison.json", "comparison.md"]
Compare = Any
Calls = Any


def test_each_cell_is_an_ordinary_run_and_the_folder_is_whole(
    compare_quickly: Compare, calls: Calls, tmp_path: Path
) -> None:
    found, folder = compare_quickly()
    runs = RunStore(tmp_path / "runs").folders()
    assert {f"texts/{run.name}" for run in runs} == {row.path for row in found.rows}
    assert len(runs) == len(calls.words) == 2
    assert folder == tmp_path / "runs" / "comparisons" / found.name
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert {row.name: row.run.config["features"]["encoder"]["name"] for row in found.rows} == {
        "tfidf": "tfidf",
        "lsa": "lsa",
    }


def test_what_is_finished_is_not_run_again(compare_quickly: Compare, calls: Calls) -> None:
    first, _ = compare_quickly()
    again, _ = compare_quickly("lsa,tfidf")
    assert len(calls.words) == 2
    assert again.to_data()["cells"] == first.to_data()["cells"]
    more, _ = compare_quickly("lsa,tfidf", settings={"seed": 3})
    assert len(calls.words) == 4
    assert more.name != first.name


def test_a_run_that_is_gone_or_damaged_is_made_again(
    compare_quickly: Compare, calls: Calls
) -> None:
    first, folder = compare_quickly()
    shutil.rmtree(first.rows[0].run.path)
    again, _ = compare_quickly()
    assert len(calls.words) == 3
    assert len(again.done) == 2
    (folder / "comparison.json").write_text('{"cells": [{}]}', encoding="utf-8")
    compare_quickly()
    assert len(calls.words) == 5


def test_other_data_other_versions_and_another_source_are_run_again(
    compare_quickly: Compare,
    calls: Calls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "texts.csv"
    table = pd.read_csv(discover().use_case("texts").fixture["path"])
    table.to_csv(path, index=False)
    settings = {"data": {"path": str(path)}}
    compare_quickly(settings=settings)
    compare_quickly(settings=settings)
    assert len(calls.words) == 2
    table["text"] += " indeed"
    table.to_csv(path, index=False)
    compare_quickly(settings=settings)
    assert len(calls.words) == 4
    monkeypatch.setattr(checking, "versions", lambda: {"numpy": "99"})
    compare_quickly(settings=settings)
    assert len(calls.words) == 6
    monkeypatch.setattr(checking, "sources_hash", lambda packages: "other")
    compare_quickly(settings=settings)
    assert len(calls.words) == 8


def test_a_word_vector_file_that_changes_is_run_again(
    compare_quickly: Compare, calls: Calls, tmp_path: Path
) -> None:
    path = tmp_path / "vectors.txt"
    rng = np.random.default_rng(0)
    words = sorted(set(" ".join(pd.read_csv(FIXTURE)["text"]).lower().split()))

    def write() -> None:
        lines = [" ".join([word, *map(str, rng.normal(size=4).round(3))]) for word in words]
        path.write_text("\n".join([f"{len(words)} 4", *lines]) + "\n", encoding="utf-8")

    encoders = f"tfidf,{{name: word2vec, vectors: {path}}}"
    write()
    first, _ = compare_quickly(encoders)
    compare_quickly(encoders)
    assert len(calls.words) == 2
    write()
    second, _ = compare_quickly(encoders)
    assert len(calls.words) == 3  # tfidf reads no file
    one, other = (
        next(row for row in found.rows if "word2vec" in row.name) for found in (first, second)
    )
    assert one.path != other.path
    assert one.run.manifest["encoders"] != other.run.manifest["encoders"]
    compare_quickly(encoders)
    assert len(calls.words) == 3


def test_a_run_says_which_rows_belong_together(
    compare_quickly: Compare, calls: Calls, tmp_path: Path
) -> None:
    fixture = discover().use_case("table").fixture
    path = tmp_path / "table.csv"
    table = pd.read_csv(fixture["path"])
    table["person"] = [f"person {k // 2}" for k in range(len(table))]
    table.to_csv(path, index=False)
    settings = {"data": {"path": str(path), "label": "garden", "group": "person"}}
    found, _ = compare_quickly(
        "tabular", use_case="table", axes={"kernel": "linear,rbf"}, settings=settings
    )
    assert [row.problem for row in found.rows] == ["", ""]
    for row in found.done:
        told = pd.read_parquet(row.run.path / "predictions.parquet")
        assert told["group"].nunique() == table["person"].nunique()
        assert "person" not in told.to_csv()
        assert len(told[["group", "fold"]].drop_duplicates()) == told["group"].nunique()


def test_a_file_that_is_gone_is_told_by_its_cell(
    compare_quickly: Compare, calls: Calls, tmp_path: Path
) -> None:
    path = tmp_path / "none.bin"
    found, _ = compare_quickly(f"tfidf,{{name: word2vec, vectors: {path}}}")
    assert [row.name for row in found.done] == ["tfidf"]
    assert str(path) in found.failed[0].problem


def test_fresh_runs_all_again_and_encodes_all_again(compare_quickly: Compare, calls: Calls) -> None:
    compare_quickly()
    compare_quickly(fresh=True)
    assert ["--fresh" in words for words in calls.words] == [False, False, True, True]
    stores = [environment.get("WIDEMARGIN_STORE") for environment in calls.environments]
    assert stores[0] == os.environ.get("WIDEMARGIN_STORE")
    assert len(set(stores[2:])) == 2
    assert not any(Path(str(store)).exists() for store in stores[2:])


def test_a_failing_cell_is_named_with_its_message_and_the_others_are_there(
    compare_quickly: Compare, calls: Calls, notes: Any
) -> None:
    calls.fail = {"lsa": (1, "Error: memory ran out\nTry less.\n")}
    found, folder = compare_quickly("tfidf,lsa,kmer", progress=notes)
    assert [row.name for row in found.failed] == ["lsa"]
    assert found.failed[0].problem == "memory ran out\nTry less."
    assert {row.name for row in found.done} == {"tfidf", "kmer"}
    assert "lsa failed: memory ran out\nTry less." in notes.told
    page = (folder / "comparison.html").read_text(encoding="utf-8")
    assert "memory ran out" in page
    # What failed is tried again, and it alone.
    calls.fail = {}
    compare_quickly("tfidf,lsa,kmer")
    assert len(calls.words) == 4


def test_a_process_that_says_nothing_is_told_by_its_code(
    compare_quickly: Compare, calls: Calls
) -> None:
    calls.fail = {"lsa": (-9, ""), "tfidf": (7, "")}
    found, folder = compare_quickly()
    problems = {row.name: row.problem for row in found.rows}
    assert "killed, as the system does where memory runs out" in problems["lsa"]
    assert problems["tfidf"] == "its process ended with code 7"
    assert found.unpaired == "no cell has finished"
    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_weights_that_are_absent_fail_their_cell_alone(
    compare_quickly: Compare, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(asset: Any, *_: Any, **__: Any) -> None:
        raise AssetError(f"{asset.name} is not here")

    monkeypatch.setattr(checking, "require", refuse)
    found, _ = compare_quickly("tfidf,lsa,glove")
    assert [(row.name, row.problem) for row in found.failed] == [
        ("glove", "glove-6b-50d is not here")
    ]
    assert len(calls.words) == 2


def test_an_encoder_of_another_kind_is_refused_before_anything_runs(
    compare_quickly: Compare, calls: Calls, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as refused:
        compare_quickly("tfidf,hog,mfcc")
    assert "hog reads image, and the data have text" in str(refused.value)
    assert "mfcc reads audio" in str(refused.value)
    assert calls.words == []
    assert RunStore(tmp_path / "runs").folders() == []


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(
    compare_quickly: Compare, calls: Calls, tmp_path: Path
) -> None:
    calls.stop_at = 2
    with pytest.raises(KeyboardInterrupt, match="1 of 3 are finished and kept; the same command"):
        compare_quickly("tfidf,lsa,kmer")
    [folder] = (tmp_path / "runs" / "comparisons").iterdir()
    kept = json.loads((folder / "comparison.json").read_bytes())
    assert [cell["name"] for cell in kept["cells"]] == ["tfidf"]
    assert kept["n_cells"] == 3
    assert "1 of 3" in (folder / "comparison.html").read_text(encoding="utf-8")
    calls.stop_at = 0
    found, _ = compare_quickly("tfidf,lsa,kmer")
    assert len(calls.words) == 4
    assert len(found.done) == 3


def test_a_cell_runs_in_a_process_whose_memory_is_its_own(compare_quickly: Compare) -> None:
    ballast = np.ones(100_000_000)  # 800 MB that are none of the cells'
    found, _ = compare_quickly("tfidf,lsa")
    assert ballast.sum() == 1e8
    for row in found.rows:
        assert row.problem == ""
        assert 5e7 < row.memory < 7e8
        assert row.dimension > 0
        assert set(row.seconds) == {"encoding", "fitting", "predicting"}
        assert row.run.manifest["timings"]["total"] > row.total > 0


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_comparison_leaves_no_process_and_goes_on(
    tmp_path: Path, stop: signal.Signals
) -> None:
    fixture = discover().use_case("texts").fixture["path"]
    runs, temporary = tmp_path / "runs", tmp_path / "temporary"
    temporary.mkdir()
    words = [sys.executable, "-m", "widemargin", "compare", "texts", "--encoders", "tfidf,lsa,kmer"]
    words += ["--runs", str(runs), "--set", f"data.path={fixture}", "--set", "svm.C=1"]
    going = subprocess.Popen(
        words,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    deadline = time.monotonic() + 1200
    while not (runs / "comparisons").exists():
        assert going.poll() is None, going.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # Only the parent is told, as by `kill`.
    going.send_signal(stop)
    _, said = going.communicate(timeout=1200)
    assert going.returncode == 130, said
    assert "of 3 are finished and kept; the same command goes on with the others." in said
    assert "Traceback" not in said
    assert not [path for path in temporary.iterdir() if (path / "cell.yaml").exists()]
    done = len(RunStore(runs).folders())
    assert done < 3
    time.sleep(0.5)
    assert len(RunStore(runs).folders()) == done
    if stop is not signal.SIGTERM:
        return
    finished = subprocess.run([*words, "--json"], capture_output=True, text=True, check=True)
    assert "finished before" in " ".join(finished.stderr.split())
    assert len(json.loads(finished.stdout)["cells"]) == 3
    assert len(RunStore(runs).folders()) == 3


def test_a_cell_that_another_comparison_makes_meanwhile_is_not_run_again(
    compare_quickly: Compare, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = compare_quickly("tfidf,lsa")
    # It had not ended when this one began.
    monkeypatch.setattr(jobs, "take_finished", lambda *_: None)
    second, _ = compare_quickly("tfidf,kmer")
    assert len(calls.words) == 3
    made = [{row.name: row.path for row in found.rows}["tfidf"] for found in (first, second)]
    assert made[0] == made[1]


def test_a_comparison_is_no_run(compare_quickly: Compare, calls: Calls, tmp_path: Path) -> None:
    _, folder = compare_quickly()
    store = RunStore(tmp_path / "runs")
    assert folder not in store.folders()
    assert all(record.use_case == "texts" for record in store.records())
    assert store.prune(keep=5) == []
    assert folder.is_dir()


def test_no_short_name_stands_for_a_cell(
    compare_quickly: Compare, calls: Calls, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "runs")
    first, _ = compare_quickly()
    assert [row.run.comparison for row in first.rows] == [first.name] * 2
    for name in ("texts", "latest"):
        with pytest.raises(RunNotFoundError, match="only runs that `widemargin compare` made"):
            store.find(name)
    assert store.last("texts") is None
    made = widemargin.run(
        "texts", data={"path": str(FIXTURE)}, evaluation=QUICK, svm={"C": 1.0}, runs=store.home
    )
    assert made.record.comparison == ""
    later, _ = compare_quickly("kmer,tfidf")
    assert [row.run.comparison for row in later.rows] == [later.name, first.name]
    assert max(row.run.id for row in later.rows) > made.id
    for name in ("texts", "latest"):
        assert store.find(name).id == made.id
    assert store.find(later.rows[0].run.id).comparison == later.name


def test_shared_settings_reach_every_cell(compare_quickly: Compare, calls: Calls) -> None:
    found, _ = compare_quickly(settings={"seed": 7})
    assert {row.run.manifest["seed"] for row in found.rows} == {7}
