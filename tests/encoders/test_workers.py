"""Work on all cores comes back in order, and states of the whole process are put back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest

from widemargin.encoders.shared_context import SharedContext
from widemargin.encoders.workers import vectors_of
from widemargin.errors import DataError


def test_vectors_come_in_the_order_of_the_items() -> None:
    def work(item: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        time.sleep(0.001 * (item % 3))
        return np.full(2, item, np.float32)

    assert vectors_of(range(20), work, 2)[:, 0].tolist() == list(range(20))


def test_no_item_gives_no_vector() -> None:
    assert vectors_of([], lambda item: np.zeros(3, np.float32), 3).shape == (0, 3)


def test_of_several_errors_the_first_item_s_is_raised_and_the_rest_is_left() -> None:
    done = []

    def work(item: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        if item in (3, 4):
            raise DataError(f"item {item}")
        done.append(item)
        time.sleep(0.001)
        return np.zeros(1, np.float32)

    with pytest.raises(DataError, match="item 3"):
        vectors_of(range(5000), work, 1)
    assert len(done) < 5000


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
