"""Lines of a plugin's source: where it registers something, and where it writes a word of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from widemargin.contracts.written import where_given, where_written
from widemargin.registry import discover

Install = Callable[[str, Mapping[str, str], Mapping[str, str]], Path]

HOOKS = """
from sky_plugin.cases import SNOW

LAST = "hail"
EARLY = dict(name="rain")
ELSEWHERE = len("hail")


def made(name, **settings):
    return dict(settings, name=name)


def register():
    return [
        SNOW,
        dict(
            name="rain",
            metrics=(
                "f1",
                "r3",
            ),
            best={
                "classification": "r4",
            },
            defaults={
                "svm": {
                    "C": 1,
                    "kernal": "rbf",
                },
                **{"features": 1},
                "data": {"columns": ["path"]},
            },
            wording=dict(
                headline="Names {r5} of them",
            ),
            fixture=LAST,
        ),
        made(
            "fog", metrics=["f2"] + [
                "r6"
            ],
        ),
        dict(name=LAST, metrics=("f1",)),
    ]
"""
CASES = """
OTHER = dict(title="snow", metrics=("r3",))
NAMED = dict(name="snow")
SNOW = dict(
    name="snow",
    metrics=("r3",),
)
"""


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    package = tmp_path / "sky_plugin"
    package.mkdir()
    files = {"__init__.py": HOOKS, "cases.py": CASES, "aside.py": "SNOW = = 3\n"}
    for name, source in files.items():
        (package / name).write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    made: Callable[[], Any] = importlib.import_module("sky_plugin").register
    return made


def named(name: str) -> Any:
    return SimpleNamespace(name=name)


def line_of(source: str, words: str, after: str = "") -> int:
    """Return the line that holds these words first, behind that which holds others."""
    start = source.index(after)
    return source[: source.index(words, start)].count("\n") + 1


@pytest.mark.parametrize(
    ("name", "path", "words"),
    [
        ("rain", (), "dict(\n            name"),
        ("rain", ("name",), 'name="rain",'),
        ("rain", ("metrics", "r3"), '"r3"'),
        ("rain", ("best", "r4"), '"r4"'),
        ("rain", ("defaults", "svm", "kernal"), '"kernal"'),
        ("rain", ("defaults", "svm", "gama"), '"svm"'),
        ("rain", ("defaults", "features"), '**{"features"'),
        ("rain", ("defaults", "data", "path"), '"data"'),
        ("rain", ("defaults", "evaluation", "outer"), "defaults="),
        ("rain", ("wording", "headline"), "headline="),
        ("rain", ("fixture", "path"), "fixture="),
        ("rain", ("split",), "dict(\n            name"),
        ("fog", ("metrics", "r6"), '"r6"'),
        # A name that is not said in so many words.
        ("hail", ("metrics", "f1"), "def register"),
        ("wind", (), "def register"),
    ],
)
def test_the_innermost_word_that_is_written_has_its_own_line(
    register: Callable[[], Any], name: str, path: tuple[str, ...], words: str
) -> None:
    file = register.__code__.co_filename
    assert where_written(register, named(name), *path) == f"{file}, line {line_of(HOOKS, words)}"


def test_what_another_file_of_the_package_makes_is_found_there(
    register: Callable[[], Any],
) -> None:
    file = Path(register.__code__.co_filename).with_name("cases.py")
    line = line_of(CASES, '"r3"', after="\nSNOW")
    assert where_written(register, named("snow"), "metrics", "r3") == f"{file}, line {line}"


def test_what_is_ours_or_a_librarys_has_no_line() -> None:
    assert where_written(discover, named("spam")) == ""
    assert where_written(len, named("spam")) == ""
    assert where_written(None, named("spam")) == ""


def test_an_argument_of_the_call_that_a_place_is_within_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("f(\n  a=1,\n)\ng(\n  b=f(\n    a=2,\n  ),\n)\n", encoding="utf-8")
    assert where_given(f"{file}, line 5", "a") == f"{file}, line 6"
    assert where_given(f"{file}, line 4", "b") == f"{file}, line 5"
    assert where_given(f"{file}, line 1", "b") == f"{file}, line 1"
    assert where_given("", "b") == ""


def test_what_is_made_by_its_type_comes_before_others_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
from types import SimpleNamespace
spec = SimpleNamespace(Command=dict, UseCase=dict)
RAIN = spec.Command(name="rain", summary="", run=print)
CASE = spec.UseCase(
    name="rain", metrics=()
)


def register():
    return [CASE]
"""
    (tmp_path / "rain_plugin.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    register = importlib.import_module("rain_plugin").register
    made: dict[str, Any] = {
        one: type(one, (), {"name": "rain"})() for one in ("UseCase", "Command")
    }
    found = {one: where_written(register, item, "name") for one, item in made.items()}
    file = tmp_path / "rain_plugin.py"
    assert found == {"UseCase": f"{file}, line 6", "Command": f"{file}, line 4"}


@pytest.mark.filterwarnings("error")
def test_what_cannot_be_parsed_or_is_oddly_written_is_no_obstacle(
    register: Callable[[], Any],
) -> None:
    file = Path(register.__code__.co_filename)
    file.with_name("a.py").write_text("X = " + "(" * 90_000, encoding="utf-8")
    file.with_name("b.py").write_text("X = " + "-" * 90_000 + "1", encoding="utf-8")
    file.with_name("c.py").write_text("X = '\\d'", encoding="utf-8")
    line = line_of(HOOKS, "dict(\n            name")
    assert where_written(register, named("rain")) == f"{file}, line {line}"
