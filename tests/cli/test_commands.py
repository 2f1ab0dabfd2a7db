"""The commands: run, predict, runs, show, report, plugin, doctor."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
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


def test_predict_says_what_a_margin_speaks_for_and_what_decides(
    call: Any, small_runs: Path
) -> None:
    words = ("predict", "spam", "WIN cash now", "see you", "--runs", str(small_runs))
    said = call(*words)
    which, first, second = said.err.splitlines()
    run_id = next((small_runs / "spam").glob("2*")).name
    assert which == f"Run {run_id}, which learned from fixture.csv."
    assert which not in call("predict", run_id, *words[2:]).err
    assert first.startswith(
        "Margin: above 0 speaks for spam, below 0 for ham. Label: the more probable class, spam "
        "from a margin of "
    )
    assert re.fullmatch(
        r"After the margin: what each word adds, the strongest first; a constant of [+-]\d\.\d\d "
        r"comes to all\.",
        second,
    )
    constant = float(re.findall(r"[+-]\d\.\d\d", second)[0])
    margin, *shares = map(float, re.findall(r"[+-]\d\.\d\d", said.out.splitlines()[0]))
    assert sum(shares) + constant == pytest.approx(margin, abs=0.03)
    assert "After the margin" not in call(*words, "--no-explain").err
    for quiet in ("--quiet", "--json"):
        assert call(*words, quiet).err == ""


def test_a_folder_given_as_a_text_is_told_how_to_be_read(
    call: Any, small_runs: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.eml").write_text("Subject: x\n\ny", encoding="utf-8")
    for path, what in ((tmp_path, "folder"), (tmp_path / "a.eml", "file")):
        said = call("predict", "spam", str(path), "--runs", str(small_runs))
        assert said.code == 0
        told = " ".join(said.err.split())
        assert f"{path} is taken as a text; --file {path} reads the {what}." in told
    said = call("predict", "spam", "x" * 5000, "a\0b", "win", "--runs", str(small_runs))
    assert said.code == 0
    assert "--file" not in said.err


def test_labels_follow_the_threshold_that_predict_states(call: Any, small_runs: Path) -> None:
    said = call(
        *("predict", "spam", "win cash", "free", "see you at home", "call", "--json"),
        *("--runs", str(small_runs)),
    )
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert {line["margin_for"] for line in lines} == {"spam"}
    for line in lines:
        assert (line["label"] == "spam") == (line["margin"] >= line["threshold"])


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
    names = ["id", "label", "probability", "margin", "margin_for", "threshold", "note", "shares"]
    assert list(row) == names
    assert row["margin_for"] == "spam"
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


@pytest.mark.parametrize("form", ["json", "text", "csv"])
def test_predict_answers_each_line_of_an_open_pipe_at_once(small_runs: Path, form: str) -> None:
    words = ["predict", "spam", "--format", form, "--runs", str(small_runs), "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-m", "widemargin", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    # Lines that are answered only when the pipe is closed would make this wait for ever.
    alarm = threading.Timer(1200, process.kill)
    alarm.start()
    try:
        if form == "csv":
            process.stdin.write(b"win")
            process.stdin.flush()
        for number, text in enumerate((b" cash\n", b"see you\n\n", b"half a line, and"), start=1):
            process.stdin.write(text)
            process.stdin.flush()
            if number == 1 and form == "csv":
                assert process.stdout.readline().startswith(b"id,label")
            for _ in range(text.count(b"\n")):
                assert b"line:" in process.stdout.readline()
        rest, _ = process.communicate(b" its end", timeout=1200)
        assert rest.count(b"\n") == 1
        assert b"line:4" in rest
    finally:
        alarm.cancel()
        process.kill()


def test_predict_answers_a_long_pipe_as_it_answers_a_file(
    call: Any, small_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new.txt"
    lines = [f"call {number} now, caf\u00e9 {'x' * (number % 97)}" for number in range(5000)]
    path.write_text("\n".join(lines), encoding="utf-8")
    words = ("predict", "spam", "--runs", str(small_runs))
    from_file = call(*words, "--file", str(path)).out
    with path.open(encoding="utf-8") as opened:
        monkeypatch.setattr("sys.stdin", opened)
        from_pipe = call(*words).out
    assert from_pipe.replace("line:", "new.txt:") == from_file


def test_predict_refuses_items_and_file_together(call: Any, small_runs: Path) -> None:
    said = call("predict", "spam", "a", "--file", "b", "--runs", str(small_runs))
    assert said.code == 2
    assert "not both" in said.err


def test_predict_reads_table_rows_as_json_objects(call: Any, small_runs: Path) -> None:
    row = json.dumps(
        {"area": 100, "rooms": 4, "year": 1990, "town": "harbour", "garden": "yes", "energy": None}
    )
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
    told = " ".join(said.err.split())
    assert "the columns 'year', 'town', 'garden', 'energy', which the model was" in told


def test_predict_refuses_an_altered_model(call: Any, fixtures: Any, tmp_path: Path) -> None:
    import widemargin

    made = widemargin.run("texts", data=fixtures["texts"], svm={"C": 1}, runs=tmp_path)
    model = made.path / "model" / "machine.safetensors"
    model.write_bytes(model.read_bytes()[:-8] + b"\0" * 8)
    said = call("predict", "texts", "good", "--runs", str(tmp_path))
    assert said.code == 2
    assert "was altered after it was saved" in said.err


def test_runs_lists_every_run(call: Any, small_runs: Path, fixtures: Any) -> None:
    said = call("runs", "--runs", str(small_runs))
    for name in ("spam", "table", "texts"):
        assert name in said.out
    listed = json.loads(call("runs", "--json", "--runs", str(small_runs)).out)
    assert sorted(one["use_case"] for one in listed) == sorted(fixtures)


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
    said = call("runs", "prune", "--keep", "1", "--runs", str(tmp_path))
    assert said.out == f"deleted {made[0].path}\n"
    assert len(RunStore(tmp_path).folders()) == 1


def test_prune_deletes_kept_folds_when_told_to_and_says_so(call: Any, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    words = ("runs", "prune", "--runs", str(tmp_path))
    none = "Nothing to delete: no use case has more than 5 whole runs.\n"
    store.keep("young", {"a": b"1"})
    store.keep("old", {"a": b"1"})
    os.utime(tmp_path / ".work" / "old", (0, 0))
    assert call(*words, "--use-case", "spam").out == none
    assert call(*words, "--dry-run").out == f"{none}would delete 1 kept fold\n"
    assert call(*words).out == f"{none}deleted 1 kept fold\n"
    assert store.kept("young") is not None
    store.keep("another", {"a": b"1"})
    assert call(*words, "--work", "--dry-run").out == f"{none}would delete 2 kept folds\n"
    said = json.loads(call(*words, "--use-case", "spam", "--work", "--json").out)
    assert said == {"deleted": [], "kept_folds": 2, "dry_run": False}
    assert not (tmp_path / ".work").exists()


def test_paths_are_printed_as_they_are_and_in_one_piece(
    call: Any, small_runs: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "[bold]a :dog: folder" / ("long" * 15) / ("name" * 15) / "runs"
    shutil.copytree(RunStore(small_runs).find("texts").path, runs / "texts" / "one")
    for words in (("show", "texts"), ("report", "texts")):
        assert f"{runs}/texts/one/report.html\n" in call(*words, "--runs", str(runs)).out
    pruned = call("runs", "prune", "--keep", "0", "--runs", str(runs))
    assert pruned.out == f"deleted {runs}/texts/one\n"
    assert f"No runs in {runs}. " in call("runs", "--runs", str(runs)).out
    of_one = call("runs", "--runs", str(runs), "--use-case", "credit").out
    assert f"No runs of 'credit' in {runs}. `widemargin run credit` makes the first." in of_one
    unknown = call("runs", "--runs", str(runs), "--use-case", "spma")
    assert unknown.code == 2
    assert "Did you mean 'spam'?" in unknown.err


def test_doctor_prints_the_extras_names_and_paths_as_they_are(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "[bold]a" / ("long" * 40)
    monkeypatch.setenv("WIDEMARGIN_HOME", str(home))
    monkeypatch.setattr("widemargin.cli.doctor.missing", lambda extra: ["one"])
    said = call("doctor").out
    assert str(home) in said
    assert 'pip install "widemargin[text]"' in said


def test_show_prints_what_run_printed(call: Any, small_runs: Path) -> None:
    said = call("show", "spam", "--runs", str(small_runs))
    assert "F1" in said.out
    assert "Report" in said.out


def test_intervals_over_few_groups_are_said_to_be_made_otherwise(
    call: Any, small_runs: Path, tmp_path: Path
) -> None:
    said = call("show", "sounds", "--runs", str(small_runs))
    assert (
        "Intervals: each of 4 independent items or groups left out once (jackknife), too few to "
        "resample." in " ".join(said.out.split())
    )
    alone = RunStore(small_runs).find("sounds").path
    shutil.copytree(alone, tmp_path / "sounds" / alone.name)
    path = tmp_path / "sounds" / alone.name / "metrics.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"intervals": {"by": "", "of": 2}}))
    said = call("show", "sounds", "--runs", str(tmp_path))
    assert (
        "How sure a number is cannot be told from fewer than 3 (2 independent items or groups)."
        in " ".join(said.out.split())
    )
    path.write_text(json.dumps(told | {"intervals": {"by": "bootstrap", "of": 200}}))
    said = call("show", "sounds", "--runs", str(tmp_path))
    assert "Intervals" not in said.out
    assert "How sure" not in said.out


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
    assert {"sms-spam", "minilm"} <= set(said["assets"])
    assert "asset sms-spam" in call("doctor").out


def test_doctor_knows_every_extra_of_the_project(call: Any) -> None:
    from importlib.metadata import metadata

    extras = set(metadata("widemargin").get_all("Provides-Extra") or []) - {"all", "dev", "peers"}
    assert set(json.loads(call("doctor", "--json").out)["extras"]) == extras


def copy_runs(small_runs: Path, target: Path, *ids: str) -> RunStore:
    """Copy the small run of texts, under other ids."""
    source = RunStore(small_runs).find("texts").path
    for run_id in ids:
        run = shutil.copytree(source, target / "texts" / run_id)
        manifest = json.loads((run / "manifest.json").read_bytes())
        manifest |= {"id": run_id, "created": f"20{run_id[:2]}-01-01T00:00:00+00:00"}
        (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return RunStore(target)


@pytest.mark.filterwarnings("default")
def test_prune_keeps_the_last_whole_run_and_names_the_one_it_cannot_read(
    call: Any, small_runs: Path, tmp_path: Path
) -> None:
    copy_runs(small_runs, tmp_path, "24-a", "25-b", "26-c")
    broken = tmp_path / "texts" / "26-c"
    (broken / "metrics.json").unlink()
    said = call("runs", "prune", "--keep", "1", "--runs", str(tmp_path))
    assert said.out == f"deleted {tmp_path}/texts/24-a\n"
    assert f"Warning: {broken} is not a whole run" in said.err
    assert sorted(path.name for path in (tmp_path / "texts").iterdir()) == ["25-b", "26-c"]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("content", ["{}", "[]", "null"])
def test_a_run_of_the_wrong_shape_is_named_and_hides_no_other(
    call: Any, small_runs: Path, tmp_path: Path, content: str
) -> None:
    copy_runs(small_runs, tmp_path, "24-a", "25-b")
    (tmp_path / "texts" / "25-b" / "metrics.json").write_text(content, encoding="utf-8")
    for words in (("runs",), ("show", "latest"), ("show", "texts")):
        said = call(*words, "--runs", str(tmp_path))
        assert said.code == 0
        assert "24-a" in said.out
        assert "25-b is not a whole run (" in said.err
    said = call("show", "25-b", "--runs", str(tmp_path))
    assert said.code == 2
    assert "delete the folder" in said.err


def test_runs_are_listed_by_time_with_the_newest_last(
    call: Any, small_runs: Path, tmp_path: Path
) -> None:
    copy_runs(small_runs, tmp_path, "24-z", "25-y", "26-x")
    head, *lines = call("runs", "--runs", str(tmp_path)).out.splitlines()
    assert head.split()[:6] == ["run", "use", "case", "metric", "value", "interval"]
    assert [line.split()[0] for line in lines] == ["24-z", "25-y", "26-x"]


@pytest.mark.parametrize("words", [("runs",), ("show", "spam"), ("show", "table"), ("doctor",)])
def test_nothing_that_is_piped_ends_with_blanks(
    call: Any, small_runs: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("WIDEMARGIN_RUNS", str(small_runs))
    lines = call(*words).out.splitlines()
    assert lines == [line.rstrip() for line in lines]


def narrow(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    from rich.console import Console as RichConsole

    monkeypatch.setattr(
        "widemargin.cli.console._rich",
        lambda stream: RichConsole(file=stream, width=width, markup=False, emoji=False),
    )


@pytest.mark.parametrize("width", [80, 60])
def test_a_narrow_terminal_shows_ids_values_and_intervals_whole(
    call: Any, small_runs: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    wide = {"runs": call("runs", "--runs", str(small_runs)).out}
    wide["spam"] = call("show", "spam", "--runs", str(small_runs)).out
    narrow(monkeypatch, width)
    listed = call("runs", "--runs", str(small_runs)).out
    assert [line.split()[0] for line in listed.splitlines()[1:]] == [
        line.split()[0] for line in wide["runs"].splitlines()[1:]
    ]
    assert all(" to " in line for line in listed.splitlines()[1:])
    for name in ("spam", "table"):
        shown = call("show", name, "--runs", str(small_runs)).out.split("\n\n")[1]
        assert all(len(line) <= width for line in shown.splitlines())
        assert shown.count(" to ") >= 3
    if width == 80:
        assert "logistic" in call("show", "spam", "--runs", str(small_runs)).out
        assert "settings" not in listed


def test_the_heads_of_baselines_are_short(call: Any, small_runs: Path) -> None:
    shown = call("show", "spam", "--runs", str(small_runs)).out
    assert "one class  logistic regression" in shown
    assert "training mean" in call("show", "table", "--runs", str(small_runs)).out


def test_a_finding_begins_with_a_capital(call: Any, small_runs: Path, tmp_path: Path) -> None:
    copy_runs(small_runs, tmp_path, "24-a")
    path = tmp_path / "texts" / "24-a" / "metrics.json"
    metrics = json.loads(path.read_bytes())
    metrics["findings"] = [
        {"code": "WM001", "severity": "note", "title": "a", "message": "macro F1 is low."}
    ]
    path.write_text(json.dumps(metrics), encoding="utf-8")
    assert "WM001 Macro F1 is low." in call("show", "24-a", "--runs", str(tmp_path)).out


def test_a_folder_of_runs_that_cannot_be_written_is_told_before_the_data_is_read(
    call: Any, tmp_path: Path
) -> None:
    path = tmp_path / "afile"
    path.write_bytes(b"")
    said = call("run", "spam", "--runs", str(path), "--set", "data.path=absent.csv")
    assert said.code == 2
    assert f"The folder of runs, {path}, cannot be written" in said.err
    assert "defect" not in said.err


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("predictions.parquet", "damaged"),
        ("explanation.json", "damaged"),
        ("search.json", "absent"),
    ],
)
def test_report_names_what_a_run_lacks_and_still_writes(
    call: Any, small_runs: Path, tmp_path: Path, name: str, how: str
) -> None:
    copy_runs(small_runs, tmp_path, "24-a")
    path = tmp_path / "texts" / "24-a" / name
    path.write_bytes(b"{") if how == "damaged" else path.unlink()
    (path.parent / "report.html").unlink()
    said = call("report", "texts", "--runs", str(tmp_path))
    assert said.code == 0
    assert f"{name} is {how}. The report leaves out what rests on it" in said.err
    assert (path.parent / "report.html").is_file()


@pytest.mark.parametrize(("name", "key"), [("search", "cells"), ("explanation", "pieces")])
def test_report_refuses_a_file_of_another_shape_by_name(
    call: Any, small_runs: Path, tmp_path: Path, name: str, key: str
) -> None:
    copy_runs(small_runs, tmp_path, "24-a")
    path = tmp_path / "texts" / "24-a" / f"{name}.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), key: 3}))
    said = call("report", "texts", "--runs", str(tmp_path))
    assert said.code == 2
    assert f"{path} is not what a run writes there: {key} is 3. Delete the file" in said.err


@pytest.mark.parametrize(
    ("content", "state"), [(None, "absent"), (b"", "damaged"), (b"tampered", "damaged")]
)
def test_doctor_shows_an_assets_state_and_the_remedy(
    call: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    state: str,
) -> None:
    from widemargin.registry import discover

    asset = discover().assets()["sms-spam"]
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path))
    if content is not None:
        (tmp_path / "sms-spam").mkdir()
        for file in asset.files:
            (tmp_path / "sms-spam" / file.name).write_bytes(content)
    [line] = [line for line in call("doctor").out.splitlines() if "asset sms-spam" in line]
    assert state in line
    assert "widemargin data fetch sms-spam" in line
    assert json.loads(call("doctor", "--json").out)["assets"]["sms-spam"] == state


def test_doctor_says_where_a_folder_cannot_be_written(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "afile"
    path.write_bytes(b"")
    monkeypatch.setenv("WIDEMARGIN_RUNS", str(path))
    monkeypatch.setenv("WIDEMARGIN_HOME", str(path / "home"))
    said = " ".join(call("doctor").out.split())
    assert "runs cannot be written" in said
    assert "name another with WIDEMARGIN_RUNS" in said
    assert "name another with WIDEMARGIN_HOME" in said
    monkeypatch.setenv("WIDEMARGIN_RUNS", str(tmp_path / "made" / "later"))
    assert set(json.loads(call("doctor", "--json").out)["obstacles"]) == {"data home"}
    assert not (tmp_path / "made").exists()


def test_predict_writes_large_numbers_grouped_and_leaves_out_pieces_that_add_nothing() -> None:
    from widemargin.cli.predict import _line
    from widemargin.contracts import Share
    from widemargin.serving import Prediction

    one = Prediction(
        id="item:1",
        label=1159420.25,
        probability=None,
        margin=None,
        probabilities={},
        shares=[
            Share(piece="area 100", contribution=508790.63),
            Share(piece="town north", contribution=0.0),
            Share(piece="rooms 4", contribution=-12.345),
        ],
    )
    assert _line(one) == "item:1  1,159,420  area 100 +508,791, rooms 4 -12.35"


def test_predict_aligns_labels_and_promises_no_certainty() -> None:
    from widemargin.cli.predict import _line
    from widemargin.contracts import Share
    from widemargin.serving import Prediction

    one = Prediction(
        id="item:1",
        label="ham",
        probability=0.9996,
        margin=-1.5,
        probabilities={"ham": 0.9996, "spam": 0.0004},
        shares=[Share(piece="home,", contribution=-0.5), Share(piece=",", contribution=0.1)],
    )
    assert _line(one, 4) == "item:1  ham   >99.9%  margin -1.50  home -0.50, , +0.10"
    even = replace(one, probability=0.5, probabilities={"ham": 0.5, "spam": 0.5})
    assert _line(even, 3) == "item:1  ham   50.0%  margin -1.50  home -0.50, , +0.10"


def test_predict_names_a_likelier_class_than_the_label() -> None:
    from widemargin.cli.predict import _line
    from widemargin.serving import Prediction

    one = Prediction(
        id="row:2",
        label="bad",
        probability=0.3,
        margin=-0.5,
        probabilities={"bad": 0.3, "good": 0.7},
    )
    assert _line(one) == "row:2  bad   30.0%  margin -0.50  though good is likelier"


def test_explain_says_where_nothing_can_be_explained(
    call: Any, tmp_path: Path, fixtures: Any
) -> None:
    fixture = fixtures["pictures"]["path"]
    words = ["run", "pictures", "--runs", str(tmp_path), "--set", f"data.path={fixture}"]
    words += ["--set", "svm.C=1", "--set", "svm.gamma=1", "--set", "evaluation.outer=2", "--quiet"]
    assert call(*words).code == 0
    picture = str(next(Path(fixture).rglob("*.png")))
    said = call("predict", "pictures", picture, "--explain", "--runs", str(tmp_path))
    assert said.code == 0
    assert "Nothing is explained" in said.err
    assert "Nothing" not in call("predict", "pictures", picture, "--runs", str(tmp_path)).err
