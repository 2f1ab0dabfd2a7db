r"""The Laplacian kernel, :math:`k(x, y) = \exp(-\gamma \lVert x - y \rVert_1)`.

Heavier tails than rbf, for histograms and other features with outliers (Chapelle, Haffner & Vapnik
1999, "Support vector machines for histogram-based image classification", doi:10.1109/72.788646).
Sparse rows use :math:`|x - y| = |x| + |y| - 2 \min(|x|, |y|)` where x and y are of one sign, and
:math:`|x| + |y|` where they are not, so that only features of both rows cost anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel, KernelParameters
from widemargin.svm.kernels.pairwise import exponential, in_blocks
from widemargin.svm.kernels.shared import same_form, shared_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LAPLACIAN", "absolute_distances"]


def absolute_distances(X: Any, Y: Any) -> NDArray[Any]:
    r"""Return :math:`\lVert x - y \rVert_1` for all rows of X and Y, of shape (n_X, n_Y).

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
    >>> absolute_distances(np.array([[0.0, 0.0]]), np.array([[3.0, -4.0]]))
    array([[7.]])
    """
    import numpy as np

    same = X is Y
    X, Y, dtype = same_form(X, Y)
    if isinstance(X, np.ndarray):
        from scipy.spatial.distance import cdist

        # cdist is exact to float64; it would copy both of a narrower type for every block.
        X = X.astype(np.float64, copy=False)
        Y = X if same else Y.astype(np.float64, copy=False)
        return in_blocks(X, Y, dtype, lambda own, other: cdist(own, other, "cityblock"))
    distances = shared_sums(X, Y, _overlap)
    distances *= -2
    distances += _lengths(X)[:, None] + _lengths(Y)[None, :]
    np.maximum(distances, 0, out=distances)
    if same:
        np.fill_diagonal(distances, 0)
    return distances.astype(dtype, copy=False)


def _overlap(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    return np.where((x > 0) == (y > 0), np.minimum(np.abs(x), np.abs(y)), 0)


def _lengths(X: Any) -> NDArray[Any]:
    import numpy as np

    return np.asarray(abs(X).sum(axis=1, dtype=np.float64)).ravel()


def _value(quantity: NDArray[Any], parameters: KernelParameters, out: NDArray[Any]) -> NDArray[Any]:
    return exponential(quantity, parameters.gamma, out)


LAPLACIAN = Kernel(
    name="laplacian",
    summary="exp(-gamma |x - y|_1)",
    pairwise=absolute_distances,
    value=_value,
    parameters=("gamma",),
    is_bounded=True,
)
