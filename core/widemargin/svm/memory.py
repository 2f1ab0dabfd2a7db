"""Memory: refuse a Gram matrix that would not fit, before anything is computed."""

from __future__ import annotations

import os
from functools import cache
from math import isqrt
from pathlib import Path

from widemargin.errors import DataError

__all__ = ["check_gram_size", "gram_limit"]

_LEAST = 4 * 2**30
_CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")


@cache
def gram_limit() -> int:
    """Return how many bytes matrices may take: half the machine's memory, and at least 4 GiB.

    Examples
    --------
    >>> gram_limit() >= 4 * 2**30
    True
    """
    known = []
    try:
        known.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        # A container may use less than the machine has; "max" where it may use all.
        known.append(int(_CONTROL_GROUP.read_text(encoding="ascii")))
    except (AttributeError, OSError, ValueError):
        pass
    return max(_LEAST, min(known, default=0) // 2)


def check_gram_size(n: int, itemsize: int, kernel_name: str, n_matrices: int = 2) -> None:
    """Refuse rows whose kernel matrices would take more than `gram_limit`.

    Parameters
    ----------
    n : int
        Number of rows.
    itemsize : int
        Bytes of a number: 4 for float32 rows, otherwise 8.
    kernel_name : str
        For the message.
    n_matrices : int, default=2
        How many matrices are alive at once: the kernel's, and what is gathered from it to solve.

    Raises
    ------
    DataError
        It names the size, and what would fit.

    Examples
    --------
    >>> check_gram_size(1000, 8, "rbf")
    """
    limit = gram_limit()
    if n_matrices * itemsize * n * n <= limit:
        return
    fewer = isqrt(limit // (n_matrices * itemsize))
    halved = " give float32 rows, which halves that," if itemsize > 4 and n <= 1.41 * fewer else ""
    raise DataError(
        f"the {kernel_name} kernel of {n:,} rows needs {n_matrices} matrices of {n:,} x {n:,} "
        f"numbers, {n_matrices * itemsize * n * n / 2**30:.0f} GiB, and {limit / 2**30:.0f} GiB "
        f"may be used. Train on at most {fewer:,} rows,{halved} or take a machine that needs no "
        "such matrix: sklearn.svm.LinearSVC, or --set svm.kernel=linear."
    )
