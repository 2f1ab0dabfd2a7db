"""Models that take texts in rectangles: each batch is of texts of one length, so nothing is padded.

A token that fills a row changes the others' sums in the last digits, so that a text's vector would
depend on the texts beside it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from widemargin.encoders.text.contextual import ContextualModel, Pooling
from widemargin.encoders.text.packed import pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RectangleModel", "batches_of"]


class RectangleModel(ContextualModel):
    """Base of models of other libraries.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        It cuts texts.
    taken : sequence of int
        The layers whose outputs are averaged, 0 for the embeddings.
    """

    tokens_at_once = 2048

    @abstractmethod
    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return a vector a token, of shape (n_texts, n_tokens, d)."""

    def batches_at_once(self) -> int:
        """Return how many batches are computed side by side; 1 where the library has threads."""
        return 1

    def pooled(self, ids: Sequence[Sequence[int]], pooling: Pooling) -> NDArray[np.float32]:
        """Return a vector a text, of shape (n_texts, d)."""

        def work(rows: list[int]) -> list[tuple[int, NDArray[np.float32]]]:
            states = self.run(np.array([ids[row] for row in rows], dtype=np.int64))
            return [(row, pool(own, pooling)) for row, own in zip(rows, states, strict=True)]

        batches = batches_of([len(one) for one in ids], self.tokens_at_once)
        threads = ThreadPoolExecutor(self.batches_at_once())
        try:
            found = dict(pair for pairs in threads.map(work, batches) for pair in pairs)
        finally:
            threads.shutdown(cancel_futures=True)
        return np.stack([found[row] for row in range(len(ids))])

    def states(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Return a vector a token of one text, of shape (n_tokens, d)."""
        return np.asarray(self.run(np.array([ids], dtype=np.int64))[0])


def batches_of(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield the rows of each batch: of one length, together at most so many tokens.

    Examples
    --------
    >>> list(batches_of([9, 2, 3, 9, 2, 9], 18))
    [[1, 4], [2], [0, 3], [5]]
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[row]
        if batch and (lengths[batch[0]] != length or (len(batch) + 1) * length > budget):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
