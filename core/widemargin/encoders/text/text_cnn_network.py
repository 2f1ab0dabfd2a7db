"""The network of `text_cnn`: all places of all texts one behind the other, without padding.

A place is a word and those behind it, as many as the widest filter sees; behind a text's last word
stand zeros. So filters are products of matrices, and no text's vector depends on its neighbours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TextCnnNetwork", "WordInputs", "encode_ids"]

_SPREAD = 0.25  # of first word vectors, which are uniform as in Kim's own program
_PLACES = 4096  # that are encoded at once


class WordInputs:
    """Texts as numbers of words.

    Parameters
    ----------
    ids : sequence of ndarray of int64
        Each text's words, at least one; 0 stands for none.
    widest : int
        Words that the widest filter sees.

    Examples
    --------
    >>> inputs = WordInputs([np.array([5, 6]), np.array([7])], 3)
    >>> places, lengths = inputs.batch(np.array([0, 1]))
    >>> places.tolist(), lengths.tolist()
    ([[5, 6, 0], [6, 0, 0], [7, 0, 0]], [2, 1])
    """

    def __init__(self, ids: Sequence[NDArray[np.int64]], widest: int) -> None:
        self._ids, self._steps = ids, np.arange(widest)

    def __len__(self) -> int:
        return len(self._ids)

    def batch(self, rows: NDArray[np.intp], generator: Any = None) -> tuple[Any, Any]:
        """Return all places of some texts, of shape (n_places, widest), and how many each has."""
        own = [self._ids[row] for row in rows]
        lengths = np.array([len(one) for one in own], dtype=np.int64)
        ends = np.cumsum(lengths)
        after = np.arange(ends[-1])[:, None] + self._steps
        places = np.concatenate(own)[np.minimum(after, ends[-1] - 1)]
        places[after >= np.repeat(ends, lengths)[:, None]] = 0
        return torch.from_numpy(places), torch.from_numpy(lengths)

    def digest(self) -> str:
        """Return a hash of all texts, for the key of a checkpoint."""
        told = hashlib.sha256()
        for own in self._ids:
            told.update(len(own).to_bytes(8, "little"))
            told.update(own.tobytes())
        return told.hexdigest()


class TextCnnNetwork(nn.Module):
    """Word vectors, filters over words side by side, the maximum over places, and a linear layer.

    Parameters
    ----------
    n_unknown, n_words : int
        Vectors that unknown words share, and those of known words.
    word_dimension, filters, dimension : int
        Numbers of a word, filters of each width, and numbers of a text.
    widths : sequence of int
        How many words a filter sees.
    dropout : float
        What share of filters is left out in training.
    """

    def __init__(
        self,
        n_unknown: int,
        n_words: int,
        *,
        word_dimension: int,
        filters: int,
        dimension: int,
        widths: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(1 + n_unknown + n_words, word_dimension, padding_idx=0)
        # What stands for unknown words says nothing until training met words that are rare.
        with torch.no_grad():
            self.words.weight.uniform_(-_SPREAD, _SPREAD)[: 1 + n_unknown] = 0
        self.filters = nn.ModuleList(nn.Linear(width * word_dimension, filters) for width in widths)
        n = filters * len(widths)
        # Maxima have much in common. Unless that is taken off, all vectors begin in one direction,
        # and contrastive losses take long to part them.
        self.last = nn.Sequential(nn.BatchNorm1d(n), nn.Dropout(dropout), nn.Linear(n, dimension))

    def take_vectors(self, rows: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Begin with other vectors for some words."""
        with torch.no_grad():
            self.words.weight[torch.from_numpy(rows)] = torch.from_numpy(vectors)

    def forward(self, batch: tuple[Any, Any]) -> Any:
        """Return vectors of shape (n_texts, dimension) of what `WordInputs.batch` returns."""
        places, lengths = batch
        seen = self.words(places).flatten(1)
        found = [
            torch.segment_reduce(own(seen[:, : own.in_features]), "max", lengths=lengths, axis=0)
            for own in self.filters
        ]
        return self.last(torch.cat(found, 1).relu())


def encode_ids(
    network: TextCnnNetwork, ids: Sequence[NDArray[np.int64]], widest: int, dimension: int
) -> NDArray[np.float32]:
    """Return vectors of shape (n_texts, dimension), some thousands of places at once."""
    inputs = WordInputs(ids, widest)
    vectors = np.empty((len(ids), dimension), dtype=np.float32)
    ends = np.cumsum([len(own) for own in ids])
    start = 0
    with torch.inference_mode():
        while start < len(ids):
            done = ends[start - 1] if start else 0
            end = max(start + 1, int(np.searchsorted(ends, done + _PLACES, side="right")))
            vectors[start:end] = network(inputs.batch(np.arange(start, end))).numpy()
            start = end
    return vectors
