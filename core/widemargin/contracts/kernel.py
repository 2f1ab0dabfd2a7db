"""Kernels: similarity of two rows of features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Kernel", "KernelParameters"]


@dataclass(frozen=True, kw_only=True)
class KernelParameters:
    """The numbers that a kernel may depend on, under scikit-learn's names.

    Parameters
    ----------
    gamma : float
        Inverse width of rbf, laplacian and chi2; slope of poly and sigmoid.
    degree : int
        Degree of poly.
    coef0 : float
        Constant term of poly and sigmoid.
    """

    gamma: float = 1.0
    degree: int = 3
    coef0: float = 0.0


def _as_it_is(
    quantity: NDArray[Any], parameters: KernelParameters, out: NDArray[Any]
) -> NDArray[Any]:
    """Write the quantity itself to `out`."""
    if out is not quantity:
        out[...] = quantity
    return out


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A positive semi-definite similarity of two rows, in two steps.

    Most kernels are a function of one quantity of two rows, such as their product or distance,
    which does not depend on the kernel's parameters. A search computes the quantity once and every
    gamma from it.

    Parameters
    ----------
    name : str
        What ``svm.kernel`` calls it.
    summary : str
        The formula in one line.
    pairwise : callable
        ``pairwise(X, Y) -> ndarray of shape (n_X, n_Y)``; X and Y are dense or CSR. float32 rows
        give float32, all others float64.
    value : callable, optional
        ``value(quantity, parameters, out) -> out`` writes kernel values to `out`, which may be
        `quantity` itself. By default the quantity is the value.
    parameters : tuple of str
        Which of gamma, degree and coef0 `value` depends on.
    is_bounded : bool
        Whether no value is beyond -1 and 1, whatever the rows; others are looked over for infinite
        values.

    Examples
    --------
    >>> import numpy as np
    >>> squares = Kernel(name="squares", summary="x y, squared", pairwise=lambda X, Y: X @ Y.T,
    ...                  value=lambda quantity, _, out: np.square(quantity, out=out))
    >>> squares.gram(np.array([[1.0, 2.0]]), np.array([[3.0, 0.0]]), KernelParameters())
    array([[9.]])
    """

    name: str
    summary: str
    pairwise: Callable[[Any, Any], NDArray[Any]]
    value: Callable[[NDArray[Any], KernelParameters, NDArray[Any]], NDArray[Any]] = _as_it_is
    parameters: tuple[Literal["gamma", "degree", "coef0"], ...] = ()
    is_bounded: bool = False

    def gram(self, X: Any, Y: Any, parameters: KernelParameters) -> NDArray[Any]:
        """Return the kernel values of all rows of X and Y, of shape (n_X, n_Y)."""
        quantity = self.pairwise(X, Y)
        return self.value(quantity, parameters, quantity)
