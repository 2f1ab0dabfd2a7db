"""plugins/README.md is true: its plugin is installed and run as it stands there."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

import widemargin
import widemargin.testing
from widemargin import hookspecs
from widemargin.registry import discover
from widemargin.svm import KernelParameters

GUIDE = (Path(__file__).parent.parent / "plugins" / "README.md").read_text(encoding="utf-8")

Install = Callable[[str, Mapping[str, str], Mapping[str, str]], Path]


def guide_files() -> dict[str, str]:
    """Return the guide's files by name: a code block below a line that is only the name."""
    found = re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```", GUIDE, flags=re.DOTALL | re.MULTILINE)
    return dict(found)


@pytest.fixture
def tickets(install_plugin: Install) -> Path:
    files = guide_files()
    project = tomllib.loads(files["pyproject.toml"])["project"]
    points = project["entry-points"]["widemargin.plugins"]
    return install_plugin(project["name"], points, files)


def test_the_guides_plugin_is_whole_and_short() -> None:
    files = guide_files()
    assert list(files) == [
        "pyproject.toml",
        "widemargin_tickets/__init__.py",
        "widemargin_tickets/fixture.csv",
        "tests/test_tickets.py",
    ]
    assert len(files["widemargin_tickets/__init__.py"].splitlines()) < 40


def test_the_guides_plugin_runs_and_predicts(tickets: Path, tmp_path: Path) -> None:
    old = tickets / "widemargin_tickets" / "fixture.csv"
    run = widemargin.run("tickets", data={"path": str(old)}, runs=tmp_path / "runs")
    assert set(run.metrics) == {"f1", "precision", "recall"}
    assert run.metrics["f1"] > 0.5
    assert run.report.is_file()
    again = widemargin.load("tickets", runs=tmp_path / "runs")
    predicted = again.predict(["All payments are down please call at once", "add a dark logo"])
    assert predicted["label"].tolist() == ["yes", "no"]
    from_file = again.predict(old)
    assert len(from_file) == 16


def test_the_guides_commands_work(tickets: Path, tmp_path: Path) -> None:
    block = re.search(r"```console\n(.*?)^```", GUIDE, flags=re.DOTALL | re.MULTILINE)
    assert block is not None
    commands = [line for line in block[1].splitlines() if line.startswith("widemargin ")]
    assert len(commands) == 3
    old = tmp_path / "old_tickets.csv"
    old.write_bytes((tickets / "widemargin_tickets" / "fixture.csv").read_bytes())
    said = []
    for line in commands:
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)]
        done = subprocess.run(
            [sys.executable, "-m", *words],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert "use cases: tickets" in said[0]
    assert "yes" in said[2]


def test_the_guides_test_passes(tickets: Path) -> None:
    environment = {**os.environ, "PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_tickets.py"],
        capture_output=True,
        text=True,
        cwd=tickets,
        env=environment,
        check=False,
    )
    assert f"{len(widemargin.testing.use_case_checks())} passed" in done.stdout, done.stdout


def test_the_guides_plugin_imports_public_names_only(tickets: Path) -> None:
    source = guide_files()["widemargin_tickets/__init__.py"]
    for module, names in re.findall(r"^from (widemargin[\w.]*) import (.+)$", source, re.MULTILINE):
        public = sys.modules.get(module) or __import__(module, fromlist=["__all__"])
        assert set(names.split(", ")) <= set(public.__all__)


def test_the_guides_kernel_is_registered_and_computes_what_it_says(install_plugin: Install) -> None:
    found = re.search(r"\n## A kernel\n.*?```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert found is not None
    install_plugin("guide-kernel", {"guide": "guide_kernel"}, {"guide_kernel.py": found[1]})
    kernel = discover().kernels["exponential"]
    X, Y = np.array([[3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    for form in (np.asarray, csr_matrix):
        gram = kernel.gram(form(X), form(Y), KernelParameters(gamma=0.5))
        np.testing.assert_allclose(gram, np.exp([[1.5, 2.0]]))
    for module, names in re.findall(
        r"^from (widemargin[\w.]*) import (.+)$", found[1], re.MULTILINE
    ):
        assert set(names.split(", ")) <= set(sys.modules[module].__all__)


def hook_names() -> list[str]:
    return [name for name, hook in vars(hookspecs).items() if hasattr(hook, "widemargin_spec")]


def table_rows(heading: str) -> dict[str, str]:
    """Return the table below a heading: first column to second."""
    _, _, section = GUIDE.partition(f"\n## {heading}\n")
    rows = re.findall(r"^\| `(.+?)` \| (.+) \|$", section.partition("\n## ")[0], re.MULTILINE)
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


def test_the_guide_lists_every_check_in_order() -> None:
    assert list(table_rows("Checks")) == [
        check.__name__ for check in widemargin.testing.use_case_checks()
    ]


def test_the_guide_names_files_and_modules_that_are_there() -> None:
    plugins = Path(__file__).parent.parent / "plugins"
    assert (plugins / "widemargin_spam" / "data.py").is_file()
    for module in re.findall(r"`(widemargin\.[a-z]+)`", GUIDE):
        __import__(module)
    assert "spam" in discover().use_cases


@pytest.mark.parametrize("hook", hook_names())
def test_every_hook_is_named_by_a_test_of_the_registry(hook: str) -> None:
    registry_tests = Path(__file__).with_name("test_registry.py").read_text(encoding="utf-8")
    implemented = re.findall(r"@hookimpl\ndef (\w+)\(", registry_tests)
    assert hook in implemented
