r"""What a solution says of its own quality: objective, constant term, violation, duality gap.

For multipliers :math:`\beta` of a problem of `widemargin.svm.duals`, let :math:`v = p - K \beta`.
Moving a multiplier up, as far as its bound allows it, gains at the rate
:math:`v_i - \epsilon` (:math:`v_i + \epsilon` where :math:`\beta_i < 0`), and moving one down costs
:math:`v_j + \epsilon` (:math:`v_j - \epsilon` where :math:`\beta_j > 0`). At an optimum no gain is
above any cost, and the constant term lies between them (Keerthi et al. 2001, "Improvements to
Platt's SMO algorithm for SVM classifier design", doi:10.1162/089976601300014493).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Problem", "rates"]


def rates(
    v: NDArray[np.float64],
    beta: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    epsilon: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what moving each multiplier up gains, and what moving it down costs.

    Where a bound forbids it, the gain is minus infinity and the cost infinity.

    Examples
    --------
    >>> rates(np.array([1.0, -1.0]), np.zeros(2), np.array([0, -1]), np.array([1, 0]), 0.0)
    (array([  1., -inf]), array([inf, -1.]))
    """
    gain = np.where(beta < upper, v - np.where(beta >= 0, epsilon, -epsilon), -np.inf)
    cost = np.where(beta > lower, v - np.where(beta > 0, epsilon, -epsilon), np.inf)
    return gain, cost


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One dual problem at one C.

    Parameters
    ----------
    target : ndarray of shape (n,)
        p.
    lower, upper : ndarray of shape (n,)
        Bounds, C included.
    epsilon, total : float
        As of `Duals`.
    """

    target: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    epsilon: float
    total: float

    def objective(self, beta: NDArray[np.float64], v: NDArray[np.float64]) -> float:
        """Return the value that is minimised; `v` is the target less the Gram times `beta`."""
        return float(self.epsilon * np.abs(beta).sum() - 0.5 * beta @ (self.target + v))

    def violation(self, beta: NDArray[np.float64], v: NDArray[np.float64]) -> float:
        """Return by how much the best gain exceeds the least cost; at most 0 at an optimum."""
        gain, cost = rates(v, beta, self.lower, self.upper, self.epsilon)
        return float(np.max(gain, initial=-np.inf) - np.min(cost, initial=np.inf))

    def intercept(self, beta: NDArray[np.float64], v: NDArray[np.float64]) -> float:
        """Return the constant term: the mean of what the free multipliers say, as in LIBSVM.

        Where none is free, it is the middle between the best gain and the least cost.
        """
        free = (beta > self.lower) & (beta < self.upper) & (beta != 0)
        if free.any():
            return float((v[free] - self.epsilon * np.sign(beta[free])).mean())
        gain, cost = rates(v, beta, self.lower, self.upper, self.epsilon)
        sides = np.array([np.max(gain, initial=-np.inf), np.min(cost, initial=np.inf)])
        known = sides[np.isfinite(sides)]
        return float(known.mean()) if len(known) else 0.0

    def gap(self, beta: NDArray[np.float64], v: NDArray[np.float64], intercept: float) -> float:
        r"""Return the duality gap, relative to the greater of the primal and the dual value.

        .. math::
            \sum_i \mathrm{loss}_i - \beta_i (v_i - b) + \epsilon |\beta_i|, \qquad
            \mathrm{loss}_i = C u_i \max(0, v_i - b - \epsilon) + C l_i \min(0, v_i - b + \epsilon)
        """
        residual = v - intercept
        loss = self.upper * np.maximum(0, residual - self.epsilon) + self.lower * np.minimum(
            0, residual + self.epsilon
        )
        gap = float((loss - beta * residual + self.epsilon * np.abs(beta)).sum())
        dual = -self.objective(beta, v)
        scale = max(abs(gap + dual), abs(dual))
        return gap / scale if scale > 0 else 0.0
