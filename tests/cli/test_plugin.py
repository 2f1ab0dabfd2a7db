"""`widemargin plugin new` and `widemargin plugin check`."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from widemargin.testing import use_case_checks

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
    assert lines[-1].startswith("4 passed, 0 failed, 0 not tried, 0 do not apply; ")


def test_check_says_what_failed_with_the_place_and_the_remedy(
    call: Call, kernel: Callable[[str], None]
) -> None:
    kernel("lambda X, Y: X.no_such_thing")
    said = call("plugin", "check", "rain", "--quiet")
    assert said.code == 1
    text = " ".join(said.out.split())
    assert "FAIL" in text
    assert "Found: AttributeError: " in text
    assert "rain_plugin.py, line 10 Remedy: mend that line, so that it takes" in text
    assert "pass " not in text
    assert "Traceback" not in said.out + said.err


def test_check_says_in_a_line_what_was_not_tried_and_what_does_not_apply(
    rain: Any, call: Call
) -> None:
    assert rain("int('sky')", check=True).code == 1
    text = " ".join(call("plugin", "check", "rain").out.split())
    untried = len(use_case_checks()) - 3
    assert f"- Not tried ({untried}): what check_loads_offline found stands in the way." in text
    assert f"3 passed, 1 failed, {untried} not tried, 0 do not apply; " in text
    text = " ".join(call("plugin", "check", "table").out.split())
    assert text.count("Does not apply (3): the fixture has neither groups nor texts ") == 1
    assert "; the fixture has no published split; the fixture's items have no times. " in text
    assert " 0 failed, 0 not tried, 3 do not apply; " in text


def test_check_says_the_same_in_json(call: Call, kernel: Callable[[str], None]) -> None:
    kernel("lambda X, Y: -products(X, Y)")
    said = call("plugin", "check", "rain", "--json")
    assert said.code == 1
    told = json.loads(said.out)
    assert (told["name"], told["passed"]) == ("rain", False)
    [failed] = [one for one in told["rules"] if one["status"] == "failed"]
    assert failed["check"] == "check_kernel_is_positive"
    assert failed["found"].startswith("an eigenvalue of -")
    assert failed["where"].endswith("rain_plugin.py, line 10")
    assert failed["remedy"]


def test_check_of_a_broken_plugin_says_why(call: Call, install_plugin: Install) -> None:
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": "import no_such_library"})
    said = call("plugin", "check", "rain")
    assert said.code == 1
    text = " ".join(said.out.split())
    assert "No module named 'no_such_library'" in text
    assert "rain_plugin.py, line 1 Remedy: mend what is named there" in text
    assert said.out.splitlines()[-1] == "0 passed, 1 failed, 0 not tried, 0 do not apply; 0.0 s"


def test_check_of_an_unknown_name_is_wrong_usage(call: Call) -> None:
    said = call("plugin", "check", "spma")
    assert said.code == 2
    assert "There is no plugin and no use case 'spma'. Did you mean 'spam'?" in said.err


LOADER = """
import urllib.request
from dataclasses import replace
import widemargin_generic
from widemargin import hookimpl

class Odd(widemargin_generic.TableFile):
    def load(self, data_home):
        {fault}
        return super().load(data_home)

@hookimpl
def register_use_cases():
    table = [one for one in widemargin_generic.register_use_cases() if one.name == "table"][0]
    return [replace(table, name="rain", data=(Odd,), {changed})]
"""


@pytest.fixture
def rain(install_plugin: Install, call: Call, tmp_path: Path) -> Callable[..., Any]:
    def run(fault: str = "pass", changed: str = "", *, check: bool = False) -> Any:
        source = LOADER.format(fault=fault, changed=changed)
        install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": source})
        if check:
            return call("plugin", "check", "rain", "--quiet")
        path = tmp_path / "t.csv"
        path.write_text("a,label\n" + "1,no\n2,yes\n" * 12, encoding="utf-8")
        words = ("--runs", str(tmp_path / "runs"), "--set", f"data.path={path}", "--set", "svm.C=1")
        return call("run", "rain", "--quiet", *words)

    return run


def test_a_defect_of_a_plugin_names_it_and_its_line(rain: Any) -> None:
    said = rain("int('sky')")
    assert said.code == 1
    lines = said.err.strip().splitlines()
    assert lines[0] == "Error: ValueError: invalid literal for int() with base 10: 'sky'"
    assert lines[1].startswith("This is a defect of the plugin 'rain', not of your input: ")
    assert lines[1].endswith("rain_plugin.py, line 9.")
    assert lines[2] == "Run the command again with --debug to see the traceback."


def test_a_plugin_that_asks_for_the_network_itself_is_told_how_not_to(
    rain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    said = rain("urllib.request.urlopen('http://rain.example.org')")
    assert said.code == 1
    assert "URLError" in said.err
    assert "rain_plugin.py, line 9." in said.err
    assert "It asked for the network by itself. A loader declares the files" in said.err


def fetching(stop: str) -> str:
    """Return the rest of `load`, and a `fetch` that begins in the line after it."""
    return f"""return super().load(data_home)
    def fetch(self, data_home, *, offline, progress):
        {stop}
    def spare(self, data_home):
        pass"""


def test_a_fetch_without_a_network_is_no_defect(rain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    said = rain(fetching("urllib.request.urlopen('http://rain.example.org')"))
    assert said.code == 2
    assert said.err.startswith("Error: the data of Odd cannot be fetched: URLError: <urlopen error")
    assert "rain_plugin.py, line 11). Is there a network? Give the command again" in said.err
    assert "defect" not in said.err


@pytest.mark.parametrize(
    ("stop", "code", "said"),
    [
        ("open(data_home / 'no' / 'a', 'w')", 2, "See whether files can be written to "),
        ("import widemargin; raise widemargin.DataError('no rain')", 2, "Error: no rain"),
        ("int('sky')", 1, "This is a defect of the plugin 'rain', not of your input: "),
    ],
)
def test_what_else_stops_a_fetch_is_told_as_what_it_is(
    rain: Any, stop: str, code: int, said: str
) -> None:
    told = rain(fetching(stop))
    assert told.code == code
    assert said in told.err
    assert "network" not in told.err


def test_of_two_plugins_on_the_way_the_inner_one_is_named(rain: Any) -> None:
    said = rain("widemargin_generic.TableFile.load(None, data_home)")
    assert said.code == 1
    line = said.err.splitlines()[1]
    assert line.startswith("This is a defect of the plugin 'generic', not of your input: ")
    assert "widemargin_generic/" in line


def test_a_defect_that_a_plugin_led_into_may_be_widemargins(rain: Any) -> None:
    said = rain("from widemargin.contracts.metric import finite; finite('sky')")
    assert said.code == 1
    line = said.err.splitlines()[1]
    assert line.startswith(
        "This is no fault of your input, but a defect of widemargin or of the plugin 'rain', which "
        "asked for it in "
    )
    assert line.endswith("rain_plugin.py, line 9.")


def test_the_last_words_of_a_plugin_that_stops_are_told(rain: Any) -> None:
    said = rain("raise SystemExit('no rain today')")
    assert said.code == 1
    assert said.err == "Error: no rain today\n"


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise SystemExit", "SystemExit"),
        ("import argparse; argparse.ArgumentParser('x').parse_args(['--y'])", "SystemExit: 2"),
    ],
)
def test_a_plugin_that_ends_python_is_told_with_its_line(rain: Any, stop: str, said: str) -> None:
    told = rain(stop)
    assert told.code == 1
    lines = told.err.strip().splitlines()[-3:]
    assert lines[0] == f"Error: {said}"
    assert lines[1].startswith("This is a defect of the plugin 'rain', not of your input: ")
    assert lines[1].endswith("rain_plugin.py, line 9.")
    assert lines[2] == "Run the command again with --debug to see the traceback."


@pytest.mark.parametrize(("stop", "code"), [("3", 3), ("0", 0), ("", 0)])
def test_a_command_of_a_plugins_own_ends_with_the_code_that_it_likes(
    install_plugin: Install, call: Call, stop: str, code: int
) -> None:
    source = f"""
from widemargin import Command, hookimpl

def umbrella() -> None:
    raise SystemExit({stop})

@hookimpl
def register_commands():
    return [Command(name="umbrella", summary="Say whether to take one.", run=umbrella)]
"""
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": source})
    said = call("umbrella")
    assert (said.code, said.err) == (code, "")


def test_a_card_says_where_and_what_is_expected(rain: Any) -> None:
    said = rain("int('sky')", check=True)
    told = " ".join(said.out.split())
    assert "Found: ValueError: invalid literal for int() with base 10: 'sky'. Where: " in told
    assert "rain_plugin.py, line 9 Remedy: mend that line, so that `load` returns a Dataset" in told
    assert "Traceback" not in said.out + said.err


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (
            "report_sections=lambda told: 'dry'",
            "it must return a list of widemargin.ReportSection.",
        ),
        ("analyse=lambda study: [1 / 0]", "is left out: ZeroDivisionError: division by zero"),
    ],
)
def test_a_part_of_the_report_that_is_left_out_names_the_line(
    rain: Any, changed: str, found: str
) -> None:
    told = rain(changed=changed)
    assert told.code == 0
    [said] = [line for line in told.err.splitlines() if "left out" in line]
    assert found in said
    assert said.endswith("rain_plugin.py, line 15)")
