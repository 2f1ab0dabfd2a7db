"""The native library is compiled where a compiler is, and done without where none is."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from widemargin import native

ROOT = Path(__file__).parent.parent
LIBRARIES = {".so", ".dylib", ".dll"}
SUFFIXES = {"win32": ".dll", "cygwin": ".dll", "darwin": ".dylib"}
NAME = f"_widemargin{SUFFIXES.get(sys.platform, '.so')}"
NATIVE = "widemargin/native"

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang", "cl"))) and "CI" not in os.environ,
    reason="no C compiler here",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a checkout whose packages hold little but the native sources."""
    tree = tmp_path / "tree"
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore", "core/build_native.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tree / name)
    plugins = (f"plugins/{path.name}" for path in (ROOT / "plugins").glob("widemargin_*"))
    for package in ("core/widemargin", *plugins):
        (tree / package).mkdir(parents=True)
        shutil.copyfile(ROOT / package / "__init__.py", tree / package / "__init__.py")
    ignored = shutil.ignore_patterns("__pycache__", "_widemargin.*")
    shutil.copytree(ROOT / "core" / NATIVE, tree / "core" / NATIVE, ignore=ignored)
    return tree


def build(tree: Path, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Build as pip does, without its environment of its own."""
    kept = {name: value for name, value in os.environ.items() if name != "WIDEMARGIN_BUILD_NATIVE"}
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(tree / "dist")],
        cwd=tree,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def only(tree: Path) -> Path:
    """Return what was built."""
    [made] = (tree / "dist").iterdir()
    return made


def libraries(names: list[str]) -> list[str]:
    return [name for name in names if Path(name).suffix in LIBRARIES]


# Compiled at once, where what is compiled does not matter.
SMALL = """
#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
EXPORT int wm_version(void) { return %d; }
EXPORT int wm_set_level(int wanted) { return wanted < 0 ? 1 : wanted; }
"""
NO_COMPILER = {"CC": "/nonexistent", "CXX": "/nonexistent"}


@needs_compiler
def test_a_wheel_holds_the_library_and_serves_every_python_of_the_platform(tree: Path) -> None:
    # An editable install's library, which must not be the one that is shipped.
    (tree / "core" / NATIVE / NAME).write_bytes(b"old")
    done = build(tree, "wheel", WIDEMARGIN_BUILD_NATIVE="1")
    assert done.returncode == 0, done.stderr
    wheel = only(tree)
    assert "-py3-none-" in wheel.name
    assert not wheel.stem.endswith("-any")
    with zipfile.ZipFile(wheel) as packed:
        assert libraries(packed.namelist()) == [f"{NATIVE}/{NAME}"]
        assert not [name for name in packed.namelist() if name.endswith((".c", ".h"))]
        packed.extract(f"{NATIVE}/{NAME}", tree)
    assert ctypes.CDLL(str(tree / NATIVE / NAME)).wm_version() == native.VERSION
    assert (tree / "core" / NATIVE / NAME).read_bytes() == b"old"


@needs_compiler
def test_an_editable_install_compiles_beside_the_sources(tree: Path) -> None:
    library = tree / "core" / NATIVE / NAME
    library.with_name("widemargin.c").write_text(SMALL % 7, encoding="utf-8")
    done = build(tree, "wheel:editable", WIDEMARGIN_BUILD_NATIVE="1")
    assert done.returncode == 0, done.stderr
    assert ctypes.CDLL(str(library)).wm_version() == 7
    assert {path.suffix for path in library.parent.iterdir()} <= {".py", ".c", ".h", library.suffix}


def test_a_source_distribution_holds_what_compiling_needs_and_no_library(tree: Path) -> None:
    (tree / "core" / NATIVE / NAME).write_bytes(b"old")
    done = build(tree, "sdist")
    assert done.returncode == 0, done.stderr
    with tarfile.open(only(tree)) as packed:
        names = [name.partition("/")[2] for name in packed.getnames()]
    sources = [path.name for path in (ROOT / "core" / NATIVE).glob("*.[ch]")]
    assert "widemargin.c" in sources
    assert {f"core/{NATIVE}/{name}" for name in sources} | {"core/build_native.py"} <= set(names)
    assert not libraries(names)


@pytest.mark.parametrize("variables", [NO_COMPILER, {"WIDEMARGIN_BUILD_NATIVE": "0"}])
def test_without_a_compiler_or_when_told_so_the_wheel_is_pure(
    tree: Path, variables: dict[str, str]
) -> None:
    done = build(tree, "wheel", **variables)
    assert done.returncode == 0, done.stderr
    wheel = only(tree)
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as packed:
        assert f"{NATIVE}/__init__.py" in packed.namelist()
        assert not libraries(packed.namelist())
    if variables == NO_COMPILER:
        assert "The native engine was not built" in done.stdout + done.stderr


def test_a_failed_editable_install_leaves_no_old_library(tree: Path) -> None:
    library = tree / "core" / NATIVE / NAME
    library.write_bytes(b"old")
    done = build(tree, "wheel:editable", **NO_COMPILER)
    assert done.returncode == 0, done.stderr
    assert not library.exists()


@pytest.mark.parametrize("target", ["wheel", "wheel:editable"])
def test_who_insists_on_the_library_is_told_why_there_is_none(tree: Path, target: str) -> None:
    done = build(tree, target, WIDEMARGIN_BUILD_NATIVE="1", **NO_COMPILER)
    assert done.returncode != 0
    assert "/nonexistent" in done.stderr
    assert not (tree / "dist").exists() or not list((tree / "dist").iterdir())


# At run time


@pytest.fixture
def afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let the library be looked for again, in this test and after it."""
    monkeypatch.delenv("WIDEMARGIN_NATIVE", raising=False)
    native._load.cache_clear()
    yield monkeypatch
    native._load.cache_clear()


def test_an_absent_library_says_what_to_do(afresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    afresh.setattr(native, "_PATH", tmp_path / NAME)
    assert native.library() is None
    assert native.level() == ""
    assert native.reason() == (
        "it was not compiled; install a C compiler (gcc or clang), then install widemargin again, "
        "with pip's --force-reinstall --no-deps --no-cache-dir"
    )


def test_a_library_that_cannot_be_loaded_says_what_to_do(
    afresh: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    afresh.setattr(native, "_PATH", tmp_path / NAME)
    (tmp_path / NAME).write_bytes(b"no library")
    assert native.library() is None
    assert f"{tmp_path / NAME} cannot be loaded (" in native.reason()
    assert "install widemargin again" in native.reason()


@needs_compiler
@pytest.mark.parametrize("version", [native.VERSION, native.VERSION - 1])
def test_a_library_of_another_version_is_not_used(
    afresh: pytest.MonkeyPatch, tree: Path, version: int
) -> None:
    library = tree / "core" / NATIVE / NAME
    library.with_name("widemargin.c").write_text(SMALL % version, encoding="utf-8")
    done = build(tree, "wheel:editable", WIDEMARGIN_BUILD_NATIVE="1")
    assert done.returncode == 0, done.stderr
    afresh.setattr(native, "_PATH", library)
    if version == native.VERSION:
        assert native.library() is not None
        assert (native.reason(), native.level()) == ("", "avx2")
    else:
        assert native.library() is None
        assert native.reason() == (
            f"{library} is of version {version}, not {native.VERSION}; install widemargin again, "
            "with pip's --force-reinstall --no-deps --no-cache-dir"
        )


def test_the_library_is_left_alone_when_told_so(afresh: pytest.MonkeyPatch) -> None:
    afresh.setenv("WIDEMARGIN_NATIVE", "0")
    assert native.library() is None
    assert native.reason() == "WIDEMARGIN_NATIVE=0 turns it off; unset the variable to use it"


def test_looking_for_the_library_imports_no_numpy() -> None:
    code = "import sys; from widemargin import native; native.library(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "sklearn", "pandas"} & set(done.stdout.split())


@pytest.mark.parametrize("off", [True, False])
def test_doctor_names_the_engine(
    off: bool, afresh: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from widemargin.cli.main import main

    if off:
        afresh.setenv("WIDEMARGIN_NATIVE", "0")
    with pytest.raises(SystemExit) as stop:
        main(["doctor"])
    assert not stop.value.code
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("engine ")]
    if native.library() is None:
        assert line == f"engine     scikit-learn ({native.reason()})"
    else:
        assert line == f"engine     native ({native.level()})"
