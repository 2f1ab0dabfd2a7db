"""Memory: refuse a Gram matrix that would not fit, before anything is computed."""

from __future__ import annotations

from functools import cache
from math import isqrt

from widemargin.errors import ParameterError
from widemargin.native.memory import memory_bytes
from widemargin.svm.expression import Expression, Sum, Term

__all__ = ["check_gram_size", "gram_bytes", "gram_limit"]

_LEAST = 4 * 2**30


@cache
def gram_limit() -> int:
    """Return how many bytes matrices may take: half the machine's memory, and at least 4 GiB.

    Examples
    --------
    >>> gram_limit() >= 4 * 2**30
    True
    """
    return max(_LEAST, memory_bytes() // 2)


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
    ParameterError
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
    raise ParameterError(
        f"the {kernel_name} kernel of {n:,} rows needs {n_matrices} matrices of {n:,} x {n:,} "
        f"numbers, {n_matrices * itemsize * n * n / 2**30:.0f} GiB, and {limit / 2**30:.0f} GiB "
        f"may be used. Train on at most {fewer:,} rows,{halved} or take what needs no such "
        "matrix: a search with the linear kernel, or sklearn.svm.LinearSVC.",
        "kernel",
    )


def gram_bytes(expression: Expression, n: int, itemsize: int) -> int:
    """Return how much memory an expression's matrices take at most, one Gram at a time.

    Parameters
    ----------
    expression : Expression
        What is to be prepared.
    n : int
        Number of rows.
    itemsize : int
        Bytes of a number: 4 for float32 rows, otherwise 8.

    Examples
    --------
    >>> gram_bytes(Term("linear"), 1000, 8)
    8000000
    >>> gram_bytes(Sum((Term("linear"), Term("rbf"))), 1000, 8)
    32000000
    """
    if isinstance(expression, Term):
        several = expression.gamma == "auto" or isinstance(expression.gamma, tuple)
        matrices = 2 if several and "gamma" in expression.kernel.parameters else 1
    else:
        held, fresh = _count(expression, keep=False)
        matrices = held + fresh
    return matrices * n * n * itemsize


def _count(one: Expression, *, keep: bool) -> tuple[int, int]:
    """Count the matrices that are held between calls, and those that a call makes on the way."""
    if isinstance(one, Sum) and one.is_settled:
        return 1, 1
    if isinstance(one, Term):
        if not one.has_automatic_width:
            return 1, 0
        return (2, 0) if keep else (1, 1)
    learns = isinstance(one, Sum) and one.learns_y
    below = [_count(term, keep=keep or learns) for term in one.terms]
    fresh = 1 + max(own for _, own in below)
    # Learning weights looks at all summands at once, and at their sum.
    if learns:
        fresh = 2 + sum(own for _, own in below)
    return sum(held for held, _ in below), fresh
