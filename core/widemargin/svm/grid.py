"""Grids: which values of C and gamma a search tries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.contracts import Kernel

__all__ = ["WIDTHS", "c_grid", "gamma_grid", "middle_gamma"]

WIDTHS = ("rbf", "laplacian", "chi2")
"""The kernels of a distance, whose gamma is the inverse of a width."""

_LINEAR_STEPS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
_KERNEL_STEPS = (0.1, 1.0, 10.0, 100.0, 1000.0)
_GAMMA_STEPS = (1 / 16, 1 / 4, 1.0, 4.0)


def c_grid(
    given: Literal["auto"] | float | tuple[float, ...],
    kernel: Kernel | None,
    X: Any,
    n_classes: int = 2,
) -> tuple[float, ...]:
    """Return the values of C to try, in increasing order.

    ``auto`` is a geometric path around the power of ten nearest to the inverse mean squared
    length of the rows: a linear machine of twice as long rows needs a quarter of the C. The other
    kernels have values of the order of 1.

    Parameters
    ----------
    given : "auto", float or tuple of float
        What the config says.
    kernel : Kernel or None
        The kernel; None for a sum or product of kernels.
    X : ndarray or CSR of shape (n_samples, n_features)
        Training rows.
    n_classes : int, default=2
        Number of classes; 0 for regression, whose path ends sooner: its target has unit variance,
        and a C of 1,000 costs much time to fit noise.

    Examples
    --------
    >>> from widemargin.svm.kernels import LINEAR
    >>> c_grid("auto", LINEAR, np.ones((3, 100)))
    (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
    """
    if given != "auto":
        return tuple(sorted(given)) if isinstance(given, tuple) else (float(given),)
    if kernel is None or kernel.name != "linear":
        return _KERNEL_STEPS if n_classes else _KERNEL_STEPS[:-1]
    size = float(X.multiply(X).sum() if hasattr(X, "tocsr") else (X * X).sum()) / X.shape[0]
    scale = 10.0 ** round(-np.log10(size)) if size > 0 else 1.0
    return tuple(float(f"{scale * step:.3g}") for step in _LINEAR_STEPS)


def gamma_grid(
    given: Literal["auto"] | float | tuple[float, ...],
    kernel: Kernel,
    X: Any,
    random_state: int,
) -> tuple[float | None, ...]:
    """Return the values of gamma to try, in increasing order; (None,) where it has no meaning.

    ``auto`` for rbf, laplacian and chi2 is a path around `middle_gamma`; for the others,
    `middle_gamma` alone.

    Examples
    --------
    >>> from widemargin.svm.kernels import LINEAR, RBF
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> gamma_grid("auto", LINEAR, X, 0), gamma_grid("auto", RBF, X, 0)
    ((None,), (0.0625, 0.25, 1.0, 4.0))
    """
    if "gamma" not in kernel.parameters:
        return (None,)
    if given != "auto":
        return tuple(sorted(given)) if isinstance(given, tuple) else (float(given),)
    middle = middle_gamma(kernel, X, random_state)
    return tuple(middle * step for step in _GAMMA_STEPS) if kernel.name in WIDTHS else (middle,)


def middle_gamma(kernel: Kernel, X: Any, random_state: int) -> float:
    """Return the gamma that rows suggest.

    For rbf, laplacian and chi2 it is the inverse median distance of the rows (of at most 1,000 of
    them), each kernel's own distance, rounded to a power of two; for the others, scikit-learn's
    ``scale``.

    Examples
    --------
    >>> from widemargin.svm.kernels import RBF
    >>> middle_gamma(RBF, np.array([[0.0], [2.0]]), 0)
    0.25
    """
    if kernel.name in WIDTHS:
        return float(2.0 ** round(-np.log2(_median_distance(kernel, X, random_state))))
    if 0 in X.shape:
        return 1.0
    size = float(X.multiply(X).mean() - X.mean() ** 2 if hasattr(X, "tocsr") else X.var())
    return float(f"{1 / (X.shape[1] * size):.3g}") if size > 0 else 1.0


def _median_distance(kernel: Kernel, X: Any, random_state: int) -> float:
    n = X.shape[0]
    if n > 1000:
        X = X[np.sort(np.random.default_rng(random_state).choice(n, 1000, replace=False))]
    distances: NDArray[Any] = kernel.pairwise(X, X)
    between = distances[np.triu_indices(len(distances), k=1)]
    between = between[between > 0]
    return float(np.median(between)) if len(between) else 1.0
