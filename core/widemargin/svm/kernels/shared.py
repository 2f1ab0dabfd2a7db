"""What sparse rows share: work is done only for features that are in both of two rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from widemargin.svm.kernels.pairwise import same_type

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["same_form", "shared_sums"]

_SHARED = 0.1
"""Share of pairs of entries above which a sparse matrix is worth being made dense."""


def shared_sums(
    X: Any, Y: Any, term: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]
) -> NDArray[np.float64]:
    """Sum ``term(x, y)`` over the features that are in both rows, for all rows of X and Y.

    The work is that of a sparse product: pairs of entries of one column, column by column.

    Parameters
    ----------
    X, Y : CSR matrix of shape (n_X, n_features) and (n_Y, n_features)
        Rows.
    term : callable
        A function of two numbers, elementwise, that is 0 where either is.

    Returns
    -------
    ndarray of float64, shape (n_X, n_Y)

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_matrix
    >>> X = csr_matrix(np.array([[1.0, 0.0, 5.0], [0.0, 2.0, 3.0]]))
    >>> shared_sums(X, X, np.minimum)
    array([[6., 3.],
           [3., 5.]])
    """
    import numpy as np

    out = np.zeros((X.shape[0], Y.shape[0]))
    of_X, of_Y = X.tocsc().astype(np.float64), Y.tocsc().astype(np.float64)
    # A zero may be stored, and a term of two zeros may be none.
    of_X.eliminate_zeros()
    of_Y.eliminate_zeros()
    shared = (np.diff(of_X.indptr) > 0) & (np.diff(of_Y.indptr) > 0)
    for column in np.flatnonzero(shared):
        mine = slice(*of_X.indptr[column : column + 2])
        other = slice(*of_Y.indptr[column : column + 2])
        pairs = np.ix_(of_X.indices[mine], of_Y.indices[other])
        out[pairs] += term(of_X.data[mine][:, None], of_Y.data[other][None, :])
    return out


def same_form(X: Any, Y: Any) -> tuple[Any, Any, np.dtype[Any]]:
    """Return X and Y both dense or both CSR, of one type.

    Both stay CSR where that saves work. A matrix with entries in most places is made dense.

    Parameters
    ----------
    X, Y : ndarray or CSR matrix of shape (n_X, n_features) and (n_Y, n_features)
        Rows. One object stays one object.

    Returns
    -------
    X, Y : ndarray or CSR matrix
        The same rows.
    dtype : dtype
        Their type.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_matrix
    >>> X, Y, dtype = same_form(csr_matrix(np.eye(20)), np.eye(20, dtype=np.float32))
    >>> X.format, Y.format, dtype
    ('csr', 'csr', dtype('float64'))
    """
    import numpy as np

    same = X is Y
    X, Y, dtype = same_type(X, Y)
    if not hasattr(X, "tocsr") and not hasattr(Y, "tocsr"):
        return X, Y, dtype
    from scipy.sparse import csr_matrix

    X = X if hasattr(X, "tocsr") else csr_matrix(X)
    Y = X if same else Y if hasattr(Y, "tocsr") else csr_matrix(Y)
    of_X = np.bincount(X.indices, minlength=X.shape[1]).astype(np.float64)
    of_Y = np.bincount(Y.indices, minlength=Y.shape[1])
    if of_X @ of_Y > _SHARED * X.shape[0] * Y.shape[0] * X.shape[1]:
        X = X.toarray()
        Y = X if same else Y.toarray()
    return X, Y, dtype
