r"""Rankings of genes, and how many of them to keep.

Two rankings. By a test of each gene alone (`widemargin.encoders.gene_strengths`), and by recursive
feature elimination: a linear machine is trained, the genes of the smallest weights are dropped, and
so on with those that are left (SVM-RFE; Guyon, Weston, Barnhill & Vapnik 2002,
doi:10.1023/A:1012487302797). A gene's weight is :math:`\sum_k w_{kg}^2` over the machines of all
pairs of classes. Half of the genes go in each step, below 128 a quarter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Ranking", "by_elimination", "choose_count"]

Ranking = Callable[["NDArray[np.float64]", "NDArray[Any]"], "NDArray[np.intp]"]
"""Takes rows and classes, and returns the genes' places, the best first."""

_C = 10.0
"""Nearly a hard margin, as rows have mean square length 1; more genes than samples leave no error
to pay for."""
_FEW = 128
_FOLDS, _REPEATS = 5, 3


def by_elimination(rows: NDArray[np.float64], y: NDArray[Any], least: int = 1) -> NDArray[np.intp]:
    """Rank genes by recursive elimination.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_genes)
        Vectors whose genes are on one scale.
    y : ndarray of shape (n_samples,)
        Class names.
    least : int, default=1
        Elimination ends when so many genes are left; these are ranked by their last weights.

    Returns
    -------
    ndarray of shape (n_genes,)
        Places of the genes, the last to be dropped first. Of equal genes the one whose column comes
        first is the better.

    Examples
    --------
    >>> rows = np.array([[1.0, 0.1], [0.9, -0.1], [-1.0, 0.1], [-0.9, -0.1]])
    >>> by_elimination(rows, np.array(["a", "a", "b", "b"])).tolist()
    [0, 1]
    """
    alive = np.arange(rows.shape[1])
    dropped: list[NDArray[np.intp]] = []
    while True:
        order = np.argsort(-_weights(rows[:, alive], y), kind="stable")
        left = max(least, len(alive) // 2 if len(alive) >= _FEW else len(alive) * 3 // 4)
        if left >= len(alive):
            return np.concatenate([alive[order], *reversed(dropped)])
        dropped.append(alive[order[left:]])
        alive = np.sort(alive[order[:left]])


def choose_count(
    rows: NDArray[np.float64],
    y: NDArray[Any],
    counts: Sequence[int],
    rank: Ranking,
) -> tuple[int, NDArray[np.float64]]:
    """Choose how many genes to keep, by cross-validation of a linear machine on these rows alone.

    Five folds, three times, always the same ones. Genes are ranked anew in every fold. The fewest
    mistakes win; of counts that make equally many, the largest, since more genes leave the margin
    less to any one of them.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_genes)
        Vectors.
    y : ndarray of shape (n_samples,)
        Class names.
    counts : sequence of int
        Numbers of genes to choose from.
    rank : Ranking
        How genes are ranked.

    Returns
    -------
    count : int
        The chosen one.
    mistakes : ndarray of shape (n_counts,)
        Mean number of mistakes at each count.
    """
    if len(counts) == 1:
        return counts[0], np.zeros(1)
    mistakes = np.zeros(len(counts))
    for repeat in range(_REPEATS):
        folds = _deal(y, repeat)
        for fold in range(_FOLDS):
            held, learned = folds == fold, folds != fold
            if not held.any() or len(np.unique(y[learned])) < 2:
                continue
            order = rank(rows[learned], y[learned])
            # The products of rows over more genes are those over fewer, and the further genes'.
            products, start = np.zeros((len(rows), len(rows))), 0
            for place in np.argsort(counts):
                further = rows[:, order[start : counts[place]]]
                products += further @ further.T
                start = counts[place]
                told = _tell(products, y, learned, held)
                mistakes[place] += (told != y[held]).sum()
    best = max(range(len(counts)), key=lambda place: (-mistakes[place], counts[place]))
    return counts[best], mistakes / _REPEATS


def _deal(y: NDArray[Any], seed: int) -> NDArray[np.intp]:
    """Deal each class's rows to folds in turn; a class goes on where the one before ended."""
    rng = np.random.default_rng(seed)
    dealt = np.concatenate([rng.permutation(np.flatnonzero(y == name)) for name in np.unique(y)])
    folds = np.empty(len(y), dtype=np.intp)
    folds[dealt] = np.arange(len(y)) % _FOLDS
    return folds


def _unit(products: NDArray[np.float64]) -> float:
    """Return the mean square length of rows of which these are all products."""
    return float(np.trace(products)) / len(products) or 1.0


def _tell(
    products: NDArray[np.float64],
    y: NDArray[Any],
    learned: NDArray[np.bool_],
    held: NDArray[np.bool_],
) -> NDArray[Any]:
    """Tell the classes of held-out rows from their products with learned ones."""
    from widemargin.svm import SVC

    own = products[np.ix_(learned, learned)]
    unit = _unit(own)
    machine = SVC(C=_C, kernel="precomputed").fit(own / unit, y[learned])
    told: NDArray[Any] = machine.predict(products[np.ix_(held, learned)] / unit)
    return told


def _weights(rows: NDArray[np.float64], y: NDArray[Any]) -> NDArray[np.float64]:
    from widemargin.svm import SVC

    # From the products of rows: fewer samples than genes make them a small matrix.
    products = rows @ rows.T
    machine = SVC(C=_C, kernel="precomputed").fit(products / _unit(products), y)
    coef = machine.dual_coef_ @ rows[machine.support_]
    squares: NDArray[np.float64] = (coef**2).sum(axis=0)
    return squares
