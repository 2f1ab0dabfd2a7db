r"""The linear kernel, :math:`k(x, y) = x^\top y`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel, KernelParameters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LINEAR", "products"]


def products(X: Any, Y: Any) -> NDArray[np.float64]:
    """Return the inner products of all rows of X and Y, dense, of shape (n_X, n_Y).

    Examples
    --------
    >>> import numpy as np
    >>> products(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    array([[11.]])
    """
    import numpy as np

    both = X @ Y.T
    if hasattr(both, "toarray"):
        both = both.toarray()
    return np.ascontiguousarray(both, dtype=np.float64)


def _gram(X: Any, Y: Any, parameters: KernelParameters) -> NDArray[np.float64]:
    return products(X, Y)


LINEAR = Kernel(name="linear", summary="x.y", gram=_gram)
