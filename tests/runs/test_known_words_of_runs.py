"""What a run says of the words that its word vectors do not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_a_run_on_vectors_of_another_language_warns_of_it(run_quickly: Any, tmp_path: Path) -> None:
    file = tmp_path / "other.vec"
    file.write_text("talo 1 0\nkissa 0 1\n", encoding="utf-8")
    made = run_quickly(features={"encoder": {"name": "word2vec", "vectors": str(file)}})
    [found] = [one for one in made.record.metrics["findings"] if one["code"] == "WM010"]
    assert found["severity"] == "warning"
    n = made.record.metrics["n_items"]
    assert (
        f"word2vec has vectors for 0% of the words in the training texts; {n} of {n} texts"
        in (found["message"])
    )


def test_what_holds_in_every_fold_is_noted_once_a_run(run_quickly: Any, watcher: Any) -> None:
    watch = watcher()
    encoder = {"name": "word2vec", "dimension": 4, "epochs": 1}
    made = run_quickly(features={"encoder": encoder}, progress=watch)
    assert made.record.metrics["n_folds"]["outer"] == 3
    assert watch.stages["training word2vec"] > 3
    assert len([note for note in watch.notes if "fewer than 10,000 words" in note]) == 1
