"""Running and loading from Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import widemargin
from widemargin.api import Run
from widemargin.contracts import RunRecord
from widemargin.errors import ConfigError, DataError, PluginError, RunNotFoundError
from widemargin.registry import discover

QUICK: dict[str, Any] = {
    "svm": {"C": 1.0, "gamma": 0.3},
    "evaluation": {"outer": 3, "inner": 2, "resamples": 100},
}
MakeRun = Callable[[str], Run]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api") / "runs"


@pytest.fixture(scope="module")
def spam(home: Path) -> Run:
    return widemargin.run("spam", data=fixture("spam"), runs=home, **QUICK)


@pytest.fixture(scope="module")
def prices(home: Path, spam: Run) -> Run:
    return widemargin.run("table", data=fixture("table"), runs=str(home), **QUICK)


def fixture(use_case: str) -> dict[str, Any]:
    return dict(discover().use_case(use_case).fixture)


def test_a_run_has_numbers_a_report_and_a_folder(spam: Run) -> None:
    assert set(spam.metrics) >= {"f1", "accuracy", "roc_auc"}
    assert 0.5 < spam.metrics["f1"] <= 1
    assert spam.path.name == spam.id
    assert "<html" in spam.report.read_text(encoding="utf-8")[:200]


def test_texts_are_predicted_from_a_list(spam: Run) -> None:
    table = spam.predict(["Win a free prize now", "", "see you at home"])
    assert list(table.columns) == ["id", "label", "probability", "margin"]
    assert table["id"].tolist() == ["item:1", "item:2", "item:3"]
    assert set(table["label"]) <= {"ham", "spam"}
    assert table["probability"].between(0.5, 1).all()


def test_texts_are_predicted_from_a_file_and_from_a_data_frame(spam: Run, tmp_path: Path) -> None:
    texts = ["Win a free prize now", "see you at home"]
    frame = pd.DataFrame({"text": texts})
    frame.to_csv(tmp_path / "new.csv", index=False)
    expected = spam.predict(texts).drop(columns="id")
    pd.testing.assert_frame_equal(spam.predict(frame).drop(columns="id"), expected)
    read = spam.predict(tmp_path / "new.csv")
    pd.testing.assert_frame_equal(read.drop(columns="id"), expected)


def test_rows_are_predicted_from_a_data_frame(prices: Run) -> None:
    rows = pd.read_csv(fixture("table")["path"])
    table = prices.predict(rows)
    assert list(table.columns) == ["id", "label"]
    assert len(table) == len(rows)
    assert table["label"].corr(rows["price"]) > 0.9


def test_shares_come_as_a_column(spam: Run) -> None:
    table = spam.predict(["win a prize", ""], explain=True)
    assert set(table["shares"][0]) == {"win", "a", "prize"}
    assert table["shares"][1] == {}


def test_nothing_to_predict_is_an_empty_table(spam: Run) -> None:
    assert spam.predict([]).empty


def test_a_single_text_is_refused_with_the_remedy(spam: Run) -> None:
    with pytest.raises(DataError) as caught:
        spam.predict("win a prize")
    assert str(caught.value) == "predict takes a list of texts; write predict([text]) for one."


def test_a_list_of_something_else_is_refused(spam: Run) -> None:
    with pytest.raises(DataError, match=r"row 2: expected text, got int"):
        spam.predict(["win", 3])


def test_runs_are_loaded_by_name(spam: Run, prices: Run, home: Path) -> None:
    for name in (spam.id, "spam", f"spam/{spam.id[:-1]}", spam.path, str(spam.path)):
        assert widemargin.load(name, runs=home).id == spam.id
    assert widemargin.load("latest", runs=str(home)).id == prices.id


def test_the_environment_says_where_runs_lie(
    spam: Run, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WIDEMARGIN_RUNS", str(home))
    assert widemargin.load("spam").id == spam.id
    monkeypatch.delenv("WIDEMARGIN_RUNS")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunNotFoundError, match="No run answers to 'spam' in runs"):
        widemargin.load("spam")


def test_a_loaded_run_is_the_run_that_was_made(spam: Run, home: Path) -> None:
    loaded = widemargin.load(spam.id, runs=home)
    assert loaded.metrics == spam.metrics
    assert repr(loaded) == repr(spam)
    texts = ["win a prize", "see you"]
    pd.testing.assert_frame_equal(loaded.predict(texts), spam.predict(texts))


def test_a_config_file_is_run(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    path = fixture("texts")["path"]
    config.write_text(f"use_case: texts\ndata:\n  path: {path}\nseed: 4\n", encoding="utf-8")
    made = widemargin.run(config, runs=tmp_path / "runs", **QUICK)
    assert made.record.use_case == "texts"
    assert made.record.config["seed"] == 4
    again = widemargin.run(str(config), seed=5, runs=tmp_path / "runs", **QUICK)
    assert again.record.config["seed"] == 5


def test_a_config_file_must_name_a_use_case(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("seed: 4\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.yaml: use_case: must be the name of a use case"):
        widemargin.run(config, runs=tmp_path)
    config.write_text("seed: 4\nseed: 5\nuse_case: 3\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        widemargin.run(config, runs=tmp_path)
    assert [(problem.path, problem.line) for problem in caught.value.problems] == [
        ("seed", 2),
        ("use_case", 3),
    ]


def test_loading_a_run_returns_it(spam: Run) -> None:
    assert widemargin.load(spam) is spam


def test_an_unknown_use_case_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"There is no use case 'sapm'\. Did you mean 'spam'\?"):
        widemargin.run("sapm", runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^svm\.kernal: .*Did you mean 'kernel'"):
        widemargin.run("spam", data=fixture("spam"), svm={"kernal": "rbf"}, runs=tmp_path)


def test_a_run_shows_its_headline(spam: Run, prices: Run) -> None:
    assert repr(spam).startswith(f"<Run spam/{spam.id}: F1 ")
    assert repr(prices).startswith(f"<Run table/{prices.id}: R2 ")


def test_a_run_shows_as_a_table_in_a_notebook(spam: Run) -> None:
    shown = spam._repr_html_()
    assert shown.count("<tr>") == 1 + len(spam.table())
    assert "95% interval" in shown
    assert "logistic regression" in shown
    assert all(len(baselines) == len(spam.baselines()) for *_, baselines in spam.table())


def spoiled(record: RunRecord) -> RunRecord:
    """Return a record whose every text tries to be markup."""
    nasty = "<script>alert(1)</script>&"
    metrics = dict(record.metrics)
    metrics["metrics"] = {nasty: {"value": 1.0, "low": None, "high": 2.0}}
    metrics["baselines"] = {"b": {"title": nasty, "metrics": {nasty: None}}}
    return replace(record, id=nasty, use_case=nasty, metrics=metrics)


def test_what_a_notebook_shows_is_escaped(spam: Run) -> None:
    shown = Run(spoiled(spam.record), discover())._repr_html_()
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;") == 4


def test_an_undefined_metric_is_nan_and_says_so(spam: Run) -> None:
    metrics = dict(spam.record.metrics)
    metrics["metrics"] = {"f1": {"value": None, "low": None, "high": None}}
    broken = Run(replace(spam.record, metrics=metrics), discover())
    assert math.isnan(broken.metrics["f1"])
    assert "F1 undefined (undefined)" in repr(broken)
