"""ESM-2 with the mean over residues, for training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from widemargin.encoders.text.token_inputs import padded, places_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EsmNetwork", "WindowInputs"]


class WindowInputs:
    """Sequences, each cut into windows of tokens.

    Parameters
    ----------
    windows : sequence of sequence of sequence of int
        Each sequence's windows, each window's tokens; an empty sequence has none.
    """

    def __init__(self, windows: Sequence[Sequence[Sequence[int]]]) -> None:
        self._windows = [[np.asarray(own, np.int64) for own in cut] for cut in windows]

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self._windows)

    def batch(
        self, rows: NDArray[np.intp], generator: Any | None = None
    ) -> tuple[torch.Tensor, ...]:
        """Return some sequences.

        Returns
        -------
        tokens : torch.Tensor of shape (n_tokens,)
            Those of all windows, one behind the other.
        lengths : torch.Tensor of shape (n_windows,)
            How many each window has.
        windows : torch.Tensor of shape (n_sequences,)
            How many windows each sequence has.
        """
        own = [window for row in rows for window in self._windows[row]]
        tokens = np.concatenate([np.empty(0, np.int64), *own])
        return (
            torch.from_numpy(tokens),
            torch.tensor([len(window) for window in own], dtype=torch.int64),
            torch.tensor([len(self._windows[row]) for row in rows], dtype=torch.int64),
        )


class EsmNetwork(nn.Module):
    """ESM-2, and the mean of its vectors of residues.

    Parameters
    ----------
    model : torch.nn.Module
        The model of transformers.
    fill : int
        The token that fills a row.
    """

    def __init__(self, model: Any, fill: int) -> None:
        super().__init__()
        self.model, self._fill = model, fill

    def forward(self, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Return a vector a sequence, of shape (n_sequences, d); 0 for empty ones."""
        tokens, lengths, windows = batch
        empty = torch.zeros(len(windows), self.model.config.hidden_size, device=tokens.device)
        if not len(lengths):
            return empty
        places, present = places_of(lengths)
        laid = padded(tokens, places, present).masked_fill(~present, self._fill)
        out = self.model(input_ids=laid, attention_mask=present.long()).last_hidden_state
        # The tokens at both ends stand for no residue.
        residues = present.clone()
        residues[:, 0] = False
        residues[torch.arange(len(lengths), device=tokens.device), lengths - 1] = False
        sums = out.masked_fill(~residues[:, :, None], 0).sum(1)
        owners = torch.repeat_interleave(windows)
        totals = empty.index_add(0, owners, sums)
        counts = empty[:, 0].index_add(0, owners, (lengths - 2).to(empty.dtype))
        return totals / counts.clamp(min=1)[:, None]
