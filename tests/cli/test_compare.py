"""``widemargin compare``: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from widemargin.api import run_documents
from widemargin.comparison import jobs
from widemargin.comparison.processes import Ended
from widemargin.runs.store import RunStore


@pytest.fixture
def words(fixtures: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a comparison's words; its cells run in this process."""

    def run(given: list[str], *_: Any) -> SimpleNamespace:
        text = Path(given[0]).read_text(encoding="utf-8")
        if "name: kmer\n" in text:
            ended = Ended(2, "", "Error: this one cannot.\n")
        else:
            made = run_documents(given[0], [], store=RunStore(Path(given[2])))
            ended = Ended(0, json.dumps({"path": str(made.path)}), "")
        return SimpleNamespace(ended=lambda: ended, held=lambda: None, most=0)

    monkeypatch.setattr(jobs, "Process", run)
    settings = [f"data.path={fixtures['spam']['path']}", "svm.C=1", "evaluation.outer=3"]
    return [
        *("compare", "spam", "--runs", str(tmp_path)),
        *(word for setting in settings for word in ("--set", setting)),
    ]


def narrow(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    from rich.console import Console as RichConsole

    monkeypatch.setattr(
        "widemargin.cli.console._rich",
        lambda stream: RichConsole(file=stream, width=width, markup=False, emoji=False),
    )


def table(out: str) -> list[str]:
    """Return the table: what stands between the second and the third empty line."""
    return out.split("\n\n")[1].splitlines()


def test_one_table_that_fits_80_columns_and_words_below(
    call: Any, words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    narrow(monkeypatch, 80)
    said = call(*words, "--encoders", "tfidf,lsa")
    assert said.code == 0, said.err
    assert said.out.splitlines()[1].startswith("encoders on spam")
    shown = table(said.out)
    assert {line.split()[0] for line in shown[-2:]} == {"tfidf", "lsa"}
    assert max(map(len, shown)) <= 80
    heads = " ".join(" ".join(shown[:-2]).split())
    for column in ("F1", "interval", "best", "p", "models,"):
        assert column in heads
    assert shown[-1].count(" to ") == 1
    assert " is better than " in said.out or "score the same on every fold" in said.out
    told = " ".join(said.out.split())
    assert "corrected resampled t-test" in told
    assert "Seconds are of encoding, fitting and predicting, in all models of a run; whole" in told
    [folder] = (tmp_path / "comparisons").iterdir()
    assert f"Page   {folder}/comparison.html" in said.out
    assert f"Table  {folder}/comparison.csv" in said.out
    assert "tfidf: finished, 1 of 2." in said.err


@pytest.mark.parametrize("width", [80, 120])
def test_domains_stand_in_the_order_given_with_what_they_gain(
    call: Any, fixtures: Any, words: list[str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path, width: int,
) -> None:  # fmt: skip
    narrow(monkeypatch, width)
    configs = []
    for name in ("spam", "credit"):
        content = {"use_case": name, "data": dict(fixtures[name]), "svm": {"C": 1}}
        content["evaluation"] = {"outer": 3, "inner": 2, "resamples": 100, "map": "none"}
        path = tmp_path / f"{name}.yaml"
        path.write_text(json.dumps(content), encoding="utf-8")
        configs.append(str(path))
    said = call("compare", *configs, "--runs", str(tmp_path), "--quiet")
    assert said.code == 0, said.err
    shown = table(said.out)
    assert max(map(len, shown)) <= width
    assert [line.split()[0] for line in shown[-2:]] == ["spam/spam", "credit/credit"]
    heads = " ".join(shown[:-2])
    for head in ("judged", "value", "dummy", "linear"):
        assert head in heads
    assert " F1 " in shown[-2]
    assert "ROC AUC" in shown[-1]
    assert "never tested or ranked" in " ".join(said.out.split())
    if width == 120:
        assert "items" in heads


def test_a_comparison_may_be_a_file(
    call: Any, fixtures: Any, words: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "both.yaml"
    path.write_text(
        json.dumps(
            {
                "title": "Both kernels",
                "runs": ["spam"],
                "kernels": ["linear", "rbf"],
                "settings": {
                    "data": dict(fixtures["spam"]),
                    "svm": {"C": 1},
                    "evaluation": {"outer": 3},
                },
            }
        ),
        encoding="utf-8",
    )
    said = call("compare", str(path), "--runs", str(tmp_path))
    assert said.code == 0, said.err
    assert said.out.startswith("\nBoth kernels")
    [folder] = (tmp_path / "comparisons").iterdir()
    assert folder.name.startswith("both-")


def test_a_budget_that_cannot_be_is_refused(call: Any, tmp_path: Path) -> None:
    compared = ("compare", "spam", "credit", "--runs", str(tmp_path))
    assert "--jobs must be between 1 and" in call(*compared, "--jobs", "1000").err
    for size in ("lots", "1KB", "0GB", "4", f"{9**40}GB"):
        said = call(*compared, "--memory", size)
        assert (said.code, list(tmp_path.iterdir())) == (2, [])
        told = (
            "--memory must be a number above 0 and a unit, MB, GB, MiB or GiB, as in 4GB or 800MB"
        )
        assert f"{told}; got '{size}'." in said.err


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
    words[words.index("spam")] = str(config)
    said = call(*words, "--encoders", "tfidf,lsa", "--json", "--quiet")
    assert said.code == 0, said.err
    runs = RunStore(tmp_path).records()
    assert {run.manifest["seed"] for run in runs} == {5}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--encoders", "tfidf,lsa"], "Name what to compare, as in `widemargin compare spam"),
        (["spam"], "Say what to compare: --encoders tfidf,minilm or --kernels linear,rbf, or name"),
        (["spam", "--encoders", "tfidf"], "a comparison needs two or more"),
        (["spam", "--encoders", "tfidf,tfidf"], "names 'tfidf' twice"),
        (["spam", "--encoders", "tfidf,hgo"], "'hgo' is no encoder"),
        (["spamm", "--encoders", "tfidf,lsa"], "There is no use case 'spamm'"),
        (["none.yaml", "--encoders", "tfidf,lsa"], "none.yaml: there is no such file"),
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
