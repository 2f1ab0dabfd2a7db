r"""What kernels are functions of: products and distances of all rows of X and Y.

X and Y are dense or CSR, in any combination; the answer is dense, of shape (n_X, n_Y). It is
float32 where both are float32, and float64 otherwise. Where X and Y are the same object, the
answer is symmetric to the last bit and distances of a row to itself are exactly 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "exponential",
    "in_blocks",
    "in_order",
    "products",
    "same_type",
    "squared_distances",
    "squared_lengths",
]

_BLOCK = 1 << 20
"""Numbers of one block of rows: few enough for a scratch copy, enough for a good GEMM."""


def products(X: Any, Y: Any) -> NDArray[Any]:
    """Return the inner products of all rows of X and Y.

    Parameters
    ----------
    X, Y : ndarray or CSR matrix of shape (n_X, n_features) and (n_Y, n_features)
        Rows; half of the products are computed where both are one object.

    Returns
    -------
    ndarray of shape (n_X, n_Y)

    Examples
    --------
    >>> import numpy as np
    >>> products(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    array([[11.]])
    """
    import numpy as np

    same = X is Y
    X, Y, dtype = same_type(X, Y)
    if _compiled(X, Y):
        from widemargin.native.products import pairwise

        found = pairwise(X, X if same else Y, distances=False)
        if found is not None:
            return found
    # Whoever searches refuses what is not finite, in words.
    with np.errstate(over="ignore", invalid="ignore"):
        if _is_sparse(X) and _is_sparse(Y):
            return in_blocks(X, Y, dtype, lambda own, other: (own @ other.T).toarray())
        # BLAS computes half of X X'.
        return np.ascontiguousarray(X @ Y.T)


def squared_distances(X: Any, Y: Any) -> NDArray[Any]:
    r"""Return :math:`\lVert x - y \rVert^2` for all rows of X and Y.

    Dense rows are centred first, in float64 whatever their own type: near-duplicates far from the
    origin would otherwise lose their distance to cancellation.

    Parameters
    ----------
    X, Y : ndarray or CSR matrix of shape (n_X, n_features) and (n_Y, n_features)
        Rows.

    Returns
    -------
    ndarray of shape (n_X, n_Y)

    Examples
    --------
    >>> import numpy as np
    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))
    array([[25.]])
    """
    import numpy as np

    same = X is Y
    X, Y, dtype = same_type(X, Y)
    if _compiled(X, Y):
        from widemargin.native.products import pairwise

        found = pairwise(X, X if same else Y, distances=True)
        if found is not None:
            return found
    with np.errstate(over="ignore", invalid="ignore"):
        # A regression machine whose targets all lie in the tube has no support vector at all.
        if not _is_sparse(X) and not _is_sparse(Y) and len(Y):
            centre = Y.mean(axis=0, dtype=np.float64)
            Y = _subtract(Y, centre)
            X = Y if same else _subtract(X, centre)
        distances = products(X, Y)
        of_X, of_Y = squared_lengths(X).astype(dtype), squared_lengths(Y).astype(dtype)
        for rows in _blocks(distances.shape):
            # Lengths are added to each other first, so that the answer is symmetric.
            lengths = of_X[rows, None] + of_Y[None, :]
            distances[rows] *= -2
            distances[rows] += lengths
    np.maximum(distances, 0, out=distances)
    if same:
        np.fill_diagonal(distances, 0)
    return distances


def squared_lengths(X: Any) -> NDArray[np.float64]:
    r"""Return :math:`\lVert x \rVert^2` of all rows, summed in float64.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    ndarray of float64, shape (n_samples,)

    Examples
    --------
    >>> import numpy as np
    >>> squared_lengths(np.array([[3.0, 4.0]]))
    array([25.])
    """
    import numpy as np

    if _is_sparse(X):
        X = _canonical(X).astype(np.float64)
        return np.asarray(X.multiply(X).sum(axis=1), dtype=np.float64).ravel()
    lengths: NDArray[np.float64] = np.einsum("ij,ij->i", X, X, dtype=np.float64)
    return lengths


def exponential(quantity: NDArray[Any], gamma: float, out: NDArray[Any]) -> NDArray[Any]:
    r"""Write :math:`\exp(-\gamma q)` to `out`, which may be `quantity`, and return it.

    Parameters
    ----------
    quantity : ndarray of float32 or float64
        q.
    gamma : float
        Inverse width.
    out : ndarray of the same shape and type
        Is overwritten.

    Returns
    -------
    ndarray
        `out`.

    Examples
    --------
    >>> import numpy as np
    >>> exponential(np.array([0.0, np.log(2.0)]), 1.0, np.empty(2))
    array([1. , 0.5])
    """
    import numpy as np

    if _is_compiled() and quantity.flags.c_contiguous and out.flags.c_contiguous:
        from widemargin.native.products import exponentials

        return exponentials(quantity, float(gamma), out)
    np.multiply(quantity, -float(gamma), out=out)
    np.exp(out, out=out)
    return out


def in_blocks(
    X: Any, Y: Any, dtype: Any, compute: Callable[[Any, Any], NDArray[Any]]
) -> NDArray[Any]:
    """Put ``compute(rows of X, rows of Y)`` together, with scratch memory for one block of rows.

    Parameters
    ----------
    X, Y : ndarray or CSR matrix
        Rows; where both are one object, only half is computed and the rest is mirrored.
    dtype : dtype
        Type of the result.
    compute : callable
        A symmetric function of rows, of shape (n_X, n_Y).

    Returns
    -------
    ndarray of shape (n_X, n_Y)

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0], [2.0]])
    >>> in_blocks(X, X, np.float64, lambda own, other: own + other.T)
    array([[2., 3.],
           [3., 4.]])
    """
    import numpy as np

    out = np.empty((X.shape[0], Y.shape[0]), dtype=dtype)
    for rows in _blocks(out.shape):
        if X is Y:
            out[rows, rows.start :] = compute(X[rows], X[rows.start :])
            out[rows.stop :, rows] = out[rows, rows.stop :].T
        else:
            out[rows] = compute(X[rows], Y)
    return out


def same_type(X: Any, Y: Any) -> tuple[Any, Any, np.dtype[Any]]:
    """Return X and Y as float32 where both are, else as float64; one object stays one object.

    CSR rows come back with sorted indices, each once.

    Parameters
    ----------
    X, Y : ndarray or CSR matrix
        Rows.

    Returns
    -------
    X, Y : ndarray or CSR matrix
        The same rows; never copied where they are in order.
    dtype : dtype
        Their type.

    Examples
    --------
    >>> import numpy as np
    >>> same_type(np.ones((1, 1), dtype=np.float32), np.ones((1, 1), dtype=np.int64))[2]
    dtype('float64')
    """
    import numpy as np

    same = X is Y
    X = X if _is_sparse(X) else np.asarray(X)
    Y = X if same else Y if _is_sparse(Y) else np.asarray(Y)
    dtype = np.dtype(np.float32 if X.dtype == Y.dtype == np.float32 else np.float64)
    X = _canonical(X).astype(dtype, copy=False)
    Y = X if same else _canonical(Y).astype(dtype, copy=False)
    return X, Y, dtype


def in_order(X: Any) -> Any:
    """Return CSR rows with sorted indices, each once; a copy where they are not.

    Examples
    --------
    >>> from scipy.sparse import csr_matrix
    >>> in_order(csr_matrix(([1.0, 2.0], [0, 0], [0, 2]))).data
    array([3.])
    """
    return _canonical(X.tocsr())


def _is_compiled() -> bool:
    from widemargin.native import library

    return library() is not None


def _compiled(X: Any, Y: Any) -> bool:
    """Say whether the compiled library takes these rows."""
    return not _is_sparse(X) and not _is_sparse(Y) and _is_compiled()


def _is_sparse(X: Any) -> bool:
    return hasattr(X, "tocsr")


def _canonical(X: Any) -> Any:
    if _is_sparse(X):
        X = X.tocsr()
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
    return X


def _subtract(X: NDArray[Any], centre: NDArray[np.float64]) -> NDArray[Any]:
    """Return ``X - centre``, subtracted in float64 and rounded to the type of X."""
    import numpy as np

    out = np.empty(X.shape, dtype=X.dtype)
    np.subtract(X, centre, out=out, casting="same_kind")
    return out


def _blocks(shape: tuple[int, ...]) -> list[slice]:
    """Cut the rows of a matrix into blocks of about `_BLOCK` numbers."""
    n_rows, n_columns = shape
    size = max(1, _BLOCK // max(1, n_columns))
    return [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]
