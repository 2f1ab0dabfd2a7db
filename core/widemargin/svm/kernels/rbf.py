r"""The radial basis function kernel, :math:`k(x, y) = \exp(-\gamma \lVert x - y \rVert^2)`.

Universal on compact sets (Steinwart 2001, "On the influence of the kernel on the consistency of
support vector machines", JMLR 2:67-93).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel, KernelParameters
from widemargin.svm.kernels.linear import products

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RBF", "squared_distances"]


def squared_distances(X: Any, Y: Any) -> NDArray[np.float64]:
    r"""Return :math:`\lVert x - y \rVert^2` for all rows of X and Y, of shape (n_X, n_Y).

    Dense rows are centred first: near-duplicates far from the origin would otherwise lose their
    distance to cancellation.

    Examples
    --------
    >>> import numpy as np
    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))
    array([[25.]])
    """
    import numpy as np

    # A regression machine whose targets all lie in the tube has no support vector at all.
    if not hasattr(X, "tocsr") and not hasattr(Y, "tocsr") and len(Y):
        centre = Y.mean(axis=0)
        # One array for both where they are one, so that BLAS computes only half of the products.
        X, Y = (Y - centre,) * 2 if X is Y else (X - centre, Y - centre)
    distances = products(X, Y)
    distances *= -2
    distances += _squared_lengths(X)[:, None]
    distances += _squared_lengths(Y)[None, :]
    np.maximum(distances, 0, out=distances)
    return distances


def _squared_lengths(X: Any) -> NDArray[np.float64]:
    import numpy as np

    if hasattr(X, "tocsr"):
        return np.asarray(X.multiply(X).sum(axis=1), dtype=np.float64).ravel()
    lengths: NDArray[np.float64] = np.einsum("ij,ij->i", X, X)
    return lengths


def _gram(X: Any, Y: Any, parameters: KernelParameters) -> NDArray[np.float64]:
    import numpy as np

    distances = squared_distances(X, Y)
    distances *= -parameters.gamma
    return np.exp(distances, out=distances)


RBF = Kernel(name="rbf", summary="exp(-gamma |x - y|^2)", gram=_gram, parameters=("gamma",))
