"""Models that take texts in rectangles: batches of like lengths, so that little is padded."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.encoders.text.contextual import ContextualModel, Pooling
from widemargin.encoders.text.packed import pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PaddedModel", "batches_of"]


class PaddedModel(ContextualModel):
    """Base of models of other libraries.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        It cuts texts.
    taken : sequence of int
        The layers whose outputs are averaged, 0 for the embeddings.
    pad : int
        The token that fills a row.
    """

    tokens_at_once = 2048

    def __init__(self, tokenizer: Any, taken: Sequence[int], pad: int) -> None:
        super().__init__(tokenizer, taken)
        self._pad = pad

    @abstractmethod
    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return a vector a token, of shape (n_texts, n_tokens, d)."""

    def pooled(self, ids: Sequence[Sequence[int]], pooling: Pooling) -> NDArray[np.float32]:
        """Return a vector a text, of shape (n_texts, d)."""
        found: dict[int, NDArray[np.float32]] = {}
        for rows in batches_of([len(one) for one in ids], self.tokens_at_once):
            states = self._rectangle([ids[row] for row in rows])
            for row, own in zip(rows, states, strict=True):
                found[row] = pool(own[: len(ids[row])], pooling)
        return np.stack([found[row] for row in range(len(ids))])

    def states(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Return a vector a token of one text, of shape (n_tokens, d)."""
        return np.asarray(self._rectangle([ids])[0])

    def _rectangle(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        shape = (len(ids), max(len(one) for one in ids))
        filled = np.full(shape, self._pad, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        for row, one in enumerate(ids):
            filled[row, : len(one)] = one
            mask[row, : len(one)] = 1
        return self.run(filled, mask)


def batches_of(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield the rows of each batch: like lengths together, at most so many tokens with padding.

    Examples
    --------
    >>> list(batches_of([9, 2, 3, 8, 2], 18))
    [[1, 4, 2], [3, 0]]
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > budget:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
