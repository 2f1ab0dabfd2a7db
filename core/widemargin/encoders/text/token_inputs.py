"""Texts as networks read them in training: tokens one text behind the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TokenInputs", "alike", "padded", "places_of", "pooled"]


class TokenInputs:
    """Texts of differing length, cut into tokens.

    Parameters
    ----------
    ids : sequence of sequence of int
        Each text's tokens.
    """

    def __init__(self, ids: Sequence[Sequence[int]]) -> None:
        self._ids = [np.asarray(own, dtype=np.int64) for own in ids]

    def __len__(self) -> int:
        return len(self._ids)

    def batch(self, rows: NDArray[np.intp], generator: Any = None) -> tuple[Any, Any]:
        """Return all tokens of some texts, of shape (n_tokens,), and how many each has."""
        torch: Any = import_module("torch")
        own = [self._ids[row] for row in rows]
        lengths = torch.tensor([len(one) for one in own], dtype=torch.int64)
        return torch.from_numpy(np.concatenate(own)), lengths


def places_of(lengths: Any) -> tuple[Any, Any]:
    """Return each token's place in a matrix of texts by tokens, row by row, and which are taken.

    Parameters
    ----------
    lengths : torch.Tensor of shape (n_texts,)
        Tokens of each text.

    Returns
    -------
    places : torch.Tensor of shape (n_tokens,)
        Places in the matrix laid out flat.
    taken : torch.Tensor of bool, of shape (n_texts, n_most)
        Whether a token of the text is there.
    """
    torch: Any = import_module("torch")
    taken = torch.arange(int(lengths.max()), device=lengths.device) < lengths[:, None]
    return taken.flatten().nonzero()[:, 0], taken


def alike(lengths: Any) -> list[tuple[Any, Any, Any]]:
    """Part texts into groups whose lengths are within a factor of 1.5, so that padding is short.

    Parameters
    ----------
    lengths : torch.Tensor of shape (n_texts,)
        Tokens of each text.

    Returns
    -------
    list of tuple of torch.Tensor
        For each group the rows of its tokens among all, and what `places_of` returns of it.
    """
    torch: Any = import_module("torch")
    sizes = (lengths.double().log() / math.log(1.5)).floor()
    size_of_token = torch.repeat_interleave(sizes, lengths)
    return [
        ((size_of_token == size).nonzero()[:, 0], *places_of(lengths[sizes == size]))
        for size in sizes.unique()
    ]


def padded(values: Any, places: Any, taken: Any) -> Any:
    """Lay values of shape (n_tokens, ...) out as (n_texts, n_most, ...), with 0 where none is."""
    flat = values.new_zeros((taken.numel(), *values.shape[1:]))
    return flat.index_copy(0, places, values).reshape(*taken.shape, *values.shape[1:])


def pooled(states: Any, taken: Any, pooling: str) -> Any:
    """Return a vector a text, of padded states of shape (n_texts, n_most, d)."""
    if pooling == "cls":
        return states[:, 0]
    absent = ~taken[:, :, None]
    if pooling == "max":
        return states.masked_fill(absent, float("-inf")).amax(1)
    return states.masked_fill(absent, 0).sum(1) / taken.sum(1, keepdim=True)
