"""`tests/benchmarks/domains.py`: its rows name what there is, and its table tells the truth."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import widemargin
from widemargin.api import resolve_target
from widemargin.config import Document
from widemargin.registry import discover

TESTS = Path(__file__).parent
DOMAINS: Any = SimpleNamespace(**runpy.run_path(str(TESTS / "benchmarks" / "domains.py")))
CONFIGS: Path = DOMAINS.CONFIGS


def test_each_row_names_a_config_that_ships_and_a_metric_of_its_use_case() -> None:
    registry = discover()
    for target in DOMAINS.TARGETS:
        path = CONFIGS / f"{target.config}.yaml"
        _, name = resolve_target(str(path), [Document({})], None, registry)
        assert target.metric in registry.use_case(name).metrics, target
        assert name == target.config.partition("/")[0], target


def test_what_must_be_reached_is_less_than_what_is_tried_for() -> None:
    both = [one for one in DOMAINS.TARGETS if one.must is not None and one.reach is not None]
    assert both
    assert all(one.must <= one.reach for one in both)


def test_what_is_asked_for_may_be_another_config_of_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = []

    def run(config: Path, **_: bool) -> widemargin.Run:
        made.append(config.stem)
        source = {"breast-cancer": "breast-cancer", "diabetes": "breast-cancer"}[config.stem]
        return widemargin.run("table", data={"source": source}, svm={"C": 1}, runs=tmp_path)

    peer = DOMAINS.Target("table/diabetes", "accuracy")
    own = DOMAINS.Target("table/breast-cancer", "accuracy", "table/diabetes")
    # Equal is not more.
    assert DOMAINS.main(["table/breast-cancer"], [peer, own], run) == 1
    assert made == ["diabetes", "breast-cancer"]
    assert "> table/diabetes" in capsys.readouterr().out
    known = {one.config for one in DOMAINS.TARGETS}
    assert {one.must for one in DOMAINS.TARGETS if isinstance(one.must, str)} <= known


def test_the_table_says_what_a_run_reached_and_fails_on_a_miss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(config: Path, *, fresh: bool) -> widemargin.Run:
        assert config == CONFIGS / "table" / "breast-cancer.yaml"
        assert fresh
        return widemargin.run(config, svm={"C": 1}, runs=tmp_path, fresh=fresh)

    targets = [
        DOMAINS.Target("table/breast-cancer", "accuracy", 0.9, 0.95, "0.97"),
        DOMAINS.Target("table/breast-cancer", "mcc", 0.8, 1.0),
    ]
    assert DOMAINS.main(["table", "--fresh"], targets, run) == 0
    lines = capsys.readouterr().out.splitlines()
    accuracy = widemargin.load("latest", runs=tmp_path).metrics["accuracy"]
    assert lines[1].split()[:3] == ["table/breast-cancer", "accuracy", f"{accuracy:.4f}"]
    assert lines[1].split()[-2:] == ["reached", "0.97"]
    assert lines[2].split()[-1] == "met"

    missed = [DOMAINS.Target("table/breast-cancer", "accuracy", 1.01)]
    assert DOMAINS.main(["--fresh", "--markdown"], missed, run) == 1
    assert "| MISSED |" in capsys.readouterr().out


def test_a_config_that_fails_is_named_and_the_others_are_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(config: Path, **_: bool) -> widemargin.Run:
        if config.stem == "reviews":
            raise widemargin.DataError("reviews.csv: no such file.")
        return widemargin.run(config, svm={"C": 1}, runs=tmp_path)

    targets = [
        DOMAINS.Target("texts/reviews", "accuracy", 0.5),
        DOMAINS.Target("table/breast-cancer", "accuracy", 0.5),
    ]
    assert DOMAINS.main([], targets, run) == 1
    printed = capsys.readouterr()
    assert "reviews.csv: no such file." in printed.err
    failed, met = printed.out.splitlines()[1:]
    assert failed.split()[2] == "failed"
    assert met.split()[-1] == "met"


def test_an_unknown_name_is_refused_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        DOMAINS.main(["weather"])
    assert "cancer/khan" in capsys.readouterr().err
