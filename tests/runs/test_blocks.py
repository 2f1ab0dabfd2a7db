"""Runs whose blocks of features each have a kernel: searched, saved, explained and reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import widemargin
from widemargin.errors import DataError
from widemargin.registry import discover

QUICK = {"outer": 3, "inner": 2, "resamples": 100}
ENCODERS = [
    {"name": "tfidf", "as": "words", "characters": None, "min_df": 1},
    {"name": "tfidf", "as": "characters", "words": None, "min_df": 1},
]
BLOCKS = {"words": {"kernel": "linear"}, "characters": {"kernel": "rbf"}}


def run(folder: Path, **svm: Any) -> Any:
    return widemargin.run(
        "spam",
        data=dict(discover().use_case("spam").fixture),
        features={"encoder": ENCODERS},
        svm={"C": [1.0, 10.0], **svm},
        evaluation=QUICK,
        runs=folder,
    )


@pytest.mark.parametrize("weights", ["equal", "aligned", "learned", {"words": 1, "characters": 3}])
def test_a_sum_of_blocks_is_searched_saved_and_explained(tmp_path: Path, weights: Any) -> None:
    made = run(tmp_path, blocks=BLOCKS, weights=weights)
    explanation = json.loads((made.path / "explanation.json").read_bytes())
    shares = {one["block"]: one for one in explanation["blocks"]}
    assert set(shares) == set(BLOCKS)
    assert sum(one["share"] for one in shares.values()) == pytest.approx(1.0)
    assert sum(one["weight"] for one in shares.values()) == pytest.approx(1.0)
    if weights == "equal":
        assert shares["words"]["weight"] == 0.5
    if isinstance(weights, dict):
        assert shares["characters"]["weight"] == 0.75
    if shares["words"]["weight"]:
        assert explanation["note"].startswith(
            "The rbf kernel of block characters has no weight for each piece. "
        )
        [words] = explanation["block_pieces"]
        assert words["block"] == "words"
        assert words["pieces"][0]["contribution"] > 0 > words["pieces"][-1]["contribution"]
        assert "in block words" in made.report.read_text(encoding="utf-8")
    else:
        assert explanation["block_pieces"] == []
        assert explanation["note"].startswith("The rbf kernel has no weight for each piece. ")
    search = json.loads((made.path / "search.json").read_bytes())
    assert {cell["gamma"] for cell in search["cells"]} == {0.25, 1.0, 4.0}
    texts = ["win cash now", "see you at home"]
    first, again = (widemargin.load(made.path).predict(texts) for _ in range(2))
    np.testing.assert_array_equal(np.asarray(first.margin), np.asarray(again.margin))


def test_a_product_of_blocks_runs_too(tmp_path: Path) -> None:
    made = run(tmp_path, blocks=BLOCKS, combine="product")
    explanation = json.loads((made.path / "explanation.json").read_bytes())
    assert explanation["blocks"] == explanation["block_pieces"] == []
    assert explanation["note"].startswith("The linear and rbf kernels have no weight for each ")
    assert widemargin.load(made.path).predict(["win cash now"]).label.tolist() == ["spam"]


def test_a_block_that_no_encoder_makes_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        run(tmp_path, blocks={"word": {}})
    assert str(caught.value) == (
        "svm.blocks: 'word' is no block of the features; they are words, characters. "
        "Did you mean 'words'?"
    )
