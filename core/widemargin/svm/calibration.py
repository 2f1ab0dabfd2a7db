r"""Calibration: decisions into probabilities that mean what they say.

Two classes: Platt's sigmoid :math:`p = 1 / (1 + \exp(A f + B))` with his smoothed targets (Platt
1999), fitted by the damped Newton method of Lin, Lin & Weng 2007
(doi:10.1007/s10994-007-5018-6). More classes: one temperature, :math:`p \propto \exp(\beta f)`
(Guo et al. 2017, "On calibration of modern neural networks"), which never changes the argmax,
fitted to targets smoothed by the rule of succession. Decisions are scaled to unit size first, so
that their unit has no say in the fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Calibration", "fit_calibration"]


@dataclass(frozen=True)
class Calibration:
    """Turns decisions into probabilities.

    Parameters
    ----------
    slope, offset : float
        :math:`A` and :math:`B` above for two classes; minus the inverse temperature and 0 for more.

    Examples
    --------
    >>> Calibration(-2.0, 0.0).probabilities(np.array([0.0, 1.0])).round(2)
    array([[0.5 , 0.5 ],
           [0.12, 0.88]])
    """

    slope: float
    offset: float

    def probabilities(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities of shape (n_samples, n_classes).

        Parameters
        ----------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            With one column, above 0 speaks for the second class.
        """
        if decision.ndim == 1:
            second = _logistic(-(self.slope * decision + self.offset))
            return np.stack([1 - second, second], axis=1)
        scaled = -self.slope * decision
        scaled -= scaled.max(axis=1, keepdims=True)
        odds = np.exp(scaled)
        odds /= odds.sum(axis=1, keepdims=True)
        return odds


def fit_calibration(
    decision: NDArray[np.float64],
    codes: NDArray[np.int64],
    sample_weight: NDArray[np.float64] | None = None,
) -> Calibration:
    """Fit to decisions of rows that were held out when they were made.

    Parameters
    ----------
    decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Held-out decisions.
    codes : ndarray of shape (n_samples,)
        True classes as codes.
    sample_weight : ndarray of shape (n_samples,), optional
        Weight of each row.

    Returns
    -------
    Calibration

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> f = rng.normal(size=5000)
    >>> y = (rng.random(5000) < 1 / (1 + np.exp(-(3 * f - 1)))).astype(np.int64)
    >>> fitted = fit_calibration(f, y)
    >>> bool(abs(fitted.slope + 3) < 0.3 and abs(fitted.offset - 1) < 0.2)
    True
    """
    weight = np.ones(len(codes)) if sample_weight is None else sample_weight
    size = float(np.sqrt(np.mean(decision**2))) or 1.0
    fit = _fit_sigmoid if decision.ndim == 1 else _fit_temperature
    slope, offset = fit(decision / size, codes, weight)
    return Calibration(slope / size, offset)


def _logistic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    # Written in exp(-|x|), which cannot overflow.
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _fit_sigmoid(
    f: NDArray[np.float64], codes: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    above, below = weight[codes == 1].sum(), weight[codes == 0].sum()
    target = np.where(codes == 1, (above + 1) / (above + 2), 1 / (below + 2))

    def loss(a: float, b: float) -> float:
        z = a * f + b
        return float((weight * (target * z + np.logaddexp(0, -z))).sum())

    a, b = 0.0, float(np.log((below + 1) / (above + 1)))
    value = loss(a, b)
    for _ in range(100):
        p = _logistic(-(a * f + b))
        slack = weight * (target - p)
        gradient = np.array([(slack * f).sum(), slack.sum()])
        if np.abs(gradient).max() < 1e-8 * weight.sum():
            break
        curvature = weight * p * (1 - p)
        hessian = np.array(
            [
                [(curvature * f * f).sum() + 1e-12, (curvature * f).sum()],
                [(curvature * f).sum(), curvature.sum() + 1e-12],
            ]
        )
        step = -np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-10:
            new = loss(a + size * step[0], b + size * step[1])
            if new < value + 1e-4 * size * float(gradient @ step):
                break
            size /= 2
        else:
            break
        a, b, value = a + size * step[0], b + size * step[1], new
    if a > 0:
        # A decision that says the contrary must not be trusted backwards; the share of each class
        # is what is left.
        share = float(np.average(target, weights=weight))
        return 0.0, float(np.log((1 - share) / share))
    return float(a), float(b)


def _fit_temperature(
    f: NDArray[np.float64], codes: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    # One number is fitted to all rows, so the rule of succession counts them all: the true class
    # gets (n + 1) / (n + n_classes), which keeps separable rows from certainty. Counting each
    # class's own rows, as Platt does, told 80% of ten digits of which 98% were right.
    n = weight.sum()
    own = f[np.arange(len(codes)), codes]
    expected = (n * own + f.sum(axis=1)) / (n + f.shape[1])

    def loss(log_beta: float) -> float:
        beta = np.exp(log_beta)
        return float((weight * (logsumexp(beta * f, axis=1) - beta * expected)).sum())

    best = minimize_scalar(loss, bounds=(-5, 5), method="bounded")
    return -float(np.exp(best.x)), 0.0
