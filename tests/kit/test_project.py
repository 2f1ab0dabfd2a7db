"""A new plugin's project is whole, passes its own checks, and is written whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from widemargin.errors import InputError
from widemargin.kit import KINDS, new_project
from widemargin.kit.project import check_name, project_files
from widemargin.registry import discover

EMPTY = discover([])
LONG = "a-name-of-thirty-characters-ok"


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return an environment whose caches lie outside of projects, and no plugin of pytest's."""
    folder = tmp_path_factory.mktemp("caches")
    return {
        **os.environ,
        "MYPY_CACHE_DIR": str(folder / "mypy"),
        "RUFF_CACHE_DIR": str(folder / "ruff"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "WIDEMARGIN_RUNS": str(folder / "runs"),
    }


def called(folder: Path, environment: Mapping[str, str], *words: str) -> str:
    """Call a module of this Python in a folder; return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed(project: Path, caches: Mapping[str, str]) -> Mapping[str, str]:
    """Build the project's wheel, unpack it, and return an environment in which it is installed."""
    dist, site = project.parent / f"{project.name}-dist", project.parent / f"{project.name}-site"
    words = ("--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", str(dist), ".")
    called(project, caches, "pip", "wheel", *words)
    [wheel] = dist.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    return {**caches, "PYTHONPATH": str(site)}


@pytest.fixture(scope="session")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_project("weather", "table", tmp_path_factory.mktemp("weather"), EMPTY)


def test_a_project_has_all_that_a_project_needs(weather: Path) -> None:
    assert {path.relative_to(weather).as_posix() for path in weather.rglob("*.*")} >= {
        "pyproject.toml",
        "README.md",
        ".gitignore",
        ".github/workflows/ci.yml",
        "configs/weather.yaml",
        "widemargin_weather/__init__.py",
        "widemargin_weather/data.py",
        "widemargin_weather/py.typed",
        "widemargin_weather/sample.csv",
        "tests/test_conformance.py",
        "tests/test_data.py",
        "tests/test_run.py",
    }
    project = tomllib.loads((weather / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["widemargin.plugins"] == {"weather": "widemargin_weather"}


def test_a_table_project_passes_its_own_checks_and_runs(
    weather: Path, caches: Mapping[str, str]
) -> None:
    environment = installed(weather, caches)
    called(weather, environment, "ruff", "check", ".")
    called(weather, environment, "ruff", "format", "--check", ".")
    called(weather, environment, "mypy")
    said = called(weather, environment, "pytest", "-q")
    assert " passed" in said
    assert "failed" not in said
    assert "use cases: weather" in called(weather, environment, "widemargin", "plugin", "list")
    assert "weather" in called(weather, environment, "widemargin", "list")
    assert "180 items" in called(weather, environment, "widemargin", "run", "weather")
    rows = called(
        weather,
        environment,
        *("widemargin", "predict", "weather", "--file", "widemargin_weather/sample.csv"),
    )
    assert len(rows.splitlines()) == 180


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "table"])
def test_a_project_of_every_kind_passes_its_own_checks(
    kind: str, tmp_path: Path, caches: Mapping[str, str]
) -> None:
    project = new_project(f"my-{kind}", kind, tmp_path, EMPTY)
    environment = installed(project, caches)
    called(project, environment, "ruff", "check", ".")
    called(project, environment, "ruff", "format", "--check", ".")
    called(project, environment, "mypy")
    called(project, environment, "pytest", "-q", "tests/test_data.py")
    said = called(project, environment, "widemargin", "plugin", "check", f"my-{kind}")
    assert " 0 failed" in said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a", LONG])
def test_short_and_long_names_are_laid_out_rightly(
    kind: str, name: str, tmp_path: Path, caches: Mapping[str, str]
) -> None:
    project = new_project(name, kind, tmp_path, EMPTY)
    called(project, caches, "ruff", "check", ".")
    called(project, caches, "ruff", "format", "--check", ".")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_template_is_left_over(kind: str) -> None:
    for path, content in project_files("weather", kind):
        assert not path.endswith(".in")
        assert "PACKAGE" not in path
        assert "NAME" not in path
        if not path.endswith((".png", ".wav")):
            text = content.decode().replace("${{ matrix.python }}", "")
            assert "{{" not in text, path


def test_the_folder_is_made_where_it_is_not_there(tmp_path: Path) -> None:
    made = new_project("weather", "text", tmp_path / "a" / "b", EMPTY)
    assert made == tmp_path / "a" / "b" / "widemargin-weather"
    assert [path.name for path in made.parent.iterdir()] == [made.name]


def test_a_project_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    there = tmp_path / "widemargin-weather"
    there.mkdir()
    with pytest.raises(InputError, match=r"is there already, and is left as it is\. Choose"):
        new_project("weather", "table", tmp_path, EMPTY)
    assert list(there.iterdir()) == []


def test_where_writing_fails_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path.write_bytes

    def full(self: Path, content: bytes) -> int:
        if self.name == "sample.csv":
            raise OSError(28, "No space left on device")
        return whole(self, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
        new_project("weather", "table", tmp_path, EMPTY)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"is no folder"):
        new_project("weather", "table", tmp_path / "file", EMPTY)


def test_an_unknown_kind_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'tabel' is no kind of item; .* Did you mean 'table'\?"):
        new_project("weather", "tabel", tmp_path, EMPTY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("Weather", "weather"),
        ("my_weather", "my-weather"),
        ("my weather", "my-weather"),
        ("2weather", "weather"),
        ("-weather", "weather"),
        ("weather-", "weather"),
        ("wea--ther", "wea-ther"),
        ("Wetter in Köln", "wetter-in-k-ln"),
        ("", "weather"),
        ("天气", "weather"),
        ("../weather", "weather"),
        ("w" * 31, "w" * 30),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_one_that_can(name: str, proposed: str) -> None:
    with pytest.raises(InputError, match="cannot be a plugin's name") as caught:
        check_name(name, EMPTY)
    assert str(caught.value).endswith(f"as in {proposed!r}.")
    check_name(proposed, EMPTY)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("widemargin-weather", "give it without, as in 'weather'"),
        ("comparisons", "comparisons are kept in that folder"),
        ("latest", "it stands for the last run"),
        ("null", "in a config it is no word"),
        ("spam", "'spam' is taken by the plugin of widemargin, which is installed"),
        ("peptides", "'peptides' is taken by a use case"),
    ],
)
def test_a_name_that_is_taken_is_refused(name: str, why: str) -> None:
    with pytest.raises(InputError) as caught:
        check_name(name, discover())
    assert why in str(caught.value)


def test_a_name_of_a_package_that_is_there_is_refused() -> None:
    with pytest.raises(InputError, match="the package widemargin_spam is installed"):
        check_name("spam", EMPTY)
