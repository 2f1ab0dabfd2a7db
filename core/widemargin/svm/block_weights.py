r"""Weights of a sum of kernels, found on training rows.

``aligned`` (Cortes, Mohri & Rostamizadeh 2012, "Algorithms for learning kernels based on centered
alignment", JMLR 13:795-828, proposition 9): of all combinations with weights of at least 0, the one
whose centred Gram matrix points most in the direction of the target's,

.. math::
    \mu \propto \arg\min_{v \ge 0} v^\top M v - 2 v^\top a, \qquad
    M_{kl} = \langle H K_k H, H K_l H \rangle, \quad a_k = \langle H K_k H, Y Y^\top \rangle,

with :math:`H = I - \tfrac1n 1 1^\top` and one column of :math:`Y` a function. It needs no machine.

``learned`` (Kloft, Brefeld, Sonnenburg & Zien 2011, ":math:`\ell_p`-norm multiple kernel learning",
JMLR 12:953-997, algorithm 1): the machine and the weights by turns, where the step of the weights
is closed,

.. math::
    \lVert w_k \rVert^2 = \theta_k^2 \sum_f \beta_f^\top K_k \beta_f, \qquad
    \theta_k = \frac{\lVert w_k \rVert^{2 / (p + 1)}}
                    {\left(\sum_l \lVert w_l \rVert^{2 p / (p + 1)}\right)^{1/p}}.

:math:`p = 1` drops blocks, and a large :math:`p` comes near equal weights. :math:`p = 4/3` lies
between: in the paper's experiments such values do best unless nearly all blocks are noise, or none
is. Only directions matter here: the weights returned sum to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.engines import Engine

__all__ = ["aligned_weights", "learned_weights"]

_P = 4 / 3
_ROUNDS = 20
_STILL = 5e-3
_CHUNK = 256
# Kernels of unit diagonal have values of the order of 1, and so has the C of their machine.
_C = 1.0
_EPSILON = 0.1


def aligned_weights(
    grams: Sequence[NDArray[Any]], target: NDArray[np.float64], rows: NDArray[np.intp]
) -> tuple[float, ...]:
    """Return the weights of the greatest centred alignment.

    Parameters
    ----------
    grams : sequence of ndarray of shape (n_samples, n_samples)
        One Gram matrix a summand.
    target : ndarray of shape (n_rows, n_functions)
        What the sum is to be like.
    rows : ndarray of shape (n_rows,)
        The training rows; no others are looked at.

    Examples
    --------
    >>> y = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    >>> aligned_weights([y @ y.T, np.eye(4)], y, np.arange(4))
    (1.0, 0.0)
    """
    from scipy.optimize import nnls

    products, to_target = _centred_products(grams, target, rows)
    # v'Mv - 2 v'a is |A v - b|^2 up to a constant where A'A = M and A'b = a. Equal blocks make M
    # singular, which eigenvectors bear and a Cholesky factor does not.
    values, vectors = np.linalg.eigh(products)
    kept = values > values[-1] * 1e-12
    if not kept.any() or values[-1] <= 0:
        return _equal(len(grams))
    root = np.sqrt(values[kept])
    direction, _ = nnls(root[:, None] * vectors[:, kept].T, vectors[:, kept].T @ to_target / root)
    return _share(direction)


def _centred_products(
    grams: Sequence[NDArray[Any]], target: NDArray[np.float64], rows: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return M and a, centring sums instead of matrices."""
    n, n_grams = len(rows), len(grams)
    # Whole rows of the matrices are read, and other columns weigh nothing.
    centred = target - target.mean(axis=0)
    aims = np.zeros((len(grams[0]), target.shape[1]))
    np.add.at(aims, rows, centred)
    counted = np.bincount(rows, minlength=len(aims)).astype(np.float64)
    products = np.zeros((n_grams, n_grams))
    to_target = np.zeros(n_grams)
    row_sums = np.empty((n_grams, n))
    for start in range(0, n, _CHUNK):
        part = slice(start, start + _CHUNK)
        own = rows[part]
        blocks = [gram[own].astype(np.float64, copy=False) for gram in grams]
        for k, block in enumerate(blocks):
            row_sums[k, part] = block @ counted
            to_target[k] += ((block @ aims) * centred[part]).sum()
            block = block if (counted == 1).all() else block * counted
            for other in range(k + 1):
                products[k, other] += block.ravel() @ blocks[other].ravel()
    products = np.tril(products) + np.tril(products, -1).T
    totals = row_sums.sum(axis=1)
    products += np.outer(totals, totals) / n**2 - 2 * row_sums @ row_sums.T / n
    return products, to_target


def learned_weights(
    grams: Sequence[NDArray[Any]],
    target: NDArray[np.float64],
    rows: NDArray[np.intp],
    *,
    is_regression: bool = False,
    engine: Engine | None = None,
) -> tuple[float, ...]:
    """Return the weights that multiple kernel learning finds, the machine's C being 1.

    Parameters
    ----------
    grams, target, rows
        As for `aligned_weights`; each column of `target` is one machine's, of +1 and -1, and 0
        where a row takes no part.
    is_regression : bool, default=False
        Whether `target` is numbers, of about unit variance.
    engine : Engine, optional
        What solves the machines; by default the fastest.
    """
    from widemargin.svm.engines import choose_engine

    engine = engine or choose_engine("auto")
    duals = _duals(target, rows, is_regression)
    n_grams = len(grams)
    weights = np.full(n_grams, 1 / n_grams)
    for _ in range(_ROUNDS):
        # Numbers of Python's leave float32 matrices as they are.
        first, *rest = weights.tolist()
        combined = first * grams[0]
        for weight, gram in zip(rest, grams[1:], strict=True):
            for start in range(0, len(gram), _CHUNK):
                combined[start : start + _CHUNK] += weight * gram[start : start + _CHUNK]
        beta = engine.solve([combined], duals, np.array([_C])).beta[0, 0]
        squares = weights**2 * _squared_norms(grams, duals, beta)
        if squares.max() <= 0:
            break
        # Common factors of the weights are C's business, and these sum to 1.
        new = np.maximum(squares, 0) ** (1 / (_P + 1))
        new /= new.sum()
        still = float(np.abs(new - weights).max()) < _STILL
        weights = new
        if still:
            break
    return _share(weights)


def _duals(target: NDArray[np.float64], rows: NDArray[np.intp], is_regression: bool) -> Any:
    from widemargin.svm.duals import Duals

    taken = [np.arange(len(rows)) if is_regression else np.flatnonzero(own) for own in target.T]
    aims = np.concatenate([own[part] for own, part in zip(target.T, taken, strict=True)])
    return Duals(
        rows=np.concatenate([rows[part] for part in taken]).astype(np.int64),
        starts=np.cumsum([0, *map(len, taken)], dtype=np.int64),
        target=aims,
        lower=np.where((aims > 0) & (not is_regression), 0.0, -1.0),
        upper=np.where((aims < 0) & (not is_regression), 0.0, 1.0),
        held_out=np.empty(0, dtype=np.int64),
        held_out_starts=np.zeros(len(taken) + 1, dtype=np.int64),
        epsilon=_EPSILON if is_regression else 0.0,
    )


def _squared_norms(
    grams: Sequence[NDArray[Any]], duals: Any, beta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the sum over functions of beta' K beta, for each Gram matrix."""
    multipliers = np.zeros((len(grams[0]), len(duals)))
    for k in range(len(duals)):
        own = duals.own(k)
        multipliers[duals.rows[own], k] = beta[own]
    used = np.flatnonzero(multipliers.any(axis=1))
    norms = np.zeros(len(grams))
    for start in range(0, len(used), _CHUNK):
        part = used[start : start + _CHUNK]
        for at, gram in enumerate(grams):
            norms[at] += ((gram[part] @ multipliers) * multipliers[part]).sum()
    return norms


def _share(weights: NDArray[np.float64]) -> tuple[float, ...]:
    total = float(weights.sum())
    # No block points the target's way.
    return tuple((weights / total).tolist()) if total > 0 else _equal(len(weights))


def _equal(n: int) -> tuple[float, ...]:
    return (1.0 / n,) * n
