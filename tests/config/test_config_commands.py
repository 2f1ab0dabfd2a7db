"""``widemargin config show | new | check``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from widemargin.cli.config import app
from widemargin.config import template
from widemargin.contracts import UseCase
from widemargin.errors import ConfigError

# Fixtures come from conftest.py; these are their types.
Fixture = Any


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, use_case: UseCase, encoders: Fixture, kernels: Fixture
) -> Fixture:
    registry = SimpleNamespace(
        use_case=lambda name: {"spam": use_case}[name], encoders=encoders, kernels=kernels
    )
    module = SimpleNamespace(discover=lambda: registry)
    monkeypatch.setitem(sys.modules, "widemargin.registry", module)

    def call(*arguments: str) -> str:
        return CliRunner().invoke(app, arguments, catch_exceptions=False).stdout

    return call


def test_show_lists_every_setting_by_section(run: Fixture) -> None:
    shown = run("show", "spam")
    assert "data, from source csv" in shown
    assert "features.encoder, where its name is tfidf" in shown
    assert re.search(r"\nC +auto +auto, a number above 0", shown)
    assert re.search(r"\npath +required +a path +the file", shown)
    assert re.search(r"\nwords +\[1, 2\] +a list of 2 whole", shown)


def test_show_never_breaks_a_name_in_a_pipe(run: Fixture, use_case: UseCase) -> None:
    long = "a_name_that_is_longer_than_any_column_of_a_table_of_120_letters_could_ever_be_" * 2
    use_case.defaults["svm"] = {"kernel": long}  # type: ignore[index]  # a mapping that only we may change
    try:
        assert re.search(rf"\nkernel +{long} ", run("show", "spam"))
    finally:
        del use_case.defaults["svm"]  # type: ignore[attr-defined]  # as above


def test_show_leaves_out_encoders_of_other_kinds_of_data() -> None:
    def shown(*words: str) -> str:
        return CliRunner().invoke(app, ["show", *words], catch_exceptions=False).stdout

    few, every = shown("pictures"), shown("pictures", "--all")
    assert "its name is hog" in few
    assert "its name is tfidf" not in few
    assert "left out, which read other kinds of data; --all" in few
    assert "its name is tfidf" in every
    assert "left out" not in every.splitlines()[-1]


def test_show_gives_scripts_json(run: Fixture) -> None:
    settings = json.loads(run("show", "spam", "--json"))
    assert settings[0]["path"] == "use_case"
    (grid,) = (one for one in settings if one["path"] == "svm.C")
    assert grid["default"] == grid["value"] == "auto"
    assert grid["type"] == "auto, a number above 0, or a list of them"


def test_new_prints_the_template_as_it_is(
    run: Fixture, use_case: UseCase, encoders: Fixture, kernels: Fixture
) -> None:
    assert run("new", "spam") == template(use_case, encoders, kernels)


def test_check_says_that_a_config_is_fine(run: Fixture, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("use_case: spam\nsvm: {C: 1}\n")
    assert run("check", str(file)) == f"{file} is a sound config of the use case spam.\n"
    found = json.loads(run("check", str(file), "--set", "seed=3", "--json"))
    assert found["config"]["svm"]["C"] == 1.0
    assert found["config"]["seed"] == 3


def test_check_raises_every_problem(run: Fixture, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("use_case: spam\nsvm: {C: 0}\n")
    with pytest.raises(ConfigError) as caught:
        run("check", str(file), "--set", "sed=3")
    assert [problem.path for problem in caught.value.problems] == ["svm.C", "sed"]
    assert caught.value.exit_code == 2
