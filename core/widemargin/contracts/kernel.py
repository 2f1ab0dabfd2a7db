"""Kernels: similarity of two rows of features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Kernel", "KernelParameters"]


@dataclass(frozen=True, kw_only=True)
class KernelParameters:
    """The numbers that a kernel may depend on, under scikit-learn's names.

    Parameters
    ----------
    gamma : float
        Inverse width of rbf; slope of poly and sigmoid.
    degree : int
        Degree of poly.
    coef0 : float
        Constant term of poly and sigmoid.
    """

    gamma: float = 1.0
    degree: int = 3
    coef0: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A positive semi-definite similarity of two rows.

    Parameters
    ----------
    name : str
        What ``svm.kernel`` calls it.
    summary : str
        The formula in one line.
    gram : callable
        ``gram(X, Y, parameters) -> ndarray of shape (n_X, n_Y)``; X and Y are dense or CSR.
    parameters : tuple of str
        Which of gamma, degree and coef0 it depends on.
    """

    name: str
    summary: str
    gram: Callable[[Any, Any, KernelParameters], NDArray[np.float64]]
    parameters: tuple[Literal["gamma", "degree", "coef0"], ...] = ()
