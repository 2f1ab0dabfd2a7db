"""BERT encoders on our own forward pass: texts one behind the other, no padding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.encoders.text.bert_layers import BertWeights, forward, read_bert
from widemargin.encoders.text.contextual import ContextualModel, Pooling, load_tokenizer
from widemargin.errors import DataError
from widemargin.native.bert import PackedBert, chunk_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.encoders.training.changes import Changes

__all__ = ["Arithmetic", "PackedModel", "engine_of", "load_packed", "pool"]

Arithmetic = Literal["bfloat16", "float32"]
"""What the two sides of products with weights are rounded to; sums are float32 either way."""

# Texts that NumPy works on at once, in tokens.
_TOKENS = 2048


class PackedModel(ContextualModel):
    """A BERT encoder by the compiled library, or by NumPy where there is none.

    Parameters
    ----------
    weights : BertWeights
        The encoder.
    tokenizer : tokenizers.Tokenizer
        Its tokenizer.
    taken : sequence of int
        The layers whose outputs are averaged, 0 for the embeddings.
    arithmetic : {"bfloat16", "float32"}
        What products with weights are of.
    """

    def __init__(
        self, weights: BertWeights, tokenizer: Any, taken: Sequence[int], arithmetic: Arithmetic
    ) -> None:
        super().__init__(tokenizer, taken)
        bfloat16 = arithmetic == "bfloat16"
        self._bfloat16 = bfloat16
        self._n_words, d = weights.words.shape
        self._longest = len(weights.positions)
        inner = len(weights.layers[0].grow[0]) if weights.layers else 0
        served = PackedBert.serves(d, inner)
        self._packed = _pack(weights, bfloat16) if served else None
        self._weights = None if served else weights

    def pooled(self, ids: Sequence[Sequence[int]], pooling: Pooling) -> NDArray[np.float32]:
        """Return a vector a text, of shape (n_texts, d)."""
        if not ids:
            raise ValueError("there are no texts")
        flat, starts = self._flat(ids)
        if self._packed is not None:
            return self._packed.pooled(flat, starts, pooling, self.taken)
        vectors = []
        bounds = chunk_bounds(starts, _TOKENS).tolist()
        for first, end in pairwise(bounds):
            own = starts[first : end + 1] - starts[first]
            states = self._forward(flat[starts[first] : starts[end]], own)
            vectors += [pool(states[a:b], pooling) for a, b in pairwise(own)]
        return np.stack(vectors)

    def states(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Return a vector a token of one text, of shape (n_tokens, d)."""
        flat, starts = self._flat([ids])
        if self._packed is not None:
            return self._packed.states(flat, starts, self.taken)
        return self._forward(flat, starts)

    def _flat(self, ids: Sequence[Sequence[int]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        starts = np.zeros(len(ids) + 1, dtype=np.int64)
        np.cumsum([len(one) for one in ids], out=starts[1:])
        flat = np.fromiter((token for one in ids for token in one), np.int32, count=int(starts[-1]))
        if not len(flat) or np.diff(starts).min() < 1:
            raise DataError("the tokenizer makes no token of an empty text; the model has no use.")
        if flat.max() >= self._n_words:
            raise DataError(
                f"the tokenizer makes tokens up to {flat.max()}, and the model knows "
                f"{self._n_words}: they do not belong together."
            )
        longest = int(np.diff(starts).max())
        if longest > self._longest:
            raise DataError(
                f"a text has {longest} tokens, and the model has places for {self._longest}; "
                "cut texts to as many."
            )
        return flat, starts

    def _forward(self, flat: NDArray[np.int32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
        assert self._weights is not None
        return forward(self._weights, flat, starts, self.taken, bfloat16=self._bfloat16)


@lru_cache(maxsize=2)
def load_packed(
    folder: Path,
    taken: tuple[int, ...] | None,
    max_length: int,
    arithmetic: Arithmetic,
    encoder: str,
    weights_hash: str,
    changes: Changes | None = None,
) -> PackedModel:
    """Read a folder's weights and tokenizer, once a process for equal arguments.

    Parameters
    ----------
    folder : Path
        It holds ``config.json``, ``model.safetensors`` and ``tokenizer.json``.
    taken : tuple of int, optional
        The layers whose outputs are averaged, 0 for the embeddings; by default the last.
    max_length : int
        Tokens after which a text is cut; the model's own limit if that is less.
    arithmetic : {"bfloat16", "float32"}
        What products with weights are of.
    encoder : str
        Whose model it is, for messages.
    weights_hash : str
        The hash of the folder: changed files are read again.
    changes : Changes, optional
        What fine-tuning changed of the weights.
    """
    weights = read_bert(folder, None if changes is None else changes.of)
    tokenizer = load_tokenizer(folder, min(max_length, len(weights.positions)), encoder)
    return PackedModel(weights, tokenizer, taken or (len(weights.layers),), arithmetic)


def engine_of(d: object, inner: object) -> str:
    """Name what computes vectors of length `d`: their last digits depend on it.

    Parameters
    ----------
    d, inner : object
        Lengths of vectors between layers and within them, as a config says; no int if it is wrong.

    Examples
    --------
    >>> engine_of(24, 96)
    'numpy'
    """
    known = isinstance(d, int) and isinstance(inner, int) and PackedBert.serves(d, inner)
    return PackedBert.instructions() if known else "numpy"


def pool(states: NDArray[np.float32], pooling: Pooling) -> NDArray[np.float32]:
    """Return one vector for one text's tokens, of shape (n_tokens, d).

    Examples
    --------
    >>> pool(np.array([[1.0, 4.0], [3.0, 0.0]], dtype=np.float32), "mean").tolist()
    [2.0, 2.0]
    """
    if pooling == "cls":
        return np.asarray(states[0])
    return np.asarray(states.mean(axis=0) if pooling == "mean" else states.max(axis=0))


def _pack(weights: BertWeights, bfloat16: bool) -> PackedBert:
    layers = [
        [
            np.concatenate([layer.query[0], layer.key[0], layer.value[0]]),
            np.concatenate([layer.query[1], layer.key[1], layer.value[1]]),
            *(*layer.mix, *layer.mix_norm, *layer.grow, *layer.shrink, *layer.shrink_norm),
        ]
        for layer in weights.layers
    ]
    return PackedBert(
        [weights.words, weights.positions, *weights.norm],
        layers,
        heads=weights.heads,
        eps=weights.eps,
        bfloat16=bfloat16,
    )
