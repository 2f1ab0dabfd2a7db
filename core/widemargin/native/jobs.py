"""Jobs: work that the library hands out piece by piece to the threads that ask for it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

__all__ = ["Job", "at_most", "available_threads", "check_memory", "run_job", "threads_to_use"]


class Job(ctypes.Structure):
    """Base of the library's job structures, which have `next`, `stop` and `failed`."""


def available_threads() -> int:
    """Return how many threads this process may run at once.

    OMP_NUM_THREADS lowers it, by which joblib tells its workers what is theirs.

    Examples
    --------
    >>> available_threads() >= 1
    True
    """
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(count, int(told)) if told.isdecimal() and int(told) else count


_most_threads: ContextVar[int | None] = ContextVar("most threads", default=None)


def threads_to_use(n_threads: int | None = None) -> int:
    """Return how many threads to start here: no more than `at_most` allows.

    Parameters
    ----------
    n_threads : int, optional
        How many are wanted; by default as many as the process may use.

    Examples
    --------
    >>> with at_most(2):
    ...     threads_to_use(5)
    2
    """
    limits = [available_threads() if n_threads is None else n_threads, _most_threads.get()]
    return max(1, min(limit for limit in limits if limit is not None))


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=128, thread_name_prefix="widemargin")


if hasattr(os, "register_at_fork"):
    # A forked process inherits the pool, and none of its threads.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def run_job(
    work: Callable[[Any], Any],
    job: Any,
    *,
    n_threads: int | None = None,
    small: bool = False,
    brief: bool = False,
) -> None:
    """Let threads work on a job until nothing is left of it.

    The calling thread waits where it can be interrupted; the threads then stop within a moment.
    Where there is only a moment's work it takes part.

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
    brief : bool
        Whether the work is done before anybody would interrupt it.

    Raises
    ------
    MemoryError
        Where the library could not get memory.
    """
    if small:
        work(ctypes.byref(job))
        check_memory(job)
        return
    count = threads_to_use(n_threads)
    futures: list[Future[Any]] = [Future() for _ in range(count - brief)]
    interrupt: BaseException | None = None
    try:
        for future in futures:
            _pool().submit(_carry_out, future, work, ctypes.byref(job))
        if brief:
            work(ctypes.byref(job))
        wait(futures)
    except BaseException as error:  # noqa: BLE001  # raised again below
        interrupt = error
    # Threads write to the job's memory until the last has ended: that is waited for though Ctrl-C
    # is pressed again, and be it while one is started; those that have not begun never do.
    while True:
        try:
            if going := [future for future in futures if not future.done()]:
                job.stop = 1
                wait([future for future in going if not future.cancel()])
            break
        except BaseException as error:  # noqa: BLE001  # raised again below
            interrupt = error
    if interrupt is not None:
        raise interrupt
    for future in futures:
        future.result()
    check_memory(job)


def _carry_out(future: Future[Any], work: Callable[[Any], Any], job: Any) -> None:
    """Do a thread's share, unless it was cancelled before."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work(job))
    except BaseException as error:  # noqa: BLE001  # raised again in the calling thread
        future.set_exception(error)


def check_memory(job: Any) -> None:
    """Raise where the library could not get memory.

    Raises
    ------
    MemoryError
        It says so.
    """
    if job.failed:
        raise MemoryError("the native engine could not get the memory that it needs")


@contextmanager
def at_most(n_threads: int | None) -> Iterator[None]:
    """Let jobs inside use at most so many threads; None changes nothing.

    Examples
    --------
    >>> with at_most(1):
    ...     pass
    """
    if n_threads is None:
        yield
        return
    token = _most_threads.set(n_threads)
    try:
        yield
    finally:
        _most_threads.reset(token)
