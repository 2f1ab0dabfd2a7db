"""Process-wide states that several threads may need at the same time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock
from typing import Any

__all__ = ["SharedContext"]


class SharedContext(AbstractContextManager[None]):
    """A context that the first thread enters and the last one leaves.

    Warning filters belong to the whole process: were every thread to save and restore them for
    itself, one would restore what another had just changed.

    Parameters
    ----------
    make : callable
        ``make() -> context manager``, called whenever a first thread enters.

    Examples
    --------
    >>> from contextlib import contextmanager
    >>> @contextmanager
    ... def told():
    ...     print("in")
    ...     yield
    ...     print("out")
    >>> shared = SharedContext(told)
    >>> with shared, shared:
    ...     print("work")
    in
    work
    out
    """

    def __init__(self, make: Callable[[], AbstractContextManager[Any]]) -> None:
        self._make = make
        self._lock = Lock()
        self._inside = 0
        self._entered: AbstractContextManager[Any] | None = None

    def __enter__(self) -> None:
        """Enter, unless another thread is inside already."""
        with self._lock:
            if self._inside == 0:
                entered = self._make()
                entered.__enter__()
                self._entered = entered
            self._inside += 1

    def __exit__(self, *reason: object) -> None:
        """Leave, unless another thread is still inside."""
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._entered is not None:
                self._entered.__exit__(None, None, None)
                self._entered = None
