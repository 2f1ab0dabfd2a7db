r"""GloVe: word vectors from how often words stand near each other.

Pennington, Socher & Manning 2014, "GloVe: global vectors for word representation", EMNLP,
doi:10.3115/v1/D14-1162. With :math:`X_{ij}` how often word j stands in the window of word i, each
time counted as one over their distance, the vectors minimise

.. math:: J = \sum_{i,j:\,X_{ij}>0} f(X_{ij})
    \left(w_i^\top \tilde w_j + b_i + \tilde b_j - \ln X_{ij}\right)^2, \qquad
    f(x) = \min\left(1, (x / x_\max)^\alpha\right),

and :math:`w_i + \tilde w_i` is what is used. The solver is AdaGrad (Duchi, Hazan & Singer 2011,
JMLR 12, 2121-2159), as in the paper, here on mini-batches of pairs in random order: the gradient of
a row is the sum over the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

__all__ = ["Fit", "Pairs", "count_pairs", "loss", "train_glove"]

_BLOCK = 200_000  # words whose pairs are in memory before they are summed
# Pairs of one step: few pairs are cut into about 64 steps, many into steps that numpy is fast at.
_SMALLEST, _LARGEST, _STEPS = 32, 4096, 64


@dataclass(frozen=True)
class Pairs:
    """Which words stand near which, and how often.

    Parameters
    ----------
    rows, columns : ndarray of shape (n_pairs,)
        The two words of each pair; both orders are there.
    counts : ndarray of shape (n_pairs,), float64
        Their :math:`X_{ij}`, above 0.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    counts: NDArray[np.float64]


@dataclass
class Fit:
    r"""The four things that GloVe learns.

    Parameters
    ----------
    words, contexts : ndarray of shape (n_words, dimension)
        :math:`w` and :math:`\tilde w`.
    word_biases, context_biases : ndarray of shape (n_words,)
        :math:`b` and :math:`\tilde b`.
    """

    words: NDArray[np.float64]
    contexts: NDArray[np.float64]
    word_biases: NDArray[np.float64]
    context_biases: NDArray[np.float64]

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors to use, the sum of both."""
        return (self.words + self.contexts).astype(np.float32)


def count_pairs(texts: Sequence[Sequence[int]], n_words: int, window: int) -> Pairs:
    """Count pairs of words up to `window` words apart, within texts.

    Parameters
    ----------
    texts : sequence of sequences of int
        The words of each text by number, from 0.
    n_words : int
        How many distinct words there are.
    window : int
        How far apart a pair may be.

    Returns
    -------
    Pairs
        Memory is in the number of distinct pairs; the texts go through in blocks.

    Examples
    --------
    >>> pairs = count_pairs([[0, 1, 2]], 3, window=2)
    >>> list(zip(pairs.rows.tolist(), pairs.columns.tolist(), pairs.counts.tolist()))
    [(0, 1, 1.0), (0, 2, 0.5), (1, 0, 1.0), (1, 2, 1.0), (2, 0, 0.5), (2, 1, 1.0)]
    """
    from scipy.sparse import csr_matrix

    total = csr_matrix((n_words, n_words))
    block: list[Sequence[int]] = []
    held = 0
    for text in texts:
        block.append(text)
        held += len(text)
        if held >= _BLOCK:
            total = total + _count_block(block, n_words, window)
            block, held = [], 0
    total = csr_matrix(total + _count_block(block, n_words, window))
    both = (total + total.T).tocoo()
    order = np.lexsort((both.col, both.row))
    return Pairs(
        both.row[order].astype(np.int64), both.col[order].astype(np.int64), both.data[order]
    )


def _count_block(texts: Sequence[Sequence[int]], n_words: int, window: int) -> csr_matrix:
    """Count each pair once, in the order in which it stands."""
    from scipy.sparse import csr_matrix

    words = np.array([word for text in texts for word in text], dtype=np.int64)
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    total = csr_matrix((n_words, n_words))
    for distance in range(1, min(window, len(words) - 1) + 1):
        same = owner[:-distance] == owner[distance:]
        first, second = words[:-distance][same], words[distance:][same]
        weights = np.full(len(first), 1 / distance)
        total = total + csr_matrix((weights, (first, second)), shape=(n_words, n_words))
    return total


def train_glove(
    pairs: Pairs,
    n_words: int,
    *,
    dimension: int,
    epochs: int,
    x_max: float,
    alpha: float,
    learning_rate: float,
    random_state: int,
    advance: Callable[[], Any] = lambda: None,
) -> Fit:
    """Minimise the loss over the pairs.

    Parameters
    ----------
    pairs : Pairs
        What was counted.
    n_words, dimension, epochs : int
        Sizes, and how often every pair is seen.
    x_max, alpha, learning_rate : float
        The paper's: 100, 0.75 and 0.05.
    random_state : int
        Seed of the first vectors and of the order of pairs.
    advance : callable
        Called after each epoch.

    Raises
    ------
    DataError
        Where the numbers grow without end.
    """
    rng = np.random.default_rng(random_state)
    fit = Fit(
        (rng.random((n_words, dimension)) - 0.5) / dimension,
        (rng.random((n_words, dimension)) - 0.5) / dimension,
        (rng.random(n_words) - 0.5) / dimension,
        (rng.random(n_words) - 0.5) / dimension,
    )
    # As in the paper's own program, AdaGrad's sums of squares begin at 1.
    squares = Fit(*(np.ones_like(one) for one in _parts(fit)))
    weights = np.minimum(1, (pairs.counts / x_max) ** alpha)
    targets = np.log(pairs.counts)
    size = min(_LARGEST, max(_SMALLEST, len(targets) // _STEPS))
    for _ in range(epochs):
        order = rng.permutation(len(targets))
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            rows, columns = pairs.rows[batch], pairs.columns[batch]
            own, other = fit.words[rows], fit.contexts[columns]
            errors = np.einsum("ij,ij->i", own, other)
            errors += fit.word_biases[rows] + fit.context_biases[columns] - targets[batch]
            # Half the gradient, as there; the learning rate is meant for it.
            errors *= weights[batch]
            _step(
                (fit.words, fit.word_biases),
                (squares.words, squares.word_biases),
                rows,
                errors,
                other,
                learning_rate,
            )
            _step(
                (fit.contexts, fit.context_biases),
                (squares.contexts, squares.context_biases),
                columns,
                errors,
                own,
                learning_rate,
            )
        advance()
    if not all(np.isfinite(one).all() for one in _parts(fit)):
        raise DataError(
            f"glove: training diverged at a learning_rate of {learning_rate:g}; lower it."
        )
    return fit


def loss(fit: Fit, pairs: Pairs, *, x_max: float, alpha: float) -> float:
    """Return the loss J.

    Examples
    --------
    >>> zero = Fit(np.zeros((2, 1)), np.zeros((2, 1)), np.zeros(2), np.zeros(2))
    >>> pairs = Pairs(np.array([0]), np.array([1]), np.array([np.e]))
    >>> loss(zero, pairs, x_max=1.0, alpha=0.75)
    1.0
    """
    errors = np.einsum("ij,ij->i", fit.words[pairs.rows], fit.contexts[pairs.columns])
    errors += fit.word_biases[pairs.rows] + fit.context_biases[pairs.columns]
    errors -= np.log(pairs.counts)
    return float((np.minimum(1, (pairs.counts / x_max) ** alpha) * errors**2).sum())


def _parts(fit: Fit) -> tuple[NDArray[np.float64], ...]:
    return fit.words, fit.contexts, fit.word_biases, fit.context_biases


def _step(
    values: tuple[NDArray[np.float64], NDArray[np.float64]],
    squares: tuple[NDArray[np.float64], NDArray[np.float64]],
    places: NDArray[np.int64],
    errors: NDArray[np.float64],
    factors: NDArray[np.float64],
    learning_rate: float,
) -> None:
    """Move the rows that a batch speaks of, each by its gradient summed over the batch."""
    from scipy.sparse import csr_matrix

    touched, inverse = np.unique(places, return_inverse=True)
    # A sparse matrix sums faster than numpy's add.at, and in a fixed order.
    sums = csr_matrix(
        (errors, (inverse, np.arange(len(places)))), shape=(len(touched), len(places))
    )
    gradients = (np.asarray(sums @ factors), np.bincount(inverse, weights=errors))
    for value, square, gradient in zip(values, squares, gradients, strict=True):
        square[touched] += gradient**2
        value[touched] -= learning_rate * gradient / np.sqrt(square[touched])
