"""What a use case's own analysis adds to the report."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import widemargin
from widemargin.config import resolve
from widemargin.contracts import (
    Bars,
    Block,
    Code,
    Estimate,
    Estimates,
    Facts,
    Heatmap,
    Histogram,
    Lines,
    Map,
    Quote,
    Quotes,
    ReportSection,
    RunRecord,
    Scatter,
    Series,
    Silent,
    Study,
    Table,
    Text,
    UseCase,
)
from widemargin.contracts.kept_sections import dump_sections, load_sections
from widemargin.registry import discover
from widemargin.report import render_report
from widemargin.runs import RunStore
from widemargin.runs.runner import execute

POINTS = [Series(name="s", x=[1.0, 2.0], y=[2.0, 4.0], labels=["a", "b"])]
BLOCKS: list[Block] = [
    Text(text="b"),
    Code(text="c"),
    Facts(pairs=[("a", "b")]),
    Table(columns=["a", "b"], rows=[[1, None], ["x", 2.5]]),
    Estimates(rows=[Estimate(name="a", text="b", value=None)]),
    Quotes(quotes=[Quote(text="q", shares=[("a", 1.0)])]),
    Lines(title="t", x_label="x", y_label="y", series=POINTS, vertical=[(1.0, "m")]),
    Scatter(title="t", x_label="x", y_label="y", series=POINTS),
    Bars(title="t", x_label="x", labels=["a"], values=[1.0]),
    Histogram(title="h", x_label="x", edges=[0.0, 1.0], counts=[("a", [1.0])]),
    Heatmap(title="h", x_label="", y_label="", columns=["a"], rows=["b"], values=[[1.0]]),
    Map(title="m", x=[1.0], y=[2.0], groups=["a"], group=[0], pictures={0: b"\xff\x00"}),
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_every_block_comes_back_as_it_was(block: Block) -> None:
    given = ReportSection(title="A", intro="i", advanced=True, blocks=[block])
    written = dump_sections([given])
    (back,) = load_sections(written)
    assert [type(one) for one in back.blocks] == [type(block)]
    assert dump_sections([back]) == written
    assert (back.title, back.intro, back.advanced) == ("A", "i", True)
    if isinstance(block, Map):
        assert isinstance(back.blocks[0], Map)
        assert back.blocks[0].pictures == {0: b"\xff\x00"}


def test_numbers_of_numpy_and_undefined_ones_are_kept() -> None:
    grid: Any = [[np.float32(0.5), float("nan")], [np.int64(3), float("-inf")]]
    block = Heatmap(title="", x_label="", y_label="", columns=["a"], rows=["b"], values=grid)
    ((back,),) = (one.blocks for one in load_sections(dump_sections([section(block)])))
    assert isinstance(back, Heatmap)
    assert np.array(back.values)[:, 0].tolist() == [0.5, 3]
    assert np.isnan(back.values[0][1])
    assert back.values[1][1] == float("-inf")


@pytest.mark.parametrize(
    "content", [b"[{}]", b"3", b'[{"title": "a", "intro": "", "advanced": 0, "blocks": [{}]}]']
)
def test_anything_else_is_no_section(content: bytes) -> None:
    with pytest.raises(ValueError, match="no report section"):
        load_sections(content)


def section(block: Block) -> ReportSection:
    return ReportSection(title="Own part", blocks=[block])


def run_with(folder: Path, analyse: Any, **settings: Any) -> tuple[RunRecord, UseCase]:
    found = discover()
    case = replace(found.use_case("texts"), analyse=analyse)
    config = resolve(
        case,
        [
            {
                "data": dict(case.fixture),
                "svm": {"C": 1.0},
                "evaluation": {"outer": 3, "inner": 2, "resamples": 100},
                **settings,
            }
        ],
        encoders=found.encoders,
        kernels=found.kernels,
    )
    return execute(config, case, found, RunStore(folder), progress=Silent()), case


def test_what_an_analysis_finds_stands_in_the_report(tmp_path: Path) -> None:
    seen: list[Study] = []

    def analyse(study: Study) -> Sequence[ReportSection]:
        seen.append(study)
        return [section(Text(text="Found in the data."))]

    record, case = run_with(tmp_path, analyse)
    page = render_report(record, case, discover().metrics)
    assert "Own part" in page
    assert "Found in the data." in page
    # It is made once: the report alone does not call it again.
    assert len(seen) == 1
    study = seen[0]
    assert len(study.predictions) == len(study.rows) == len(study.dataset)
    assert [str(name) for name in study.predictions.ids] == [
        str(study.dataset.ids[row]) for row in study.rows
    ]
    assert sum(len(split.test) for split in study.splits) == len(study.dataset)


def test_an_analysis_may_fit_again_and_sees_the_weights_of_the_positive_class(
    tmp_path: Path,
) -> None:
    found: dict[str, Any] = {}

    def analyse(study: Study) -> Sequence[ReportSection]:
        positive = study.dataset.positive_class
        again = study.refit(study.learned)
        decision = again.decide(study.dataset.X)
        found["agrees"] = ((decision > 0) == (study.dataset.y == positive)).mean()
        assert again.coef is not None
        assert study.model.coef is not None
        found["same"] = np.allclose(again.coef, study.model.coef, atol=1e-3)
        rows = np.asarray(again.features.transform(study.dataset.X) @ again.coef[0])
        found["turned"] = np.corrcoef(rows, decision)[0, 1]
        return []

    run_with(tmp_path, analyse)
    assert found["agrees"] > 0.9
    assert found["same"]
    assert found["turned"] > 0.999


def test_an_analysis_that_fails_costs_its_own_part_alone(tmp_path: Path) -> None:
    def analyse(study: Study) -> Sequence[ReportSection]:
        raise ZeroDivisionError("no gene")

    with pytest.warns(RuntimeWarning, match="analysis of 'texts' is left out: ZeroDivisionError"):
        record, case = run_with(tmp_path, analyse)
    assert "Own part" not in render_report(record, case, discover().metrics)
    assert widemargin.load(record.path).metrics["accuracy"] > 0.5


def test_a_figure_that_cannot_be_drawn_costs_its_own_part_alone(tmp_path: Path) -> None:
    values: Any = [["high"]]
    block = Heatmap(title="t", x_label="", y_label="", columns=["a"], rows=["b"], values=values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        record, case = run_with(tmp_path, lambda study: [section(block)])
        page = render_report(record, case, discover().metrics)
    assert "Own part" not in page
    assert "All the numbers" in page


def test_arrays_are_numbers_and_undefined_cells_are_empty() -> None:
    values: Any = np.arange(2.0)
    lines = Lines(
        title="t", x_label="x", y_label="y", series=[Series(name="s", x=values, y=values)]
    )
    table = Table(columns=["a"], rows=[[float("nan")], [1.5]])
    one, other = (load_sections(dump_sections([section(b)]))[0].blocks[0] for b in (lines, table))
    assert isinstance(one, Lines)
    assert list(one.series[0].x) == [0.0, 1.0]
    assert isinstance(other, Table)
    assert [list(row) for row in other.rows] == [[None], [1.5]]


def test_a_damaged_analysis_is_named(tmp_path: Path) -> None:
    record, case = run_with(tmp_path, lambda study: [section(Text(text="x"))])
    (record.path / "analysis.json").write_text("[{}]")
    with pytest.warns(UserWarning, match=r"analysis\.json is damaged"):
        page = render_report(record, case, discover().metrics)
    assert "Own part" not in page


def test_a_study_judges_as_the_saved_model_does(tmp_path: Path) -> None:
    seen: list[Study] = []

    def analyse(study: Study) -> Sequence[ReportSection]:
        seen.append(study)
        return []

    record, _ = run_with(tmp_path, analyse)
    (study,) = seen
    told = study.judge(study.dataset.X)
    saved = widemargin.load(record.path).predict(study.dataset.X)
    assert told.label.tolist() == saved["label"].tolist()
    assert told.probability is not None
    assert told.probability.max(axis=1) == pytest.approx(saved["probability"].to_numpy())
    np.testing.assert_allclose(told.decision, study.model.decide(study.dataset.X))
    assert study.loader.model_dump()["source"] == "file"
