"""Any encoder of transformers with its pooling, for training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from widemargin.encoders.text.bert_network import trainable_texts
from widemargin.encoders.text.token_inputs import padded, places_of, pooled
from widemargin.encoders.training.trainable import Trainable
from widemargin.errors import DataError

if TYPE_CHECKING:
    from widemargin.encoders.text.contextual import Pooling

__all__ = ["TransformersNetwork", "layers_of", "trainable_transformer"]


class TransformersNetwork(nn.Module):
    """A model of transformers and the pooling of what it makes of tokens.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    taken : sequence of int
        The layers whose outputs are averaged, 0 for the embeddings.
    pooling : {"mean", "cls", "max"}
        What a text's vector is made of.
    """

    def __init__(self, model: Any, taken: Sequence[int], pooling: Pooling) -> None:
        super().__init__()
        self.model, self.taken, self.pooling = model, tuple(taken), pooling
        # Some count places from behind what fills a row, and know it by its number.
        self._fill = getattr(model.config, "pad_token_id", None) or 0

    def forward(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return a vector a text, of shape (n_texts, d)."""
        ids, lengths = batch
        places, present = places_of(lengths)
        laid = padded(ids, places, present).masked_fill(~present, self._fill)
        states = self.model(
            input_ids=laid, attention_mask=present.long(), output_hidden_states=True
        ).hidden_states
        total = torch.stack([states[layer] for layer in self.taken]).mean(0)
        vectors: torch.Tensor = pooled(total, present, self.pooling)
        return vectors


def layers_of(model: nn.Module, encoder: str) -> list[nn.Module]:
    """Return a model's layers, the first one first: the longest list of modules in it.

    Raises
    ------
    DataError
        Where there is none.
    """
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    if not lists:
        raise DataError(
            f"features.train: {encoder}: {type(model).__name__} has no list of layers, so that it "
            "cannot be fine-tuned. Choose another model."
        )
    return max((list(one) for one in lists), key=len)


def trainable_transformer(
    model: Any, tokenizer: Any, taken: Sequence[int], pooling: Pooling, encoder: str
) -> Trainable:
    """Return a model of transformers, ready to be trained; it belongs to the caller.

    Raises
    ------
    DataError
        Where it has no layers that can be trained.
    """
    network = TransformersNetwork(model, taken, pooling)
    layers = layers_of(model, encoder)[: max(taken)]
    return trainable_texts(network, layers, tokenizer, encoder)
