"""Rows as estimators take them: values that arithmetic can bear, and blocks of their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import assert_all_finite

from widemargin.errors import nearest
from widemargin.svm.kernels.pairwise import squared_lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Blocks", "check_magnitude", "check_targets", "slices_of"]

Blocks = Mapping[str, slice | Sequence[int] | Sequence[str]]


def check_magnitude(X: Any, name: str, *, is_squared: bool) -> None:
    """Refuse rows that are not finite, or whose squared distances would not be.

    One pass over the rows tells in nearly all cases.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Rows.
    name : str
        The estimator's, for scikit-learn's messages.
    is_squared : bool
        Whether kernels will square the values, and solvers the squares.

    Raises
    ------
    ValueError
        Where a value is not finite, or too large.

    Examples
    --------
    >>> check_magnitude(np.array([[1e10]]), "SVC", is_squared=True)
    >>> check_magnitude(np.array([[1e200]]), "SVC", is_squared=True)
    Traceback (most recent call last):
    ValueError: Input X contains values up to 1e+200, too large for the arithmetic of kernels in ...
    """
    values = X.data if hasattr(X, "tocsr") else X.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(values @ values)
    limit = _limit(values.dtype)
    if total <= limit:
        return
    assert_all_finite(X, estimator_name=name, input_name="X")
    if not is_squared:
        return
    with np.errstate(over="ignore"):
        longest = float(squared_lengths(X).max())
    if longest > limit:
        raise ValueError(
            f"Input X contains values up to {float(np.abs(values).max()):.3g}, too large for the "
            f"arithmetic of kernels in {values.dtype}. Scale the features first, as with "
            "sklearn.preprocessing.MaxAbsScaler."
        )


def check_targets(y: NDArray[np.float64]) -> None:
    """Refuse targets whose squares overflow.

    Raises
    ------
    ValueError
        Where there are any.

    Examples
    --------
    >>> check_targets(np.array([1e6]))
    """
    largest = float(np.abs(y).max())
    if largest > np.sqrt(_limit(y.dtype)):
        raise ValueError(
            f"Input y contains values up to {largest:.3g}, too large for the arithmetic of solvers "
            f"in {y.dtype}. Scale the target first, as with "
            "sklearn.compose.TransformedTargetRegressor."
        )


def _limit(dtype: Any) -> float:
    """Return the largest squared length: of float64 rows, solvers square its multiples again."""
    most = float(np.finfo(dtype).max)
    return most / 8 if dtype == np.float32 else float(np.sqrt(most) / 8)


def slices_of(blocks: Blocks | None, X: Any, names: Sequence[str] | None) -> dict[str, slice]:
    """Return blocks as slices of the columns of X.

    Parameters
    ----------
    blocks : dict of str to slice or columns, optional
        Columns by number, or by name where X is a DataFrame.
    X : ndarray or CSR of shape (n_samples, n_features)
        Rows.
    names : sequence of str, optional
        Names of the columns.

    Raises
    ------
    ValueError
        Where a block is not made of neighbouring columns that X has.

    Examples
    --------
    >>> X = np.zeros((2, 3))
    >>> slices_of({"a": slice(0, 2), "b": ["z"]}, X, ["x", "y", "z"])
    {'a': slice(0, 2, None), 'b': slice(2, 3, None)}
    """
    if blocks is None:
        return {}
    return {block: _slice_of(block, given, X.shape[1], names) for block, given in blocks.items()}


def _slice_of(block: str, given: Any, n_features: int, names: Sequence[str] | None) -> slice:
    def refuse() -> ValueError:
        return ValueError(
            f"The block {block!r} must be neighbouring columns of the {n_features} that X has: a "
            "slice, a range or a list of numbers, or a list of names where X is a DataFrame. "
            f"Got {given!r} instead."
        )

    if isinstance(given, slice):
        if not all(end is None or isinstance(end, int | np.integer) for end in _ends(given)):
            raise refuse()
        start, stop, step = given.indices(n_features)
        beyond = given.stop is not None and given.stop > n_features
        if step != 1 or beyond or not start < stop:
            raise refuse()
        return slice(start, stop)
    columns = np.asarray(given if hasattr(given, "__len__") and not isinstance(given, str) else [])
    if columns.ndim == 1 and columns.dtype.kind in "UOT" and len(columns):
        columns = np.array([_place(block, name, names) for name in columns.tolist()])
    if columns.ndim != 1 or columns.dtype.kind not in "iu" or not len(columns):
        raise refuse()
    start, stop = int(columns[0]), int(columns[-1]) + 1
    if not 0 <= start < stop <= n_features or not np.array_equal(columns, np.arange(start, stop)):
        raise refuse()
    return slice(start, stop)


def _ends(given: slice) -> tuple[Any, Any, Any]:
    return given.start, given.stop, given.step


def _place(block: str, name: Any, names: Sequence[str] | None) -> int:
    """Return the number of a named column."""
    if names is None:
        raise ValueError(
            f"The block {block!r} names the column {name!r}, and the columns of X have no names. "
            "Give their numbers or a slice, or a DataFrame whose columns are all named by strings."
        )
    known = list(names)
    if name not in known:
        raise ValueError(
            f"The block {block!r} names the column {name!r}, which X has not."
            f"{nearest(str(name), known)}"
        )
    return known.index(name)
