"""What every kernel must do, as checks that plugin authors call from their own tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Kernel
from widemargin.contracts.kernel import KernelParameters
from widemargin.testing.blame import ConformanceError, blame, packages_of, place_of, violation

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "check_kernel",
    "check_kernel_is_positive",
    "check_kernel_parameters",
    "check_kernel_values",
    "kernel_checks",
]

_CLOSE = 1e-8
_USUAL = KernelParameters(gamma=0.25, degree=2, coef0=1.0)


def kernel_checks() -> list[Callable[[Kernel], None]]:
    """Return all checks, so that tests can be parametrised over them.

    Examples
    --------
    >>> [check.__name__ for check in kernel_checks()][0]
    'check_kernel_values'
    """
    return [check_kernel_values, check_kernel_is_positive, check_kernel_parameters]


def check_kernel(kernel: Kernel) -> None:
    """Try every check on a kernel.

    Parameters
    ----------
    kernel : Kernel
        What is checked.

    Raises
    ------
    ConformanceError
        Where any fails; it names every rule that is broken, each once.

    Examples
    --------
    >>> from widemargin.svm import KERNELS
    >>> check_kernel(next(kernel for kernel in KERNELS if kernel.name == "rbf"))
    """
    told: dict[str, None] = {}
    for check in kernel_checks():
        try:
            check(kernel)
        except ConformanceError as error:
            told[str(error)] = None
    if told:
        raise ConformanceError("\n".join(told))


def check_kernel_values(kernel: Kernel) -> None:
    """Check that dense and CSR rows, of float32 and of float64, give equal finite values.

    Parameters
    ----------
    kernel : Kernel
        What is checked.

    Raises
    ------
    ConformanceError
        Where shapes, types or values are others, or `value` does not write to `out`.
    """
    from scipy.sparse import csr_matrix

    rule = "Dense and CSR rows, of float32 and of float64, must give equal finite values."
    remedy = "let `pairwise` return a dense array of its rows' own type, whatever form they have."
    X, Y = _rows(0, 12), _rows(1, 7)
    usual = _gram(kernel, X, Y, rule, remedy)
    if usual.shape != (12, 7) or not np.isfinite(usual).all():
        found = f"an array of shape {usual.shape} for 12 and 7 rows, or values without bounds."
        raise _broken(kernel, rule, found, remedy)
    forms: tuple[tuple[str, Callable[[Any], Any], float], ...] = (
        ("CSR rows of float64", csr_matrix, _CLOSE),
        ("dense rows of float32", lambda rows: rows.astype(np.float32), 1e-4),
        ("CSR rows of float32", lambda rows: csr_matrix(rows.astype(np.float32)), 1e-4),
    )
    for what, form, close in forms:
        made = _gram(kernel, form(X), form(Y), rule, remedy)
        if not isinstance(made, np.ndarray) or made.dtype != form(X).dtype:
            found = f"{getattr(made, 'dtype', type(made).__name__)} from {what}."
            raise _broken(kernel, rule, found, remedy)
        if not np.allclose(made, usual, rtol=close, atol=close):
            raise _broken(kernel, rule, f"other values from {what}.", remedy)
    quantity = kernel.pairwise(X, Y)
    out = np.full_like(quantity, np.nan)
    kernel.value(quantity.copy(), _USUAL, out)
    if not np.allclose(out, usual, rtol=_CLOSE, atol=_CLOSE):
        found, remedy = "`value` left other values in `out`.", "write the values to `out`."
        raise _broken(kernel, rule, found, remedy, kernel.value)


def check_kernel_is_positive(kernel: Kernel) -> None:
    """Check that a kernel is symmetric and positive semi-definite, and bounded if it says so.

    Parameters
    ----------
    kernel : Kernel
        What is checked.

    Raises
    ------
    ConformanceError
        Where it is not.
    """
    rule = "A kernel must be symmetric and positive semi-definite, and bounded if it says so."
    remedy = "see that the formula is a kernel; `is_bounded` promises values from -1 to 1."
    X = _rows(2, 24)
    gram = _gram(kernel, X, X, rule, remedy).astype(np.float64)
    scale = float(np.abs(gram).max()) or 1.0
    if not np.allclose(gram, gram.T, rtol=0, atol=_CLOSE * scale):
        raise _broken(kernel, rule, "k(x, y) is not k(y, x).", remedy)
    smallest = float(np.linalg.eigvalsh((gram + gram.T) / 2).min())
    if smallest < -1e-7 * scale * len(X):
        raise _broken(kernel, rule, f"an eigenvalue of {smallest:.3g}.", remedy)
    if kernel.is_bounded and scale > 1 + _CLOSE:
        raise _broken(kernel, rule, f"a value of {scale:.3g}.", remedy)


def check_kernel_parameters(kernel: Kernel) -> None:
    """Check that a kernel depends on the parameters that it names, and on no others.

    Parameters
    ----------
    kernel : Kernel
        What is checked.

    Raises
    ------
    ConformanceError
        Where one that it names changes nothing, or another one something.
    """
    rule = "A kernel must depend on the parameters that it names, and on no others."
    X = _rows(3, 10)
    usual = _gram(kernel, X, X, rule, "see what the error says.").copy()
    others: dict[str, Any] = {"gamma": 0.75, "degree": 3, "coef0": 0.5}
    for name in asdict(_USUAL):
        parameters = replace(_USUAL, **{name: others[name]})
        changed = not np.array_equal(usual, kernel.gram(X, X, parameters))
        if changed and name not in kernel.parameters:
            remedy = f"name it in `parameters`: {name!r}."
            raise _broken(kernel, rule, f"{name} changes values.", remedy, kernel.value)
        if not changed and name in kernel.parameters:
            remedy = f"leave {name!r} out of `parameters`, or let `value` use it."
            raise _broken(kernel, rule, f"{name} changes nothing.", remedy, kernel.value)


def _rows(seed: int, n: int) -> NDArray[np.float64]:
    """Return rows that every kernel takes: none negative, some numbers 0, none all 0."""
    random = np.random.default_rng(seed)
    rows = random.gamma(1.0, 0.5, (n, 6)) * (random.random((n, 6)) < 0.7)
    rows[:, 0] += 0.1
    return rows


def _gram(kernel: Kernel, X: Any, Y: Any, rule: str, remedy: str) -> NDArray[Any]:
    try:
        return kernel.gram(X, Y, _USUAL)
    except Exception as error:
        told = blame(error, _packages(kernel), remedy, "it takes dense and CSR rows")
        where = told.where or place_of(_packages(kernel), kernel.pairwise)
        raise violation(f"kernel {kernel.name!r}", rule, told.found, told.remedy, where) from error


def _broken(
    kernel: Kernel, rule: str, found: str, remedy: str, part: object = None
) -> ConformanceError:
    where = place_of(_packages(kernel), part, kernel.pairwise)
    return violation(f"kernel {kernel.name!r}", rule, found, remedy, where)


def _packages(kernel: Kernel) -> set[str]:
    return packages_of(kernel.pairwise, kernel.value)
