"""Genes: ranked, chosen on training rows alone, and how steadily."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import widemargin
from widemargin import DataError
from widemargin.testing import check_encoder
from widemargin_cancer.elimination import by_elimination, choose_count
from widemargin_cancer.genes import GENES, GeneEncoder, GeneSettings
from widemargin_cancer.stability import draw_units, stability

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_cancer" / "fixture.csv"


def made(n: int = 40, genes: int = 60, telling: int = 3, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    y = np.array(["a", "b"] * (n // 2))
    rows = rng.normal(size=(n, genes))
    rows[:, :telling] += 4 * (y == "b")[:, None]
    return rows, y


def test_elimination_leaves_the_genes_that_tell() -> None:
    rows, y = made()
    # The three say the same, so that two of them may make up for the third.
    assert {0, 1, 2} & set(by_elimination(rows, y)[:2].tolist()) == set(
        by_elimination(rows, y)[:2].tolist()
    )


def test_elimination_ranks_every_gene_once_and_of_equal_ones_the_first() -> None:
    rows, y = made(genes=5)
    doubled = np.hstack([rows, rows])
    order = by_elimination(doubled, y).tolist()
    assert sorted(order) == list(range(10))
    assert all(order.index(gene) < order.index(gene + 5) for gene in range(5))


def test_elimination_takes_out_what_another_gene_says_already() -> None:
    rng = np.random.default_rng(1)
    y = np.array(["a", "b"] * 30)
    side = np.where(y == "b", 1.0, -1.0)
    noise = rng.normal(size=60)
    # Gene 1 tells nothing by itself, and cancels the noise of gene 0.
    rows = np.column_stack([side + 2 * noise, noise, 0.9 * side + rng.normal(size=60)])
    assert set(by_elimination(rows, y)[:2].tolist()) == {0, 1}


def test_of_numbers_that_make_equally_many_mistakes_the_largest_is_taken() -> None:
    rows, y = made(n=20, genes=8, telling=8)

    def rank(own: Any, of: Any) -> Any:
        return np.arange(own.shape[1])

    count, mistakes = choose_count(rows, y, (4, 8, 6), rank)
    assert mistakes.tolist() == [0.0, 0.0, 0.0]
    assert count == 8


def test_the_number_of_genes_is_chosen_by_cross_validation() -> None:
    rows, y = made(n=30, genes=400, telling=2, seed=3)
    encoder = GeneEncoder(keep=(2, 400)).fit(pd.DataFrame(rows).rename(columns=str), y)
    assert encoder.counts_ == (2, 400)
    assert encoder.mistakes_[0] < encoder.mistakes_[1]
    assert sorted(encoder.get_feature_names_out()) == ["0", "1"]


def test_genes_of_noise_are_no_better_than_chance_when_chosen_within_folds() -> None:
    rng = np.random.default_rng(5)
    rows, y = rng.normal(size=(40, 500)), np.array(["a", "b"] * 20)
    counts = (10, 20)
    _, mistakes = choose_count(rows, y, counts, lambda own, of: by_elimination(own, of, 10))
    assert (mistakes > 12).all()


@pytest.mark.parametrize("rank", ["f", "kruskal", "elimination"])
def test_the_encoder_keeps_all_that_is_asked_of_encoders(rank: str) -> None:
    check_encoder(GENES, GeneSettings.model_validate({"rank": rank, "keep": 5}))


def test_without_classes_there_is_nothing_to_rank_by() -> None:
    with pytest.raises(DataError, match="there are none; give class names"):
        GeneEncoder().fit({"g": [1.0, 2.0]}, np.array([0.5, 1.5]))
    with pytest.raises(DataError, match="all training rows are of one class"):
        GeneEncoder(rank="elimination").fit({"g": [1.0, 2.0]}, ["a", "a"])


def test_stability_is_1_for_equal_signatures_and_about_0_for_drawn_lots() -> None:
    rng = np.random.default_rng(0)
    lots = np.stack([rng.permutation(np.arange(500) < 50) for _ in range(40)])
    drawn = stability(lots)
    assert drawn is not None
    assert abs(drawn.index) < 0.02
    assert drawn.low < drawn.index < drawn.high
    same = stability(np.tile(lots[0], (10, 1)))
    assert same is not None
    assert [same.index, same.low, same.high] == pytest.approx([1.0, 1.0, 1.0])


def test_stability_of_two_signatures_is_as_by_hand() -> None:
    # Of 4 genes 2 are taken each time, one of them both times: 1 - 2 (1/4 + 1/4) / 4 / (1/4) = 0.
    found = stability(np.array([[True, True, False, False], [True, False, True, False]]))
    assert found is not None
    assert found.index == pytest.approx(0.0)


def test_stability_is_undefined_where_all_genes_are_taken() -> None:
    assert stability(np.ones((3, 4), bool)) is None


def test_resamples_take_patients_whole_and_leave_no_class_out() -> None:
    y = np.array(["a", "a", "a", "a", "b", "b", "b", "b"])
    groups = np.array([1, 1, 2, 3, 4, 4, 5, 6])
    rng = np.random.default_rng(0)
    for _ in range(20):
        rows = draw_units(y, groups, 0.6, rng)
        assert set(y[rows]) == {"a", "b"}
        for group in np.unique(groups[rows]):
            assert np.isin(np.flatnonzero(groups == group), rows).all()


def test_a_run_ranks_genes_and_shows_what_careless_selection_would_have_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDEMARGIN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path / "home"))
    run = widemargin.run(
        "cancer",
        data={"path": str(FIXTURE), "label": "tumour", "group": "patient", "id": "sample"},
        features={"encoder": {"name": "genes", "keep": 8}},
        evaluation={"outer": 3, "inner": 3},
    )
    titles = [one["title"] for one in run.record.metrics["careless"]]
    assert any("fitted to all items" in title for title in titles)
    sections = json.loads((run.path / "analysis.json").read_text(encoding="utf-8"))
    ranked, drawn = [[block["block"] for block in one["blocks"]] for one in sections]
    table = next(block for block in ranked if "columns" in block)
    # The fixture's first twelve genes were made to differ, four for each class.
    assert {row[1] for row in table["rows"][:8]} <= {f"GENE{i:02d}" for i in range(1, 13)}
    [heat] = drawn
    assert [name for name, _ in heat["bands"]] == ["adenoma", "carcinoma", "normal"]
    assert sum(size for _, size in heat["bands"]) == len(heat["columns"]) == len(heat["values"][0])
    page = run.report.read_text(encoding="utf-8")
    assert "Which genes, and how steadily" in page
    outcome = widemargin.load(run.path).predict(FIXTURE)
    assert len(outcome) == 42
