"""``widemargin compare RUN_A RUN_B``: what it prints, and what it refuses."""

from __future__ import annotations

import json
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
    assert "is not a whole run" in said.err
