"""What the sections say, block by block."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from widemargin.contracts import (
    Bars,
    Block,
    Estimates,
    Heatmap,
    Histogram,
    Lines,
    Pictures,
    Predictions,
    Quotes,
    ReportSection,
    RunRecord,
    Table,
    Text,
)
from widemargin.evaluation import METRICS, Finding, calibration_curve
from widemargin.report.artefacts import Artefacts
from widemargin.report.sections import build_findings, build_headline, build_sections
from widemargin.report.sections.calibration import build_calibration
from widemargin.report.sections.confusion import build_confusion
from widemargin.report.sections.curves import build_ranking, build_scores
from widemargin.report.sections.headline import build_numbers
from widemargin.report.sections.origins import build_data_card
from widemargin.report.sections.reasons import (
    build_blocks,
    build_mistakes,
    build_pieces,
    build_support_vectors,
)
from widemargin.report.sections.regression import build_regression
from widemargin.report.sections.search import build_near_duplicates, build_search

Write = Callable[..., RunRecord]
Read = Callable[..., Artefacts]


def change(record: RunRecord, **columns: Any) -> None:
    """Replace columns of the run's predictions; None drops one."""
    path = record.path / "predictions.parquet"
    frame = pd.read_parquet(path)
    for name, values in columns.items():
        frame = frame.drop(columns=name) if values is None else frame.assign(**{name: values})
    frame.to_parquet(path)


def block(section: ReportSection | None, kind: type[Any], place: int = 0) -> Any:
    """Find a section's n-th block of a type."""
    assert section is not None
    found: list[Block] = [one for one in section.blocks if isinstance(one, kind)]
    return found[place]


def facts(run: Artefacts) -> dict[str, str]:
    return dict(build_headline(run).facts)


def test_weights_reach_everything_that_is_counted(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary", n=400)
    plain = read(record)
    weight = np.where(np.arange(400) % 2, 3.0, 1.0)
    change(record, weight=weight)
    seen: list[Predictions] = []

    def own(predictions: Predictions) -> list[ReportSection]:
        seen.append(predictions)
        return []

    run = read(record)
    run = replace(run, use_case=replace(run.use_case, report_sections=own))
    build_sections(run)
    assert np.array_equal(seen[0].weight, weight)
    for build, kind in (
        (build_ranking, Lines),
        (build_confusion, Heatmap),
        (build_calibration, Lines),
        (build_scores, Histogram),
    ):
        assert block(build(run), kind) != block(build(plain), kind)
    table = block(build_confusion(run), Table)
    assert run.predictions is not None
    spam = run.predictions.y_true == 1
    assert table.rows[1][-1] == round(weight[spam].sum() / 2)
    assert "Each message counts by its weight" in block(build_scores(run), Histogram).note
    assert "by its weight" not in block(build_scores(plain), Histogram).note


def repeated(record: RunRecord, times: int, **columns: Any) -> None:
    """Hold every item out so many times, with the same outcome; columns are of all rows."""
    path = record.path / "predictions.parquet"
    frame = pd.read_parquet(path)
    parts = [frame.assign(repeat=k) for k in range(times)]
    pd.concat(parts, ignore_index=True).assign(**columns).to_parquet(path)


def quote_a_mistake(record: RunRecord) -> None:
    """Add a mistake to what the run explains."""
    path = record.path / "explanation.json"
    told = {"id": "sms-1", "text": "hi", "true": "spam", "predicted": "ham", "shares": []}
    path.write_text(json.dumps({**json.loads(path.read_text()), "mistakes": [told]}))


@pytest.mark.parametrize("shape", ["binary", "many"])
def test_repeats_are_counted_as_items(shape: str, write: Write, read: Read, tmp_path: Path) -> None:
    once = read(write(tmp_path / "once", shape, n=800))
    record = write(tmp_path / "often", shape, n=800)
    repeated(record, 5)
    often = read(record)
    grids = [block(build_confusion(run), Heatmap) for run in (once, often)]
    assert grids[0].texts == grids[1].texts
    assert "averaged over 5 repeats" not in grids[1].note
    assert "Numbers are counts, on average over 5 repeats" in grids[1].note
    tables = [block(build_confusion(run), Table).rows for run in (once, often)]
    assert tables[0] == tables[1]
    section = build_confusion(often)
    assert section is not None
    item = often.use_case.wording.items
    assert f"of 800 held-out {item} are predicted rightly, on average over 5" in section.intro
    curves = [block(build_calibration(run), Lines).series[0] for run in (once, often)]
    np.testing.assert_allclose(curves[0].low, curves[1].low)
    np.testing.assert_allclose(curves[0].high, curves[1].high)
    assert curves[0].labels == curves[1].labels
    bars = [block(build_calibration(run), Histogram).counts[0][1] for run in (once, often)]
    np.testing.assert_allclose(bars[0], bars[1])
    assert "counts once there" in block(build_calibration(often), Lines).note
    if shape == "binary":
        heights = [block(build_scores(run), Histogram).counts for run in (once, often)]
        assert sum(heights[1][0][1] + heights[1][1][1]) == pytest.approx(800)
        for run in (once, often):
            quote_a_mistake(run.record)
        told = [build_mistakes(read(run.record)) for run in (once, often)]
        assert told[0] is not None
        assert told[1] is not None
        assert told[0].intro.split()[:4] == told[1].intro.split()[:4]
        assert "on average over 5 repeats" in told[1].intro


def test_groups_widen_the_bars_of_the_calibration(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary", n=400)
    before = block(build_calibration(read(record)), Lines)
    spam = pd.read_parquet(record.path / "predictions.parquet")["y_true"] == "spam"
    # Ten groups of one class each.
    change(record, drawn=np.arange(400) % 5 + 5 * spam.to_numpy())
    after = block(build_calibration(read(record)), Lines)
    wide = [np.subtract(one.series[0].high, one.series[0].low) for one in (before, after)]
    assert (wide[1] >= wide[0] - 1e-9).all()
    assert wide[1][0] > 5 * wide[0][0]
    assert "drawn together" in after.note


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("text", "win cash", "win cash"),
        ("text", "", ""),
        ("series", "prices 120 x 5 numbers", None),
        ("image", "spots/01.png", None),
        ("audio", "spots/01.png", None),
        ("image", "elsewhere.png", "elsewhere.png"),
    ],
)
def test_items_without_words_are_called_by_their_name_alone(
    write: Write, read: Read, tmp_path: Path, kind: str, text: str, shown: str | None
) -> None:
    run = read(write(tmp_path / "run", "binary", n=100))
    preview = [{"id": "all/spots/01.png", "text": text, "label": "ham"}]
    run = replace(run, dataset={**run.dataset, "kinds": {"x": kind}, "preview": preview})
    section = build_data_card(run)
    assert section is not None
    assert [one.text for one in block(section, Quotes).quotes] == [shown]
    sheet = Pictures(title="The first few", pictures=[])
    pictured = replace(run, analysis=[ReportSection(title="Pictures", blocks=[sheet])])
    section = build_data_card(pictured)
    assert section is not None
    assert not any(isinstance(one, Quotes) for one in section.blocks)


def test_counts_of_one_are_singular(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary", n=100)
    frame = pd.read_parquet(record.path / "predictions.parquet")
    other = frame["y_pred"].map({"ham": "spam", "spam": "ham"})
    change(record, y_true=frame["y_pred"].where(np.arange(100) > 0, other))
    quote_a_mistake(record)
    run = read(record)
    mistake = build_mistakes(run)
    assert mistake is not None
    assert mistake.intro == "1 held-out message was called wrongly. It may be labelled wrongly."
    measured = replace(run.use_case.wording, labelled=False)
    alike = build_mistakes(replace(run, use_case=replace(run.use_case, wording=measured)))
    assert alike is not None
    assert alike.intro == "1 held-out message was called wrongly."
    found = {"removed": 1, "groups": 1, "contradictory": 1}
    section = build_near_duplicates(read(record, near_duplicates=found))
    assert block(section, Text).text.startswith("1 message, in 1 group, equals another but")
    assert "1 row has another label" in block(section, Text).text


def test_weights_reach_the_errors_of_numbers(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "regression", n=50)
    before = block(build_regression(read(record)), Histogram)
    change(record, weight=np.where(np.arange(50) == 7, 1000.0, 1.0))
    after = block(build_regression(read(record)), Histogram)
    assert max(after.counts[0][1]) > 40 > max(before.counts[0][1])
    frame = pd.read_parquet(record.path / "predictions.parquet")
    error = abs(frame["y_pred"] - frame["y_true"])[7]
    assert f"smaller than {error:.3g} points." in after.note


def test_a_run_without_weights_is_unweighted(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary", n=50)
    change(record, weight=None)
    predictions = read(record).predictions
    assert predictions is not None
    assert (predictions.weight == 1).all()


@pytest.mark.parametrize(
    ("made", "n_folds", "said"),
    [
        (3, {"outer": 3, "inner": 2}, "3 held-out parts"),
        (6, {"outer": 3, "inner": 2}, "3 held-out parts, 2 times"),
        (1, {"outer": 1, "inner": 5}, "1 held-out part"),
        (0, None, "5 held-out parts"),
    ],
)
def test_the_headline_counts_the_parts_that_were_made(
    made: int, n_folds: dict[str, int] | None, said: str, write: Write, read: Read, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary", n=50)
    run = read(record, folds=[{}] * made, n_folds=n_folds)
    assert facts(run)["Measured on"] == said


@pytest.mark.parametrize(
    ("made", "grouped", "said"),
    [
        (None, True, "cover 95% and come from resampling whole groups of messages."),
        ("bootstrap", False, "cover 95% and come from resampling the held-out messages."),
        (
            "jackknife",
            True,
            "come from leaving out 8 whole groups of messages, one at a time, and Student's "
            "distribution (the jackknife): fewer than 100 are too few to resample.",
        ),
        ("jackknife", False, "come from leaving out 8 held-out messages, one at a time, and"),
        ("", True, "there only where nothing is wrong: of 8 whole groups of messages, fewer than"),
    ],
)
def test_the_numbers_say_how_their_intervals_were_made(
    made: str | None, grouped: bool, said: str, write: Write, read: Read, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary", n=50)
    if grouped:
        change(record, drawn=np.arange(50) % 8)
    intervals = None if made is None else {"by": made, "of": 8}
    section = build_numbers(read(record, intervals=intervals))
    assert said in block(section, Estimates).note


def test_the_numbers_say_where_one_group_holds_most_of_what_was_predicted(
    write: Write, read: Read, tmp_path: Path
) -> None:
    def note(large: int) -> str:
        record = write(tmp_path / f"run{large}", "binary", n=50)
        change(record, drawn=np.maximum(np.arange(50) - large, -1))
        return str(block(build_numbers(read(record)), Estimates).note)

    assert "One of these holds 58% of all that was predicted" in note(29)
    assert "One of these" not in note(20)


def test_the_numbers_say_why_a_quantile_has_no_interval_or_another(
    write: Write, read: Read, tmp_path: Path
) -> None:
    def note(shape: str, metric: str, low: float | None, by: str) -> str:
        record = write(tmp_path / shape, shape, n=50)
        measured = {metric: {"value": 0.5, "low": low, "high": low and 0.6}}
        run = read(record, intervals={"by": by, "of": 50}, metrics=measured)
        known = {one.name: one for one in METRICS}
        return str(block(build_numbers(replace(run, known=known)), Estimates).note)

    said = note("binary", "caught_at_0.1", None, "bootstrap")
    assert "Caught at 0.1% blocked: none, for too few messages beyond where it is read" in said
    said = note("regression", "median_ae", 0.4, "jackknife")
    assert "Leaving one out says little of the median absolute error, which is resampled." in said


def test_findings_are_those_of_the_evaluation(write: Write, read: Read, tmp_path: Path) -> None:
    found = build_findings(read(write(tmp_path / "run", "binary", n=50)))
    assert [one.code for one in found] == ["WM002", "WM004"]
    assert all(isinstance(one, Finding) for one in found)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (1, " 1 row has another label than the one that stayed."),
        (2, " 2 rows have another label than the one that stayed."),
    ],
)
def test_labels_that_contradict_are_counted_in_rows(
    rows: int, said: str, write: Write, read: Read, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary", n=50)
    found = {"removed": 373, "groups": 250, "contradictory": rows}
    text = block(build_near_duplicates(read(record, near_duplicates=found)), Text).text
    assert text.endswith(said)


def test_without_near_duplicates_nothing_is_said(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary", n=50)
    assert build_near_duplicates(read(record, near_duplicates={"removed": 0})) is None


def test_every_class_shows_its_support_vectors(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "many", n=50)
    examples = [
        {"id": f"{name} {k}", "text": "", "label": name, "weight": 1.0}
        for name in ("ash", "beech", "oak")
        for k in range(6)
    ]
    content = {"support_vectors": {"count": 18, "examples": examples}}
    (record.path / "explanation.json").write_text(json.dumps(content), encoding="utf-8")
    quotes = block(build_support_vectors(read(record)), Quotes).quotes
    assert [quote.kind for quote in quotes] == ["ash"] * 6 + ["beech"] * 6 + ["oak"] * 6


def test_calibration_shows_the_bins_of_the_evaluation(
    write: Write, read: Read, tmp_path: Path
) -> None:
    for shape in ("binary", "many"):
        record = write(tmp_path / shape, shape, n=300)
        change(record, weight=1.0 + np.arange(300) % 3)
        run = read(record)
        assert run.predictions is not None
        curve = calibration_curve(run.predictions)
        measured = block(build_calibration(run), Lines).series[0]
        assert list(measured.x) == [part.predicted for part in curve]
        assert list(measured.y) == [part.observed for part in curve]
        ((_, counts),) = block(build_calibration(run), Histogram).counts
        assert [n for n in counts if n] == [part.n_samples for part in curve]
        assert counts[curve[-1].place] == curve[-1].n_samples


def test_calibration_names_the_class_that_its_probabilities_are_of(
    write: Write, read: Read, tmp_path: Path
) -> None:
    # With label weights the label may be another class, of which nothing is drawn.
    run = read(write(tmp_path / "run", "many", n=60))
    assert run.predictions is not None
    weighed = replace(run.predictions, y_pred=np.zeros_like(run.predictions.y_pred))
    assert calibration_curve(weighed) == calibration_curve(run.predictions)
    lines = block(build_calibration(run), Lines)
    assert lines.x_label == "probability of the most probable class"
    assert lines.y_label == "share that is of it"
    assert lines.x_label == block(build_calibration(run), Histogram).x_label


def test_scores_are_log_odds_and_0_parts_the_calls(
    write: Write, read: Read, tmp_path: Path
) -> None:
    section = build_scores(read(write(tmp_path / "run", "binary", n=400)))
    assert section is not None
    assert section.intro == (
        "A score is the log-odds: the logarithm of how much likelier spam is than ham; 0 is even. "
        "Above 0 messages are called spam."
    )
    drawn = block(section, Histogram)
    assert drawn.x_label == "log-odds of spam"
    assert [at for at, _ in drawn.vertical] == [0.0]
    assert 0.0 in drawn.edges
    assert sum(sum(counts) for _, counts in drawn.counts) == pytest.approx(400)


@pytest.mark.parametrize("score", [-3.0, 0.0, 3.0])
def test_scores_that_are_all_equal_can_be_drawn(
    score: float, write: Write, read: Read, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary", n=40)
    spam = 1 / (1 + np.exp(-score))
    change(record, **{"probability: spam": spam, "probability: ham": 1 - spam})
    drawn = block(build_scores(read(record)), Histogram)
    assert sum(sum(counts) for _, counts in drawn.counts) == pytest.approx(40)


def test_a_mistake_states_its_margin_where_there_are_two_classes(
    write: Write, read: Read, tmp_path: Path
) -> None:
    mistake = {"id": "a", "text": "", "true": "ham", "predicted": "spam", "probability": 0.75,
               "decision": float(np.log(3)), "shares": []}  # fmt: skip
    for shape, said in (("binary", {"margin": "1.1"}), ("many", {})):
        record = write(tmp_path / shape, shape, n=50)
        content = json.dumps({"mistakes": [mistake]})
        (record.path / "explanation.json").write_text(content, encoding="utf-8")
        (quote,) = block(build_mistakes(read(record)), Quotes).quotes
        usual = {"true": "ham", "predicted": "spam", "probability": "75.0%"}
        assert dict(quote.facts) == usual | said


def test_the_roc_curve_is_that_of_the_ranking(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary", n=4)
    truth = np.array(["spam", "ham", "spam", "ham"])
    change(record, y_true=truth, decision=[3.0, 2.0, 1.0, 1.0], weight=[1.0, 3.0, 1.0, 1.0])
    section = build_ranking(read(record))
    roc, recall = block(section, Lines, 0), block(section, Lines, 1)
    assert list(roc.series[0].x) == [0, 0, 0.75, 1]
    assert list(roc.series[0].y) == [0, 0.5, 0.5, 1]
    assert list(recall.series[0].y) == [1, 0.25, pytest.approx(1 / 3)]
    assert list(recall.series[1].y) == pytest.approx([1 / 3, 1 / 3])
    assert not roc.x_log
    assert list(roc.series[1].x) == list(roc.series[1].y) == [0, 1]


def test_a_nearly_perfect_roc_curve_has_a_logarithmic_axis(
    write: Write, read: Read, tmp_path: Path
) -> None:
    section = build_ranking(read(write(tmp_path / "run", "binary", n=2000)))
    roc = block(section, Lines)
    assert roc.x_log
    assert roc.x_range == (0.001, 1.0)
    assert roc.x_label == "share of others taken for spam (logarithmic)"
    assert roc.note.endswith("Shares below 0.001 are drawn at the left end.")
    chance = roc.series[-1]
    assert chance.name == "chance"
    assert list(chance.x) == list(chance.y)
    assert len(chance.x) > 10


def test_the_curve_has_the_area_that_the_peer_measures(
    write: Write, read: Read, tmp_path: Path
) -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.2
    scores = np.round(rng.normal(truth.astype(float), 1.0), 1)
    record = write(tmp_path / "run", "binary", n=300)
    change(record, y_true=np.where(truth, "spam", "ham"), decision=scores)
    section = build_ranking(read(record))
    roc, recall = block(section, Lines, 0).series[0], block(section, Lines, 1).series[0]
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(roc_auc_score(truth, scores))
    assert recall.y[-1] == pytest.approx(truth.mean())


def test_each_blocks_share_of_the_margin_is_drawn(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary", n=50)
    assert build_blocks(read(record)) is None
    shares = [
        {"block": "words", "weight": 0.25, "share": 0.7},
        {"block": "numbers", "weight": 0.75, "share": 0.3},
    ]
    content = json.dumps({"blocks": shares})
    (record.path / "explanation.json").write_text(content, encoding="utf-8")
    section = build_blocks(read(record))
    assert section is not None
    assert section.title == "Which features decide"
    bars = block(section, Bars)
    assert bars.labels == ["words (weight 0.25)", "numbers (weight 0.75)"]
    assert bars.values == [0.7, 0.3]
    assert bars.details == ["70.0%", "30.0%"]
    assert section in build_sections(read(record))


def test_the_gamma_of_several_blocks_is_called_a_factor(
    write: Write, read: Read, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "many", n=50)
    plain = read(record)
    blocks = {"svm": {"blocks": {"words": {"kernel": "rbf"}}}}
    joined = replace(plain, record=replace(plain.record, config=blocks))
    for run, name in ((plain, "gamma"), (joined, "factor of the gammas")):
        section = build_search(run)
        assert block(section, Heatmap).y_label == name
        assert name in block(section, Table).columns
        assert facts(run)[name] == "0.1"


def test_cells_that_were_not_tried_or_did_not_converge_are_told(
    write: Write, read: Read, tmp_path: Path
) -> None:
    run = read(write(tmp_path / "run", "many", n=50))
    cells = list(run.search["cells"])
    whole = block(build_search(run), Heatmap).note
    assert "not tried" not in whole
    assert "stopped" not in whole
    cut = replace(run, search={**run.search, "cells": cells[:-1], "chosen": 0})
    assert "Empty cells were not tried" in block(build_search(cut), Heatmap).note
    loose = [{**cells[0], "converged": False}, *cells[1:]]
    told = replace(run, search={**run.search, "cells": loose})
    assert "1 cell has a machine that was stopped" in block(build_search(told), Heatmap).note


def test_the_words_of_linear_blocks_are_shown_with_the_blocks_share(
    write: Write, read: Read, tmp_path: Path
) -> None:
    run = read(write(tmp_path / "run", "binary"))
    words = [
        {"piece": "free", "contribution": 0.4, "items": 9},
        {"piece": "home", "contribution": -0.2, "items": 5},
    ]
    explanation = {
        "blocks": [
            {"block": "words", "weight": 0.5, "share": 0.62},
            {"block": "characters", "weight": 0.5, "share": 0.38},
        ],
        "block_pieces": [{"block": "words", "pieces": words}],
        "note": "The rbf kernel of block characters has no weight for each piece.",
    }
    section = build_pieces(replace(run, explanation=explanation))
    assert section is not None
    assert section.title == "The words that decide"
    assert section.intro == (
        "Block words is linear, so that its words have weights; it makes up 62.0% of the margin, "
        "signs aside. The rbf kernel of block characters has no weight for each piece."
    )
    bars = [one for one in section.blocks if isinstance(one, Bars)]
    assert [one.title for one in bars] == [
        "Towards ham, in block words",
        "Towards spam, in block words",
    ]
    assert [list(one.labels) for one in bars] == [["home"], ["free"]]
    alone = build_pieces(replace(run, explanation={**explanation, "blocks": [], "note": ""}))
    assert alone is not None
    assert alone.intro == "Block words is linear, so that its words have weights."
