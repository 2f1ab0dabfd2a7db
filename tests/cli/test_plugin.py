"""`widemargin plugin new` and `widemargin plugin check`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]
Install = Callable[[str, Mapping[str, str], Mapping[str, str]], Path]

KERNEL = """
from widemargin import Kernel, hookimpl

def products(X, Y):
    both = X @ Y.T
    return both.toarray() if hasattr(both, "toarray") else both

@hookimpl
def register_kernels():
    return [Kernel(name="rain", summary="x y", pairwise={pairwise})]
"""


@pytest.fixture
def kernel(install_plugin: Install) -> Callable[[str], None]:
    def install(pairwise: str) -> None:
        source = KERNEL.format(pairwise=pairwise)
        install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": source})

    return install


def test_new_says_what_was_written_and_what_to_do_next(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = call("plugin", "new", "weather")
    assert said.code == 0
    assert said.out.splitlines() == [
        "widemargin-weather is written: 12 files. Next:",
        "",
        "  cd widemargin-weather",
        '  pip install -e ".[dev]"',
        "  widemargin run weather",
        "  widemargin plugin check weather",
        "",
        "README.md there says what to change for data of your own.",
    ]
    assert (tmp_path / "widemargin-weather" / "pyproject.toml").is_file()


def test_new_says_the_same_in_json(call: Call, tmp_path: Path) -> None:
    words = ("--kind", "text", "--into", str(tmp_path), "--json")
    said = json.loads(call("plugin", "new", "tickets", *words).out)
    assert said["path"] == str(tmp_path / "widemargin-tickets")
    assert "widemargin_tickets/data.py" in said["files"]


@pytest.mark.parametrize("words", [("Weather",), ("spam",), ("weather", "--kind", "rows")])
def test_new_refuses_what_cannot_be_and_writes_nothing(
    call: Call, tmp_path: Path, words: tuple[str, ...]
) -> None:
    said = call("plugin", "new", *words, "--into", str(tmp_path))
    assert said.code == 2
    assert said.err.startswith("Error: ")
    assert list(tmp_path.iterdir()) == []


def test_check_prints_a_line_a_rule(call: Call, kernel: Callable[[str], None]) -> None:
    kernel("products")
    said = call("plugin", "check", "rain")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[1] == "plugin 'rain'"
    assert lines[2].startswith("pass   0.0 s  The plugin can be imported")
    assert "kernel 'rain'" in lines
    assert lines[-1].startswith("4 passed, 0 failed, 0 do not apply; ")


def test_check_says_what_failed_with_the_place_and_the_remedy(
    call: Call, kernel: Callable[[str], None]
) -> None:
    kernel("lambda X, Y: X.no_such_thing")
    said = call("plugin", "check", "rain", "--quiet")
    assert said.code == 1
    text = " ".join(said.out.split())
    assert "FAIL" in text
    assert "Found: AttributeError: " in text
    assert "rain_plugin.py, line 10)" in text
    assert "Remedy: " in text
    assert "pass " not in text
    assert "Traceback" not in said.out + said.err


def test_check_says_the_same_in_json(call: Call, kernel: Callable[[str], None]) -> None:
    kernel("lambda X, Y: -products(X, Y)")
    said = call("plugin", "check", "rain", "--json")
    assert said.code == 1
    told = json.loads(said.out)
    assert (told["name"], told["passed"]) == ("rain", False)
    [failed] = [one for one in told["rules"] if one["status"] == "failed"]
    assert failed["check"] == "check_kernel_is_positive"
    assert failed["found"].startswith("an eigenvalue of -")
    assert failed["remedy"]


def test_check_of_a_broken_plugin_says_why(call: Call, install_plugin: Install) -> None:
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": "import no_such_library"})
    said = call("plugin", "check", "rain")
    assert said.code == 1
    text = " ".join(said.out.split())
    assert "No module named 'no_such_library'" in text
    assert "rain_plugin.py, line 1)" in text
    assert said.out.splitlines()[-1] == "0 passed, 1 failed, 0 do not apply; 0.0 s"


def test_check_of_an_unknown_name_is_wrong_usage(call: Call) -> None:
    said = call("plugin", "check", "spma")
    assert said.code == 2
    assert "There is no plugin and no use case 'spma'. Did you mean 'spam'?" in said.err
