"""The commands: run, predict, runs, show, report, plugin, doctor."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from widemargin.runs.store import RunStore


def test_run_prints_numbers_findings_and_what_to_do_next(
    call: Any, fixtures: Any, tmp_path: Path
) -> None:
    said = call(
        "run", "spam", "--runs", str(tmp_path), "--set", f"data.path={fixtures['spam']['path']}"
    )
    assert said.code == 0, said.err
    text = " ".join(said.out.split())
    for expected in (
        "F1",
        "95% interval",
        "logistic regression",
        "Report",
        "widemargin predict spam",
    ):
        assert expected in text
    [run] = RunStore(tmp_path).folders()
    assert (run / "report.html").stat().st_size > 10_000


def test_run_json_is_one_object_and_nothing_else(call: Any, fixtures: Any, tmp_path: Path) -> None:
    path = fixtures["table"]["path"]
    said = call(
        *(
            "run",
            "table",
            "--runs",
            str(tmp_path),
            "--json",
            "--quiet",
            "--set",
            f"data.path={path}",
        ),
        *("--set", "data.label=price", "--set", "svm.C=1"),
    )
    made = json.loads(said.out)
    assert made["task"] == "regression"
    assert set(made["metrics"]) >= {"mae", "rmse", "r2"}
    assert set(made["baselines"]) == {"dummy", "ridge"}
    assert Path(made["report"]).is_file()
    assert said.err == ""


def test_run_like_repeats_a_runs_settings(call: Any, small_runs: Path, tmp_path: Path) -> None:
    earlier = RunStore(small_runs).find("texts")
    said = call("run", "--like", str(earlier.path), "--runs", str(tmp_path), "--json", "--quiet")
    repeated = json.loads(said.out)
    again = RunStore(tmp_path).find(repeated["id"])
    assert again.config == earlier.config
    assert again.metrics == earlier.metrics


def test_run_refuses_a_use_case_and_like_together(call: Any) -> None:
    assert "one of the two" in call("run", "spam", "--like", "latest").err


def test_predict_says_label_probability_margin_and_words(call: Any, small_runs: Path) -> None:
    said = call("predict", "spam", "WIN cash now", "--runs", str(small_runs))
    assert said.code == 0
    for expected in ("margin", "%", "cash", "WIN"):
        assert expected in said.out


def test_predict_writes_one_json_object_a_line(call: Any, small_runs: Path) -> None:
    said = call("predict", "spam", "a", "b c", "--json", "--runs", str(small_runs))
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["id"] for line in lines] == ["item:1", "item:2"]
    for line in lines:
        assert line["probabilities"][line["label"]] == max(line["probabilities"].values())
        assert abs(sum(line["probabilities"].values()) - 1) < 1e-12


def test_predict_writes_csv(call: Any, small_runs: Path) -> None:
    said = call("predict", "spam", "a,b", "--format", "csv", "--explain", "--runs", str(small_runs))
    [row] = csv.DictReader(io.StringIO(said.out))
    assert list(row) == ["id", "label", "probability", "margin", "shares"]
    assert "a,b" in row["shares"]


def test_predict_reads_a_file_and_keeps_every_line(
    call: Any, small_runs: Path, tmp_path: Path
) -> None:
    path = tmp_path / "new.txt"
    path.write_text("win cash\n\nsee you\n", encoding="utf-8")
    said = call("predict", "spam", "--file", str(path), "--json", "--runs", str(small_runs))
    assert [json.loads(line)["id"] for line in said.out.splitlines()] == [
        *("new.txt:1", "new.txt:2", "new.txt:3")
    ]


def test_predict_reads_standard_input_whatever_its_encoding(
    call: Any, small_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Piped(io.TextIOWrapper):
        def isatty(self) -> bool:
            return False

    piped = Piped(io.BytesIO("win £\n".encode() + "caf\xe9 later\r\n\n".encode("cp1252")))
    monkeypatch.setattr("sys.stdin", piped)
    said = call("predict", "spam", "--json", "--explain", "--runs", str(small_runs))
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["id"] for line in lines] == ["line:1", "line:2", "line:3"]
    assert {share["piece"] for share in lines[1]["shares"]} == {"café", "later"}


def test_predict_refuses_items_and_file_together(call: Any, small_runs: Path) -> None:
    said = call("predict", "spam", "a", "--file", "b", "--runs", str(small_runs))
    assert said.code == 2
    assert "not both" in said.err


def test_predict_reads_table_rows_as_json_objects(call: Any, small_runs: Path) -> None:
    row = json.dumps({"area": 100, "rooms": 4, "year": 1990, "town": "harbour"})
    said = call("predict", "table", row, "--json", "--runs", str(small_runs))
    assert isinstance(json.loads(said.out)["label"], float)


def test_predict_says_how_to_give_a_row(call: Any, small_runs: Path) -> None:
    said = call("predict", "table", "cheap house", "--runs", str(small_runs))
    assert said.code == 2
    assert "JSON object" in said.err


def test_predict_names_an_absent_column(call: Any, small_runs: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("area,rooms\n100,4\n", encoding="utf-8")
    said = call("predict", "table", "--file", str(path), "--runs", str(small_runs))
    assert said.code == 2
    assert "which the model was trained on, is absent" in " ".join(said.err.split())


def test_predict_refuses_an_altered_model(call: Any, fixtures: Any, tmp_path: Path) -> None:
    import widemargin

    made = widemargin.run("texts", data=fixtures["texts"], svm={"C": 1}, runs=tmp_path)
    model = made.path / "model" / "machine.safetensors"
    model.write_bytes(model.read_bytes()[:-8] + b"\0" * 8)
    said = call("predict", "texts", "good", "--runs", str(tmp_path))
    assert said.code == 2
    assert "was altered after it was saved" in said.err


def test_runs_lists_every_run(call: Any, small_runs: Path) -> None:
    said = call("runs", "--runs", str(small_runs))
    for name in ("spam", "table", "texts"):
        assert name in said.out
    assert len(json.loads(call("runs", "--json", "--runs", str(small_runs)).out)) == 3


def test_runs_says_how_to_make_the_first(call: Any, tmp_path: Path) -> None:
    assert "widemargin run spam" in call("runs", "--runs", str(tmp_path)).out


def test_prune_keeps_the_last_runs(call: Any, fixtures: Any, tmp_path: Path) -> None:
    import widemargin

    made = [
        widemargin.run("texts", data=fixtures["texts"], svm={"C": 1}, seed=seed, runs=tmp_path)
        for seed in (0, 1)
    ]
    would = call("runs", "prune", "--keep", "1", "--dry-run", "--runs", str(tmp_path))
    assert "would delete" in would.out
    assert all(run.path.is_dir() for run in made)
    call("runs", "prune", "--keep", "1", "--runs", str(tmp_path))
    assert len(RunStore(tmp_path).folders()) == 1
    assert not (tmp_path / ".work").exists()


def test_show_prints_what_run_printed(call: Any, small_runs: Path) -> None:
    said = call("show", "spam", "--runs", str(small_runs))
    assert "F1" in said.out
    assert "Report" in said.out


def test_report_writes_the_same_page_again(call: Any, small_runs: Path) -> None:
    run = RunStore(small_runs).find("table")
    page = run.path / "report.html"
    before = page.read_bytes()
    page.unlink()
    said = call("report", "table", "--runs", str(small_runs))
    assert said.out.strip().endswith("report.html")
    assert page.read_bytes() == before


def test_plugin_list_shows_what_is_registered(call: Any) -> None:
    said = call("plugin", "list")
    assert "use cases: spam" in said.out
    listed = json.loads(call("plugin", "list", "--json").out)
    assert listed["broken"] == []


def test_doctor_tells_extras_assets_and_plugins(call: Any) -> None:
    said = json.loads(call("doctor", "--json").out)
    assert set(said["extras"]) == {
        *("text", "vision", "audio", "bio", "finance", "serve", "cluster")
    }
    assert set(said["assets"]) == {"sms-spam"}
    assert "asset sms-spam" in call("doctor").out


def test_doctor_knows_every_extra_of_the_project(call: Any) -> None:
    from importlib.metadata import metadata

    extras = set(metadata("widemargin").get_all("Provides-Extra") or []) - {"all", "dev"}
    assert set(json.loads(call("doctor", "--json").out)["extras"]) == extras
