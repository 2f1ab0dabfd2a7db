"""plugins/README.md is true: what it shows is what the kit writes, and its code runs."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

import widemargin
import widemargin.testing
from widemargin import hookspecs
from widemargin.kit.project import project_files
from widemargin.registry import discover
from widemargin.svm import KernelParameters
from widemargin.testing import examine
from widemargin.testing.card import rule_of

Install = Callable[[str, Mapping[str, str], Mapping[str, str]], Path]
GUIDE = (Path(__file__).parent.parent / "plugins" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE, flags=re.DOTALL | re.MULTILINE)
PROJECT = dict(project_files("weather", "table"))
HOOK_BLOCKS = {"metric": "A metric", "kernel": "A kernel", "encoder": "An encoder"}
LISTENING = "A command, and listening to runs"


def section(heading: str) -> str:
    """Return what stands below a heading, up to the next one that is no lower."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*)", GUIDE, re.DOTALL | re.MULTILINE)
    assert found is not None, heading
    level = len(found[1])
    return re.split(rf"^#{{2,{level}}} ", found[2], maxsplit=1, flags=re.MULTILINE)[0]


def block(heading: str) -> str:
    """Return the code below a heading."""
    found = re.search(r"```python\n(.*?)^```", section(heading), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.fixture
def weather(install_plugin: Install) -> Path:
    """Install the project that the guide begins with."""
    texts = {path: content.decode() for path, content in PROJECT.items()}
    return install_plugin("widemargin-weather", {"weather": "widemargin_weather"}, texts)


def test_the_guide_shows_the_files_that_the_kit_writes() -> None:
    assert PROJECT["widemargin_weather/__init__.py"].decode() in BLOCKS
    assert PROJECT["widemargin_weather/data.py"].decode() in BLOCKS


def test_the_guide_names_every_file_that_the_kit_writes() -> None:
    named = re.findall(r"^\| `(.+?)` \|", section("What is in it"), re.MULTILINE)
    for path in PROJECT:
        if path not in ("README.md", ".gitignore"):
            assert any(path.startswith(name) for name in named), path
    for name in named:
        assert any(path.startswith(name) for path in PROJECT), name


def test_the_guides_commands_work(weather: Path, tmp_path: Path) -> None:
    found = re.search(r"```console\n(.*?)^```", section("Ten minutes"), re.DOTALL | re.MULTILINE)
    assert found is not None
    commands = [shlex.split(line) for line in found[1].splitlines()]
    assert commands[0] == ["widemargin", "plugin", "new", "weather"]
    assert commands[1] == ["cd", "widemargin-weather"]
    assert commands[2] == ["pip", "install", "-e", ".[dev]"]
    # What pip would do is done already: the same project is installed.
    environment = {**os.environ, "WIDEMARGIN_RUNS": str(tmp_path / "runs")}
    said = []
    for words in commands[3:]:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=weather,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        said.append(done.stdout)
    assert "macro F1" in said[0]
    sample = PROJECT["widemargin_weather/sample.csv"].splitlines()
    assert len(said[1].splitlines()) == len(sample) - 1
    assert " 0 failed" in said[2]


def test_the_kinds_of_item_are_named(tmp_path: Path) -> None:
    from widemargin.kit import KINDS

    for kind in KINDS:
        assert f"`{kind}`" in section("Ten minutes")


def test_the_step_to_a_number_in_place_of_classes_works(
    install_plugin: Install, tmp_path: Path
) -> None:
    assert "let `y` be `parse_numbers(table[LABEL])`" in GUIDE
    assert 'say `task="regression"`,\n   `primary_metric={"regression": "r2"}`' in GUIDE
    files = {path: content.decode() for path, content in PROJECT.items()}
    data, hooks = files["widemargin_weather/data.py"], files["widemargin_weather/__init__.py"]
    data = re.sub(r"        labels = .*?\n        return", "        return", data, flags=re.DOTALL)
    data = data.replace("y=np.array(labels)", "y=parse_numbers(table[LABEL])")
    data = data.replace('LABEL = "tomorrow"', 'LABEL = "humidity"').replace('"humidity", ', "")
    hooks = hooks.replace('task="classification"', 'task="regression"')
    hooks = re.sub(r"primary_metric=.*", 'primary_metric={"regression": "r2"},', hooks)
    hooks = re.sub(r" metrics=.*", ' metrics=("r2", "mae"),', hooks)
    hooks = re.sub(r"headline=.*", 'headline="",', hooks)
    files |= {"widemargin_weather/data.py": data, "widemargin_weather/__init__.py": hooks}
    install_plugin("widemargin-weather", {"weather": "widemargin_weather"}, files)
    run = widemargin.run("weather", svm={"C": 1}, evaluation={"outer": 3}, runs=tmp_path / "runs")
    assert "r2" in run.metrics


# Hooks


def hook_names() -> list[str]:
    return [name for name, hook in vars(hookspecs).items() if hasattr(hook, "widemargin_spec")]


def table_rows(heading: str) -> dict[str, str]:
    """Return the tables below a heading: first column to second."""
    rows = re.findall(r"^\| `(.+?)` \| (.+) \|$", section(heading), re.MULTILINE)
    return dict(rows)


def test_the_guide_lists_every_hook_with_its_parameters_and_its_own_words() -> None:
    rows = {
        signature.partition("(")[0]: (signature, said)
        for signature, said in table_rows("Hooks").items()
    }
    assert list(rows) == hook_names()
    for name, (signature, said) in rows.items():
        hook = getattr(hookspecs, name)
        assert said == inspect.getdoc(hook)
        for parameter in inspect.signature(hook).parameters:
            assert parameter in signature
        if name.startswith("register_"):
            assert signature == f"{name}() -> {inspect.signature(hook).return_annotation}"


def test_every_hook_is_shown_with_its_signature() -> None:
    shown = "\n".join(BLOCKS)
    for name in hook_names():
        found = re.search(rf"^@hookimpl\ndef {name}\((.*?)\)", shown, re.MULTILINE)
        assert found is not None, name
        parameters = [part.partition(":")[0].strip() for part in found[1].split(",") if part]
        assert parameters == list(inspect.signature(getattr(hookspecs, name)).parameters)


@pytest.mark.parametrize("hook", hook_names())
def test_every_hook_is_named_by_a_test_of_the_registry(hook: str) -> None:
    registry_tests = Path(__file__).with_name("test_registry.py").read_text(encoding="utf-8")
    implemented = re.findall(r"@hookimpl\ndef (\w+)\(", registry_tests)
    assert hook in implemented


@pytest.mark.parametrize("what", HOOK_BLOCKS)
def test_the_guides_hooks_register_what_keeps_every_rule(
    install_plugin: Install, what: str
) -> None:
    source = block(HOOK_BLOCKS[what])
    install_plugin(f"guide-{what}", {"guide": f"guide_{what}"}, {f"guide_{what}.py": source})
    told = list(examine("guide"))
    assert [one for one in told if one.status != "passed"] == []
    assert any(one.subject.startswith(f"{what} ") for one in told)


def test_the_guides_metric_encoder_and_kernel_serve_a_run(
    install_plugin: Install, tmp_path: Path
) -> None:
    for what, heading in HOOK_BLOCKS.items():
        source = block(heading)
        install_plugin(f"guide-{what}", {what: f"guide_{what}"}, {f"guide_{what}.py": source})
    registry = discover()
    assert {"hit_rate"} <= set(registry.metrics)
    run = widemargin.run(
        "texts",
        data=registry.use_cases["texts"].fixture,
        features={"encoder": {"name": "letters", "letters": "eno"}},
        svm={"kernel": "exponential", "C": 1, "gamma": 0.001},
        evaluation={"outer": 2, "inner": 2, "resamples": 100, "map": "none"},
        runs=tmp_path / "runs",
    )
    assert run.record.config["features"]["encoder"] == {"name": "letters", "letters": "eno"}
    assert run.predict(["not worth the money"])["label"].tolist()[0] in ("positive", "negative")


def test_the_guides_kernel_computes_what_it_says(install_plugin: Install) -> None:
    source = block("A kernel")
    install_plugin("guide-kernel", {"guide": "guide_kernel"}, {"guide_kernel.py": source})
    kernel = discover().kernels["exponential"]
    X, Y = np.array([[3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    for form in (np.asarray, csr_matrix):
        gram = kernel.gram(form(X), form(Y), KernelParameters(gamma=0.5))
        np.testing.assert_allclose(gram, np.exp([[1.5, 2.0]]))


def test_the_guides_command_and_listeners_do_what_they_say(
    install_plugin: Install,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = block(LISTENING)
    install_plugin("guide-ears", {"ears": "guide_ears"}, {"guide_ears.py": source})
    registry = discover()
    registry.commands["thank"].run("Ada", times=2)
    assert capsys.readouterr().out == "Thank you, Ada! Thank you, Ada! \n"
    monkeypatch.chdir(tmp_path)
    run = widemargin.run(
        "texts",
        data=registry.use_cases["texts"].fixture,
        svm={"C": 1},
        evaluation={"outer": 2, "inner": 2, "resamples": 100, "map": "none"},
        runs=tmp_path / "runs",
    )
    assert capsys.readouterr().out == "texts begins\n"
    assert (tmp_path / "last-run.txt").read_text(encoding="utf-8") == str(run.path)


# The rest


def test_the_guide_lists_every_check_in_order_with_its_rule() -> None:
    testing = widemargin.testing
    checks: list[Any] = [
        *testing.use_case_checks(),
        *testing.encoder_checks(),
        *testing.kernel_checks(),
        *testing.metric_checks(),
    ]
    assert table_rows("Checks") == {check.__name__: rule_of(check) for check in checks}
    assert list(table_rows("Checks")) == [check.__name__ for check in checks]


def test_the_guides_code_imports_public_names_only() -> None:
    for source in BLOCKS:
        for module, names in re.findall(
            r"^from (widemargin(?:\.\w+)*) import (.+)$", source, re.MULTILINE
        ):
            public = sys.modules.get(module) or __import__(module, fromlist=["__all__"])
            assert set(names.split(", ")) <= set(public.__all__)


def test_the_guide_names_files_and_modules_that_are_there() -> None:
    plugins = Path(__file__).parent.parent / "plugins"
    for path in re.findall(r"`(widemargin_(?:spam|trading)/\w+\.py)`", GUIDE):
        assert (plugins / path).is_file()
    for module in re.findall(r"`(widemargin\.[a-z]+)`", GUIDE):
        __import__(module)
    for name in ("UseCase", "Predictions"):
        assert name in widemargin.__all__
    assert "spam" in discover().use_cases
