"""What a run's manifest says of its costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from widemargin.encoders.store import store_folder
from widemargin.runs.costs import Spent, peak_memory

Run = Any


def costs(run: Any) -> dict[str, Any]:
    found: dict[str, Any] = run.record.manifest["costs"]
    return found


def test_a_run_says_what_it_took(run_quickly: Run) -> None:
    said = costs(run_quickly(features={"encoder": "lsa"}))
    assert set(said["seconds"]) == {"encoding", "fitting", "predicting"}
    assert said["seconds"]["encoding"] > 0
    assert said["seconds"]["fitting"] > 0
    assert said["peak_memory"] > 10_000_000
    assert 0 < said["dimension"] <= 100
    assert (said["items_asked"], said["items_kept"]) == (0, 0)


def test_folds_that_were_kept_count_what_they_once_took(
    run_quickly: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from widemargin.runs import folds

    run_quickly()
    dumped = folds._dump

    def slow(kept: Any) -> Any:
        seconds = kept.meta["seconds"]
        kept.meta["seconds"] = {work: own + 100 for work, own in seconds.items()}
        return dumped(kept)

    monkeypatch.setattr(folds, "_dump", slow)
    first = costs(run_quickly(seed=1))
    again = costs(run_quickly(seed=1))
    assert first["seconds"]["fitting"] < 100
    assert 300 < again["seconds"]["fitting"] < 400  # three folds, 100 s each
    assert (first["folds_kept"], again["folds_kept"]) == (0, 3)


def test_vectors_of_earlier_runs_are_told(
    run_quickly: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDEMARGIN_STORE", str(tmp_path / "vectors"))
    pytest.importorskip("PIL", reason="needs Pillow")
    first = costs(run_quickly("pictures", features={"encoder": "pixels"}))
    again = costs(run_quickly("pictures", features={"encoder": "pixels"}, seed=1))
    # Its own vectors, which it reads again for other stages, are no earlier run's.
    assert first["items_kept"] == 0
    assert again["items_kept"] == again["items_asked"] == first["items_asked"] > 0


def test_the_store_lies_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDEMARGIN_STORE", str(tmp_path / "vectors"))
    assert store_folder() == tmp_path / "vectors"
    monkeypatch.delenv("WIDEMARGIN_STORE")
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path))
    assert store_folder() == tmp_path / "embeddings"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux")
def test_the_peak_of_memory_is_the_processs_own_and_not_its_parents() -> None:
    ballast = b"x" * 300_000_000
    program = "from widemargin.runs.costs import peak_memory; print(peak_memory())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    assert len(ballast) < (peak_memory() or 0)
    assert 1_000_000 < int(done.stdout) < 200_000_000


def test_seconds_are_counted_by_kind_of_work() -> None:
    spent = Spent()
    before = dict(spent.seconds)
    spent.add({"encoding": 2.0, "fitting": 1.0})
    with spent("fitting"):
        pass
    since = spent.since(before)
    assert since["encoding"] == 2
    assert since["fitting"] >= 1
    assert since["predicting"] == 0
