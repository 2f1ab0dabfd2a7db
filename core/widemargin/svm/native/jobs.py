"""Jobs: work that the library hands out piece by piece to the threads that ask for it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import Any

__all__ = ["Job", "available_threads", "run_job"]


class Job(ctypes.Structure):
    """Base of the library's job structures, which have `next`, `stop` and `failed`."""


def available_threads() -> int:
    """Return how many threads this process may run at once.

    Examples
    --------
    >>> available_threads() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=128, thread_name_prefix="widemargin")


def run_job(
    work: Callable[[Any], Any], job: Any, *, n_threads: int | None = None, small: bool = False
) -> None:
    """Let threads work on a job until nothing is left of it.

    The calling thread waits where it can be interrupted; the threads then stop within a moment.

    Parameters
    ----------
    work : callable
        The library's function; it releases the interpreter and may run in several threads at once.
    job : ctypes.Structure
        What it works on, with the fields `stop` and `failed`.
    n_threads : int, optional
        How many; by default as many as the process may use.
    small : bool
        Whether starting threads costs more than it brings.

    Raises
    ------
    MemoryError
        Where the library could not get memory.
    """
    count = available_threads() if n_threads is None else n_threads
    if small:
        work(ctypes.byref(job))
    else:
        futures: list[Future[Any]] = [
            _pool().submit(work, ctypes.byref(job)) for _ in range(max(count, 1))
        ]
        try:
            wait(futures)
        except BaseException:
            job.stop = 1
            wait(futures)
            raise
        for future in futures:
            future.result()
    if job.failed:
        raise MemoryError("the native engine could not get the memory that it needs")
