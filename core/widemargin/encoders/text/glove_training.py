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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from widemargin.contracts import State
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

__all__ = ["PAIR_BYTES", "Fit", "GloveTraining", "Pairs", "count_pairs", "loss"]

PAIR_BYTES = 100
"""Memory that a pair may take while it is counted; training takes less."""

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


def count_pairs(
    texts: Sequence[Sequence[int]], n_words: int, window: int, *, most: int | None = None
) -> Pairs:
    """Count pairs of words up to `window` words apart, within texts.

    Parameters
    ----------
    texts : sequence of sequences of int
        The words of each text by number, from 0.
    n_words : int
        How many distinct words there are.
    window : int
        How far apart a pair may be.
    most : int, optional
        How many distinct pairs there may be.

    Raises
    ------
    DataError
        Where there are more; it is raised as soon as they are.

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
            _check_pairs(total, most)
    total = csr_matrix(total + _count_block(block, n_words, window))
    _check_pairs(total, most)
    both = (total + total.T).tocoo()
    order = np.lexsort((both.col, both.row))
    return Pairs(
        both.row[order].astype(np.int64), both.col[order].astype(np.int64), both.data[order]
    )


def _check_pairs(total: csr_matrix, most: int | None) -> None:
    # Each was counted in the order in which it stands, and will be there in both.
    if most is not None and 2 * total.nnz > most:
        raise DataError(
            f"glove: too many pairs of words stand near each other; {most:,} fit into half of the "
            f"memory at {PAIR_BYTES} bytes each. Lower max_words or window, or raise min_count."
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


class GloveTraining:
    """The loss over the pairs, made smaller epoch by epoch.

    Parameters
    ----------
    pairs : Pairs
        What was counted.
    n_words, dimension : int
        Sizes.
    x_max, alpha, learning_rate : float
        The paper's: 100, 0.75 and 0.05.
    random_state : int
        Seed of the first vectors and of the order of pairs.

    Attributes
    ----------
    fit : Fit
        What was learnt so far.
    """

    def __init__(
        self,
        pairs: Pairs,
        n_words: int,
        *,
        dimension: int,
        x_max: float,
        alpha: float,
        learning_rate: float,
        random_state: int,
    ) -> None:
        self._pairs, self._learning_rate = pairs, learning_rate
        self._rng = rng = np.random.default_rng(random_state)
        self.fit = Fit(
            (rng.random((n_words, dimension)) - 0.5) / dimension,
            (rng.random((n_words, dimension)) - 0.5) / dimension,
            (rng.random(n_words) - 0.5) / dimension,
            (rng.random(n_words) - 0.5) / dimension,
        )
        # As in the paper's own program, AdaGrad's sums of squares begin at 1.
        self._squares = Fit(*(np.ones_like(one) for one in vars(self.fit).values()))
        self._weights = np.minimum(1, (pairs.counts / x_max) ** alpha)
        self._targets = np.log(pairs.counts)

    def train_epoch(self, epoch: int = 0) -> None:
        """Go through all pairs once, in a new order."""
        fit, squares = self.fit, self._squares
        size = min(_LARGEST, max(_SMALLEST, len(self._targets) // _STEPS))
        order = self._rng.permutation(len(self._targets))
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            rows, columns = self._pairs.rows[batch], self._pairs.columns[batch]
            own, other = fit.words[rows], fit.contexts[columns]
            errors = np.einsum("ij,ij->i", own, other)
            errors += fit.word_biases[rows] + fit.context_biases[columns] - self._targets[batch]
            # Half the gradient, as there; the learning rate is meant for it.
            errors *= self._weights[batch]
            _step(
                (fit.words, fit.word_biases),
                (squares.words, squares.word_biases),
                rows,
                errors,
                other,
                self._learning_rate,
            )
            _step(
                (fit.contexts, fit.context_biases),
                (squares.contexts, squares.context_biases),
                columns,
                errors,
                own,
                self._learning_rate,
            )

    def checked(self) -> Fit:
        """Return what was learnt.

        Raises
        ------
        DataError
            Where the numbers grew without end.
        """
        if not all(np.isfinite(one).all() for one in vars(self.fit).values()):
            raise DataError(
                f"glove: training diverged at a learning_rate of {self._learning_rate:g}; lower it."
            )
        return self.fit

    def get_state(self) -> State:
        """Return vectors, AdaGrad's sums, and where the random numbers are."""
        return State(self._arrays(), {"random": self._rng.bit_generator.state})

    def set_state(self, state: State) -> None:
        """Take up vectors, sums and random numbers."""
        for name, own in self._arrays().items():
            own[...] = state.arrays[name]
        self._rng.bit_generator.state = state.meta["random"]

    def _arrays(self) -> dict[str, NDArray[np.float64]]:
        both = (("fit", self.fit), ("squares", self._squares))
        return {f"{of}.{name}": own for of, fit in both for name, own in vars(fit).items()}


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
