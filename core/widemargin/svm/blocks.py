"""Blocks of features: their columns, and their kernels' values, normalised and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.errors import ParameterError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.contracts import Kernel

__all__ = [
    "UNIT",
    "Blocks",
    "NegativeRowsError",
    "check_values",
    "columns_of",
    "inverse_lengths",
    "normalise",
    "take_block",
]

Blocks = Mapping[str, slice]
"""The columns of each block of the features, by its name."""

UNIT = ("rbf", "laplacian", "chi2", "cosine")
"""The kernels in whose space every row has length 1, but for the rows without any value."""

# A block of a CSR matrix that is fuller than this is multiplied faster dense.
_DENSE = 0.3
_CHUNK = 256


class NegativeRowsError(ParameterError):
    """Features of `block`, or of all where it is None, are negative; the kernel needs counts."""


def columns_of(block: str | None, blocks: Blocks | None) -> tuple[int, int] | None:
    """Return a block's first column and the one behind its last; None for all columns.

    Raises
    ------
    ParameterError
        Where there is no such block.

    Examples
    --------
    >>> columns_of("words", {"words": slice(0, 7)})
    (0, 7)
    """
    if block is None:
        return None
    if not blocks:
        raise ParameterError(
            f"{block!r} is no block of the features, which are one block without a name. Name "
            "blocks of the features, or take a kernel of all of them.",
            "blocks",
        )
    if block not in blocks:
        raise ParameterError(
            f"{block!r} is no block of the features; they are {', '.join(blocks)}."
            f"{nearest(block, blocks)}",
            "blocks",
        )
    columns = blocks[block]
    return int(columns.start), int(columns.stop)


def take_block(
    X: Any,
    columns: Sequence[int] | None,
    dense: bool | None,
    kernel: Kernel,
    block: str | None,
) -> Any:
    """Return a block's columns: CSR, or dense where the rows or the block are.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Rows.
    columns : sequence of two int, or None
        First column and the one behind the last; None for all.
    dense : bool or None
        Whether a block of CSR rows is made dense; None where its fill is to decide.
    kernel, block : Kernel and str or None
        For messages.

    Raises
    ------
    NegativeRowsError
        Where values are negative that chi2 needs to be counts.
    """
    if columns is not None and (columns[0] > 0 or columns[1] < X.shape[1]):
        X = X[:, columns[0] : columns[1]]
        if not hasattr(X, "tocsr"):
            X = np.ascontiguousarray(X)
    if hasattr(X, "tocsr"):
        if dense is None:
            dense = X.nnz > _DENSE * X.shape[0] * X.shape[1]
        if dense:
            X = X.toarray()
    if kernel.name == "chi2" and X.shape[0] and X.shape[1] and X.min() < 0:
        where = f"block {block!r} has" if block else "the features have"
        raise NegativeRowsError(
            f"the chi2 kernel compares counts and shares, at least 0, and {where} "
            f"{X.min():.4g}. Choose another kernel, as rbf.",
            "kernel",
            block,
        )
    return X


def inverse_lengths(squares: NDArray[Any]) -> NDArray[Any]:
    r"""Return :math:`1 / \sqrt{k(x, x)}`, and 0 for rows of no length.

    Examples
    --------
    >>> inverse_lengths(np.array([4.0, 0.0]))
    array([0.5, 0. ])
    """
    lengths = np.sqrt(np.maximum(squares, 0))
    scale: NDArray[Any] = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return scale


def normalise(gram: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any]) -> None:
    """Multiply a Gram matrix by a scale for each row and each column, in place.

    A symmetric matrix stays so to the last bit.
    """
    for start in range(0, len(gram), _CHUNK):
        own = slice(start, start + _CHUNK)
        gram[own] *= np.multiply.outer(rows[own], columns)


def check_values(gram: NDArray[Any], kernel: Kernel, block: str | None) -> None:
    """Refuse kernel values that are not finite.

    Raises
    ------
    ParameterError
        Where there are any; it says which parameter to lower.
    """
    if kernel.is_bounded:
        return
    # One pass tells in nearly all cases; a sum may overflow where no value does.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(gram.sum()) or np.isfinite(gram).all():
            return
    of = f"block {block!r}" if block else "these rows"
    *others, last = kernel.parameters or ("",)
    names = f"{', '.join(others)} or {last}" if others else last
    todo = f"choose a smaller {names}" if last else "scale the features first"
    raise ParameterError(
        f"the {kernel.name} kernel of {of} is too large for a number; {todo}.",
        kernel.parameters[0] if last else "kernel",
        block,
    )
