r"""Newton's method for linear machines with a squared loss on few, dense features.

The finite Newton method (Keerthi & DeCoste 2005, "A modified finite Newton method for fast
solution of large scale linear SVMs", JMLR 6:341-361): where the rows that violate the margin are
known, the objective is a quadratic in :math:`(w, b)`; its minimum is one linear system of
n_features + 1 equations, and a line search makes sure of descent. A handful of steps is enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from widemargin.svm.duals import Duals, SolvedRows
from widemargin.svm.kernels.pairwise import products

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["solve_rows_newton"]


def solve_rows_newton(
    X: NDArray[np.float64],
    duals: Duals,
    C: NDArray[np.float64],
    *,
    tol: float = 1e-4,
    max_iter: int = 200,
) -> SolvedRows:
    """Solve every problem for every C; parameters as for `Engine.solve_rows`.

    It stops where the gradient is below `tol` times the smaller of 1 and the number of rows times
    C, and a step that cannot decrease the objective any more ends it, too.
    """
    n_C, n_problems = len(C), len(duals)
    coef = np.zeros((n_C, n_problems, X.shape[1]))
    intercept = np.zeros((n_C, n_problems))
    n_iter = np.zeros((n_C, n_problems), dtype=np.int64)
    converged = np.zeros((n_C, n_problems), dtype=np.bool_)
    for k in range(n_problems):
        own = duals.own(k)
        rows = np.hstack([X[duals.rows[own]], np.ones((own.stop - own.start, 1))])
        weight = np.maximum(duals.upper[own], -duals.lower[own])
        two_sided = bool(np.any((duals.lower[own] < 0) & (duals.upper[own] > 0)))
        epsilon = duals.epsilon if two_sided else -1.0
        w = np.zeros(rows.shape[1])
        for c, price in enumerate(C):
            w, steps, met = _descend(
                rows, duals.target[own], price * weight, epsilon, w, tol, max_iter
            )
            coef[c, k], intercept[c, k] = w[:-1], w[-1]
            n_iter[c, k], converged[c, k] = steps, met
    return SolvedRows(coef=coef, intercept=intercept, n_iter=n_iter, converged=converged)


def _descend(
    rows: NDArray[np.float64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
    epsilon: float,
    w: NDArray[np.float64],
    tol: float,
    max_iter: int,
) -> tuple[NDArray[np.float64], int, bool]:
    """Minimise from `w`; an epsilon below 0 stands for classification."""

    def slack(decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much each row is on the wrong side, signed as its decision should move."""
        off = target - decision
        if epsilon < 0:
            # The target is +1 or -1, and a row beyond its margin costs nothing.
            return np.where(target * off > 0, off, 0.0)
        return np.sign(off) * np.maximum(np.abs(off) - epsilon, 0.0)

    def value(w: NDArray[np.float64], off: NDArray[np.float64]) -> float:
        return float(0.5 * w @ w + (weight * off * off).sum())

    decision = rows @ w
    off = slack(decision)
    objective = value(w, off)
    limit = tol * min(1.0, float(weight.sum()))
    for step in range(max_iter):
        gradient = w - 2 * rows.T @ (weight * off)
        if np.abs(gradient).max() <= limit:
            return w, step, True
        active = off != 0
        scaled = np.ascontiguousarray((rows[active] * np.sqrt(2 * weight[active])[:, None]).T)
        hessian = products(scaled, scaled)
        hessian[np.diag_indices_from(hessian)] += 1.0
        direction = -np.linalg.solve(hessian, gradient)
        change, descent = rows @ direction, float(gradient @ direction)
        size = 1.0
        while size > 1e-10:
            moved = w + size * direction
            new_off = slack(decision + size * change)
            new = value(moved, new_off)
            if new <= objective + 1e-4 * size * descent:
                break
            size /= 2
        else:
            # No step decreases the objective: this is the optimum, but for rounding.
            return w, step, bool(np.abs(gradient).max() <= 1e3 * limit)
        w, decision, off, objective = moved, decision + size * change, new_off, new
    return w, max_iter, False
