"""A BERT encoder in torch, for training: the function that `bert_layers` computes, with dropout.

Its weights have the names that they have in published files. Linear maps take the tokens of all
texts one behind the other; only attention is padded, among texts of like lengths: one long text
would else cost as much as a batch of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from widemargin.encoders.hub import model_config
from widemargin.encoders.text.bert_layers import read_bert
from widemargin.encoders.text.contextual import load_tokenizer
from widemargin.encoders.text.token_inputs import TokenInputs, alike, padded, places_of, pooled
from widemargin.encoders.training.trainable import Trainable
from widemargin.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from widemargin.encoders.text.contextual import Pooling

__all__ = ["BertNetwork", "read_network", "trainable_bert", "trainable_texts"]


class BertNetwork(nn.Module):
    """A BERT encoder and its pooling.

    Parameters
    ----------
    weights : mapping of str to ndarray
        Every weight under its published name.
    heads : int
        Heads of attention.
    eps : float
        What normalisation adds to variances.
    dropout, attention_dropout : float
        What share of numbers is left out in training, as the model says.
    taken : sequence of int
        The layers whose outputs are averaged, 0 for the embeddings.
    pooling : {"mean", "cls", "max"}
        What a text's vector is made of.
    """

    def __init__(
        self,
        weights: Mapping[str, NDArray[np.float32]],
        *,
        heads: int,
        eps: float,
        dropout: float,
        attention_dropout: float,
        taken: Sequence[int],
        pooling: Pooling,
    ) -> None:
        super().__init__()
        self.heads, self.attention_dropout = heads, attention_dropout
        self.taken, self.pooling = frozenset(taken), pooling
        self.dropout = nn.Dropout(dropout)
        self.longest = len(weights["embeddings.position_embeddings.weight"])

        def rows(name: str) -> int:
            return len(weights[name])

        n_layers = sum(name.endswith("intermediate.dense.weight") for name in weights)
        d = rows("embeddings.LayerNorm.weight")
        with torch.device("meta"):
            tables = ("word_embeddings", "position_embeddings", "token_type_embeddings")
            parts = {name: nn.Embedding(rows(f"embeddings.{name}.weight"), d) for name in tables}
            self.embeddings = nn.ModuleDict({**parts, "LayerNorm": nn.LayerNorm(d, eps)})
            inner = rows("encoder.layer.0.intermediate.dense.weight") if n_layers else 0
            layers = nn.ModuleList(_layer(d, inner, eps) for _ in range(n_layers))
            self.encoder = nn.ModuleDict({"layer": layers})
        own = {name: torch.tensor(weight) for name, weight in weights.items()}
        self.load_state_dict(own, assign=True)

    @property
    def layers(self) -> list[nn.Module]:
        """Its layers, the first one first."""
        layers: Any = self.encoder["layer"]
        return list(layers)

    def forward(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return a vector a text, of shape (n_texts, d).

        Parameters
        ----------
        batch : tuple of torch.Tensor
            As `TokenInputs.batch` returns it.
        """
        ids, lengths = batch
        places, present = places_of(lengths)
        first: Any = self.embeddings
        positions = places % present.shape[1]
        x = first["word_embeddings"](ids) + first["position_embeddings"](positions)
        x = first["LayerNorm"](x + first["token_type_embeddings"].weight[0])
        x = self.dropout(x)
        total = x if 0 in self.taken else torch.zeros_like(x)
        groups = alike(lengths)
        layer: Any
        for number, layer in enumerate(self.layers, start=1):
            y = self._attended(x, layer["attention"]["self"], groups)
            mix = layer["attention"]["output"]
            y = mix["LayerNorm"](x + self.dropout(mix["dense"](y)))
            grown = nn.functional.gelu(layer["intermediate"]["dense"](y))
            shrink = layer["output"]
            x = shrink["LayerNorm"](y + self.dropout(shrink["dense"](grown)))
            if number in self.taken:
                total = total + x
        laid = padded(total / len(self.taken), places, present)
        vectors: torch.Tensor = pooled(laid, present, self.pooling)
        return vectors

    def _attended(
        self,
        x: torch.Tensor,
        maps: Any,
        groups: Sequence[tuple[torch.Tensor, torch.Tensor, torch.Tensor]],
    ) -> torch.Tensor:
        """Let every token look at all of its text, head by head."""
        q, k, v = (maps[name](x) for name in ("query", "key", "value"))
        context = torch.empty_like(x)
        for rows, places, present in groups:
            seen = nn.functional.scaled_dot_product_attention(
                self._heads(q, rows, places, present),
                self._heads(k, rows, places, present),
                self._heads(v, rows, places, present),
                attn_mask=present[:, None, None, :],
                dropout_p=self.attention_dropout if self.training else 0.0,
            )
            own = seen.transpose(1, 2).reshape(present.numel(), -1)
            context = context.index_copy(0, rows, own.index_select(0, places))
        return context

    def _heads(
        self, values: torch.Tensor, rows: torch.Tensor, places: torch.Tensor, present: torch.Tensor
    ) -> torch.Tensor:
        """Lay a group's values out as (n_texts, n_heads, n_most, d / n_heads)."""
        laid: torch.Tensor = padded(values.index_select(0, rows), places, present)
        return laid.reshape(*present.shape, self.heads, -1).transpose(1, 2)


def _layer(d: int, inner: int, eps: float) -> nn.ModuleDict:
    def output(n_in: int) -> nn.ModuleDict:
        return nn.ModuleDict({"dense": nn.Linear(n_in, d), "LayerNorm": nn.LayerNorm(d, eps)})

    maps = nn.ModuleDict({name: nn.Linear(d, d) for name in ("query", "key", "value")})
    return nn.ModuleDict(
        {
            "attention": nn.ModuleDict({"self": maps, "output": output(d)}),
            "intermediate": nn.ModuleDict({"dense": nn.Linear(d, inner)}),
            "output": output(inner),
        }
    )


def read_network(folder: Path, taken: Sequence[int] | None, pooling: Pooling) -> BertNetwork:
    """Read a folder of BERT proper for training.

    Parameters
    ----------
    folder : Path
        It holds ``config.json`` and ``model.safetensors``.
    taken : sequence of int, optional
        The layers whose outputs are averaged, 0 for the embeddings; by default the last.
    pooling : {"mean", "cls", "max"}
        What a text's vector is made of.

    Raises
    ------
    DataError
        Where a file cannot be read, or the two do not fit each other.
    """
    named: dict[str, Any] = {}

    def noted(name: str, weight: NDArray[np.float32]) -> NDArray[np.float32]:
        named[name] = weight
        return weight

    read = read_bert(folder, noted)
    config = model_config(folder)

    def share(key: str) -> float:
        value = config.get(key, 0.1)
        if not isinstance(value, int | float) or not 0 <= value < 1:
            raise DataError(
                f"{folder / 'config.json'}: {key} must be a number from 0 up to 1; got {value}."
            )
        return float(value)

    return BertNetwork(
        named,
        heads=read.heads,
        eps=read.eps,
        dropout=share("hidden_dropout_prob"),
        attention_dropout=share("attention_probs_dropout_prob"),
        taken=taken or (len(read.layers),),
        pooling=pooling,
    )


def trainable_bert(
    folder: Path, taken: Sequence[int] | None, max_length: int, pooling: Pooling, encoder: str
) -> Trainable:
    """Return a folder's BERT proper, ready to be trained.

    Parameters
    ----------
    folder : Path
        It holds ``config.json``, ``model.safetensors`` and ``tokenizer.json``.
    taken : sequence of int, optional
        The layers whose outputs are averaged, 0 for the embeddings; by default the last.
    max_length : int
        Tokens after which a text is cut; the model's own limit if that is less.
    pooling : {"mean", "cls", "max"}
        What a text's vector is made of.
    encoder : str
        Whose model it is, for messages.
    """
    network = read_network(folder, taken, pooling)
    tokenizer = load_tokenizer(folder, min(max_length, network.longest), encoder)
    return trainable_texts(network, network.layers[: max(network.taken)], tokenizer, encoder)


def trainable_texts(
    network: nn.Module, layers: Sequence[nn.Module], tokenizer: Any, encoder: str
) -> Trainable:
    """Return a network of texts, ready to be trained.

    Raises
    ------
    DataError
        Where no layer has a part in the vectors.
    """
    if not layers:
        raise DataError(
            f"features.train: {encoder} takes its vectors from the embeddings alone, before any "
            "layer that could be trained. Choose others in features.encoder.layers."
        )

    def inputs(items: list[Any]) -> TokenInputs:
        return TokenInputs([one.ids for one in tokenizer.encode_batch(items)])

    return Trainable(network, layers, inputs)
