"""`widemargin filter`: a mail comes out with its fields, and comes out whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import widemargin
from widemargin.cli.passing import limited
from widemargin.errors import DataError
from widemargin.registry import discover
from widemargin.runs.store import RunStore
from widemargin.serving import Predictor
from widemargin.serving.mail import stamp_verdict

SCRIPT = [sys.executable, "-m", "widemargin", "filter"]
MAIL = (
    b"From: friend@example.org\r\nSubject: WIN cash\r\nX-Spam-Status: No, score=-100\r\n"
    b"\r\nFree prize, call now\0\xff\r\n"
)
AS_IT_CAME = b"widemargin filter: the mail is passed on as it came: "


def filtered(
    *words: str | Path, given: bytes = MAIL, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*SCRIPT, *map(str, words)],
        input=given,
        capture_output=True,
        check=False,
        env={**os.environ, **(env or {})},
    )


@pytest.fixture(scope="module")
def small_runs(tmp_path_factory: pytest.TempPathFactory, fixtures: Any) -> Path:
    runs = tmp_path_factory.mktemp("filter")
    for name in ("spam", "texts", "table"):
        widemargin.run(name, data=fixtures[name], svm={"C": 1}, runs=runs)
    return runs


@pytest.fixture(scope="module")
def predictor(small_runs: Path) -> Predictor:
    return Predictor(RunStore(small_runs).find("spam"), discover())


def test_a_mail_gets_the_runs_verdict_and_keeps_all_else(
    small_runs: Path, predictor: Predictor
) -> None:
    done = filtered("spam", "--runs", small_runs)
    assert (done.returncode, done.stderr) == (0, b"")
    fields, rest = done.stdout.split(b"From: friend@example.org\r\n")
    assert rest == b"Subject: WIN cash\r\n\r\nFree prize, call now\0\xff\r\n"
    found = dict(message_from_bytes(fields).items())
    run = RunStore(small_runs).find("spam").id
    assert list(found) == [
        f"X-Spam-{name}" for name in ("Flag", "Status", "Score", "Probability", "Checker-Version")
    ]
    assert found["X-Spam-Flag"] == "YES"
    probability, score = found["X-Spam-Probability"], found["X-Spam-Score"]
    assert 0.5 < float(probability) <= 1
    required = f"{predictor.threshold:.4f}"
    assert found["X-Spam-Status"] == (
        f"Yes, score={score} required={required} probability={probability}"
    )
    version = widemargin.__version__
    assert found["X-Spam-Checker-Version"] == f"widemargin {version} (run spam/{run})"


def test_the_verdict_is_that_of_predict(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(MAIL)
    [one] = predictor.predict_items(predictor.read(tmp_path / "a.eml"), explain=False)
    found = message_from_bytes(stamp_verdict(MAIL, predictor, version="1"))
    assert found["X-Spam-Probability"] == f"{one.probabilities['spam']:.4f}"
    assert found["X-Spam-Score"] == f"{one.margin:.4f}"


def test_a_threshold_decides_instead_of_the_label(predictor: Predictor) -> None:
    [one] = predictor.predict({"text": ["WIN cash\nFree prize, call now\xff"]})
    assert one.margin is not None
    for threshold, flag in ((one.margin - 0.01, "YES"), (one.margin + 0.01, "NO")):
        stamped = stamp_verdict(MAIL, predictor, version="1", threshold=threshold)
        found = message_from_bytes(stamped)
        assert found["X-Spam-Score"] == f"{one.margin:.4f}"
        assert found["X-Spam-Flag"] == flag
        assert f"required={threshold:.4f}" in found["X-Spam-Status"]


@settings(
    max_examples=60,
    suppress_health_check=[
        *settings().suppress_health_check,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(st.binary(max_size=200), st.sampled_from([b"", b"Subject: x\n\n", b"From a Mon\n", b"\n"]))
def test_any_bytes_are_judged_and_stay(predictor: Predictor, raw: bytes, head: bytes) -> None:
    out = stamp_verdict(head + b"Content-Type: text/html\n\n" + raw, predictor, version="1")
    assert out.endswith(b"Content-Type: text/html\n\n" + raw)
    assert b"X-Spam-Flag: " in out


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"\n", b"\0", b"no header"),
        b"Subject: Win\n\n" + b"free cash prize \xe9\n" * 100_000,
        b"Content-Type: text/html\n\n" + b'<!--<a ="' * 200_000,
        b"Subject: " + b"=?utf-8?q?" * 100_000 + b"\n\nfree",
        b"".join(
            f"Content-Type: multipart/mixed; boundary={i}\n\n--{i}\n".encode() for i in range(80)
        ),
    ],
    ids=["empty", "blank", "zero", "words", "long", "broken markup", "subject", "nested"],
)
def test_odd_mails_come_out_whole(predictor: Predictor, raw: bytes) -> None:
    out = stamp_verdict(raw, predictor, version="1")
    assert out.startswith(b"X-Spam-Flag: ")
    assert out.endswith(raw)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nosuch"], b"No run answers to 'nosuch'"),
        ([], b"Missing argument"),
        (["spam", "--treshold", "1"], b"No such option: --treshold"),
        (["spam", "--threshold", "high"], b"Invalid value for '--threshold'"),
        (["texts"], b"a run on such data reads no mail; give a run of a use case that does."),
        (["table"], b"does not tell two classes apart"),
    ],
)
def test_what_cannot_be_judged_passes_as_it_came(
    small_runs: Path, words: list[str], reason: bytes
) -> None:
    done = filtered(*words, env={"WIDEMARGIN_RUNS": str(small_runs)})
    assert (done.returncode, done.stdout) == (0, MAIL)
    assert done.stderr.startswith(AS_IT_CAME)
    assert reason in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_an_interruption_passes_the_mail_as_it_came(small_runs: Path) -> None:
    program = (
        "import sys\n"
        "import widemargin.serving.mail as mail\n"
        "from widemargin.cli.filter import main\n"
        "def stopped(*_, **__):\n    raise KeyboardInterrupt\n"
        "mail.stamp_verdict = stopped\n"
        "sys.exit(main(['spam']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=MAIL,
        capture_output=True,
        check=False,
        env={**os.environ, "WIDEMARGIN_RUNS": str(small_runs)},
    )
    assert (done.returncode, done.stdout) == (0, MAIL)
    assert done.stderr.startswith(AS_IT_CAME)


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"From: cron@h\nX-Spam-Flag: YES\n\n", b"From: a@b\n\n  \n"]
)
def test_a_mail_without_text_is_not_called_spam(predictor: Predictor, raw: bytes) -> None:
    out = stamp_verdict(raw, predictor, version="1")
    assert out.startswith(b"X-Spam-Flag: NO\nX-Spam-Status: No, there is no text to judge\n")
    assert b"YES" not in out


def test_a_nul_in_the_name_of_a_charset_hides_no_spam(predictor: Predictor) -> None:
    head = b'Subject: x\nX-Spam-Flag: NO\nContent-Type: text/plain; charset="a\0b"\n\n'
    out = stamp_verdict(head + b"fr\xe9e cash prize\n", predictor, version="1")
    assert out.count(b"X-Spam-Flag: ") == 1
    assert b"X-Spam-Score: " in out


@pytest.mark.parametrize(
    "first", [b"Subject : x\n", b">From a@b Mon\nSubject: x\n", b"\xef\xbb\xbfSubject: x\n"]
)
def test_an_odd_first_line_leaves_the_header_one_header(predictor: Predictor, first: bytes) -> None:
    raw = first + b"From: a@b\nX-Spam-Flag : YES\n\nhello there\n"
    out = stamp_verdict(raw, predictor, version="1")
    header, _, body = out.partition(b"\n\n")
    assert body == b"hello there\n"
    assert b"From: a@b" in header
    assert b"X-Spam-Flag :" not in header


def test_tempfail_asks_the_mail_server_to_try_again(tmp_path: Path) -> None:
    done = filtered("spam", "--tempfail", "--runs", tmp_path)
    assert (done.returncode, done.stdout) == (75, MAIL)


def test_a_mail_passes_where_the_model_is_broken(small_runs: Path, tmp_path: Path) -> None:
    run = RunStore(small_runs).find("spam").path
    copy = tmp_path / "spam" / run.name
    shutil.copytree(run, copy)
    (copy / "model" / "machine.safetensors").write_bytes(b"other")
    done = filtered(copy)
    assert (done.returncode, done.stdout) == (0, MAIL)
    assert b"machine.safetensors was altered after it was saved" in done.stderr


@pytest.mark.parametrize(
    "library", ["typer", "numpy", "pydantic", "pluggy", "safetensors", "widemargin_spam"]
)
def test_a_mail_passes_where_a_library_is_broken(
    small_runs: Path, tmp_path: Path, library: str
) -> None:
    (tmp_path / f"{library}.py").write_text("raise SystemExit('broken here')\n", encoding="utf-8")
    done = filtered("spam", "--runs", small_runs, env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (0, MAIL)
    assert b"broken" in done.stderr


def test_what_a_library_prints_does_not_get_into_the_mail(small_runs: Path, tmp_path: Path) -> None:
    (tmp_path / "safetensors.py").write_text(
        "import os\nprint('noise')\nos.write(1, b'more noise')\nraise ImportError('gone')\n",
        encoding="utf-8",
    )
    done = filtered("spam", "--runs", small_runs, env={"PYTHONPATH": str(tmp_path)})
    assert done.stdout == MAIL
    assert b"more noise" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="there are no alarms")
def test_a_mail_passes_where_judging_takes_too_long(small_runs: Path, tmp_path: Path) -> None:
    # Time passes here as soon as the alarm is seen to be set; nobody waits for it in vain.
    (tmp_path / "safetensors.py").write_text(
        "import signal\nimport time\n"
        "left, again = signal.getitimer(signal.ITIMER_REAL)\n"
        "assert 0 < left <= 3000\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.01, again)\n"
        "time.sleep(3000)\n",
        encoding="utf-8",
    )
    env = {"PYTHONPATH": str(tmp_path)}
    done = filtered("spam", "--timeout", "3000", "--runs", small_runs, env=env)
    assert (done.returncode, done.stdout) == (0, MAIL)
    assert b"it was not judged within 3000 seconds." in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="there are no alarms")
def test_an_alarm_at_the_last_moment_is_not_followed_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, set_alarm = signal.getsignal(signal.SIGALRM), signal.setitimer

    def just_before(which: int, seconds: float, *again: float) -> tuple[float, float]:
        if not seconds:
            monkeypatch.undo()
            signal.raise_signal(signal.SIGALRM)
        return set_alarm(which, seconds, *again)

    monkeypatch.setattr(signal, "setitimer", just_before)
    with pytest.raises(BaseException, match="not judged within 3000 seconds"), limited(3000):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_debug_shows_where_it_went_wrong(tmp_path: Path) -> None:
    done = filtered("nosuch", "--debug", "--runs", tmp_path)
    assert done.stdout == MAIL
    assert b"Traceback" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_mail_that_cannot_be_written_is_an_error(small_runs: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*SCRIPT, "spam", "--runs", str(small_runs)],
            input=MAIL,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 74
    assert b"could not be written to standard output: No space left on device." in done.stderr


def test_a_standard_input_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with (tmp_path / "written").open("wb") as written:
        done = subprocess.run([*SCRIPT, "spam"], stdin=written, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (74, b"")
    assert b"no mail could be read from standard input: Bad file descriptor." in done.stderr


def test_judging_imports_neither_pandas_nor_scikit_learn_nor_torch(small_runs: Path) -> None:
    program = (
        "import sys\nfrom widemargin.cli.entry import main\n"
        f"sys.argv = ['widemargin', 'filter', 'spam', '--runs', {str(small_runs)!r}]\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert stop.code == 0\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=MAIL, capture_output=True, check=True
    )
    assert b"X-Spam-Flag: YES" in done.stdout
    loaded = set(done.stderr.decode().split())
    assert not loaded & {"pandas", "sklearn", "torch", "matplotlib", "rich.console"}


def test_filter_has_help(call: Any) -> None:
    said = " ".join(call("filter", "--help").out.split())
    assert "X-Spam-Flag says YES or NO" in said
    assert "--tempfail" in said


def test_the_command_works_by_its_function_too(small_runs: Path) -> None:
    words = ["--debug", "filter", "spam", "--runs", str(small_runs)]
    done = subprocess.run([*SCRIPT[:-1], *words], input=MAIL, capture_output=True, check=False)
    assert done.returncode == 0
    assert b"X-Spam-Flag: YES" in done.stdout


def test_loaders_of_no_mail_say_so() -> None:
    loader = discover().use_case("texts").data[0]
    with pytest.raises(DataError, match="a run on such data reads no mail"):
        loader.model_construct().read_message(b"")
