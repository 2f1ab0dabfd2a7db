"""What the README promises is what CI runs, and what is packaged is what is there."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def readme_commands() -> list[str]:
    """Return the README's commands that install widemargin from a checkout, in order."""
    blocks = re.findall(r"^```bash\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    return [
        line for line in lines if line.startswith("pip install -c constraints.txt") and "&&" in line
    ]


def test_the_readme_has_two_commands_as_promised() -> None:
    assert readme_commands() == [
        "pip install -c constraints.txt . && widemargin run spam",
        'pip install -c constraints.txt -e ".[all,dev]" && pytest',
    ]


def test_ci_runs_the_second_command_as_it_stands_in_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert readme_commands()[1] in script.splitlines()


FAKES = {
    # Makes the "virtual environment" whose pip fails.
    "python3": 'mkdir -p "$3/bin"; echo > "$3/bin/activate"',
    "pip": "exit 1",
    **dict.fromkeys(("chromium", "pdftotext", "apt-get", "python"), "exit 0"),
    **dict.fromkeys(("pytest", "ruff", "mypy", "lint-imports"), "echo went on"),
}


@pytest.mark.skipif(os.name == "nt", reason="the script is bash's")
@pytest.mark.parametrize("failing", ["pip", "pytest"])
def test_ci_stops_where_the_second_command_fails(tmp_path: Path, failing: str) -> None:
    for name, body in FAKES.items():
        body = "exit 1" if name == failing else body if name != "pip" else "exit 0"
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["bash", str(ROOT / ".ci" / "run")],  # noqa: S607  # whichever bash there is
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "went on" not in done.stdout


def test_ci_runs_the_first_commands_use_case_from_the_wheel() -> None:
    assert '"$widemargin" run spam' in (ROOT / ".ci" / "wheel").read_text(encoding="utf-8")


def test_every_package_of_the_tree_is_packaged() -> None:
    packaged = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    found = {
        path.parent.relative_to(ROOT).as_posix()
        for folder in ("core", "plugins")
        for path in (ROOT / folder).glob("*/__init__.py")
    }
    assert packaged == found


def test_the_wheel_holds_every_template_of_a_new_plugin() -> None:
    from hatchling.builders.wheel import WheelBuilder

    held = {
        file.distribution_path.replace(os.sep, "/")
        for file in WheelBuilder(str(ROOT)).recurse_included_files()
    }
    templates = ROOT / "core" / "widemargin" / "kit" / "templates"
    found = [path for path in templates.rglob("*") if path.is_file()]
    assert len(found) > 60
    for path in found:
        assert path.relative_to(ROOT / "core").as_posix() in held


def test_no_template_is_hidden_or_ignored() -> None:
    templates = ROOT / "core" / "widemargin" / "kit" / "templates"
    for path in templates.rglob("*"):
        assert not path.name.startswith("."), path
        # What pytest, mypy and ruff would take for code of this project.
        assert path.suffix != ".py", path


def test_every_plugin_is_an_entry_point() -> None:
    points = set(PROJECT["project"]["entry-points"]["widemargin.plugins"].values())
    assert points == {path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py")}


def test_every_package_is_marked_as_typed() -> None:
    for path in [*(ROOT / "core").glob("*/__init__.py"), *(ROOT / "plugins").glob("*/__init__.py")]:
        assert path.with_name("py.typed").exists(), path.parent


def test_every_dependency_has_a_tested_version() -> None:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    tested = {line.partition("==")[0].lower() for line in constraints.splitlines() if "==" in line}
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *(one for own in extras.values() for one in own)]
    names = {re.split(r"[\[<>=;! ]", one, maxsplit=1)[0].lower() for one in wanted}
    assert names - {"widemargin"} <= {name.replace("_", "-") for name in tested}


@pytest.mark.parametrize("name", ["numpy", "scikit-learn", "pydantic", "pandas", "typer"])
def test_the_tests_run_with_the_tested_versions(name: str) -> None:
    assert f"{name}=={version(name)}" in (ROOT / "constraints.txt").read_text().splitlines()


def test_ignored_folders_are_anchored_so_that_the_wheel_keeps_core_widemargin_data() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "/data/" in ignored
    assert "/runs/" in ignored
    assert not {"data/", "runs/", "data", "runs"} & set(ignored)


def test_the_top_level_holds_nothing_unforeseen() -> None:
    allowed = {
        *("pyproject.toml", "README.md", "core", "plugins", "configs", "tests", "LICENSE"),
        *("CHANGELOG.md", "CONTRIBUTING.md", "constraints.txt", ".ci", ".gitignore", ".git"),
    }
    made_by_tools = {".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".venv"}
    made_by_tools |= {".import_linter_cache", "runs", "data", "dist", "build", "__pycache__"}
    assert {path.name for path in ROOT.iterdir()} <= allowed | made_by_tools
