"""Grids: which values of C and gamma a search tries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.contracts import Kernel

__all__ = [
    "WIDTHS",
    "beyond",
    "c_beyond",
    "c_grid",
    "gamma_grid",
    "middle_gamma",
    "scale_gamma",
]

WIDTHS = ("rbf", "laplacian", "chi2")
"""The kernels of a distance, whose gamma is the inverse of a width."""

_LINEAR_STEPS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
_KERNEL_STEPS = (0.1, 1.0, 10.0, 100.0, 1000.0)
# How many decades a path may go on for, while that helps.
_LINEAR_DECADES = 4
_KERNEL_DECADES = 2
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
    kernels have values of the order of 1. `c_beyond` is what follows where the end is the best.

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


def c_beyond(values: tuple[float, ...], kernel: Kernel | None) -> tuple[tuple[float, ...], ...]:
    """Return what follows on an automatic path, decade by decade, while that helps.

    The path of a linear machine is laid by the length of rows, which one feature on a large scale
    may make up alone; the others' weights are found at a far larger C.

    Examples
    --------
    >>> from widemargin.svm.kernels import LINEAR, RBF
    >>> c_beyond((1.0, 3.0), LINEAR)
    ((10.0, 30.0), (100.0, 300.0), (1000.0, 3000.0), (10000.0, 30000.0))
    >>> c_beyond((100.0, 1000.0), RBF)
    ((10000.0,), (100000.0,))
    """
    linear = kernel is not None and kernel.name == "linear"
    last = values[-2:] if linear else values[-1:]
    decades = range(1, 1 + (_LINEAR_DECADES if linear else _KERNEL_DECADES))
    return tuple(
        tuple(float(f"{value * 10.0**decade:.3g}") for value in last) for decade in decades
    )


def beyond(chosen: float, tried: Iterable[float]) -> tuple[float, ...]:
    """Return values to try where the least or the greatest one was chosen; otherwise none.

    Examples
    --------
    >>> beyond(4.0, (1.0, 2.0, 4.0)), beyond(1.0, (1.0, 10.0)), beyond(2.0, (1.0, 2.0, 4.0))
    ((2.0, 4.0, 8.0, 16.0), (10.0, 1.0, 0.1, 0.01), ())
    """
    values = sorted(set(tried))
    if len(values) < 2 or chosen not in (values[0], values[-1]):
        return ()
    inner = values[1] if chosen == values[0] else values[-2]
    if min(inner, chosen) <= 0:  # a gamma of 0 lies on no geometric path
        return ()
    step = chosen / inner
    return inner, chosen, *(float(f"{chosen * step**power:.9g}") for power in (1, 2))


def gamma_grid(
    given: Literal["auto", "scale"] | float | tuple[float, ...],
    kernel: Kernel,
    X: Any,
    random_state: int,
) -> tuple[float | None, ...]:
    """Return the values of gamma to try, in increasing order; (None,) where it has no meaning.

    ``auto`` for rbf, laplacian and chi2 is a path around `middle_gamma`; for the others,
    `middle_gamma` alone. ``scale`` is `scale_gamma`.

    Examples
    --------
    >>> from widemargin.svm.kernels import LINEAR, RBF
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> gamma_grid("auto", LINEAR, X, 0), gamma_grid("auto", RBF, X, 0)
    ((None,), (0.0625, 0.25, 1.0, 4.0))
    """
    if "gamma" not in kernel.parameters:
        return (None,)
    if given == "scale":
        return (scale_gamma(X),)
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
    return float(f"{scale_gamma(X):.3g}")


def scale_gamma(X: Any, sample_weight: NDArray[np.float64] | None = None) -> float:
    """Return scikit-learn's ``scale``: the inverse of the number of features times their variance.

    Unlike scikit-learn's, a row of weight 2 counts as two rows, and one of weight 0 as none.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Rows; dense and sparse ones give the same.
    sample_weight : ndarray of shape (n_samples,), optional
        Weight of each row.

    Examples
    --------
    >>> scale_gamma(np.array([[0.0, 4.0], [4.0, 0.0]]))
    0.125
    """
    if sample_weight is None and not hasattr(X, "tocsr"):
        variance = float(X.var(dtype=np.float64))
    else:
        by_row = (
            np.ones(X.shape[0]) if sample_weight is None else sample_weight / sample_weight.max()
        )
        size = float(by_row.sum()) * X.shape[1]
        if hasattr(X, "tocsr"):
            loads = np.repeat(by_row, np.diff(X.indptr))
            mean = float(loads @ X.data) / size
            # Entries that are not stored are 0.
            absent = (size - float(loads.sum())) * mean**2
            variance = (float(loads @ (X.data - mean) ** 2) + absent) / size
        else:
            mean = float((by_row @ X).sum()) / size
            variance = float((by_row @ (X - mean) ** 2).sum()) / size
    return 1 / (X.shape[1] * variance) if variance > 0 else 1.0


def _median_distance(kernel: Kernel, X: Any, random_state: int) -> float:
    n = X.shape[0]
    if n > 1000:
        X = X[np.sort(np.random.default_rng(random_state).choice(n, 1000, replace=False))]
    distances: NDArray[Any] = kernel.pairwise(X, X)
    between = distances[np.triu_indices(len(distances), k=1)]
    between = between[between > 0]
    return float(np.median(between)) if len(between) else 1.0
