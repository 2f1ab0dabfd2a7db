"""The kernel that an estimator was given: a name, a function, a Kernel or an expression."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel
from widemargin.svm.blocks import columns_of
from widemargin.svm.estimators.parameters import refuse
from widemargin.svm.expression import Expression, Product, Sum, Term
from widemargin.svm.grid import scale_gamma
from widemargin.svm.kernels import KERNELS, from_callable
from widemargin.svm.kernels.custom import PRECOMPUTED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["KernelLike", "check_kernel", "expression_of", "is_precomputed", "with_scale"]

KernelLike = str | Kernel | Term | Sum | Product | Callable[[Any, Any], Any]

_KERNELS = {kernel.name: kernel for kernel in (*KERNELS, PRECOMPUTED)}


def check_kernel(owner: Any) -> None:
    """Refuse an estimator's ``kernel`` that is none.

    Raises
    ------
    ValueError
        Where it is not.
    """
    kernel = owner.kernel
    if isinstance(kernel, str):
        if kernel not in _KERNELS:
            names = ", ".join(map(repr, _KERNELS))
            refuse(owner, "kernel", f"a str among {{{names}}}, a callable or a Kernel")
    elif not (isinstance(kernel, Kernel | Term | Sum | Product) or callable(kernel)):
        refuse(owner, "kernel", "a str, a callable or a Kernel")


def is_precomputed(kernel: Any) -> bool:
    """Say whether rows are those of a Gram matrix.

    Examples
    --------
    >>> is_precomputed("precomputed"), is_precomputed("rbf")
    (True, False)
    """
    return isinstance(kernel, str) and kernel == PRECOMPUTED.name


def expression_of(kernel: Any, gamma: Any, degree: Any, coef0: Any) -> Expression:
    """Return a checked kernel as an expression; the other parameters are for a kernel without own.

    On its own a Term has the estimator's gamma too, unless it has its own.

    Examples
    --------
    >>> expression_of("rbf", 0.5, 3, 0.0)
    Term('rbf', gamma=0.5)
    """
    if isinstance(kernel, Sum | Product):
        return kernel
    if isinstance(kernel, Term):
        return replace(kernel, gamma=gamma) if kernel.gamma == "auto" else kernel
    if isinstance(kernel, str):
        kernel = _KERNELS[kernel]
    elif not isinstance(kernel, Kernel):
        return Term(from_callable(kernel), gamma=gamma)
    return Term(kernel, gamma=gamma, degree=int(degree), coef0=float(coef0))


def with_scale(
    one: Expression,
    X: Any,
    blocks: Mapping[str, slice] | None,
    weight: NDArray[np.float64] | None,
) -> Expression:
    """Return an expression with numbers in place of every gamma that is ``scale``.

    Parameters
    ----------
    one : Expression
        The expression.
    X : ndarray or CSR of shape (n_samples, n_features)
        Training rows.
    blocks : mapping of str to slice, optional
        Columns of each block.
    weight : ndarray of shape (n_samples,), optional
        Weights, by which rows count.

    Examples
    --------
    >>> import numpy as np
    >>> with_scale(Term("rbf", gamma="scale"), np.array([[0.0, 4.0], [4.0, 0.0]]), None, None)
    Term('rbf', gamma=0.125)
    """
    if isinstance(one, Sum | Product):
        return replace(one, terms=tuple(with_scale(own, X, blocks, weight) for own in one.terms))
    if one.gamma != "scale":
        return one
    if "gamma" not in one.kernel.parameters:
        return replace(one, gamma=1.0)
    columns = columns_of(one.block, blocks)
    own = X if columns is None else X[:, slice(*columns)]
    return replace(one, gamma=scale_gamma(own, weight))
