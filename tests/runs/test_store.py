"""The run store: runs appear whole or not at all, and are found by what people call them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from widemargin.errors import RunNotFoundError
from widemargin.runs import RunStore, read_record, runs_home

FIRST, SECOND, OTHER = "20260101-120000-0001", "20260202-120000-0002", "20260303-120000-0003"


def files_of(use_case: str, run_id: str) -> dict[str, bytes]:
    return {
        "manifest.json": json.dumps({"id": run_id, "use_case": use_case}).encode(),
        "metrics.json": b'{"metrics": {}}',
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

    with pytest.raises(OSError, match="no space left"):
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


def test_what_a_living_process_writes_is_not_swept(store: RunStore) -> None:
    mine = store.home / "spam" / f".staging-{os.getpid()}-{SECOND}"
    mine.mkdir(parents=True)
    store.write("spam", FIRST, files_of("spam", FIRST))
    assert mine.is_dir()
    two_days_ago = time.time() - 2 * 86_400
    os.utime(mine, (two_days_ago, two_days_ago))
    store.write("spam", SECOND, files_of("spam", SECOND))
    assert not mine.is_dir()


def test_ids_sort_by_time_even_within_a_second(store: RunStore) -> None:
    made = []
    for _ in range(20):
        made.append(store.new_id("spam"))
        time.sleep(0.001)
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
    message = refusal(filled, "20260101-120000-0009")
    assert message == (
        f"No run answers to '20260101-120000-0009' in {filled.home}. Did you mean '{FIRST}'? "
        "`widemargin runs` lists them."
    )


@pytest.mark.parametrize("name", ["", "spma", "table/20260101", "/", "spam/"])
def test_a_name_that_nothing_answers_to_is_refused(filled: RunStore, name: str) -> None:
    assert "`widemargin runs` lists them." in refusal(filled, name)


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
    assert [record.id for record in filled.records()] == [FIRST, SECOND]


def test_prune_keeps_the_last_runs_of_each_use_case(filled: RunStore) -> None:
    filled.keep("key", {"a": b"1"})
    assert [path.name for path in filled.prune(keep=1)] == [FIRST]
    assert [path.name for path in filled.folders()] == [SECOND, OTHER]
    assert filled.kept("key") is None
    assert hidden(filled.home) == []


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
