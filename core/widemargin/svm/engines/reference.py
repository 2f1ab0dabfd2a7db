r"""The reference engine: the native engine's algorithm in NumPy, to read and to test against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.svm.duals import Duals, SolvedDuals, SolvedRows
from widemargin.svm.engines.optimality import Problem, rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Reference", "SquaredLoss"]

# Curvature below this is taken for this, as in LIBSVM: kernels such as sigmoid have some.
_FLAT = 1e-12


class Reference:
    """Solves duals by sequential minimal optimisation, and linear machines by Newton's method.

    Each step moves the pair of multipliers whose step lowers the objective most, judged to second
    order (Fan, Chen & Lin 2005, "Working set selection using second order information for
    training support vector machines", JMLR 6:1889-1918). Signed multipliers with the tube's price
    at zero keep regression at one variable a row.

    Examples
    --------
    >>> from widemargin.svm.schemes import regression
    >>> line = np.array([0.0, 1.0])
    >>> duals = regression(line, 0.0, None, [(np.arange(2), np.arange(0))])
    >>> Reference().solve([np.outer(line, line)], duals, np.array([10.0])).beta
    array([[[-1., 1.]]])
    """

    name = "reference"

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
            converged=np.zeros((*shape, len(duals)), dtype=np.bool_),
        )
        for g, gram in enumerate(grams):
            for k in range(len(duals)):
                own, decided = duals.own(k), duals.decided(k)
                rows = duals.rows[own]
                K = gram[np.ix_(rows, rows)].astype(np.float64)
                across = gram[np.ix_(duals.held_out[decided], rows)].astype(np.float64)
                beta = np.zeros(len(rows))
                for c, price in enumerate(C):
                    problem = Problem(
                        target=duals.target[own],
                        lower=price * duals.lower[own],
                        upper=price * duals.upper[own],
                        epsilon=duals.epsilon,
                        total=duals.total,
                    )
                    if start is not None:
                        beta = start[g, c, rows]
                    elif c > 0 and problem.total == 0:
                        beta = beta * _stretch(problem, K, beta, price / C[c - 1])
                    beta = _feasible(problem, beta)
                    beta, v, n_iter, violation = _minimise(problem, K, beta, tol, max_iter)
                    b = problem.intercept(beta, v)
                    solved.beta[g, c, own] = beta
                    solved.intercept[g, c, k] = b
                    solved.decision[g, c, decided] = across @ beta + b
                    solved.objective[g, c, k] = problem.objective(beta, v)
                    solved.gap[g, c, k] = problem.gap(beta, v, b)
                    solved.n_iter[g, c, k] = n_iter
                    solved.converged[g, c, k] = violation < tol
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
        shape = (len(C), len(duals))
        solved = SolvedRows(
            coef=np.zeros((*shape, X.shape[1])),
            intercept=np.zeros(shape),
            n_iter=np.zeros(shape, dtype=np.int64),
            converged=np.zeros(shape, dtype=np.bool_),
        )
        for k in range(len(duals)):
            own = duals.own(k)
            loss = SquaredLoss(X, duals, own)
            w = np.zeros(X.shape[1] + 1)
            for c, price in enumerate(C):
                w, n_iter, converged = loss.minimise(price, w, tol, max_iter)
                solved.coef[c, k], solved.intercept[c, k] = w[:-1], w[-1]
                solved.n_iter[c, k], solved.converged[c, k] = n_iter, converged
        return solved


def _stretch(
    problem: Problem, K: NDArray[np.float64], beta: NDArray[np.float64], ratio: float
) -> float:
    r"""Return the best factor of the solution at the C before, :math:`C' / C` = `ratio`.

    The objective along :math:`s \beta` is a parabola with its minimum at
    :math:`(p^\top \beta - \epsilon \lVert \beta \rVert_1) / \beta^\top K \beta`.
    """
    curvature = float(beta @ K @ beta)
    if curvature <= 0:
        return 1.0
    best = (problem.target @ beta - problem.epsilon * np.abs(beta).sum()) / curvature
    return float(np.clip(best, min(1.0, ratio), ratio))


def _feasible(problem: Problem, beta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return multipliers within the bounds and of the right sum: the first rows give way."""
    beta = np.clip(beta, problem.lower, problem.upper)
    missing = problem.total - beta.sum()
    # Rounding of a warm start is no reason to move a multiplier off its bound.
    if abs(missing) <= 1e-12 * np.abs(beta).sum():
        return beta
    room = problem.upper - beta if missing > 0 else beta - problem.lower
    taken = np.clip(abs(missing) - (np.cumsum(room) - room), 0, room)
    repaired: NDArray[np.float64] = beta + np.sign(missing) * taken
    return repaired


def _minimise(
    problem: Problem,
    K: NDArray[np.float64],
    beta: NDArray[np.float64],
    tol: float,
    max_iter: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int, float]:
    """Return the multipliers, target less Gram times these, the steps and the last violation."""
    lower, upper, epsilon = problem.lower, problem.upper, problem.epsilon
    beta = beta.copy()
    v = problem.target - K @ beta
    own = K.diagonal()
    n_iter = 0
    while True:
        gain, cost = rates(v, beta, lower, upper, epsilon)
        violation = float(np.max(gain, initial=-np.inf) - np.min(cost, initial=np.inf))
        if violation < tol or n_iter == max_iter:
            return beta, v, n_iter, violation
        i = int(gain.argmax())
        slope = gain[i] - cost
        bend = np.maximum(own[i] + own - 2 * K[i], _FLAT)
        j = int(np.where(slope > 0, slope**2 / bend, -np.inf).argmax())
        # The tube's price changes sign at 0, so that a step ends there.
        end_i = 0.0 if beta[i] < 0 < epsilon else upper[i]
        end_j = 0.0 if beta[j] > 0 and epsilon > 0 else lower[j]
        step = min(slope[j] / bend[j], end_i - beta[i], beta[j] - end_j)
        # Ends are set, not added to, so that a multiplier is on its bound exactly.
        beta[i], beta[j] = (
            beta[i] + step if step < end_i - beta[i] else end_i,
            beta[j] - step if step < beta[j] - end_j else end_j,
        )
        v -= step * (K[i] - K[j])
        n_iter += 1


class SquaredLoss:
    r"""One linear problem, by Newton's method on an objective that is quadratic in pieces.

    A step solves :math:`(I + 2 C A^\top D A) d = -g` by conjugate gradients, with A the rows and a
    column of ones and D the weights of the rows that have a loss, and is halved until it pays
    (Keerthi & DeCoste 2005, "A modified finite Newton method for fast solution of large scale
    linear SVMs", JMLR 6:341-361).

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        All rows.
    duals : Duals
        The problems.
    own : slice
        Where this one's rows are.
    """

    def __init__(self, X: Any, duals: Duals, own: slice) -> None:
        self.rows = X[duals.rows[own]]
        self.target, self.epsilon = duals.target[own], duals.epsilon
        self.lower, self.upper = duals.lower[own], duals.upper[own]

    def times(self, w: NDArray[np.float64]) -> NDArray[np.float64]:
        product: NDArray[np.float64] = self.rows @ w[:-1] + w[-1]
        return product

    def back(self, loads: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.append(self.rows.T @ loads, loads.sum())

    def losses(
        self, function: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return by how much each row is out of its margin or tube, and the price of that."""
        residual = self.target - function
        above = np.where(self.upper > 0, np.maximum(0, residual - self.epsilon), 0)
        below = np.where(self.lower < 0, np.minimum(0, residual + self.epsilon), 0)
        return above + below, np.where(above > 0, self.upper, np.where(below < 0, -self.lower, 0))

    def minimise(
        self, C: float, w: NDArray[np.float64], tol: float, max_iter: int
    ) -> tuple[NDArray[np.float64], int, bool]:
        """Return weights, steps, and whether the gradient shrank to `tol` of that at zero."""
        out, price = self.losses(np.zeros(len(self.target)))
        enough = tol * float(np.linalg.norm(self.back(2 * C * price * out)))
        function = self.times(w)
        for n_iter in range(max_iter + 1):
            out, price = self.losses(function)
            gradient = w - self.back(2 * C * price * out)
            if np.linalg.norm(gradient) <= enough:
                return w, n_iter, True
            if n_iter == max_iter:
                break
            step = self.direction(gradient, 2 * C * price)
            along, slope, size = self.times(step), gradient @ step, 1.0
            now = 0.5 * w @ w + C * price @ out**2
            while size > 1e-10:
                out, price = self.losses(function + size * along)
                ahead = w + size * step
                if 0.5 * ahead @ ahead + C * price @ out**2 <= now + 1e-4 * size * slope:
                    break
                size /= 2
            w, function = ahead, function + size * along
        return w, max_iter, False

    def direction(
        self, gradient: NDArray[np.float64], loads: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        step = np.zeros_like(gradient)
        rest = -gradient
        way, size = rest.copy(), rest @ rest
        enough = 1e-20 * size
        for _ in range(2 * len(gradient)):
            bent = way + self.back(loads * self.times(way))
            length = size / (way @ bent)
            step += length * way
            rest -= length * bent
            before, size = size, rest @ rest
            if size <= enough:
                break
            way = rest + size / before * way
        return step
