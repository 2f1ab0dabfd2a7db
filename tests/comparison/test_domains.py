"""Several targets at once: their order, which of them are paired, and one that fails."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

from widemargin.api import run_documents
from widemargin.errors import ConfigError, DataError
from widemargin.evaluation import holm
from widemargin.runs.store import RunStore

Compare = Any
Calls = Any
Config = Any


def test_domains_keep_their_order_and_their_own_metrics(
    compare_targets: Compare, config: Config, calls: Calls
) -> None:
    found, folder = compare_targets(config("texts"), config("table"))
    assert [row.name for row in found.rows] == ["texts/texts", "table/table"]
    assert not found.is_ranked
    assert found.use_cases == ("texts", "table")
    assert [row.primary.name for row in found.rows] == [
        row.run.metrics["primary"] for row in found.rows
    ]
    assert found.families() == []
    assert (found.pairs, found.unpaired) == ((), "")
    assert (folder / "comparison.csv").is_file()
    data = json.loads((folder / "comparison.json").read_bytes())
    assert [cell["name"] for cell in data["cells"]] == ["texts/texts", "table/table"]


def test_a_run_says_its_gain_over_both_baselines_with_an_interval(
    compare_targets: Compare, config: Config, calls: Calls
) -> None:
    found, _ = compare_targets(config("table"), config("texts"))
    for row in found.rows:
        for over in ("dummy", "linear"):
            gain, low, high = row.gain(over, row.primary)
            own = row.run.metrics["baselines"]
            name = next(one for one in own if (one == "dummy") == (over == "dummy"))
            sign = 1 if row.primary.greater_is_better else -1
            value = own[name]["metrics"][row.primary.name]
            assert gain == pytest.approx(sign * (row.value(row.primary)[0] - value))
            assert low <= high
            assert not math.isnan(low)


def test_configs_of_one_use_case_on_the_same_rows_are_paired(
    compare_targets: Compare, config: Config, calls: Calls
) -> None:
    weak = config("texts", "weak", svm={"C": 1e-4})
    other = config(
        "texts", "other", evaluation={"outer": 4, "inner": 2, "resamples": 100, "map": "none"}
    )
    found, _ = compare_targets(weak, config("texts", "usual"), other)
    assert found.is_ranked
    assert found.axes == ("config",)
    [pair] = found.pairs
    assert {pair.better, pair.worse} == {"weak", "usual"}
    assert pair.test.of == "folds"
    assert "held out other rows" in found.unpaired
    mixed, _ = compare_targets(weak, config("texts", "usual"), config("table"))
    assert not mixed.is_ranked
    assert [{one.better, one.worse} for one in mixed.pairs] == [{"texts/weak", "texts/usual"}]
    assert mixed.unpaired == ""
    assert mixed.pairs[0].p == pytest.approx(pair.p)  # no other pair is corrected for


def test_pairs_of_one_use_case_are_corrected_together_whatever_judges_them(
    compare_targets: Compare, config: Config, calls: Calls
) -> None:
    priced = config("table", "priced")
    data = json.loads(Path(priced).read_text())["data"] | {"label": "garden"}
    axes = {"kernel": "linear,rbf"}
    found, _ = compare_targets(priced, config("table", "gardens", data=data), axes=axes)
    assert len({row.primary.name for row in found.done}) == 2
    assert len(found.families()) == len(found.pairs) == 2
    assert [found.n_tested(row) for row in found.done] == [2] * 4
    assert [pair.p for pair in found.pairs] == list(holm([pair.test.p for pair in found.pairs]))


def test_one_use_case_on_other_data_is_not_ranked(
    compare_targets: Compare, config: Config, calls: Calls, tmp_path: Path
) -> None:
    text = Path(json.loads(Path(config("texts")).read_text())["data"]["path"]).read_text()
    head, *lines = text.splitlines()
    shorter = tmp_path / "shorter.csv"
    shorter.write_text("\n".join([head, *lines[4:]]) + "\n", encoding="utf-8")
    data = json.loads(Path(config("texts")).read_text())["data"] | {"path": str(shorter)}
    found, _ = compare_targets(config("texts"), config("texts", "shorter", data=data))
    assert not found.is_ranked
    assert found.pairs == ()
    assert "held out other rows" in found.unpaired


def test_runs_that_exist_are_only_read(
    compare_targets: Compare, config: Config, calls: Calls, tmp_path: Path
) -> None:
    elsewhere = RunStore(tmp_path / "elsewhere")
    run = run_documents(config("texts"), [], store=elsewhere)
    found, folder = compare_targets(str(run.path), config("texts", "other", seed=1))
    assert len(calls.words) == 1
    first = next(row for row in found.rows if row.run.id == run.id)
    assert first.path == str(run.path)
    page = (folder / "comparison.html").read_text(encoding="utf-8")
    assert f"{run.path.as_uri()}/report.html" in page
    again, _ = compare_targets(str(run.path), config("texts", "other", seed=1))
    assert len(calls.words) == 1
    assert again.to_data()["cells"] == found.to_data()["cells"]


def test_several_runs_that_exist_stay_themselves_when_read_again(
    compare_targets: Compare, config: Config, calls: Calls, notes: Any, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "runs")
    runs = [run_documents(config(name), [], store=store) for name in ("texts", "table", "spam")]
    for _ in range(2):
        found, folder = compare_targets(*(run.id for run in runs), progress=notes)
        assert [row.run.id for row in found.rows] == [run.id for run in runs]
        assert [row.use_case for row in found.rows] == ["texts", "table", "spam"]
    names = [f"{run.record.use_case}/{run.id}" for run in runs]
    told = list(csv.DictReader((folder / "comparison.csv").read_text().splitlines()))
    assert [row["run"] for row in told] == [row["folder"] for row in told] == names
    cells = json.loads((folder / "comparison.json").read_bytes())["cells"]
    assert [(cell["run"], cell["folder"]) for cell in cells] == [(name, name) for name in names]
    assert calls.words == []
    assert notes.told == []


def test_a_cell_of_another_comparison_is_not_run_again(
    compare_targets: Compare, config: Config, calls: Calls, notes: Any
) -> None:
    one, two = config("texts"), config("table")
    compare_targets(one, two)
    three = config("spam")
    found, _ = compare_targets(one, three, progress=notes)
    assert len(calls.words) == 3
    assert any("1 of 2 was finished before" in told for told in notes.told)
    assert len(found.done) == 2


def test_data_that_cannot_be_read_fail_their_target_alone(
    compare_targets: Compare, config: Config, calls: Calls, tmp_path: Path
) -> None:
    gone = config("table", "gone", data={"path": str(tmp_path / "none.csv"), "label": "y"})
    found, _ = compare_targets(config("texts"), gone, axes={"kernel": "linear,rbf"})
    assert [row.name for row in found.done] == ["texts/texts: linear", "texts/texts: rbf"]
    assert [row.name for row in found.failed] == ["table/gone: linear", "table/gone: rbf"]
    assert "none.csv" in found.failed[0].problem
    with pytest.raises(DataError, match=r"none\.csv"):
        compare_targets(gone, axes={"kernel": "linear,rbf"})


def test_an_encoder_that_a_target_cannot_take_is_refused_by_its_name(
    compare_targets: Compare, config: Config, calls: Calls
) -> None:
    with pytest.raises(ConfigError) as refused:
        compare_targets(config("texts"), config("table"), axes={"encoder": "tfidf,lsa"})
    said = str(refused.value).splitlines()
    assert len(said) == 2
    assert all(one.startswith("--encoders: for table/table: ") for one in said)
    assert "tfidf reads text" in said[0]
    assert calls.words == []


def test_notes_about_data_say_whose_they_are(
    compare_targets: Compare, config: Config, calls: Calls, notes: Any
) -> None:
    breast = {"source": "breast-cancer"}
    compare_targets(config("table", "breast", data=breast), config("texts"), progress=notes)
    assert any(told.startswith("table/breast: ") for told in notes.told)
