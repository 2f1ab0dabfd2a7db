"""``widemargin compare``: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from widemargin.api import run_documents
from widemargin.comparison import jobs
from widemargin.runs.store import RunStore


@pytest.fixture
def words(fixtures: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a comparison's words; its cells run in this process."""

    def run(given: list[str], _: Any) -> tuple[int, str, str]:
        text = Path(given[0]).read_text(encoding="utf-8")
        if "name: kmer\n" in text:
            return 2, "", "Error: this one cannot.\n"
        made = run_documents(given[0], [], store=RunStore(Path(given[2])))
        return 0, json.dumps({"path": str(made.path)}), ""

    monkeypatch.setattr(jobs, "_call", run)
    settings = [f"data.path={fixtures['spam']['path']}", "svm.C=1", "evaluation.outer=3"]
    return [
        *("compare", "spam", "--runs", str(tmp_path)),
        *(word for setting in settings for word in ("--set", setting)),
    ]


def test_one_table_that_fits_80_columns_and_words_below(
    call: Any, words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = call(*words, "--encoders", "tfidf,lsa")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[1].startswith("encoders on spam")
    head = next(k for k, line in enumerate(lines) if line.startswith("encoder "))
    for column in ("F1", "95% interval", "against best", "p", "numbers", "seconds", "MB"):
        assert column in lines[head]
    assert {line.split()[0] for line in lines[head + 1 : head + 3]} == {"tfidf", "lsa"}
    assert max(map(len, lines[: head + 3])) <= 80
    assert " is better than " in said.out or "score the same on every fold" in said.out
    assert "corrected resampled t-test" in said.out
    [folder] = (tmp_path / "comparisons").iterdir()
    assert f"Page  {folder}/comparison.html" in said.out
    assert "tfidf: finished, 1 of 2." in said.err


def test_json_is_one_object_and_nothing_else(call: Any, words: list[str]) -> None:
    said = call(*words, "--encoders", "tfidf,lsa", "--json", "--quiet")
    data = json.loads(said.out)
    assert said.err == ""
    assert {cell["name"] for cell in data["cells"]} == {"tfidf", "lsa"}
    assert len(data["pairs"]) == 1
    assert Path(data["path"], "comparison.csv").is_file()


def test_a_failing_cell_ends_with_1_after_the_table_of_the_others(
    call: Any, words: list[str]
) -> None:
    said = call(*words, "--encoders", "tfidf,lsa,kmer", "--quiet")
    assert said.code == 1
    assert "kmer failed: this one cannot." in said.out
    assert "tfidf" in said.out


def test_kernels_are_compared_the_same_way(call: Any, words: list[str]) -> None:
    said = call(*words, "--kernels", "linear,rbf", "--encoders", "tfidf", "--json", "--quiet")
    cells = json.loads(said.out)["cells"]
    assert {(cell["encoder"], cell["kernel"]) for cell in cells} == {
        ("tfidf", "linear"),
        ("tfidf", "rbf"),
    }
    assert {cell["chosen"]["kernel"] for cell in cells} == {"linear", "rbf"}


def test_a_config_file_may_be_compared(call: Any, words: list[str], tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("use_case: spam\nseed: 5\n", encoding="utf-8")
    words[words.index("spam")] = "--config"
    words.insert(2, str(config))
    said = call(*words, "--encoders", "tfidf,lsa", "--json", "--quiet")
    assert said.code == 0, said.err
    runs = RunStore(tmp_path).records()
    assert {run.manifest["seed"] for run in runs} == {5}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--encoders", "tfidf,lsa"], "Name a use case, as in `widemargin compare spam"),
        (["spam", "--config", "a.yaml", "--kernels", "linear,rbf"], "one of the two"),
        (["spam"], "Say what to compare: --encoders tfidf,minilm or --kernels linear,rbf."),
        (["spam", "--encoders", "tfidf"], "a comparison needs two or more"),
        (["spam", "--encoders", "tfidf,tfidf"], "names 'tfidf' twice"),
        (["spam", "--encoders", "tfidf,hgo"], "'hgo' is no encoder"),
        (["spamm", "--encoders", "tfidf,lsa"], "There is no use case 'spamm'"),
        (["--config", "none.yaml", "--encoders", "tfidf,lsa"], "none.yaml: there is no such file"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    call: Any, tmp_path: Path, given: list[str], message: str
) -> None:
    said = call("compare", *given, "--runs", str(tmp_path))
    assert said.code == 2
    assert message in said.err
    assert list(tmp_path.iterdir()) == []


def test_help_shows_how_encoders_are_joined(call: Any) -> None:
    said = call("compare", "--help")
    assert said.code == 0
    assert "'[tfidf,minilm]'" in said.out
