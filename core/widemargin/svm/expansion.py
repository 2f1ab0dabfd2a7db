"""Kernel expansions: support vectors and their multipliers into functions of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.native import library
from widemargin.svm.fitted import FittedKernel, FittedTerm

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["expand"]

# Kernel values are made for so many numbers at a time.
_BLOCK = 1 << 22

# Beyond this, a power of a new row's numbers may be too large for float32 when it is multiplied by
# those of the support vectors.
_FAR = 1e18
_LEAST_POWER = 2


def expand(
    kernel: FittedKernel, X: Any, vectors: Any, dual_coef: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the functions of rows without their constant terms, in bounded memory.

    Parameters
    ----------
    kernel : FittedKernel
        The machine's kernel.
    X : ndarray or CSR of shape (n_samples, n_features)
        Rows.
    vectors : ndarray or CSR of shape (n_support, n_features)
        Support vectors.
    dual_coef : ndarray of shape (n_functions, n_support)
        Their signed multipliers.

    Returns
    -------
    ndarray of shape (n_samples, n_functions)
    """
    if X.dtype != vectors.dtype and vectors.dtype == np.float32 and _is_far(X, kernel):
        vectors = vectors.astype(X.dtype)
    elif X.dtype != vectors.dtype:
        X = X.astype(vectors.dtype)
    if (
        isinstance(kernel, FittedTerm)
        and kernel.kernel.name == "rbf"
        and not kernel.normalised
        and isinstance(X, np.ndarray)
        and isinstance(vectors, np.ndarray)
        and X.dtype in (np.float32, np.float64)
        and library() is not None
    ):
        from widemargin.native.products import rbf_decisions

        found = rbf_decisions(
            kernel.take(X), kernel.take(vectors), dual_coef, kernel.parameters.gamma
        )
        if found is not None:
            return found
    rows = max(1, _BLOCK // max(1, vectors.shape[0]))
    functions = np.empty((X.shape[0], len(dual_coef)))
    for start in range(0, X.shape[0], rows):
        own = slice(start, start + rows)
        functions[own] = kernel.gram(X[own], vectors) @ dual_coef.T
    return functions


def _is_far(X: Any, kernel: FittedKernel) -> bool:
    values = X.data if hasattr(X, "tocsr") else X
    power = max(map(_power, kernel.terms()))
    return bool(values.size and np.abs(values).max() > _FAR ** (1 / power))


def _power(term: FittedTerm) -> int:
    """Return the power of a row's numbers that the term's values, and its length, come to."""
    degree = term.parameters.degree if "degree" in term.kernel.parameters else 1
    return max(_LEAST_POWER, 2 * degree if term.normalised else degree)
