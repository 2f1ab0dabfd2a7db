"""One item a core: decoding and computing overlap without either waiting for the other.

Batches suit graphics cards. On a CPU the activations of one image fit into the cache and those of
32 do not: EfficientNet-Lite0 took 17 ms of one core for an image alone, 24 ms for one of a batch of
32. So each core takes the next image, opens it, and computes its vector; no thread waits for
another, and an image's vector cannot depend on the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.encoders.shared_context import SharedContext

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["one_torch_thread", "vectors_of"]


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    torch: Any = import_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


one_torch_thread = SharedContext(_one_torch_thread)
"""Within it, torch computes in the thread that calls it; its thread count is put back after it."""


def vectors_of(
    items: Sequence[Any], work: Callable[[Any], NDArray[np.float32]], dimension: int
) -> NDArray[np.float32]:
    """Make one vector an item, on all cores that this process may use.

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
    Exception
        Whatever `work` raises for the first item in order for which it does.

    Examples
    --------
    >>> vectors_of([1, 2], lambda item: np.full(2, item, np.float32), 2).tolist()
    [[1.0, 1.0], [2.0, 2.0]]
    """
    vectors = np.empty((len(items), dimension), dtype=np.float32)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pool = ThreadPoolExecutor(min(cores or 1, max(len(items), 1)))
    try:
        for row, vector in enumerate(pool.map(work, items)):
            vectors[row] = vector
    finally:
        pool.shutdown(cancel_futures=True)
    return vectors
