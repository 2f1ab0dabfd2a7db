"""The run store: runs appear whole or not at all, and are found by what people call them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from widemargin.errors import InputError, RunNotFoundError
from widemargin.runs import RunStore, read_record, runs_home
from widemargin.runs.staging import staging

HOST = staging(Path("a")).name.split("@")[1]
FIRST, SECOND, OTHER = "20260101-120000-0001", "20260202-120000-0002", "20260303-120000-0003"
CELL, LATER_CELL = "20260505-120000-0005", "20260606-120000-0006"


METRICS: dict[str, Any] = {
    "task": "classification",
    "primary": "f1",
    "n_items": 9,
    "classes": ["ham", "spam"],
    "units": "",
    "confidence": 0.95,
    "metrics": {"f1": {"value": 0.9, "low": 0.8, "high": None}},
    "baselines": {"dummy": {"title": "always guessing", "metrics": {"f1": 0.0}}},
    "near_duplicates": {"removed": 2, "apart": {"f1": 0.8}, "crossing": {"f1": 0.9}},
    "findings": [{"code": "WM001", "severity": "warning", "title": "a", "message": "b"}],
    "chosen": {"kernel": "linear", "C": 1, "gamma": None},
    "support_vectors": {"count": 4, "share": 0.4},
}


def files_of(use_case: str, run_id: str, **more: Any) -> dict[str, bytes]:
    manifest = {
        **more,
        "id": run_id,
        "use_case": use_case,
        "created": "2026-01-01T12:00:00+00:00",
        "timings": {"total": 1.5},
    }
    return {
        "manifest.json": json.dumps(manifest).encode(),
        "metrics.json": json.dumps(METRICS).encode(),
        "config.yaml": b"use_case: spam\nseed: 0\n",
        "model/model.json": b"{}",
    }


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def filled(store: RunStore) -> RunStore:
    for use_case, run_id in (("spam", SECOND), ("spam", FIRST), ("table", OTHER)):
        store.write(use_case, run_id, files_of(use_case, run_id))
    return store


def make_old(path: Path) -> None:
    two_days_ago = time.time() - 2 * 86_400
    os.utime(path, (two_days_ago, two_days_ago))


def hidden(home: Path) -> list[str]:
    return [path.name for path in home.rglob(".staging-*")]


def refusal(store: RunStore, name: str) -> str:
    with pytest.raises(RunNotFoundError) as caught:
        store.find(name)
    return str(caught.value)


def test_a_run_is_written_and_read_back(store: RunStore) -> None:
    folder = store.write("spam", FIRST, files_of("spam", FIRST))
    assert folder == store.home / "spam" / FIRST
    assert (folder / "model" / "model.json").read_bytes() == b"{}"
    record = read_record(folder)
    assert (record.id, record.use_case, record.path) == (FIRST, "spam", folder)
    assert record.config == {"use_case": "spam", "seed": 0}
    assert hidden(store.home) == []


def test_a_write_that_fails_leaves_nothing(store: RunStore) -> None:
    class Torn(dict[str, bytes]):
        def items(self) -> Any:
            yield "manifest.json", b"{}"
            raise OSError("no space left on device")

    with pytest.raises(InputError, match="cannot be written \\(no space left on device\\)"):
        store.write("spam", FIRST, Torn())
    assert store.folders() == []
    assert hidden(store.home) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from widemargin.runs.store import RunStore

class Torn(dict):
    def items(self):
        yield "manifest.json", b'{"id": "x", "use_case": "spam"}'
        yield "metrics.json", b"{}"
        os.kill(os.getpid(), signal.SIGKILL)

store = RunStore(Path(sys.argv[1]))
if sys.argv[2] == "run":
    store.write("spam", "20260101-120000-dead", Torn())
store.keep("key", Torn())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_process_killed_while_writing_leaves_nothing_that_is_seen_and_is_swept_later(
    store: RunStore,
) -> None:
    for what in ("run", "work"):
        done = subprocess.run([sys.executable, "-c", KILLED, str(store.home), what], check=False)
        assert done.returncode == -signal.SIGKILL
    assert len(hidden(store.home)) == 2
    assert store.folders() == []
    assert store.records() == []
    assert store.kept("key") is None
    assert "There is none yet" in refusal(store, "latest")
    assert "There is none yet" in refusal(store, "20260101")
    store.write("spam", FIRST, files_of("spam", FIRST))
    store.keep("other", {"a": b""})
    assert hidden(store.home) == []
    assert [path.name for path in store.folders()] == [FIRST]


def test_a_comparison_that_is_written_again_is_there_at_all_times(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = {"page.html": b"1", "items.csv": b"1", "numbers.json": b"1"}
    folder = store.write_comparison("spam-1", earlier)
    before = folder.stat().st_ino

    def killed(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    for name in ("replace", "rename"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, name, killed)
            with contextlib.suppress(KeyboardInterrupt):
                store.write_comparison("spam-1", {"page.html": b"2", "numbers.json": b"2"})
        assert (folder / "numbers.json").exists()
        assert {path.name for path in folder.iterdir()} >= {"page.html", "numbers.json"}
    store.write_comparison("spam-1", {"page.html": b"3", "numbers.json": b"3"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "page.html": b"3",
        "numbers.json": b"3",
    }
    assert folder.stat().st_ino == before


def test_what_programs_read_of_a_comparison_is_written_last(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_comparison("spam-1", {"page.html": b"1", "numbers.json": b"1"})
    put: list[str] = []
    replace = Path.replace

    def noted(self: Path, target: Path) -> Path:
        put.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", noted)
    store.write_comparison("spam-1", {"page.html": b"2", "numbers.json": b"2"})
    assert put == ["page.html", "numbers.json"]


def test_what_a_killed_comparison_left_is_swept(store: RunStore) -> None:
    folder = store.write_comparison("spam-1", {"numbers.json": b"1"})
    (folder / f".staging-{2**22 + 1}@{HOST}@numbers.json").write_bytes(b"half")
    mine = folder / ".staging-1@another-host@numbers.json"
    mine.write_bytes(b"another is writing")
    store.write_comparison("spam-1", {"numbers.json": b"2"})
    assert sorted(path.name for path in folder.iterdir()) == [mine.name, "numbers.json"]


def test_what_a_living_process_writes_is_not_swept(store: RunStore) -> None:
    mine = store.home / "spam" / f".staging-{os.getpid()}@{HOST}@{SECOND}"
    mine.mkdir(parents=True)
    store.write("spam", FIRST, files_of("spam", FIRST))
    store.prune(keep=0)
    store.prune_work(every=True)
    assert mine.is_dir()


@pytest.mark.parametrize("owner", [f"{2**22 + 1}@another-host@", f"{2**22 + 1}-"])
def test_what_another_machine_writes_is_swept_by_its_age_alone(store: RunStore, owner: str) -> None:
    theirs = store.home / "spam" / f".staging-{owner}{SECOND}"
    theirs.mkdir(parents=True)
    store.write("spam", FIRST, files_of("spam", FIRST))
    assert theirs.is_dir()
    make_old(theirs)
    store.write("spam", SECOND, files_of("spam", SECOND))
    assert not theirs.exists()


def test_what_a_killed_report_left_in_a_run_is_swept(filled: RunStore) -> None:
    # Linux gives no process a number above 2 ** 22.
    left = filled.home / "spam" / FIRST / f".staging-{2**22 + 1}@{HOST}@report.html"
    left.write_bytes(b"half")
    filled.add_artefact(left.parent, "report.html", b"whole")
    assert not left.exists()
    left.write_bytes(b"half")
    filled.prune(keep=5)
    assert not left.exists()


def test_on_windows_no_process_is_asked_after_since_that_would_end_it(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = store.home / "spam" / f".staging-{2**22 + 1}@{HOST}@{SECOND}"
    mine.mkdir(parents=True)
    monkeypatch.setattr("widemargin.runs.store.os.name", "nt")
    monkeypatch.setattr("widemargin.runs.store.os.kill", None)
    store._sweep(mine.parent)  # paths cannot be made while Windows is played
    monkeypatch.undo()
    assert mine.is_dir()


def test_what_vanishes_while_it_is_swept_is_no_fault(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = store.home / ".work" / ".staging-1@another-host@key"
    monkeypatch.setattr("widemargin.runs.store._entries", lambda folder: [gone])
    store.keep("key", {"a": b"1"})
    assert store.kept("key") == {"a": b"1"}


BUSY = """
import sys
from pathlib import Path
from widemargin.runs.store import RunStore

store, me = RunStore(Path(sys.argv[1])), sys.argv[2]
for turn in range(150):
    key = f"key{turn % 3}"
    word = f"{me} {turn}".encode()
    store.keep(key, {name: word for name in "abc"})
    kept = store.kept(key)
    assert kept is None or (set(kept) == set("abc") and len(set(kept.values())) == 1), kept
    if turn % 50 == 49:
        store.prune_work(every=True)
"""


def test_processes_share_a_folder_without_hurting_each_other(store: RunStore) -> None:
    words = [sys.executable, "-c", BUSY, str(store.home)]
    processes = [
        subprocess.Popen([*words, str(number)], stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    for process in processes:
        _, said = process.communicate()
        assert (process.returncode, said) == (0, "")
    store.keep("last", {"a": b"1"})
    assert hidden(store.home) == []


def test_ids_sort_by_time_even_within_a_second(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = datetime(2026, 1, 1, 12, 59, 59, 990_000, tzinfo=UTC)
    moments = (begin + timedelta(milliseconds=number) for number in range(20))

    class Clock:
        @staticmethod
        def now(zone: object) -> datetime:
            return next(moments)

    monkeypatch.setattr("widemargin.runs.store.datetime", Clock)
    made = [store.new_id("spam") for _ in range(20)]
    assert made == sorted(set(made))


def test_an_id_in_use_is_not_given_again(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    moments = iter([moment, moment, moment + timedelta(seconds=0.5)])

    class Clock:
        @staticmethod
        def now(zone: object) -> datetime:
            return next(moments)

    monkeypatch.setattr("widemargin.runs.store.datetime", Clock)
    taken = store.new_id("spam")
    assert taken == "20260101-120000-0000"
    store.write("spam", taken, files_of("spam", taken))
    assert store.new_id("spam") == "20260101-120000-8000"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (SECOND, SECOND),
        ("20260101", FIRST),
        ("spam", SECOND),
        ("table", OTHER),
        ("latest", OTHER),
        (f"spam/{FIRST}", FIRST),
        ("table/2026", OTHER),
    ],
)
def test_runs_are_found_by_what_people_call_them(filled: RunStore, name: str, found: str) -> None:
    assert filled.find(name).id == found


def test_runs_are_found_by_path(filled: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled.home / "spam" / FIRST
    assert filled.find(str(path)).id == FIRST
    monkeypatch.chdir(filled.home / "spam")
    assert RunStore(Path("elsewhere")).find(FIRST).id == FIRST


def test_an_ambiguous_beginning_is_refused_with_the_ids(filled: RunStore) -> None:
    assert refusal(filled, "spam/2026") == (
        f"'spam/2026' begins the ids of 2 runs: {FIRST}, {SECOND}. Give more of it."
    )


def test_an_unknown_name_is_refused_with_the_nearest(filled: RunStore) -> None:
    message = refusal(filled, "20260101-120000-0010")
    assert message == (
        f"No run answers to '20260101-120000-0010' in {filled.home}. Did you mean '{FIRST}'? "
        "`widemargin runs` lists them."
    )
    # A run of another day is no slip.
    assert "Did you mean" not in refusal(filled, "20260109-120000-0001")


@pytest.mark.parametrize("name", ["", "spma", "table/20260101", "/", "spam/"])
def test_a_name_that_nothing_answers_to_is_refused(filled: RunStore, name: str) -> None:
    assert "`widemargin runs` lists them." in refusal(filled, name)


@pytest.fixture
def compared(filled: RunStore) -> RunStore:
    """Return a store with two later runs of spam that a comparison made, and one of texts."""
    for use_case, run_id in (("spam", CELL), ("spam", LATER_CELL), ("texts", LATER_CELL)):
        filled.write(use_case, run_id, files_of(use_case, run_id, comparison="both-1f2e"))
    return filled


@pytest.mark.parametrize(("name", "found"), [("spam", SECOND), ("latest", OTHER), ("table", OTHER)])
def test_a_last_run_is_none_that_a_comparison_made(
    compared: RunStore, name: str, found: str
) -> None:
    assert compared.find(name).id == found
    if name != "latest":
        last = compared.last(name)
        assert last is not None
        assert last.id == found


def test_what_a_comparison_made_is_found_by_its_id_and_path(compared: RunStore) -> None:
    for name in (CELL, CELL[:10], f"spam/{CELL}", str(compared.home / "spam" / CELL)):
        assert compared.find(name).comparison == "both-1f2e"
    assert compared.find(FIRST).comparison == ""


def test_where_comparisons_made_all_runs_their_name_says_what_to_type(
    compared: RunStore,
) -> None:
    said = (
        "{0!r} stands for the last run, and {1}there are only runs that `widemargin compare` made, "
        "which it passes over. `widemargin run texts` makes another; or name one of these by its "
        f"id, such as {LATER_CELL}: `widemargin runs` lists them."
    )
    assert refusal(compared, "texts") == said.format("texts", "of texts ")
    assert compared.last("texts") is None
    compared.prune(keep=0, use_case="spam")
    compared.prune(keep=0, use_case="table")
    assert refusal(compared, "latest") == said.format("latest", "")
    assert compared.last("spam") is None


def test_a_damaged_run_among_those_of_comparisons_is_told(compared: RunStore) -> None:
    (compared.home / "table" / OTHER / "metrics.json").unlink()
    compared.write("table", CELL, files_of("table", CELL, comparison="both-1f2e"))
    for ask in (compared.find, compared.last):
        with pytest.raises(RunNotFoundError, match=f"{OTHER} is not a whole run"):
            ask("table")
    # One of a comparison's hides nothing, and nobody asked for it.
    (compared.home / "spam" / LATER_CELL / "metrics.json").unlink()
    assert compared.find("spam").id == SECOND


def test_prune_counts_what_comparisons_made_by_itself(compared: RunStore) -> None:
    doomed = compared.prune(keep=1, use_case="spam")
    assert sorted(path.name for path in doomed) == [FIRST, CELL]
    assert compared.find("spam").id == SECOND


def test_a_comparison_that_is_no_name_is_told(filled: RunStore) -> None:
    filled.write("texts", CELL, files_of("texts", CELL, comparison=7))
    assert "'comparison' of manifest.json is not what a run writes there" in refusal(filled, CELL)


def test_an_empty_store_says_how_to_make_a_run(store: RunStore) -> None:
    assert refusal(store, "spam") == (
        f"No run answers to 'spam' in {store.home}. "
        "There is none yet: `widemargin run spam` makes the first."
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("manifest.json", b'{"id": '),
        ("manifest.json", b"[]"),
        ("manifest.json", b"{}"),
        ("metrics.json", None),
        ("metrics.json", b"\xff\xfe"),
        ("config.yaml", None),
        ("config.yaml", b"a: [1\nb: 2\n"),
    ],
)
def test_a_damaged_run_is_told_and_does_not_hide_the_others(
    filled: RunStore, name: str, content: bytes | None
) -> None:
    path = filled.home / "table" / OTHER / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(RunNotFoundError) as caught:
        read_record(path.parent)
    assert str(caught.value).startswith(f"{path.parent} is not a whole run (")
    assert str(caught.value).endswith("Run the use case again, or delete the folder.")
    with pytest.warns(UserWarning, match="is not a whole run"):
        assert [record.id for record in filled.records()] == [FIRST, SECOND]
    with pytest.warns(UserWarning, match=f"{OTHER} is not a whole run .* {SECOND} is taken"):
        assert filled.find("latest").id == SECOND
    with pytest.raises(RunNotFoundError, match="is not a whole run"):
        filled.find("table")


@pytest.mark.parametrize("content", [b"{}", b"[]", b"null", b'{"metrics": {}}'])
def test_metrics_that_are_not_a_runs_are_told(filled: RunStore, content: bytes) -> None:
    run = filled.home / "table" / OTHER
    (run / "metrics.json").write_bytes(content)
    assert "metrics.json" in refusal(filled, OTHER)


@pytest.mark.parametrize("key", sorted(METRICS))
@pytest.mark.parametrize("wrong", ["absent", "of another kind"])
def test_every_entry_that_others_rely_on_is_looked_at(
    filled: RunStore, key: str, wrong: str
) -> None:
    metrics = {name: value for name, value in METRICS.items() if name != key}
    if wrong != "absent":
        metrics[key] = 7 if not isinstance(METRICS[key], int | float) else "7"
    run = filled.home / "table" / OTHER
    (run / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    said = refusal(filled, OTHER)
    assert repr(key) in said
    assert said.endswith("Run the use case again, or delete the folder.")


@pytest.mark.parametrize("key", ["id", "use_case", "created", "timings"])
def test_a_manifest_without_what_others_rely_on_is_told(filled: RunStore, key: str) -> None:
    path = filled.home / "table" / OTHER / "manifest.json"
    manifest = json.loads(path.read_bytes())
    del manifest[key]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert f"manifest.json lacks {key!r}" in refusal(filled, OTHER)


def test_prune_neither_counts_nor_deletes_a_run_that_cannot_be_read(filled: RunStore) -> None:
    third = "20260404-120000-0004"
    broken = filled.write("spam", third, files_of("spam", third))
    (broken / "metrics.json").unlink()
    with pytest.warns(UserWarning, match=f"{third} is not a whole run"):
        assert [path.name for path in filled.prune(keep=1)] == [FIRST]
    assert [path.name for path in filled.folders()] == [SECOND, third, OTHER]


@pytest.mark.parametrize("step", ["check_writable", "write", "keep"])
def test_a_folder_of_runs_that_cannot_be_written_is_told(tmp_path: Path, step: str) -> None:
    home = tmp_path / "afile"
    home.write_bytes(b"")
    store = RunStore(home)
    steps: dict[str, Callable[[], Any]] = {
        "check_writable": store.check_writable,
        "write": lambda: store.write("spam", FIRST, files_of("spam", FIRST)),
        "keep": lambda: store.keep("key", {"a": b""}),
    }
    with pytest.raises(InputError) as caught:
        steps[step]()
    said = str(caught.value)
    assert said.startswith(f"The folder of runs, {home}, cannot be written (")
    assert "Name another with --runs or WIDEMARGIN_RUNS" in said


def test_an_artefact_that_cannot_be_written_is_told(store: RunStore) -> None:
    with pytest.raises(InputError, match="WIDEMARGIN_RUNS"):
        store.add_artefact(store.home / "absent", "report.html", b"")


def test_the_folder_of_runs_is_made_and_nothing_is_left_in_it(store: RunStore) -> None:
    store.check_writable()
    store.check_writable()
    assert list(store.home.iterdir()) == []


def test_a_name_longer_than_names_may_be_is_refused(store: RunStore) -> None:
    assert "No run answers to" in refusal(store, "x" * 5000)


def test_prune_keeps_the_last_runs_of_each_use_case(filled: RunStore) -> None:
    filled.keep("key", {"a": b"1"})
    assert [path.name for path in filled.prune(keep=1)] == [FIRST]
    assert [path.name for path in filled.folders()] == [SECOND, OTHER]
    assert filled.kept("key") == {"a": b"1"}
    assert hidden(filled.home) == []


def test_kept_work_is_deleted_after_a_day_or_when_all_of_it_is_asked_for(store: RunStore) -> None:
    assert store.prune_work() == 0
    for key in ("old", "new"):
        store.keep(key, {"a": b"1"})
    make_old(store.home / ".work" / "old")
    assert store.prune_work(dry_run=True) == 1
    assert store.kept("old") == {"a": b"1"}
    assert store.prune_work() == 1
    assert (store.kept("old"), store.kept("new")) == (None, {"a": b"1"})
    assert store.prune_work(every=True) == 1
    assert not (store.home / ".work").exists()


@pytest.mark.parametrize("keep", [2, 3, 5, 100])
def test_prune_deletes_nothing_where_there_are_no_more_than_are_kept(
    filled: RunStore, keep: int
) -> None:
    assert filled.prune(keep=keep) == []
    assert len(filled.folders()) == 3


def test_prune_of_one_use_case_leaves_the_others(filled: RunStore) -> None:
    assert [path.name for path in filled.prune(keep=0, use_case="spam")] == [FIRST, SECOND]
    assert [path.name for path in filled.folders()] == [OTHER]


def test_a_dry_prune_only_tells(filled: RunStore) -> None:
    filled.keep("key", {"a": b"1"})
    assert [path.name for path in filled.prune(keep=0, dry_run=True)] == [FIRST, SECOND, OTHER]
    assert len(filled.folders()) == 3
    assert filled.kept("key") == {"a": b"1"}


def test_work_is_kept_and_replaced_whole(store: RunStore) -> None:
    assert store.kept("key") is None
    store.keep("key", {"a": b"1", "b": b"2"})
    store.keep("key", {"a": b"3"})
    assert store.kept("key") == {"a": b"3"}
    assert store.folders() == []


def test_work_that_is_replaced_while_it_is_read_is_not_half_the_one_and_half_the_other(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.keep("key", {"a": b"1", "b": b"1"})
    folder, read = store.home / ".work" / "key", Path.read_bytes
    # Both were written at the same moment, as far as the system's clock tells.
    os.utime(folder, (1, 1))

    def replaced(self: Path) -> bytes:
        content = read(self)
        monkeypatch.undo()
        store.keep("key", {"a": b"2", "b": b"2"})
        os.utime(folder, (1, 1))
        return content

    monkeypatch.setattr(Path, "read_bytes", replaced)
    assert store.kept("key") is None
    assert store.kept("key") == {"a": b"2", "b": b"2"}


def test_two_processes_may_keep_the_same_work(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(dict[str, bytes]):
        def items(self) -> Any:
            # The other process is done while this one still writes.
            other = store.home / ".work" / "key"
            other.mkdir()
            (other / "a").write_bytes(b"1")
            yield "a", b"1"

    store.keep("key", Late())
    assert store.kept("key") == {"a": b"1"}
    assert hidden(store.home) == []


def test_an_artefact_is_added_or_replaced_in_one_step(filled: RunStore) -> None:
    run = filled.home / "spam" / FIRST
    filled.add_artefact(run, "report.html", b"one")
    assert filled.add_artefact(run, "report.html", b"two").read_bytes() == b"two"
    assert hidden(filled.home) == []


def test_the_folder_of_runs_is_the_environments_or_the_working_directorys() -> None:
    assert runs_home({"WIDEMARGIN_RUNS": "/srv/runs"}) == Path("/srv/runs")
    assert runs_home({"WIDEMARGIN_RUNS": ""}) == Path("runs")
