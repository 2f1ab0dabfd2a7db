"""What every command has in common: help, exit codes, messages, interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from widemargin.cli import main as main_module
from widemargin.contracts.command import RESERVED

SCRIPT = [sys.executable, "-m", "widemargin"]


def test_help_names_every_command(call: Any) -> None:
    said = call("--help")
    assert said.code == 0
    for name in ("run", "predict", "runs", "show", "report", "config", "data", "plugin", "doctor"):
        assert f" {name} " in said.out


def test_paragraphs_of_help_fold_where_the_terminal_ends(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("TERMINAL_WIDTH", "400")
    told = call("runs", "prune", "--help").out
    assert any(
        "Runs that" in line and "unless --work is given." in line for line in told.splitlines()
    )


def test_version(call: Any) -> None:
    from widemargin import __version__

    assert call("--version").out == f"widemargin {__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run"], "Name a use case or a config file"),
        (["run", "spma"], "There is no use case 'spma'. Did you mean 'spam'?"),
        (["run", "/"], "The name of a config file ends in .yaml."),
        (["run", "absent.yaml"], "absent.yaml: there is no such file"),
        (["run", "spam", "--set", "svm.kernal=rbf"], "svm.kernal: unknown setting. Did you mean"),
        (["run", "spam", "--set", "svm.C=-1"], "svm.C: must be"),
        (["run", "spam", "--set", "data.path=absent.csv"], "absent.csv: there is no such file"),
        (["predict", "absent", "text"], "No run answers to 'absent'"),
        (["show", "absent"], "No run answers to 'absent'"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["run", "spam", "--frobnicate"], "No such option"),
        (["--frobnicate", "run", "spam"], "No such option"),
        (
            ["--offline", "run", "spam"],
            "--offline is an option of `widemargin run`, and goes after it: widemargin run "
            "--offline spam",
        ),
        (["--runs", "a b", "runs"], "goes after it: widemargin runs --runs 'a b'"),
        (["--set=svm.C=1", "-q", "run", "spam"], "widemargin run --set=svm.C=1 -q spam"),
        (["runs", "--work", "prune"], "--work is an option of `widemargin runs prune`, and goes"),
        (["store", "--json", "info"], "goes after it: widemargin store info --json"),
        (["--json", "store", "info"], "--json is an option of `widemargin store info`"),
        (["-q", "store", "verify"], "-q is an option of `widemargin store verify`"),
    ],
)
def test_wrong_usage_or_input_exits_with_2_and_no_traceback(
    call: Any, words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WIDEMARGIN_RUNS", raising=False)
    said = call(*words)
    assert said.code == 2
    assert message in " ".join(said.err.split())
    assert "Traceback" not in said.err
    assert said.out == ""


@pytest.mark.parametrize("words", [("run",), ("config", "check")])
def test_a_use_case_that_a_config_names_wrongly_has_its_line(
    call: Any, words: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("# mine\nuse_case: spma\n", encoding="utf-8")
    said = call(*words, str(file))
    assert said.code == 2
    assert f"{file}:2: use_case: There is no use case 'spma'. Did you mean 'spam'?" in said.err


def test_all_problems_of_a_config_are_told_at_once(call: Any) -> None:
    said = call("run", "spam", "--set", "svm.C=-1", "--set", "seeed=1", "--set", "data.pth=a")
    assert "3 problems" in said.err
    assert said.err.count("--set: ") == 3


def test_debug_shows_the_traceback_wherever_it_stands(call: Any) -> None:
    for words in (["--debug", "show", "absent"], ["show", "absent", "--debug"]):
        said = call(*words)
        assert "Traceback" in said.err
        assert said.code == 2


def test_a_text_after_two_dashes_is_never_an_option(call: Any, small_runs: Path) -> None:
    said = call("predict", "spam", "--runs", str(small_runs), "--", "--debug")
    assert said.code == 0, said.err


def test_a_defect_is_told_in_one_line_and_exits_with_1(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(main_module, "_load", fail)
    said = call("doctor")
    assert said.code == 1
    assert "ZeroDivisionError: division by zero" in said.err
    assert "--debug" in said.err
    assert "Traceback" not in said.err


def test_no_colour_where_the_output_is_no_terminal(small_runs: Path) -> None:
    done = subprocess.run(
        [*SCRIPT, "show", "spam", "--runs", str(small_runs)], capture_output=True, check=True
    )
    assert b"\x1b[" not in done.stdout + done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_ctrl_c_leaves_no_run_and_says_how_to_continue(tmp_path: Path, fixtures: Any) -> None:
    words = [
        "run",
        "texts",
        "--runs",
        str(tmp_path),
        "--set",
        f"data.path={fixtures['texts']['path']}",
    ]
    # Many repeats, so that there is something to interrupt.
    words += ["--set", "evaluation.repeats=100"]
    with subprocess.Popen([*SCRIPT, *words], stderr=subprocess.PIPE, text=True) as process:
        try:
            work = tmp_path / ".work"
            while not (work.is_dir() and any(work.iterdir())):
                assert process.poll() is None, process.communicate()
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=1200)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "the same command continues" in " ".join(err.split())
    assert "Traceback" not in err
    assert not (tmp_path / "texts").exists()


def test_an_interrupted_fetch_says_itself_how_it_goes_on(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt("`widemargin data fetch sms-spam` goes on where this stopped.")

    monkeypatch.setattr("widemargin.api.run_documents", stop)
    said = call("run", "spam")
    assert said.code == 130
    assert said.err == "Stopped. `widemargin data fetch sms-spam` goes on where this stopped.\n"


def test_importing_the_entry_module_runs_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import widemargin.__main__; print('here')"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "here\n")


def test_the_names_that_plugins_cannot_take_are_those_of_our_commands() -> None:
    assert {*main_module._COMMANDS, "help"} == RESERVED


def test_help_discovers_no_plugin_and_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from widemargin.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    assert not loaded & {"numpy", "pandas", "scipy", "sklearn", "torch", "pydantic", "pluggy"}
    assert not {name for name in loaded if name.startswith("widemargin_")}
    assert len({name for name in loaded if name.startswith("widemargin")}) <= 6


def test_ctrl_c_while_the_command_line_is_still_imported_leaves_no_traceback(
    tmp_path: Path,
) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n", encoding="utf-8")
    done = subprocess.run(
        [*SCRIPT, "--version"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n")


def test_help_names_every_exit_code(call: Any) -> None:
    assert "130 stopped by Ctrl-C" in " ".join(call("--help").out.split())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("words", [["show", "spam"], ["runs"], ["runs", "--json"], ["--version"]])
def test_a_full_standard_output_is_told_in_one_line(small_runs: Path, words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*SCRIPT, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "WIDEMARGIN_RUNS": str(small_runs)},
        )
    assert done.returncode == 1
    assert done.stderr == ("Error: standard output cannot be written: No space left on device.\n")


@pytest.mark.skipif(os.name == "nt", reason="closed pipes are POSIX's")
@pytest.mark.parametrize("words", [["--help"], ["runs", "--help"], ["runs"], ["list", "--json"]])
def test_who_reads_no_further_is_told_nothing(tmp_path: Path, words: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [*SCRIPT, *words],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "WIDEMARGIN_RUNS": str(tmp_path)},
        )
    assert (done.returncode, done.stderr) == (1, "")
