"""Work on all cores comes back in order, and states of the whole process are put back."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import pytest

from widemargin.encoders.shared_context import SharedContext
from widemargin.encoders.workers import one_torch_thread, vectors_of
from widemargin.errors import DataError, ItemsError
from widemargin.native.jobs import at_most, threads_to_use


def test_vectors_come_in_the_order_of_the_items() -> None:
    def work(item: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        time.sleep(0.001 * (item % 3))
        return np.full(2, item, np.float32)

    assert vectors_of(range(20), work, 2)[:, 0].tolist() == list(range(20))


def test_no_item_gives_no_vector() -> None:
    assert vectors_of([], lambda item: np.zeros(3, np.float32), 3).shape == (0, 3)


def test_all_items_that_cannot_be_read_are_named_at_once() -> None:
    def work(item: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        if item in (3, 40):
            raise DataError(f"item {item} is torn.")
        return np.zeros(1, np.float32)

    with pytest.raises(ItemsError) as caught:
        vectors_of(range(50), work, 1)
    assert caught.value.problems == {3: "item 3 is torn.", 40: "item 40 is torn."}


def test_what_is_wrong_with_all_items_alike_is_said_once() -> None:
    def work(item: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        raise DataError("torch is not installed.")

    with pytest.raises(DataError) as caught:
        vectors_of(range(50), work, 1)
    assert not isinstance(caught.value, ItemsError)
    assert str(caught.value) == "torch is not installed."


def test_a_defect_is_raised_at_once_and_the_rest_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    done, is_left = [], threading.Event()

    class Pool(ThreadPoolExecutor):
        """Tells when what is not begun was left."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            is_left.set()
            super().shutdown(wait=wait)

    def work(item: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        if item == 3:
            raise ZeroDivisionError
        if item > 3:
            is_left.wait()
        done.append(item)
        return np.zeros(1, np.float32)

    monkeypatch.setattr("widemargin.encoders.workers.ThreadPoolExecutor", Pool)
    with pytest.raises(ZeroDivisionError):
        vectors_of(range(5000), work, 1)
    # Items 0 to 2, and what each thread was about when item 3 failed.
    assert len(done) <= 3 + threads_to_use()


def test_a_shared_context_is_left_by_the_last_thread() -> None:
    told = []

    @contextmanager
    def make() -> Iterator[None]:
        told.append("in")
        yield
        told.append("out")

    shared = SharedContext(make)
    inside, go = threading.Barrier(3), threading.Event()

    def use() -> None:
        with shared:
            inside.wait()
            go.wait()

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait()
    assert told == ["in"]
    go.set()
    for thread in threads:
        thread.join()
    assert told == ["in", "out"]
    with shared:
        assert told == ["in", "out", "in"]


def test_a_shared_context_that_cannot_be_entered_is_not_inside() -> None:
    def make() -> AbstractContextManager[None]:
        raise DataError("no")

    shared = SharedContext(make)
    for _ in range(2):
        with pytest.raises(DataError), shared:
            pass


def n_workers(least: int) -> int:
    """Count the threads that work on many items; none ends one before so many have come."""

    working: set[int] = set()
    are_there = threading.Event()

    def work(item: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        working.add(threading.get_ident())
        if len(working) >= least:
            are_there.set()
        assert are_there.wait(1200)
        time.sleep(0.002)
        return np.zeros(1, np.float32)

    vectors_of(range(40), work, 1)
    return len(working)


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(4)), raising=False)


@pytest.mark.usefixtures("four_cores")
def test_all_cores_work_where_nothing_limits_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert n_workers(4) == 4
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert n_workers(1) == 1


@pytest.mark.usefixtures("four_cores")
def test_no_more_threads_work_than_the_caller_may_use() -> None:
    with at_most(1):
        assert n_workers(1) == 1
    with at_most(3):
        assert n_workers(3) == 3


@pytest.fixture
def torch() -> Iterator[Any]:
    torch = pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield torch
    torch.set_num_threads(before)


def fresh(torch: Any) -> int:
    """Return the thread count with which a new thread begins."""
    with ThreadPoolExecutor(1) as pool:
        return int(pool.submit(torch.get_num_threads).result())


def test_each_thread_inside_has_one_torch_thread_and_gets_its_own_count_back(torch: Any) -> None:
    def enter() -> int:
        one_torch_thread.__enter__()
        return int(torch.get_num_threads())

    def leave() -> int:
        one_torch_thread.__exit__(None, None, None)
        return int(torch.get_num_threads())

    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        first.submit(torch.get_num_threads).result()
        second.submit(torch.get_num_threads).result()
        second.submit(torch.set_num_threads, 2).result()
        torch.set_num_threads(3)
        assert first.submit(enter).result() == 1
        assert second.submit(torch.get_num_threads).result() == 2
        assert second.submit(enter).result() == 1
        # Neither the first to leave nor the last changes the other, or those to come.
        assert first.submit(leave).result() == 3
        assert second.submit(torch.get_num_threads).result() == 1
        assert fresh(torch) == 3
        assert second.submit(leave).result() == 2
        assert fresh(torch) == torch.get_num_threads() == 3


def test_one_torch_thread_may_be_entered_twice_and_is_left_by_an_error(torch: Any) -> None:
    def fail() -> None:
        with one_torch_thread:
            with one_torch_thread:
                assert torch.get_num_threads() == 1
            assert torch.get_num_threads() == 1
            raise DataError("no")

    with pytest.raises(DataError):
        fail()
    assert torch.get_num_threads() == 3
    assert not one_torch_thread.entered


@pytest.mark.usefixtures("four_cores")
def test_workers_inside_one_torch_thread_have_one_each(torch: Any) -> None:
    def work(item: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        time.sleep(0.001)
        return np.full(1, torch.get_num_threads(), np.float32)

    with one_torch_thread:
        assert vectors_of(range(20), work, 1).tolist() == [[1.0]] * 20
    assert fresh(torch) == 3
    assert vectors_of(range(20), work, 1).tolist() == [[3.0]] * 20
