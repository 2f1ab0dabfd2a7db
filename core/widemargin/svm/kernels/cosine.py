r"""The cosine kernel, :math:`k(x, y) = x^\top y / (\lVert x \rVert \lVert y \rVert)`.

The linear kernel of rows scaled to unit length, the usual similarity of texts and of embeddings
(Salton, Wong & Yang 1975, doi:10.1145/361219.361220). A row of length 0 is similar to none: 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel
from widemargin.svm.kernels.pairwise import products, same_type, squared_lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COSINE", "cosines"]


def cosines(X: Any, Y: Any) -> NDArray[Any]:
    """Return the cosine of the angle between all rows of X and Y, of shape (n_X, n_Y).

    Parameters
    ----------
    X, Y : ndarray or CSR matrix of shape (n_X, n_features) and (n_Y, n_features)
        Rows.

    Returns
    -------
    ndarray of shape (n_X, n_Y)
        float32 where both are float32, else float64.

    Examples
    --------
    >>> import numpy as np
    >>> cosines(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([[3.0, 4.0]]))
    array([[0.6],
           [0. ]])
    """
    same = X is Y
    X, Y, _ = same_type(X, Y)
    X = _unit(X)
    return products(X, X if same else _unit(Y))


def _unit(X: Any) -> Any:
    import numpy as np

    lengths = np.sqrt(squared_lengths(X))
    lengths[lengths == 0] = 1
    if hasattr(X, "tocsr"):
        X = X.copy()
        X.data /= np.repeat(lengths, np.diff(X.indptr))
        return X
    out = np.empty(X.shape, dtype=X.dtype)
    return np.divide(X, lengths[:, None], out=out, casting="same_kind")


COSINE = Kernel(name="cosine", summary="x.y / (|x| |y|)", pairwise=cosines)
