"""Schemes: classes into dual problems, and their solutions into one machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from widemargin.svm.duals import Duals, SolvedDuals
from widemargin.svm.machine import Scheme, Solution, duels

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Part",
    "Scheme",
    "classification",
    "count_functions",
    "one_class",
    "regression",
    "scheme_of",
    "solution",
    "targets",
]

Part = tuple["NDArray[np.intp]", "NDArray[np.intp]"]
"""The rows to train on, and the rows to decide."""


def scheme_of(n_classes: int, scheme: Literal["one-vs-one", "one-vs-rest"]) -> Scheme:
    """Return the scheme; ``single`` for two classes, and for regression, which has 0.

    Examples
    --------
    >>> scheme_of(2, "one-vs-one"), scheme_of(3, "one-vs-rest")
    ('single', 'one-vs-rest')
    """
    return scheme if n_classes > 2 else "single"


def count_functions(n_classes: int, scheme: Scheme) -> int:
    """Return how many separating functions a machine has.

    Examples
    --------
    >>> [count_functions(4, scheme) for scheme in ("one-vs-one", "one-vs-rest")]
    [6, 4]
    """
    if scheme == "one-vs-one":
        return n_classes * (n_classes - 1) // 2
    return n_classes if scheme == "one-vs-rest" else 1


def targets(codes: NDArray[np.int64], n_classes: int, scheme: Scheme) -> list[NDArray[np.float64]]:
    """Return each function's target: +1, -1, or 0 where a row takes no part.

    Examples
    --------
    >>> targets(np.array([0, 1, 2]), 3, "one-vs-one")[1]
    array([ 1.,  0., -1.])
    """
    if scheme == "single":
        return [np.where(codes == 1, 1.0, -1.0)]
    if scheme == "one-vs-rest":
        return [np.where(codes == code, 1.0, -1.0) for code in range(n_classes)]
    return [
        (codes == first).astype(np.float64) - (codes == second)
        for _, first, second in duels(n_classes)
    ]


def classification(
    codes: NDArray[np.int64],
    n_classes: int,
    scheme: Scheme,
    weight: NDArray[np.float64] | None,
    parts: Sequence[Part],
) -> Duals:
    """Build the problems of every part, function by function; a problem's rows are sorted by class.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        Classes as 0 .. n_classes - 1.
    n_classes : int
        Number of classes, at least 2.
    scheme : {"single", "one-vs-one", "one-vs-rest"}
        ``single`` where there are two classes.
    weight : ndarray of shape (n_samples,) or None
        Factor of C by row; rows of weight 0 are left out.
    parts : sequence of (train, held_out)
        Row numbers.

    Examples
    --------
    >>> whole = (np.arange(3), np.arange(0))
    >>> duals = classification(np.array([0, 1, 1]), 2, "single", None, [whole])
    >>> duals.rows, duals.lower, duals.upper
    (array([1, 2, 0]), array([ 0.,  0., -1.]), array([1., 1., 0.]))
    """
    rows, bounds, signs, held_out = [], [], [], []
    for train, test in parts:
        used, bound = _used(train, weight)
        own = codes[used]
        if scheme == "one-vs-one":
            # Every class's rows are gathered once, and each duel is two such lists.
            places = [np.flatnonzero(own == code) for code in range(n_classes)]
            pairs = [(places[first], places[second]) for _, first, second in duels(n_classes)]
        else:
            speaking = [1] if scheme == "single" else range(n_classes)
            pairs = [
                (np.flatnonzero(own == code), np.flatnonzero(own != code)) for code in speaking
            ]
        for sides in pairs:
            for sign, side in zip((1.0, -1.0), sides, strict=True):
                rows.append(used[side])
                bounds.append(bound[side])
                signs.append((sign, len(side)))
        held_out += [test] * count_functions(n_classes, scheme)
    packed = np.concatenate(rows).astype(np.int64, copy=False)
    target = np.repeat([sign for sign, _ in signs], [size for _, size in signs])
    bound = np.concatenate(bounds)
    return Duals(
        rows=packed,
        starts=_starts(rows)[::2].copy(),
        target=target,
        lower=np.where(target > 0, 0.0, -bound),
        upper=np.where(target > 0, bound, 0.0),
        held_out=np.concatenate(held_out).astype(np.int64, copy=False),
        held_out_starts=_starts(held_out),
    )


def regression(
    target: NDArray[np.float64],
    epsilon: float,
    weight: NDArray[np.float64] | None,
    parts: Sequence[Part],
) -> Duals:
    """Build one regression problem a part; parameters as for `classification`.

    Examples
    --------
    >>> duals = regression(np.array([3.0, 4.0]), 0.1, None, [(np.arange(2), np.arange(0))])
    >>> duals.lower, duals.upper
    (array([-1., -1.]), array([1., 1.]))
    """
    used = [_used(train, weight) for train, _ in parts]
    rows = [own for own, _ in used]
    held_out = [test for _, test in parts]
    packed = np.concatenate(rows).astype(np.int64, copy=False)
    bound = np.concatenate([own for _, own in used])
    return Duals(
        rows=packed,
        starts=_starts(rows),
        target=target[packed],
        lower=-bound,
        upper=bound,
        held_out=np.concatenate(held_out).astype(np.int64, copy=False),
        held_out_starts=_starts(held_out),
        epsilon=epsilon,
    )


def one_class(nu: float, weight: NDArray[np.float64] | None, n_samples: int) -> Duals:
    """Build the problem that encloses all rows but about a share `nu` of them, to solve at C = 1.

    Examples
    --------
    >>> one_class(0.5, None, 4).total
    2.0
    """
    rows = np.arange(n_samples) if weight is None else np.flatnonzero(weight > 0)
    bound = np.ones(len(rows)) if weight is None else weight[rows]
    return Duals(
        rows=rows.astype(np.int64, copy=False),
        starts=np.array([0, len(rows)]),
        target=np.zeros(len(rows)),
        lower=np.zeros(len(rows)),
        upper=bound,
        held_out=np.empty(0, dtype=np.int64),
        held_out_starts=np.zeros(2, dtype=np.int64),
        total=nu * float(bound.sum()),
    )


def solution(
    duals: Duals,
    solved: SolvedDuals,
    scheme: Scheme,
    n_functions: int,
    *,
    gram: int = 0,
    C: int = 0,
    part: int = 0,
) -> Solution:
    """Put one part's functions together; support vectors are the rows that any of them uses."""
    problems = slice(part * n_functions, (part + 1) * n_functions)
    sizes = np.diff(duals.starts)[problems]
    first = int(duals.starts[problems.start])
    beta = solved.beta[gram, C, first : first + int(sizes.sum())]
    taken = np.flatnonzero(beta)
    rows = duals.rows[first + taken]
    used = np.zeros(int(rows.max(initial=-1)) + 1, dtype=np.intp)
    used[rows] = 1
    support = np.flatnonzero(used)
    used[support] = np.arange(len(support))
    dual_coef = np.zeros((n_functions, len(support)))
    dual_coef[np.repeat(np.arange(n_functions), sizes)[taken], used[rows]] = beta[taken]
    return Solution(
        scheme=scheme,
        support=support.astype(np.intp, copy=False),
        dual_coef=dual_coef,
        coef=None,
        intercept=solved.intercept[gram, C, problems].copy(),
        n_iter=int(solved.n_iter[gram, C, problems].max()),
        converged=bool(solved.converged[gram, C, problems].all()),
    )


def _used(
    train: NDArray[np.intp], weight: NDArray[np.float64] | None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return a part's rows and their bounds: a row that is there twice has twice the weight."""
    times = None
    if len(train) and np.bincount(train).max() > 1:
        train, times = np.unique(train, return_counts=True)
    if weight is None:
        return train, np.ones(len(train)) if times is None else times.astype(np.float64)
    bound = weight[train] if times is None else weight[train] * times
    used = bound > 0
    return train[used], bound[used]


def _starts(parts: Sequence[NDArray[np.intp]]) -> NDArray[np.int64]:
    return np.cumsum([0, *map(len, parts)], dtype=np.int64)
