"""``widemargin compare RUN_A RUN_B``: what it prints, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from widemargin.api import Run, run_documents
from widemargin.config import Document
from widemargin.runs.store import RunStore


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, fixtures: Any) -> Path:
    """Return a folder of three runs: two of texts, and a regression between them."""
    home = tmp_path_factory.mktemp("runs")
    quick = {"outer": 3, "inner": 2, "resamples": 100, "map": "none"}
    for use_case, seed in (("texts", 0), ("table", 0), ("texts", 5)):
        said = {"data": dict(fixtures[use_case]), "svm": {"C": 1.0}, "evaluation": quick}
        made: Run = run_documents(
            use_case, [Document({**said, "seed": seed})], store=RunStore(home)
        )
        assert made.path.is_dir()
    return home


def ids(runs: Path, use_case: str) -> list[str]:
    return sorted(path.name for path in (runs / use_case).iterdir())


def test_what_differs_is_printed_within_80_columns_and_a_screen_or_two(
    call: Any, runs: Path
) -> None:
    first, second = ids(runs, "texts")
    said = call("compare", first, second, "--runs", str(runs))
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[1] == "two runs of texts"
    assert lines[2].startswith(f"A  texts/{first}  20")
    assert lines[3].startswith(f"B  texts/{second}  20")
    assert lines[5].startswith("Macro F1: ")
    assert len(lines) < 80
    text = said.out
    parts = ("metric", "Settings", "Data", "Items", "Versions", "Costs", "Page")
    places = [text.index(f"\n{part}") for part in parts]
    assert places == sorted(places)
    assert "seed     0 *  5" in text
    assert "The same data, 60 items" in text
    folder = runs / "comparisons" / f"texts-{first}-and-{second}"
    assert text.rstrip().endswith(f"Page  {folder}/difference.html")
    assert (folder / "difference.html").is_file()
    tables = [line for line in lines if "  " in line.strip() and not line.startswith("Page")]
    assert max(map(len, tables)) <= 120


def test_json_is_one_object_and_all_of_it(call: Any, runs: Path) -> None:
    first, second = ids(runs, "texts")
    said = call("compare", first, second, "--runs", str(runs), "--json", "--quiet")
    told = json.loads(said.out)
    assert said.err == ""
    assert (told["first"]["id"], told["second"]["id"]) == (first, second)
    assert told["tested_on"] == "common items"
    assert [one["name"] for one in told["settings"]] == ["seed"]
    assert Path(told["path"], "disagreements.csv").is_file()


def test_latest_and_folders_name_runs_too(call: Any, runs: Path) -> None:
    first, second = ids(runs, "texts")
    said = call("compare", str(runs / "texts" / first), "latest", "--runs", str(runs), "--json")
    told = json.loads(said.out)
    latest = max(ids(runs, "texts") + ids(runs, "table"))
    assert told["second"]["id"] == latest == second


def test_a_classification_and_a_regression_are_compared_in_the_rest(call: Any, runs: Path) -> None:
    said = call("compare", ids(runs, "texts")[0], ids(runs, "table")[0], "--runs", str(runs))
    assert said.code == 0, said.err
    assert "a run of texts and one of table" in said.out
    assert "No paired test was made: A is a classification and B a regression." in said.out
    assert "Items are not compared: A is a classification and B a regression." in said.out
    assert "\nCosts" in said.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("FIRST", "FIRST"), "Both name the run texts/"),
        (("FIRST", "19990101-000000-0000"), "No run answers to '19990101-000000-0000'"),
        (("FIRST", "20"), "begins the ids of 3 runs"),
    ],
)
def test_what_names_no_two_runs_is_refused(
    call: Any, runs: Path, words: tuple[str, str], message: str
) -> None:
    first = ids(runs, "texts")[0]
    given = [word.replace("FIRST", first) for word in words]
    said = call("compare", *given, "--runs", str(runs))
    assert said.code == 2
    assert message in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_a_damaged_run_is_refused(call: Any, runs: Path, tmp_path: Path) -> None:
    first = ids(runs, "texts")[0]
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{}", encoding="utf-8")
    said = call("compare", first, str(damaged), "--runs", str(runs))
    assert said.code == 2
    assert said.err.count("is not a whole run") == 1
    other = tmp_path / "other"
    other.mkdir()
    (other / "manifest.json").write_text("", encoding="utf-8")
    written = tmp_path / "both.yaml"
    written.write_text(f"runs: ['{damaged}', '{other}']\n", encoding="utf-8")
    for words in ([str(damaged), str(other)], [str(written)]):
        said = call("compare", *words, "--runs", str(runs))
        assert said.code == 2
        assert said.err.count(f"{damaged} is not a whole run") == 1
        assert said.err.count(f"{other} is not a whole run") == 1
        told = said.err.removeprefix("Error: 2 problems in the settings:\n").strip()
        assert len(told.splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "damage", "reason"),
    [
        ("manifest.json", {"costs": [1]}, "'costs' of manifest.json holds no JSON object"),
        ("manifest.json", {"versions": 3}, "'versions' of manifest.json is not what a run writes"),
        ("manifest.json", {"encoders": ["x"]}, "'encoders' of manifest.json holds no JSON object"),
        ("metrics.json", {"classes": [1, 2]}, "'classes' of metrics.json is not what a run writes"),
        ("metrics.json", {"folds": ["x"]}, "'folds' of metrics.json holds no JSON object"),
        ("config.yaml", {"features": "x"}, "'features' of config.yaml is not what a run writes"),
        (
            "metrics.json",
            {"baselines": {"dummy": {"title": "", "metrics": {}, "gain": [1]}}},
            "'gain' of 'dummy' of metrics.json holds no JSON object",
        ),
    ],
)
def test_a_run_is_refused_of_which_anything_that_is_compared_is_damaged(
    call: Any, runs: Path, tmp_path: Path, name: str, damage: dict[str, Any], reason: str
) -> None:
    first, second = ids(runs, "texts")
    copied = tmp_path / second
    shutil.copytree(runs / "texts" / second, copied)
    content = {"use_case": "texts"}
    if name.endswith(".json"):
        content = json.loads((copied / name).read_bytes())
    (copied / name).write_text(json.dumps(content | damage), encoding="utf-8")  # JSON is YAML
    said = call("compare", first, str(copied), "--runs", str(runs))
    assert said.code == 2
    assert f"{copied} is not a whole run ({reason}" in said.err
    assert said.err.count("\n") == 1


def test_predictions_of_other_classes_are_not_compared(
    call: Any, runs: Path, tmp_path: Path
) -> None:
    first, second = ids(runs, "texts")
    copied = tmp_path / second
    shutil.copytree(runs / "texts" / second, copied)
    metrics = json.loads((copied / "metrics.json").read_bytes())
    (copied / "metrics.json").write_text(json.dumps(metrics | {"classes": ["x", "y"]}))
    said = call("compare", first, str(copied), "--runs", str(runs))
    assert (said.code, said.err) == (0, "")
    assert "No paired test was made: the predictions of B cannot be read" in said.out
