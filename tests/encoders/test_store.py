"""The embedding store: exact, shared by processes, and whole however they end."""

from __future__ import annotations

import mmap
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from widemargin.encoders.store import EmbeddingStore, Shelf
from widemargin.encoders.store_check import check_environments
from widemargin.encoders.store_state import state_of
from widemargin.errors import DataError

IDENTITY = {"name": "made", "dimension": 4, "version": 1}


def key(number: int) -> bytes:
    return number.to_bytes(16, "little")


def vectors_of(numbers: list[int]) -> NDArray[np.float32]:
    return np.array([[n, -n, n / 3, 1] for n in numbers], dtype=np.float32).reshape(-1, 4)


def read(shelf: Shelf, numbers: list[int]) -> tuple[list[bool], NDArray[np.float32]]:
    out = np.full((len(numbers), 4), -1, dtype=np.float32)
    found = shelf.read([key(n) for n in numbers], out)
    return found.tolist(), out


class Notes:
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)

    def stage(self, name: str, total: float | None = None) -> object:
        raise AssertionError


@settings(max_examples=30)
@given(st.lists(st.integers(0, 40)), st.lists(st.integers(0, 40)))
def test_what_is_kept_comes_back_bit_for_bit_and_nothing_else(
    kept: list[int], asked: list[int]
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        shelf = EmbeddingStore(Path(folder)).shelf(IDENTITY)
        shelf.write([key(n) for n in kept], vectors_of(kept))
        found, out = read(shelf, asked)
        assert found == [n in kept for n in asked]
        expected = vectors_of(asked)
        for row, there in enumerate(found):
            assert (out[row] == (expected[row] if there else -1)).all()
        EmbeddingStore(Path(folder)).prune()


def test_nothing_is_made_on_disk_by_reading(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path / "store")
    assert read(store.shelf(IDENTITY), [1])[0] == [False]
    assert list(store.states()) == []
    assert not (tmp_path / "store").exists()


def test_encoders_do_not_see_each_others_vectors(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    store.shelf(IDENTITY).write([key(1)], vectors_of([1]))
    assert read(store.shelf({**IDENTITY, "version": 2}), [1])[0] == [False]


WRITER = """
import sys, numpy as np
from pathlib import Path
from widemargin.encoders.store import EmbeddingStore
shelf = EmbeddingStore(Path(sys.argv[1])).shelf({"name": "made", "dimension": 4, "version": 1})
start, step = int(sys.argv[2]), int(sys.argv[3])
for at in range(start, start + int(sys.argv[4]), step):
    own = list(range(at, at + step))
    shelf.write([n.to_bytes(16, "little") for n in own],
                np.array([[n, -n, n / 3, 1] for n in own], dtype=np.float32))
    print(at + step, flush=True)
"""


def writer(folder: Path, start: int, step: int, count: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WRITER, str(folder), str(start), str(step), str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_processes_write_and_read_at_once(tmp_path: Path) -> None:
    writers = [writer(tmp_path, 1000 * k, 10, 300) for k in range(3)]
    shelf = EmbeddingStore(tmp_path).shelf(IDENTITY)
    while any(one.poll() is None for one in writers):
        found, out = read(shelf, list(range(0, 3000, 7)))
        assert (out[found] == vectors_of(list(range(0, 3000, 7)))[found]).all()
        time.sleep(0.01)
    for one in writers:
        assert one.wait() == 0
        assert one.stdout is not None
        one.stdout.close()
    whole = [n for k in range(3) for n in range(1000 * k, 1000 * k + 300)]
    found, out = read(shelf, whole)
    assert all(found)
    assert np.array_equal(out, vectors_of(whole))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that kills at once")
@pytest.mark.parametrize("batches", [1, 4, 9])
def test_a_process_that_is_killed_leaves_whole_batches(tmp_path: Path, batches: int) -> None:
    process = writer(tmp_path, 0, 50, 1_000_000)
    assert process.stdout is not None
    told = 0
    for _ in range(batches):
        told = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    shelf = EmbeddingStore(tmp_path).shelf(IDENTITY)
    asked = list(range(told + 5000))
    found, out = read(shelf, asked)
    count = sum(found)
    assert count >= told
    assert count % 50 == 0
    assert found == [n < count for n in asked]
    assert np.array_equal(out[:count], vectors_of(asked[:count]))
    # And it goes on working.
    shelf.write([key(10**9)], vectors_of([1]))
    assert [state.damaged for state in EmbeddingStore(tmp_path).verify()] == [0]


def test_a_forked_child_reads_and_writes_for_itself(tmp_path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    shelf = EmbeddingStore(tmp_path).shelf(IDENTITY)
    shelf.write([key(1)], vectors_of([1]))
    child = os.fork()
    if child == 0:  # pragma: no cover
        found, _ = read(shelf, [1])
        shelf.write([key(2)], vectors_of([2]))
        os._exit(0 if found == [True] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert read(shelf, [1, 2])[0] == [True, True]


def test_damage_is_found_and_removed(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    store.shelf(IDENTITY).write([key(n) for n in range(20)], vectors_of(list(range(20))))
    [state] = store.states()
    # Nobody has looked at the vectors yet.
    assert (state.vectors, state.damaged) == (20, None)
    data = state.folder / "data.mdb"
    content = data.read_bytes()
    whole = vectors_of([7]).tobytes()
    assert content.count(whole) == 1
    spoilt = np.array([7, -7, 8, 1], dtype=np.float32).tobytes()
    # In place: the process has the file mapped.
    with data.open("r+b") as file:
        file.seek(content.index(whole))
        file.write(spoilt)
    # It is not read, whether anybody has looked for damage or not.
    assert read(store.shelf(IDENTITY), [6, 7, 8])[0] == [True, False, True]
    [state] = store.verify()
    assert (state.vectors, state.damaged) == (19, 1)
    assert read(store.shelf(IDENTITY), [6, 7, 8])[0] == [True, False, True]
    [state] = store.verify()
    assert state.damaged == 0


def test_what_was_damaged_is_written_again(tmp_path: Path) -> None:
    shelf = EmbeddingStore(tmp_path).shelf(IDENTITY)
    shelf.write([key(7)], vectors_of([7]))
    data = shelf.folder / "data.mdb"
    with data.open("r+b") as file:
        file.seek(data.read_bytes().index(vectors_of([7]).tobytes()))
        file.write(b"\xff" * 4)
    assert read(shelf, [7])[0] == [False]
    shelf.write([key(7)], vectors_of([7]))
    found, out = read(shelf, [7])
    assert found == [True]
    assert np.array_equal(out, vectors_of([7]))


def test_without_its_identity_healthy_vectors_stay(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    store.shelf(IDENTITY).write([key(n) for n in range(5)], vectors_of(list(range(5))))
    [state] = store.states()
    (state.folder / "identity.json").unlink()
    [state] = store.verify()
    assert (state.vectors, state.damaged) == (5, 0)


def test_many_threads_may_begin_at_once(tmp_path: Path) -> None:
    for turn in range(10):
        notes = Notes()
        store = EmbeddingStore(tmp_path / str(turn), notes)  # type: ignore[arg-type]  # enough of a Progress
        shelf = store.shelf(IDENTITY)

        def work(number: int, shelf: Shelf = shelf) -> tuple[list[bool], NDArray[np.float32]]:
            shelf.write([key(number)], vectors_of([number]))
            return read(shelf, [number])

        with ThreadPoolExecutor(8) as threads:
            made = list(threads.map(work, range(32)))
        assert notes.notes == []
        assert [found for found, _ in made] == [[True]] * 32


def test_a_store_that_cannot_be_used_is_told_and_done_without(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    notes = Notes()
    shelf = EmbeddingStore(file / "store", notes).shelf(IDENTITY)  # type: ignore[arg-type]  # enough of a Progress
    shelf.write([key(1)], vectors_of([1]))
    assert read(shelf, [1])[0] == [False]
    assert len(notes.notes) == 1
    assert "cannot be written" in notes.notes[0]


def test_a_folder_that_is_no_environment_is_told_and_verifying_removes_it(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, notes := Notes())  # type: ignore[arg-type]  # enough of a Progress
    shelf = store.shelf(IDENTITY)
    shelf.folder.mkdir(parents=True)
    (shelf.folder / "data.mdb").write_bytes(b"no database" * 1000)
    assert read(shelf, [1])[0] == [False]
    assert "cannot be read" in notes.notes[0]
    assert "`widemargin store verify` says what is wrong" in notes.notes[0]
    [state] = store.states()
    assert "not an LMDB file" in state.problem
    [state] = store.verify()
    assert (state.problem, state.removed) == ("File is not an LMDB file", True)
    assert not shelf.folder.exists()
    assert list(store.verify()) == []
    shelf.write([key(1)], vectors_of([1]))
    assert read(shelf, [1])[0] == [True]


PAGE = mmap.PAGESIZE


def spoilt(folder: Path, kind: str) -> Path:
    """Keep 3,000 vectors of one encoder and damage their file as a disk may."""
    shelf = EmbeddingStore(folder).shelf(IDENTITY)
    for start in range(0, 3000, 500):
        own = list(range(start, start + 500))
        # Spread, so that the tree is more than a row of full leaves.
        keys = [(n * 2654435761 % 2**64).to_bytes(16, "little") for n in own]
        shelf.write(keys, vectors_of(own))
    data = shelf.folder / "data.mdb"
    content = bytearray(data.read_bytes())
    EmbeddingStore(folder).prune()
    pages = range(2, len(content) // PAGE)
    if kind == "cut off":
        del content[len(content) // 2 :]
    else:
        for page in pages:
            if kind == "zeros":
                content[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
            else:  # the places of the page's entries, which LMDB follows blindly
                content[page * PAGE + 16 : page * PAGE + 64] = b"\xff" * 48
    shelf.folder.mkdir()
    (shelf.folder / "identity.json").write_text(shelf.identity, encoding="utf-8")
    data.write_bytes(content)
    return shelf.folder


@pytest.mark.parametrize("kind", ["cut off", "zeros", "places"])
def test_a_file_that_is_damaged_in_its_middle_is_removed_alone(tmp_path: Path, kind: str) -> None:
    damaged = spoilt(tmp_path, kind)
    store = EmbeddingStore(tmp_path)
    store.shelf({**IDENTITY, "name": "good"}).write([key(1)], vectors_of([1]))
    good, bad = store.verify()
    assert (good.name, good.vectors, good.damaged, good.removed) == ("good", 1, 0, False)
    assert (bad.name, bad.removed) == ("made", True)
    assert bad.problem
    assert not damaged.exists()
    assert [(state.name, state.removed) for state in store.verify()] == [("good", False)]
    assert read(store.shelf({**IDENTITY, "name": "good"}), [1])[0] == [True]


def test_a_file_that_was_cut_off_is_not_read(tmp_path: Path) -> None:
    spoilt(tmp_path, "cut off")
    store = EmbeddingStore(tmp_path, notes := Notes())  # type: ignore[arg-type]  # enough of a Progress
    assert read(store.shelf(IDENTITY), [1])[0] == [False]
    assert "was cut off" in notes.notes[0]
    [state] = store.states()
    assert "was cut off" in state.problem


def test_what_cannot_be_checked_is_not_taken_for_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EmbeddingStore(tmp_path)
    store.shelf(IDENTITY).write([key(1)], vectors_of([1]))
    with monkeypatch.context() as patch:
        patch.setattr("sys.executable", "/bin/false" if Path("/bin/false").exists() else "where")
        with pytest.raises(DataError, match="Nothing was deleted"):
            list(store.verify())
    assert read(store.shelf(IDENTITY), [1])[0] == [True]


@pytest.mark.skipif(not Path("/bin/false").exists(), reason="needs a program that reads nothing")
def test_a_process_that_ends_before_it_has_read_what_it_is_asked_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more_than_a_pipe_holds = [(tmp_path / f"{number:0100}", 16) for number in range(2_000)]
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(DataError, match="Nothing was deleted"):
        list(check_environments(more_than_a_pipe_holds))


def test_listing_is_no_use(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    shelf = store.shelf(IDENTITY)
    shelf.write([key(1)], vectors_of([1]))
    long_ago = time.time() - 3 * 86400
    os.utime(shelf.folder / "used", (long_ago, long_ago))
    script = (
        "import sys; from pathlib import Path; from widemargin.encoders.store import "
        "EmbeddingStore as S; s = S(Path(sys.argv[1])); list(s.states()); list(s.verify()); "
        "print(len(s.prune(older_than=2)))"
    )
    # Another process: this one has the environment open already.
    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert said.stdout == "1\n"


def test_a_file_in_the_stores_place_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    for folder in (file, file / "store"):
        store = EmbeddingStore(folder)
        for use in (store.states, store.verify):
            with pytest.raises(DataError, match=r"file: is a file, and the store .* Move the file"):
                list(use())
        with pytest.raises(DataError, match="is a file"):
            store.prune()
    assert file.read_text() == "no folder"


def test_pruning_goes_by_name_and_by_age(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    for name in ("one", "two"):
        store.shelf({**IDENTITY, "name": name}).write([key(1)], vectors_of([1]))
    assert store.prune(older_than=1) == []
    [folder] = store.prune(names=["one"])
    assert folder.name.startswith("one-")
    [state] = store.states()
    long_ago = time.time() - 3 * 86400
    os.utime(state.folder / "used", (long_ago, long_ago))
    assert len(store.prune(older_than=2)) == 1
    assert list(store.states()) == []


def test_a_pruned_encoder_begins_anew_in_the_same_process(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    shelf = store.shelf(IDENTITY)
    shelf.write([key(1)], vectors_of([1]))
    store.prune()
    assert read(shelf, [1])[0] == [False]
    shelf.write([key(2)], vectors_of([2]))
    assert read(shelf, [1, 2])[0] == [False, True]


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes nothing that is open")
def test_a_shelf_that_another_process_pruned_begins_anew(tmp_path: Path) -> None:
    shelf = EmbeddingStore(tmp_path).shelf(IDENTITY)
    shelf.write([key(1)], vectors_of([1]))
    script = (
        "import sys; from pathlib import Path; from widemargin.encoders.store import "
        "EmbeddingStore; EmbeddingStore(Path(sys.argv[1])).prune()"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    assert read(shelf, [1])[0] == [False]
    shelf.write([key(2)], vectors_of([2]))
    assert read(shelf, [2])[0] == [True]


def test_what_another_process_deletes_meanwhile_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EmbeddingStore(tmp_path)
    store.shelf(IDENTITY).write([key(1)], vectors_of([1]))
    [folder] = tmp_path.iterdir()
    entries = Path.iterdir

    def with_one_that_is_gone(path: Path) -> list[Path]:
        return [path / "identity.json.77-1", *entries(path)]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", with_one_that_is_gone)
        assert state_of(folder).vectors == 1

    remove, calls = shutil.rmtree, []

    def beside_another(path: Path) -> None:
        calls.append(path)
        if len(calls) == 1:
            raise FileNotFoundError(2, "No such file or directory")
        remove(path)

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", beside_another)
        assert store.prune() == [folder]
    assert calls == [folder, folder]
    assert not folder.exists()
    assert (state_of(folder, count=False).size, state_of(folder, count=False).vectors) == (0, 0)


def test_what_cannot_be_deleted_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EmbeddingStore(tmp_path)
    store.shelf(IDENTITY).write([key(1)], vectors_of([1]))

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(DataError, match="cannot be deleted"):
        store.prune()
