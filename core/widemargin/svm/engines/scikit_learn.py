"""The engine that stands on scikit-learn: LIBSVM for Gram matrices, LIBLINEAR for rows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.svm.duals import Duals, SolvedDuals, SolvedRows
from widemargin.svm.engines.optimality import Problem
from widemargin.svm.engines.reference import SquaredLoss

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ScikitLearn"]


class ScikitLearn:
    """Hands each problem at each C to scikit-learn's machines.

    Gram matrices go to SVC, SVR or OneClassSVM (Chang & Lin 2011, "LIBSVM: a library for support
    vector machines", doi:10.1145/1961189.1961199), rows to LinearSVC or LinearSVR (Fan et al.
    2008, "LIBLINEAR: a library for large linear classification", JMLR 9:1871-1874). Each solution
    begins from zero, and threads are not used.

    Examples
    --------
    >>> from widemargin.svm.schemes import classification
    >>> line = np.array([0.0, 2.0])
    >>> duals = classification(np.array([0, 1]), 2, "single", None, [(np.arange(2), np.arange(0))])
    >>> ScikitLearn().solve([np.outer(line, line)], duals, np.array([10.0])).beta
    array([[[ 0.5, -0.5]]])
    """

    name = "scikit-learn"

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
        """Solve every problem for every C on every Gram matrix; see `Engine.solve`."""
        shape = (len(grams), len(C))
        solved = SolvedDuals(
            beta=np.zeros((*shape, len(duals.rows))),
            intercept=np.zeros((*shape, len(duals))),
            decision=np.zeros((*shape, len(duals.held_out))),
            objective=np.zeros((*shape, len(duals))),
            gap=np.zeros((*shape, len(duals))),
            n_iter=np.zeros((*shape, len(duals)), dtype=np.int64),
            converged=np.ones((*shape, len(duals)), dtype=np.bool_),
        )
        for g, gram in enumerate(grams):
            for k in range(len(duals)):
                decided = duals.decided(k)
                # In the Gram matrix's own order, so that a problem of all rows needs no copy of it.
                own = np.arange(len(duals.rows))[duals.own(k)]
                own = own[np.argsort(duals.rows[own])]
                rows = duals.rows[own]
                K = _part(gram, rows, rows)
                across = _part(gram, duals.held_out[decided], rows)
                for c, price in enumerate(C):
                    at = (g, c, k)
                    problem = Problem(
                        target=duals.target[own],
                        lower=price * duals.lower[own],
                        upper=price * duals.upper[own],
                        epsilon=duals.epsilon,
                        total=duals.total,
                    )
                    beta = _without_choice(problem)
                    machine = _machine(duals, own, price, tol, max_iter)
                    if machine is not None:
                        with _quietly():
                            machine.fit(K, problem.target, sample_weight=_weight(duals, own))
                        beta[:] = 0
                        beta[machine.support_] = np.ravel(machine.dual_coef_)
                        solved.n_iter[at] = np.max(machine.n_iter_)
                        solved.converged[at] = machine.fit_status_ == 0
                    # Whole rows: to gather the columns of the support vectors takes longer.
                    v = problem.target - K @ beta
                    b = problem.intercept(beta, v)
                    if machine is not None and np.isfinite(machine.intercept_[0]):
                        b = float(machine.intercept_[0])
                    solved.beta[g, c, own] = beta
                    solved.intercept[at] = b
                    solved.decision[g, c, decided] = across @ beta + b
                    solved.objective[at] = problem.objective(beta, v)
                    solved.gap[at] = problem.gap(beta, v, b)
        return solved

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
        """Solve every problem for every C in the primal; see `Engine.solve_rows`."""
        from sklearn.svm import LinearSVC, LinearSVR

        shape = (len(C), len(duals))
        solved = SolvedRows(
            coef=np.zeros((*shape, X.shape[1])),
            intercept=np.zeros(shape),
            n_iter=np.zeros(shape, dtype=np.int64),
            converged=np.ones(shape, dtype=np.bool_),
        )
        options = {"tol": tol, "max_iter": max_iter, "random_state": random_state}
        for k in range(len(duals)):
            own = duals.own(k)
            rows, target = X[duals.rows[own]], duals.target[own]
            is_regression = _is_regression(duals, own)
            # A fold may have lost a class, and LIBLINEAR wants both.
            alone = SquaredLoss(X, duals, own) if len(np.unique(target)) < 2 else None
            for c, price in enumerate(C):
                if alone is not None and not is_regression:
                    w, n_iter, _ = alone.minimise(price, np.zeros(X.shape[1] + 1), tol, max_iter)
                    solved.coef[c, k], solved.intercept[c, k] = w[:-1], w[-1]
                    solved.n_iter[c, k] = n_iter
                    continue
                if is_regression:
                    machine = LinearSVR(
                        C=price,
                        epsilon=duals.epsilon,
                        loss="squared_epsilon_insensitive",
                        dual=False,
                        **options,
                    )
                else:
                    # Few wide rows are solved in the dual, many narrow ones in the primal.
                    machine = LinearSVC(C=price, dual="auto", **options)
                with _quietly():
                    machine.fit(rows, target, sample_weight=_weight(duals, own))
                solved.coef[c, k] = np.ravel(machine.coef_)
                solved.intercept[c, k] = np.ravel(machine.intercept_)[0]
                solved.n_iter[c, k] = np.max(machine.n_iter_)
                solved.converged[c, k] = solved.n_iter[c, k] < max_iter
        return solved


def _part(
    gram: NDArray[Any], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return rows and columns of a Gram matrix in double precision; all of them as they are."""
    everything = np.arange(len(gram))
    if not (np.array_equal(rows, everything) and np.array_equal(columns, everything)):
        gram = gram[np.ix_(rows, columns)]
    return gram.astype(np.float64, copy=False)


def _is_regression(duals: Duals, own: slice | NDArray[np.intp]) -> bool:
    return bool(((duals.lower[own] < 0) & (duals.upper[own] > 0)).any())


def _weight(duals: Duals, own: slice | NDArray[np.intp]) -> NDArray[np.float64]:
    lower, upper = duals.lower[own], duals.upper[own]
    return np.maximum(upper, -lower)


def _without_choice(problem: Problem) -> NDArray[np.float64]:
    """Return the only multipliers that there may be: all 0, or all at their bounds."""
    return problem.upper.copy() if problem.total > 0 else np.zeros(len(problem.upper))


def _machine(duals: Duals, own: NDArray[np.intp], C: float, tol: float, max_iter: int) -> Any:
    """Return the machine that solves a problem, or None where there is nothing to choose."""
    from sklearn.svm import SVC, SVR, OneClassSVM

    options: dict[str, Any] = {
        "kernel": "precomputed",
        "tol": tol,
        "max_iter": max_iter,
        "cache_size": 500,
    }
    if duals.total != 0:
        # LIBSVM's multipliers sum up to nu times the weights.
        share = duals.total / float((C * duals.upper[own]).sum())
        return OneClassSVM(nu=share, **options) if share < 1 else None
    if _is_regression(duals, own):
        return SVR(C=C, epsilon=duals.epsilon, **options)
    if len(np.unique(duals.target[own])) < 2:
        return None
    return SVC(C=C, **options)


def _quietly() -> warnings.catch_warnings[None]:
    """Silence the warning that a machine has not converged: `converged` says so."""
    from sklearn.exceptions import ConvergenceWarning

    return warnings.catch_warnings(action="ignore", category=ConvergenceWarning)
