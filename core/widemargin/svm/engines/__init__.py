"""Engines: what solves the optimisation problems, behind one small interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from widemargin.svm.duals import Duals, SolvedDuals, SolvedRows

__all__ = ["Engine", "choose_engine"]


class Engine(Protocol):
    """Solves support vector problems; a new engine needs these two methods."""

    name: str

    def solve(
        self,
        grams: Sequence[NDArray[Any]],
        duals: Duals,
        C: NDArray[np.float64],
        *,
        tol: float = 1e-3,
        max_iter: int = -1,
        start: NDArray[np.float64] | None = None,
        warm: tuple[float, NDArray[np.float64]] | None = None,
        n_threads: int | None = None,
    ) -> SolvedDuals:
        """Solve every problem for every C on every Gram matrix.

        Parameters
        ----------
        grams : sequence of ndarray of shape (n_samples, n_samples)
            Symmetric, float32 or float64, C-contiguous.
        duals : Duals
            The problems.
        C : ndarray of shape (n_C,)
            Increasing, so that each solution may start from the one before.
        tol : float
            Largest violation of the optimality conditions.
        max_iter : int
            Most pairs of multipliers to change in one problem at one C; -1 for no limit.
        start : ndarray of shape (n_grams, n_C, n_samples), optional
            Multipliers of all rows to start from instead; cut to each problem's bounds.
        warm : tuple of float and ndarray of shape (n_grams, total), optional
            A smaller C, and the solutions there, to start from; engines may ignore it.
        n_threads : int, optional
            By default as many as the process may use.
        """
        ...

    def solve_rows(
        self,
        X: Any,
        duals: Duals,
        C: NDArray[np.float64],
        *,
        tol: float = 1e-4,
        max_iter: int = 5000,
        random_state: int = 0,
        n_threads: int | None = None,
    ) -> SolvedRows:
        r"""Solve every problem for every C with the linear kernel and a squared loss.

        .. math::
            \min_{w, b} \tfrac12 (\lVert w \rVert^2 + b^2) + C \sum_i u_i \,
            \max(0, 1 - p_i f_i)^2, \qquad f_i = w^\top x_i + b

        for classification, and :math:`\max(0, |p_i - f_i| - \epsilon)^2` for regression, which is
        where ``duals.lower`` is below 0 and ``duals.upper`` above it (LIBLINEAR's problems L2R_L2
        with a bias of 1: Fan et al. 2008, JMLR 9:1871-1874). `X` is dense or CSR, of shape
        (n_samples, n_features); `duals.held_out` is not looked at.
        """
        ...


def choose_engine(name: str) -> Engine:
    """Return the engine of that name; ``auto`` takes the fastest that is installed.

    Examples
    --------
    >>> choose_engine("scikit-learn").name
    'scikit-learn'
    """
    from widemargin import native
    from widemargin.svm.engines.reference import Reference
    from widemargin.svm.engines.scikit_learn import ScikitLearn

    engines: dict[str, type[Engine]] = {"scikit-learn": ScikitLearn, "reference": Reference}
    if native.library() is not None:
        from widemargin.svm.engines.native import Native

        engines["native"] = Native
    if name == "auto":
        name = "native" if "native" in engines else "scikit-learn"
    if name == "native" and name not in engines:
        raise ValueError(
            f"The native engine is not available: {native.reason()}. Or take 'auto', for which "
            "scikit-learn's solvers do the work meanwhile; widemargin doctor says what is in place."
        )
    if name not in engines:
        allowed = ", ".join(map(repr, ["auto", "native", "scikit-learn", "reference"]))
        raise ValueError(
            f"The 'engine' parameter must be a str among {{{allowed}}}. Got {name!r} instead."
        )
    return engines[name]()
