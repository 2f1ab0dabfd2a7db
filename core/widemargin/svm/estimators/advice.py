"""Warnings of estimators: what may be wrong with a fit that worked, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.svm.edges import rising_edges
from widemargin.svm.kernels import KERNELS

if TYPE_CHECKING:
    from widemargin.svm.fitted import FittedKernel
    from widemargin.svm.selection import GridCell

__all__ = [
    "IndefiniteKernelWarning",
    "SearchEdgeWarning",
    "how_to_converge",
    "tell_edge",
    "tell_indefinite",
]

_SAMPLE = 32
# Eigenvalues this much below 0, as a share of the largest, make a kernel clearly none.
_CLEARLY = 1e-4


class SearchEdgeWarning(UserWarning):
    """A search chose a value at the end of its grid, and the score rises towards it.

    Examples
    --------
    >>> issubclass(SearchEdgeWarning, UserWarning)
    True
    """


class IndefiniteKernelWarning(UserWarning):
    """A kernel of the caller's own is no inner product, so that a fit may be no optimum.

    Examples
    --------
    >>> issubclass(IndefiniteKernelWarning, UserWarning)
    True
    """


def how_to_converge(tol: float, max_iter: int, *, has_price: bool) -> str:
    """Say what to do about a machine that was stopped before it converged.

    Examples
    --------
    >>> how_to_converge(0.001, -1, has_price=False)
    'Scale the rows, as with sklearn.preprocessing.StandardScaler, or raise tol=0.001.'
    """
    lower = ", lower C" if has_price else ""
    limit = f"max_iter={max_iter} or " if max_iter >= 0 else ""
    return (
        f"Scale the rows, as with sklearn.preprocessing.StandardScaler{lower}, or raise "
        f"{limit}tol={tol:g}."
    )


def tell_edge(cells: Sequence[GridCell], chosen: int, *, is_joined: bool) -> str:
    """Say which of C and gamma lies at the end of what was tried, if the score rises towards it.

    Parameters
    ----------
    cells : sequence of GridCell
        All that were tried.
    chosen : int
        Which one was.
    is_joined : bool
        Whether gamma is the factor of the automatic widths of a sum or product.

    Returns
    -------
    str
        One or two sentences, or nothing.

    Examples
    --------
    >>> from widemargin.svm.selection import GridCell
    >>> cells = [GridCell(C, None, (), mean, 0.0) for C, mean in ((0.1, 0.5), (1.0, 0.7))]
    >>> tell_edge(cells, 1, is_joined=False)
    'C=1 is the largest value tried, and the score rises towards it; try C=(0.1, 1, 10, 100).'
    >>> tell_edge(cells[::-1], 1, is_joined=False)
    ''
    """
    told = []
    for edge in rising_edges(cells, chosen):
        name, value, end = edge.name, edge.value, edge.end
        values = f"({', '.join(f'{one:.6g}' for one in edge.further)})"
        if name == "gamma" and is_joined:
            told.append(
                f"The factor {value:.6g} of the automatic gammas is the {end} one tried, and the "
                "score rises towards it; give the terms a gamma of their own."
            )
        else:
            told.append(
                f"{name}={value:.6g} is the {end} value tried, and the score rises towards it; "
                f"try {name}={values}."
            )
    return " ".join(told)


def tell_indefinite(kernel: FittedKernel, X: Any) -> str:
    """Say which kernel of the caller's own has a clearly negative eigenvalue on a few rows.

    A machine's multipliers sum to a constant, so that a kernel on its own need only be
    conditionally positive definite: its matrix is centred first (Schoelkopf 2000, "The kernel trick
    for distances").

    Parameters
    ----------
    kernel : FittedKernel
        What a machine was fitted with; kernels that come with widemargin are not looked at.
    X : ndarray or CSR of shape (n_samples, n_features)
        Training rows, of which 32 are compared.

    Returns
    -------
    str
        A sentence, or nothing.

    Examples
    --------
    >>> from widemargin.contracts import KernelParameters
    >>> from widemargin.svm.fitted import FittedTerm
    >>> from widemargin.svm.kernels import from_callable
    >>> own = from_callable(lambda X, Y: -(X @ Y.T))
    >>> term = FittedTerm(kernel=own, parameters=KernelParameters())
    >>> tell_indefinite(term, np.array([[1.0], [2.0]]))[:45]
    "the kernel 'callable' is not positive semi-de"
    """
    for term in kernel.terms():
        if term.kernel in KERNELS:
            continue
        n = X.shape[0]
        own = term.take(X[np.linspace(0, n - 1, min(n, _SAMPLE)).astype(np.intp)])
        values = term.kernel.gram(own, own, term.parameters)
        rounding = len(values) * float(np.finfo(values.dtype).eps * np.abs(values).max())
        gram = np.array(values, dtype=np.float64)
        gram += gram.T
        if not term.normalised:
            gram -= gram.mean(axis=0)
            gram -= gram.mean(axis=1)[:, None]
        values = np.linalg.eigvalsh(gram)
        if values[0] < -max(_CLEARLY * abs(values[-1]), 10 * rounding):
            return (
                f"the kernel {term.kernel.name!r} is not positive semi-definite: its matrix of "
                f"{len(gram)} rows has an eigenvalue of {values[0] / 2:.3g} beside "
                f"{values[-1] / 2:.3g}. The solution may be no optimum; take a kernel that is an "
                "inner product of some features."
            )
    return ""
