"""Pairs: which cells differ, and when folds are no pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from widemargin.comparison import pairs as module
from widemargin.comparison.pairs import Pair
from widemargin.contracts import Metric, RunRecord
from widemargin.evaluation import METRICS, corrected_t_test, holm
from widemargin.evaluation.paired import few_shot_overlap

F1 = next(metric for metric in METRICS if metric.name == "f1")
MAE = next(metric for metric in METRICS if metric.name == "mae")
GOOD, FAIR, POOR = [0.9, 0.92, 0.95], [0.89, 0.92, 0.93], [0.4, 0.5, 0.45]


def paired(runs: Mapping[str, RunRecord], primary: Metric) -> tuple[tuple[Pair, ...], str]:
    """Pair cells that are all judged by one metric."""
    pairs, [why] = module.paired([(primary, runs)])
    return pairs, why


class Runs:
    """Makes run records that hold what pairing reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = 0

    def __call__(
        self,
        scores: Sequence[float | None],
        *,
        ids: Sequence[str] = "abcdef",
        truth: str = "xyxyxy",
        metric: str = "f1",
        shots: int | None = None,
        guesses: str | None = None,
        fold: Sequence[int] | None = None,
        group: Sequence[int] | None = None,
        split: str = "folds",
    ) -> RunRecord:
        self.made += 1
        path = self.folder / str(self.made)
        path.mkdir()
        frame: dict[str, Any] = {
            "id": list(ids),
            "y_true": list(truth) if metric == "f1" else list(map(float, truth)),
            "y_pred": list(guesses or truth) if metric == "f1" else list(map(float, truth)),
            "fold": fold or [k % len(scores) for k in range(len(ids))],
            "repeat": 0,
            "weight": 1.0,
        }
        if group:
            frame["group"] = group
        pd.DataFrame(frame).to_parquet(path / "predictions.parquet")
        metrics = {
            "n_items": len(ids),
            "confidence": 0.95,
            "classes": ["x", "y"] if metric == "f1" else [],
            "positive": "y",
            "split": split,
            "folds": [{metric: score} for score in scores],
        }
        config = {"evaluation": {"shots": shots}}
        return RunRecord(
            path=path, id=path.name, use_case="spam", manifest={}, config=config, metrics=metrics
        )


@pytest.fixture
def run(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_all_pairs_are_tested_and_corrected_together(run: Any) -> None:
    pairs, why = paired({"good": run(GOOD), "poor": run(POOR), "fair": run(FAIR)}, F1)
    assert why == ""
    assert [(pair.better, pair.worse) for pair in pairs] == [
        ("good", "poor"),
        ("good", "fair"),
        ("fair", "poor"),
    ]
    alone = corrected_t_test(GOOD, POOR, overlap=2 / 4)
    assert pairs[0].test == alone
    assert [pair.p for pair in pairs] == list(holm([pair.test.p for pair in pairs]))
    assert min(pair.p for pair in pairs) == pytest.approx(3 * min(pair.test.p for pair in pairs))
    assert [pair.is_clear for pair in pairs] == [True, False, True]


def test_pairs_of_one_use_case_are_corrected_together_whatever_judges_them(run: Any) -> None:
    errors = {
        name: run(scores, metric="mae", truth="123456")
        for name, scores in (("high", GOOD), ("low", POOR))
    }
    pairs, why = module.paired([(F1, {"good": run(GOOD), "poor": run(POOR)}), (MAE, errors)])
    assert why == ["", ""]
    assert [(pair.better, pair.worse) for pair in pairs] == [("good", "poor"), ("low", "high")]
    assert [pair.p for pair in pairs] == list(holm([pair.test.p for pair in pairs]))
    [alone], _ = paired(errors, MAE)
    assert pairs[1].p == pytest.approx(2 * alone.p)


def test_of_an_error_the_lower_is_better(run: Any) -> None:
    runs = {
        "high": run(GOOD, metric="mae", truth="123456"),
        "low": run(POOR, metric="mae", truth="123456"),
    }
    [pair], _ = paired(runs, MAE)
    assert (pair.better, pair.worse) == ("low", "high")
    assert pair.test.difference < 0
    assert pair.test.low < pair.test.difference < pair.test.high < 0


def test_few_shots_count_the_rows_that_draws_share(run: Any) -> None:
    many: dict[str, Any] = {"ids": [str(k) for k in range(300)], "truth": "xyx" * 100}
    few = {**many, "shots": 8}
    [pair], _ = paired({"good": run(GOOD, **few), "poor": run(POOR, **few)}, F1)
    shared = few_shot_overlap([200, 100], 8, n_splits=3)
    assert 0 < shared < 0.1
    assert pair.test == corrected_t_test(GOOD, POOR, overlap=shared)
    [pair], _ = paired({"good": run(GOOD, **many), "poor": run(POOR, **many)}, F1)
    assert pair.test == corrected_t_test(GOOD, POOR, overlap=1 / 2)


def test_an_undefined_fold_is_left_out(run: Any) -> None:
    [pair], _ = paired({"good": run([*GOOD[:2], None]), "poor": run(POOR)}, F1)
    assert pair.test.n_paired == 2


def test_folds_that_cannot_tell_are_not_clear(run: Any) -> None:
    [pair], _ = paired({"one": run([0.9, 0.8]), "other": run([0.5, 0.4])}, F1)
    assert math.isnan(pair.p)
    assert not pair.is_clear


def test_rows_in_another_order_are_the_same_folds(run: Any) -> None:
    one, other = run(GOOD), run(POOR)
    path = other.path / "predictions.parquet"
    pd.read_parquet(path).iloc[::-1].to_parquet(path)
    assert paired({"one": one, "other": other}, F1)[1] == ""


def test_folds_of_other_rows_or_labels_are_no_pairs(run: Any, tmp_path: Path) -> None:
    good = run(GOOD)
    for other, why in (
        (run(POOR, ids="abcdeg"), "good and other held out other rows"),
        (run(POOR, ids="bacdef"), "good and other held out other rows"),
        (run(POOR, truth="xyxyxx"), "good and other had other labels or weights"),
        (replace(run(POOR), path=tmp_path / "none"), "the predictions of other cannot be read"),
        (run([0.3, 0.4]), "good and other held out other rows"),
    ):
        pairs, said = paired({"good": good, "other": other}, F1)
        assert pairs == ()
        assert why in said


def items(n: int, wrong: int) -> dict[str, Any]:
    """Make items of which the first few are guessed wrongly."""
    truth = "xy" * (n // 2)
    turned = "".join("y" if one == "x" else "x" for one in truth[:wrong])
    ids = [f"{k:04}" for k in range(n)]
    return {"ids": ids, "truth": truth, "guesses": turned + truth[wrong:]}


@pytest.mark.parametrize("split", ["published", "leave-one-out"])
def test_without_folds_of_several_items_the_items_are_drawn_anew(run: Any, split: str) -> None:
    n = 100
    fold = [0] * n if split == "published" else list(range(n))
    # Scores of single items say nothing of F1; they are not asked.
    scores = [0.9] if split == "published" else [0.0] * n
    runs = {
        name: run(scores, **items(n, wrong), fold=fold, split=split)
        for name, wrong in (("fair", 4), ("poor", 40), ("good", 2))
    }
    pairs, why = paired(runs, F1)
    assert why == ""
    assert [(pair.better, pair.worse, pair.is_clear) for pair in pairs] == [
        ("fair", "poor", True),
        ("good", "fair", False),
        ("good", "poor", True),
    ]
    first = pairs[0].test
    assert (first.of, first.n_paired) == ("items", n)
    assert first.difference == pytest.approx(0.96 - 0.60)
    assert 0.24 < first.low < first.difference < first.high < 0.5
    assert [pair.p for pair in pairs] == list(holm([pair.test.p for pair in pairs]))


def test_items_of_a_group_are_drawn_together(run: Any) -> None:
    n = 100
    one, other = items(n, 10), items(n, 0)
    widths = []
    for group in (None, [k // 10 for k in range(n)]):
        given: dict[str, Any] = {"fold": [0] * n, "split": "published", "group": group}
        [pair], _ = paired({"a": run([0.9], **one, **given), "b": run([1.0], **other, **given)}, F1)
        widths.append(pair.test.high - pair.test.low)
        assert pair.test.n_paired == (10 if group else n)
    # All ten that are wrong are of one group, which a resample has or lacks.
    assert widths[1] > 2 * widths[0]


def test_many_pairs_are_drawn_often_enough_to_be_clear(run: Any) -> None:
    n = 200
    given: dict[str, Any] = {"fold": [0] * n, "split": "published"}
    runs = {str(k): run([0.9], **items(n, 22 * k), **given) for k in range(9)}
    pairs, _ = paired(runs, F1)
    assert len(pairs) == 36
    assert all(pair.is_clear for pair in pairs)


def test_one_run_alone_is_no_pair(run: Any) -> None:
    assert "fewer than two" in paired({"a": run(GOOD)}, F1)[1]
