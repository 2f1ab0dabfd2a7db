r"""The exponential chi-squared kernel.

.. math:: k(x, y) = \exp\Bigl(-\gamma \sum_i \frac{(x_i - y_i)^2}{x_i + y_i}\Bigr)

For histograms and other rows that are nowhere negative; 0 / 0 counts as 0 (Zhang, Marszalek,
Lazebnik & Schmid 2007, doi:10.1007/s11263-006-9794-4). Sparse rows use
:math:`(x - y)^2 / (x + y) = x + y - 4 x y / (x + y)`, so that only features of both rows cost
anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel, KernelParameters
from widemargin.svm.kernels.pairwise import exponential, in_blocks
from widemargin.svm.kernels.shared import same_form, shared_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CHI2", "chi_squared_distances"]

_CACHED = 1 << 15
"""Numbers that a pass over two dense blocks of rows holds at once."""


def chi_squared_distances(X: Any, Y: Any) -> NDArray[Any]:
    r"""Return :math:`\sum_i (x_i - y_i)^2 / (x_i + y_i)` for all rows of X and Y.

    Parameters
    ----------
    X, Y : ndarray or CSR matrix of shape (n_X, n_features) and (n_Y, n_features)
        Rows without negative values.

    Returns
    -------
    ndarray of shape (n_X, n_Y)
        float32 where both are float32, else float64.

    Raises
    ------
    ValueError
        Where a value is negative.

    Examples
    --------
    >>> import numpy as np
    >>> chi_squared_distances(np.array([[1.0, 0.0]]), np.array([[3.0, 0.0]]))
    array([[1.]])
    """
    import numpy as np

    same = X is Y
    X, Y, dtype = same_form(X, Y)
    _check_not_negative(X, "X")
    if not same:
        _check_not_negative(Y, "Y")
    if isinstance(X, np.ndarray):
        return in_blocks(X, Y, dtype, _dense)
    distances = shared_sums(X, Y, lambda x, y: x * y / (x + y))
    distances *= -4
    distances += _lengths(X)[:, None] + _lengths(Y)[None, :]
    np.maximum(distances, 0, out=distances)
    if same:
        np.fill_diagonal(distances, 0)
    return distances.astype(dtype, copy=False)


def _dense(X: NDArray[Any], Y: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    out = np.empty((len(X), len(Y)), dtype=X.dtype)
    size = max(1, _CACHED // max(1, X.shape[1]))
    for start in range(0, len(Y), size):
        part = Y[start : start + size]
        for row, x in enumerate(X):
            total = part + x
            # Where both are 0 the difference is 0 too, whatever it is divided by.
            total[total == 0] = 1
            difference = part - x
            difference *= difference
            difference /= total
            difference.sum(axis=1, out=out[row, start : start + size])
    return out


def _check_not_negative(X: Any, name: str) -> None:
    values = X if not hasattr(X, "tocsr") else X.data
    if values.size and values.min() < 0:
        raise ValueError(
            f"{name} contains negative values. The chi2 kernel compares counts and shares, which "
            "are at least 0: scale each feature to a range such as 0 to 1, or choose another "
            "kernel, such as laplacian."
        )


def _lengths(X: Any) -> NDArray[Any]:
    import numpy as np

    return np.asarray(X.sum(axis=1, dtype=np.float64)).ravel()


def _value(quantity: NDArray[Any], parameters: KernelParameters, out: NDArray[Any]) -> NDArray[Any]:
    return exponential(quantity, parameters.gamma, out)


CHI2 = Kernel(
    name="chi2",
    summary="exp(-gamma sum (x - y)^2 / (x + y)), for rows without negative values",
    pairwise=chi_squared_distances,
    value=_value,
    parameters=("gamma",),
    is_bounded=True,
)
