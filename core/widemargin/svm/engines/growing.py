"""Growing: one rbf machine of many wide rows, without the kernel values that nobody asks for.

Where rows have many features, most of a fit is their products, and a solution asks for little more
than the values of its support vectors against all rows. So a sample of the rows is solved first;
then, again and again, the rows that the solution violates together with its support vectors, until
none of all rows violates by `tol`. This is chunking (Osuna, Freund & Girosi 1997, "An improved
training algorithm for support vector machines", doi:10.1109/NNSP.1997.622408) that keeps the kernel
values of every row that has been a support vector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.native.products import mirror, rbf_values, subtract_rows
from widemargin.svm.duals import Duals, SolvedDuals
from widemargin.svm.engines.native import Native
from widemargin.svm.engines.optimality import Problem, rates
from widemargin.svm.fitted import FittedTerm
from widemargin.svm.kernels import RBF

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.fitted import FittedKernel

__all__ = ["grow"]

# With fewer rows, or multiplications, the solutions on the way take longer than what is saved.
_ROWS, _PRODUCTS = 4000, 2e10
_SAMPLE = 1536
# A sample of which more are support vectors speaks for computing everything at once.
_MOST_SUPPORT = 0.6
# How near to violating a row is taken for one that will, round by round, in the unit of decisions;
# and how well each round is solved, in units of `tol`. The last of them go on.
_NEAR = (0.15, 0.05, 0.02)
_TOL = (50.0, 20.0, 0.8)
_ROUNDS = 20


def grow(
    X: Any, kernel: FittedKernel | None, duals: Duals, C: float, *, tol: float = 1e-3
) -> SolvedDuals | None:
    """Solve one problem as `Engine.solve` does, on sets of rows that grow.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Rows.
    kernel : FittedKernel or None
        Of the rows; None where they are a Gram matrix.
    duals : Duals
        Problems without held-out rows.
    C : float
        Factor of their bounds.
    tol : float
        Largest violation of the optimality conditions, over all rows.

    Returns
    -------
    SolvedDuals or None
        None where it is better solved at once: where it is not one problem of the rbf kernel and
        many wide dense rows, where too many of these are support vectors, a set was not solved to
        `tol`, or lengths of rows are too great for their type.
    """
    if not isinstance(kernel, FittedTerm) or kernel.kernel != RBF or kernel.columns is not None:
        return None
    if not isinstance(X, np.ndarray) or len(duals) > 1 or duals.total != 0:
        return None
    n = len(duals.rows)
    if n < _ROWS or n * n * X.shape[1] < _PRODUCTS:
        return None
    rows = np.ascontiguousarray(X)
    return _Growing(rows, kernel.parameters.gamma, duals, C, tol).solve()


class _Growing:
    """What is known so far, in the order of the rows of X; rows that take no part have no room."""

    def __init__(
        self,
        X: NDArray[Any],
        gamma: float,
        duals: Duals,
        C: float,
        tol: float,
    ) -> None:
        n = len(X)
        self.X, self.gamma, self.duals, self.C, self.tol = X, gamma, duals, C, tol
        target, lower, upper = np.zeros((3, n))
        target[duals.rows] = duals.target
        lower[duals.rows], upper[duals.rows] = duals.lower, duals.upper
        self.unit = lower, upper
        # Nothing is known of the values of rows that take no part.
        self.absent = np.ones(n, dtype=np.bool_)
        self.absent[duals.rows] = False
        self.problem = Problem(
            target=target, lower=C * lower, upper=C * upper, epsilon=duals.epsilon, total=0.0
        )
        self.decision_unit = _decision_unit(duals)
        self.beta = np.zeros(n)
        self.v = target.copy()
        # Row k is in row places[k] of the matrix, of which only what is asked for gets memory.
        self.gram = np.empty((n, n), dtype=X.dtype)
        self.places = np.full(n, -1, dtype=np.int64)
        self.used = 0
        # Whether a row's values against all others are there.
        self.whole = np.zeros(n, dtype=np.bool_)
        self.n_iter = 0

    def solve(self) -> SolvedDuals | None:
        rows = self.duals.rows
        # Rows come class by class, so an even choice has every class's share.
        new = np.sort(rows[np.linspace(0, len(rows) - 1, _SAMPLE).astype(np.intp)])
        self.centre = self.X[new].mean(axis=0, dtype=np.float64)
        # A regression's decision is what it predicts, and is wanted to `tol` itself.
        wanted = 0.5 * self.tol if self.duals.epsilon > 0 else self.tol
        for turn in range(_ROUNDS):
            stage = min(turn, len(_NEAR) - 1)
            taken = np.sort(np.concatenate([np.flatnonzero(self.whole), new]))
            if not self._fill(new) or not self._improve(taken, _TOL[stage] * self.tol):
                return None
            support = np.flatnonzero(self.beta)
            if turn == 0 and len(support) > _MOST_SUPPORT * len(taken):
                return None
            others = np.setdiff1d(rows, taken, assume_unique=True)
            if not self._complete(support[~self.whole[support]], others):
                return None
            v = self.v = self.problem.target.copy()
            subtract_rows(v, self.gram, self.places[support], self.beta[support])
            v[self.absent] = 0
            b = self.problem.intercept(self.beta, v)
            if self.problem.violation(self.beta, v) < wanted:
                return self._solved(v, b)
            gain, cost = rates(
                v, self.beta, self.problem.lower, self.problem.upper, self.problem.epsilon
            )
            near = _NEAR[stage] * self.decision_unit
            new = np.flatnonzero(~self.whole & ((gain > b - near) | (cost < b + near)))
        return None

    def _fill(self, new: NDArray[np.int64]) -> bool:
        """Compute the new rows' values against each other, and take those against whole rows."""
        fresh = new[self.places[new] < 0]
        self.places[fresh] = np.arange(self.used, self.used + len(fresh))
        self.used += len(fresh)
        whole = np.flatnonzero(self.whole)
        places = self.places[new]
        if len(whole):
            mirror(self.gram, self.places, whole, new)
        return rbf_values(self.X, new, new, self.gamma, self.centre, self.gram, places)

    def _complete(self, new: NDArray[np.int64], others: NDArray[np.int64]) -> bool:
        """Compute values of new support vectors against the rows that were not in their set."""
        self.whole[new] = True
        places = self.places[new]
        if not len(new) or not len(others):
            return True
        return rbf_values(self.X, new, others, self.gamma, self.centre, self.gram, places)

    def _improve(self, taken: NDArray[np.int64], tol: float) -> bool:
        """Solve the set from where it stands."""
        lower, upper = self.unit
        own = Duals(
            rows=taken,
            starts=np.array([0, len(taken)]),
            target=self.problem.target[taken],
            lower=lower[taken],
            upper=upper[taken],
            held_out=np.empty(0, dtype=np.int64),
            held_out_starts=np.zeros(2, dtype=np.int64),
            epsilon=self.duals.epsilon,
        )
        solved = Native().solve(
            [self.gram],
            own,
            np.array([self.C]),
            tol=tol,
            warm=(self.C, self.beta[None, taken]),
            places=self.places,
            warm_v=self.v,
        )
        self.beta[taken] = solved.beta[0, 0]
        self.n_iter += int(solved.n_iter[0, 0, 0])
        return bool(solved.converged.all())

    def _solved(self, v: NDArray[np.float64], b: float) -> SolvedDuals:
        problem, beta = self.problem, self.beta
        return SolvedDuals(
            beta=beta[None, None, self.duals.rows],
            intercept=np.array([[[b]]]),
            decision=np.zeros((1, 1, 0)),
            objective=np.array([[[problem.objective(beta, v)]]]),
            gap=np.array([[[problem.gap(beta, v, b)]]]),
            n_iter=np.array([[[self.n_iter]]]),
            converged=np.ones((1, 1, 1), dtype=np.bool_),
        )


def _decision_unit(duals: Duals) -> float:
    """Return the unit of decisions: 1, the margin, for classes; the target's spread for numbers.

    A regression whose target, epsilon, C and `tol` are all a thousand times as large has
    multipliers and decisions a thousand times as large, and must grow by the same rows.
    """
    are_numbers = bool(((duals.lower < 0) & (duals.upper > 0)).any())
    return float(duals.target.std()) if are_numbers else 1.0
