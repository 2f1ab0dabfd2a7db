"""One item a core: decoding and computing overlap without either waiting for the other.

Batches suit graphics cards. On a CPU the activations of one image fit into the cache and those of
32 do not: EfficientNet-Lite0 took 17 ms of one core for an image alone, 24 ms for one of a batch of
32. So each core takes the next image, opens it, and computes its vector; no thread waits for
another, and an image's vector cannot depend on the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Columns
from widemargin.encoders.unreadable import Unreadable, count_rows
from widemargin.errors import DataError, LibraryError
from widemargin.native.jobs import threads_to_use

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_readable", "one_torch_thread", "torch_threads", "vectors_of"]

_setting = threading.Lock()


def _set_torch_threads(count: int) -> None:
    """Set torch's thread count of the calling thread, and of no other.

    torch keeps a count for each thread, and one that threads begin with; setting the former sets
    the latter too. A thread that has just begun reads it, and puts it back.
    """
    torch: Any = import_module("torch")
    with _setting:
        # Asking also lets a new thread begin, which else would forget what it is told before that.
        if torch.get_num_threads() == count:
            return
        with ThreadPoolExecutor(1) as beginner:
            default = beginner.submit(torch.get_num_threads).result()
            torch.set_num_threads(count)
            beginner.submit(torch.set_num_threads, default).result()


class _OneTorchThread(AbstractContextManager[None]):
    """A context that each thread enters for itself, as often as it likes."""

    def __init__(self) -> None:
        self._own = threading.local()

    @property
    def entered(self) -> bool:
        """Whether the calling thread is inside."""
        return bool(getattr(self._own, "before", None))

    def __enter__(self) -> None:
        """Let torch compute in the calling thread alone."""
        if not self.entered:
            self._own.before = []
        before = import_module("torch").get_num_threads()
        _set_torch_threads(1)
        self._own.before.append(before)

    def __exit__(self, *reason: object) -> None:
        """Put the calling thread's count back."""
        _set_torch_threads(self._own.before.pop())


one_torch_thread = _OneTorchThread()
"""Within it, torch computes in the thread that calls it, and in those that `vectors_of` starts
there; its thread count is put back after it."""


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Within it, torch computes in so many threads for the thread that calls it.

    Examples
    --------
    >>> with torch_threads(1):
    ...     import_module("torch").get_num_threads()
    1
    """
    before = import_module("torch").get_num_threads()
    _set_torch_threads(count)
    try:
        yield
    finally:
        _set_torch_threads(before)


def vectors_of(
    items: Sequence[Any], work: Callable[[Any], NDArray[np.float32]], dimension: int
) -> NDArray[np.float32]:
    """Make one vector an item, on all cores that this process may use here.

    OMP_NUM_THREADS and `native.jobs.at_most` limit them.

    Parameters
    ----------
    items : sequence
        The items.
    work : callable
        ``work(item) -> ndarray of shape (dimension,)``; must let go of the interpreter's lock
        where it takes long, as Pillow, NumPy and torch do.
    dimension : int
        The length of a vector.

    Returns
    -------
    ndarray of shape (n_items, dimension), float32

    Raises
    ------
    ItemsError
        Where `work` raises a `DataError` for some items; it says of all of them why.
    DataError
        Where it does for all, and for one reason.
    Exception
        Whatever else `work` raises for the first item in order for which it does.

    Examples
    --------
    >>> vectors_of([1, 2], lambda item: np.full(2, item, np.float32), 2).tolist()
    [[1.0, 1.0], [2.0, 2.0]]
    """
    vectors = np.empty((len(items), dimension), dtype=np.float32)
    n_threads = min(threads_to_use(), max(len(items), 1))
    # Its threads end with it, so their counts need not be put back.
    alone = partial(_set_torch_threads, 1) if one_torch_thread.entered else None
    found = Unreadable(len(items))
    pool = ThreadPoolExecutor(n_threads, initializer=alone)
    try:
        for row, made in enumerate(pool.map(partial(_tried, work), items)):
            with found.at([row]):
                if isinstance(made, DataError):
                    raise made
                vectors[row] = made
    finally:
        pool.shutdown(cancel_futures=True)
    found.check()
    return vectors


def _tried(
    work: Callable[[Any], NDArray[np.float32]], item: Any
) -> NDArray[np.float32] | DataError:
    try:
        return work(item)
    except LibraryError:
        raise
    except DataError as error:
        return error


def check_readable(
    X: Columns | Sequence[Any],
    items_of: Callable[[Any], Sequence[Any]],
    read: Callable[[Any], object],
) -> None:
    """Read every item once, on all cores, and keep nothing.

    Parameters
    ----------
    X : columns or sequence
        The rows.
    items_of : callable
        ``items_of(X)`` returns one item a row.
    read : callable
        ``read(item)`` raises a `DataError` where it cannot be read.

    Raises
    ------
    ItemsError
        Where some cannot be read.
    """
    found = Unreadable(count_rows(X))
    items = found.items(items_of, X)

    def only_read(item: Any) -> NDArray[np.float32]:
        read(item)
        return np.empty(0, np.float32)

    with found.at(list(items)):
        vectors_of(list(items.values()), only_read, 0)
    found.check()
