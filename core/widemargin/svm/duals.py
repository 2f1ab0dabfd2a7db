r"""Dual problems: what an engine solves, in signed multipliers.

Every support vector machine here is one quadratic program over a Gram matrix :math:`K`,

.. math::
    \min_\beta \tfrac12 \beta^\top K \beta - p^\top \beta + \epsilon \lVert \beta \rVert_1
    \quad \text{subject to} \quad C l_i \le \beta_i \le C u_i, \; \textstyle\sum_i \beta_i = s.

Classification (Cortes & Vapnik 1995, doi:10.1007/BF00994018): :math:`p = \pm 1` is the class,
:math:`\epsilon = s = 0`, and the bounds are [0, w] for +1 and [-w, 0] for -1, with w the row's
weight. Regression (Smola & Schoelkopf 2004, doi:10.1023/B:STCO.0000035301.49549.88): :math:`p` is
the target, and the bounds are [-w, w]. One class (Schoelkopf et al. 2001,
doi:10.1162/089976601750264965): :math:`p = \epsilon = 0`, the bounds are [0, w], C = 1, and
:math:`s = \nu \sum w`. The decision function is :math:`f(x) = \sum_i \beta_i k(x_i, x) + b`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Duals", "SolvedDuals", "SolvedRows"]


@dataclass(frozen=True, kw_only=True)
class Duals:
    """Problems over one set of rows: the duels of every fold, packed one after the other.

    Parameters
    ----------
    rows : ndarray of int64, shape (total,)
        The training rows of all problems, as rows of the Gram matrix.
    starts : ndarray of int64, shape (n_problems + 1,)
        Problem k owns ``rows[starts[k]:starts[k + 1]]``.
    target : ndarray of float64, shape (total,)
        p above.
    lower, upper : ndarray of float64, shape (total,)
        Bounds at C = 1.
    held_out : ndarray of int64, shape (n_held_out,)
        The rows of the Gram matrix that each problem's solution decides, likewise packed.
    held_out_starts : ndarray of int64, shape (n_problems + 1,)
        Problem k decides ``held_out[held_out_starts[k]:held_out_starts[k + 1]]``.
    epsilon : float
        Half-width of the tube; 0 but for regression.
    total : float
        s above; 0 but for one class.
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    target: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    held_out: NDArray[np.int64]
    held_out_starts: NDArray[np.int64]
    epsilon: float = 0.0
    total: float = 0.0

    def __len__(self) -> int:
        """Return the number of problems."""
        return len(self.starts) - 1

    def own(self, k: int) -> slice:
        """Return where problem k's rows are."""
        return slice(int(self.starts[k]), int(self.starts[k + 1]))

    def decided(self, k: int) -> slice:
        """Return where the rows that problem k decides are."""
        return slice(int(self.held_out_starts[k]), int(self.held_out_starts[k + 1]))

    def take(self, problems: Sequence[int]) -> Duals:
        """Return some of the problems.

        Examples
        --------
        >>> import numpy as np
        >>> from widemargin.svm.schemes import regression
        >>> whole = (np.arange(2), np.arange(0))
        >>> len(regression(np.array([3.0, 4.0]), 0.1, None, [whole, whole]).take([1]))
        1
        """
        import numpy as np

        rows = [self.own(k) for k in problems]
        decided = [self.decided(k) for k in problems]

        def pack(array: NDArray[Any], places: Sequence[slice]) -> NDArray[Any]:
            return np.concatenate([array[place] for place in places])

        def starts(places: Sequence[slice]) -> NDArray[np.int64]:
            return np.cumsum([0, *(at.stop - at.start for at in places)], dtype=np.int64)

        return Duals(
            rows=pack(self.rows, rows),
            starts=starts(rows),
            target=pack(self.target, rows),
            lower=pack(self.lower, rows),
            upper=pack(self.upper, rows),
            held_out=pack(self.held_out, decided),
            held_out_starts=starts(decided),
            epsilon=self.epsilon,
            total=self.total,
        )


@dataclass(frozen=True, kw_only=True)
class SolvedDuals:
    """Solutions of problems, for every C and every Gram matrix.

    Parameters
    ----------
    beta : ndarray of shape (n_grams, n_C, total)
        Signed multipliers.
    intercept : ndarray of shape (n_grams, n_C, n_problems)
        b of the decision function.
    decision : ndarray of shape (n_grams, n_C, n_held_out)
        The decision function at the held-out rows.
    objective : ndarray of shape (n_grams, n_C, n_problems)
        The value minimised.
    gap : ndarray of shape (n_grams, n_C, n_problems)
        Duality gap, relative to the greater of the primal and the dual value.
    n_iter : ndarray of int64, shape (n_grams, n_C, n_problems)
        Pairs of multipliers changed.
    converged : ndarray of bool, shape (n_grams, n_C, n_problems)
        Whether no pair of rows violates the optimality conditions by `tol` or more.
    """

    beta: NDArray[np.float64]
    intercept: NDArray[np.float64]
    decision: NDArray[np.float64]
    objective: NDArray[np.float64]
    gap: NDArray[np.float64]
    n_iter: NDArray[np.int64]
    converged: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class SolvedRows:
    """Linear machines in the primal, for every C.

    Parameters
    ----------
    coef : ndarray of shape (n_C, n_problems, n_features)
        Weights.
    intercept : ndarray of shape (n_C, n_problems)
        Constant terms.
    n_iter : ndarray of int64, shape (n_C, n_problems)
        Passes over the rows.
    converged : ndarray of bool, shape (n_C, n_problems)
        Whether the stopping rule was met.
    """

    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]
    n_iter: NDArray[np.int64]
    converged: NDArray[np.bool_]
