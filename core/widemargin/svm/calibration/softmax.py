r"""Softmax regression with few numbers, which sigmoid and temperatures are.

Given scores :math:`z_{ki} = \sum_j \theta_j F_{jki} + b_k` and targets :math:`t_{ki}` that add up
to 1 over the classes, minimise
:math:`\sum_i w_i (\log \sum_k e^{z_{ki}} - \sum_k t_{ki} z_{ki})` over :math:`\theta \ge l` and,
where they are asked for, the offsets :math:`b` of all classes but the first, whose own is 0. The
loss is convex; a projected Newton method (Bertsekas 1982, doi:10.1137/0320018) finds its minimum in
about ten steps.

Offsets are features that are 1 for one class, and need not be written down: their gradient is
:math:`(p - t) w`, and their part of the Hessian
:math:`\mathrm{diag}(p w) - p \, \mathrm{diag}(w) \, p^T`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_softmax", "softmax"]


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``exp(scores)`` divided by its sum over the first axis, without overflow.

    Examples
    --------
    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    odds: NDArray[np.float64] = np.exp(scores - scores.max(axis=0))
    odds /= odds.sum(axis=0)
    return odds


def fit_softmax(
    features: NDArray[np.float64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
    start: NDArray[np.float64],
    lower: NDArray[np.float64],
    *,
    offsets: bool = False,
) -> NDArray[np.float64]:
    """Return theta of shape (n_features,), behind it b without its first where there are offsets.

    Parameters
    ----------
    features : ndarray of shape (n_features, n_classes, n_samples)
        F above, of about unit size.
    target : ndarray of shape (n_classes, n_samples)
        t above.
    weight : ndarray of shape (n_samples,)
        w above.
    start, lower : ndarray of shape (n_features,)
        Where to begin, and l above. Offsets begin at 0.
    offsets : bool, default=False
        Whether each class but the first has one.

    Examples
    --------
    >>> share = np.array([[0.2], [0.8]])
    >>> free = np.array([-np.inf])
    >>> theta = fit_softmax(np.array([[[0.0], [1.0]]]), share, np.ones(1), np.zeros(1), free)
    >>> softmax(theta * np.array([0.0, 1.0])).round(6)
    array([0.2, 0.8])
    """
    if offsets:
        start = np.append(start, np.zeros(len(target) - 1))
        lower = np.append(lower, np.full(len(target) - 1, -np.inf))

    def at(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return the loss and the probabilities."""
        scores = np.einsum("a,aki->ki", theta[: len(features)], features)
        if offsets:
            scores[1:] += theta[len(features) :, None]
        top = scores.max(axis=0)
        odds = np.exp(scores - top)
        total = odds.sum(axis=0)
        loss = np.log(total) + top - (target * scores).sum(axis=0)
        return float(weight @ loss), odds / total

    theta = np.maximum(start, lower)
    value, p = at(theta)
    for _ in range(100):
        gradient = (features * (p - target)).sum(axis=1) @ weight
        if offsets:
            gradient = np.append(gradient, (p - target)[1:] @ weight)
        free = (theta > lower) | (gradient < 0)
        if np.abs(gradient[free]).max(initial=0.0) < 1e-8 * weight.sum():
            break
        hessian = _hessian(features, p, weight, offsets=offsets)[np.ix_(free, free)]
        hessian.flat[:: len(hessian) + 1] += 1e-12 * weight.sum()
        step = np.zeros_like(theta)
        step[free] = -np.linalg.solve(hessian, gradient[free])
        size = 1.0
        while size > 1e-10:
            new = np.maximum(theta + size * step, lower)
            new_value, new_p = at(new)
            if new_value < value + 1e-4 * float(gradient @ (new - theta)):
                break
            size /= 2
        else:
            break
        theta, value, p = new, new_value, new_p
    return theta


def _hessian(
    features: NDArray[np.float64],
    p: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    offsets: bool,
) -> NDArray[np.float64]:
    """Return the second derivatives by theta, and by offsets behind it."""
    each = p * weight
    root = np.sqrt(each)
    spread = (features - (features * p).sum(axis=1)[:, None]) * root
    # BLAS is not asked for so few features: its threads cost more than they bring.
    among: NDArray[np.float64] = np.einsum("aki,bki->ab", spread, spread)
    if not offsets:
        return among
    between = np.einsum("aki,ki->ak", spread, root)[:, 1:]
    own = np.diag(each[1:].sum(axis=1)) - p[1:] @ each[1:].T
    return np.block([[among, between], [between.T, own]])
