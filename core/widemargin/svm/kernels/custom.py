"""Kernels from any function k(X, Y), and of rows that are kernel values themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PRECOMPUTED", "from_callable"]


def from_callable(function: Callable[[Any, Any], Any]) -> Kernel:
    """Return the kernel that a function computes.

    Parameters
    ----------
    function : callable
        ``function(X, Y)`` returns numbers of shape (n_X, n_Y).

    Returns
    -------
    Kernel
        Its name is ``callable``. It raises ValueError where the function returns another shape,
        or what is no finite number.

    Examples
    --------
    >>> import numpy as np
    >>> from widemargin.contracts import KernelParameters
    >>> kernel = from_callable(lambda X, Y: X @ Y.T + 1)
    >>> kernel.gram(np.array([[2.0]]), np.array([[3.0]]), KernelParameters())
    array([[7.]])
    """
    return Kernel(
        name="callable", summary="a function of the caller's own", pairwise=_Checked(function)
    )


@dataclass(frozen=True)
class _Checked:
    """A function of the caller's own, whose answers are looked at."""

    function: Callable[[Any, Any], Any]

    def __call__(self, X: Any, Y: Any) -> NDArray[Any]:
        import numpy as np

        returned = self.function(X, Y)
        if hasattr(returned, "toarray"):
            returned = returned.toarray()
        values = np.asarray(returned)
        if values.dtype.kind not in "fiub":
            raise ValueError(
                f"The kernel function returned values of type {values.dtype}; it must return "
                "real numbers."
            )
        wanted = (X.shape[0], Y.shape[0])
        if values.shape != wanted:
            raise ValueError(
                f"The kernel function returned an array of shape {values.shape} for {wanted[0]} "
                f"rows of X and {wanted[1]} rows of Y; it must return one of shape {wanted}."
            )
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise ValueError(
                f"The kernel function returned {values[row, column]} for row {row} of X and row "
                f"{column} of Y; it must return finite numbers."
            )
        both_narrow = X.dtype == Y.dtype == np.float32
        # A copy: kernel values are computed in place, and this array may be the function's own.
        return np.array(values, dtype=np.float32 if both_narrow else np.float64, order="C")


def _themselves(X: Any, Y: Any) -> NDArray[Any]:
    """Return the rows of X: a search compares all of them with each other, and nothing else."""
    values: NDArray[Any] = X
    return values


PRECOMPUTED = Kernel(
    name="precomputed", summary="a Gram matrix in place of rows", pairwise=_themselves
)
