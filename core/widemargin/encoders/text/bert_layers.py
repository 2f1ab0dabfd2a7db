r"""The forward pass of a BERT encoder, written out: what the compiled library computes faster.

Of a text's tokens :math:`w_1, \ldots, w_n`, with :math:`N` for layer normalisation (Ba, Kiros &
Hinton 2016, arXiv:1607.06450):

.. math::

    x_i &= N(W_{w_i} + P_i + S_0) \\
    y_i &= N\Big(x_i + \Big[\sum_j \mathrm{softmax}_j\big(q_i^h \cdot k_j^h / \sqrt{d / H}\big)
           v_j^h\Big]_{h = 1 \ldots H} A + a\Big) \\
    x_i &\leftarrow N(y_i + \mathrm{gelu}(y_i B + b) C + c)

the latter two once a layer, where :math:`q, k, v` are linear in :math:`x` and
:math:`\mathrm{gelu}(z) = z \Phi(z)` (Vaswani et al. 2017, arXiv:1706.03762; Devlin et al. 2019,
arXiv:1810.04805; Hendrycks & Gimpel 2016, arXiv:1606.08415).

Texts lie one behind the other in one matrix of tokens. Only attention looks at one text at a time,
so nothing is padded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BertLayer", "BertWeights", "forward", "read_bert", "to_bfloat16"]


@dataclass(frozen=True)
class BertLayer:
    """One layer: of each linear map weight (n_out, n_in) and bias, of each norm scale and shift.

    Queries are scaled: their map is divided by ``sqrt(d / heads)``.
    """

    query: tuple[NDArray[np.float32], NDArray[np.float32]]
    key: tuple[NDArray[np.float32], NDArray[np.float32]]
    value: tuple[NDArray[np.float32], NDArray[np.float32]]
    mix: tuple[NDArray[np.float32], NDArray[np.float32]]
    mix_norm: tuple[NDArray[np.float32], NDArray[np.float32]]
    grow: tuple[NDArray[np.float32], NDArray[np.float32]]
    shrink: tuple[NDArray[np.float32], NDArray[np.float32]]
    shrink_norm: tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class BertWeights:
    """All numbers of a BERT encoder.

    Parameters
    ----------
    words : ndarray of shape (n_words, d)
        Word embeddings.
    positions : ndarray of shape (n_positions, d)
        Position embeddings, with those of the first segment added.
    norm : tuple of ndarray
        Scale and shift of the first normalisation.
    layers : tuple of BertLayer
        The layers, the first one first.
    heads : int
        Heads of attention.
    eps : float
        What normalisation adds to variances.
    """

    words: NDArray[np.float32]
    positions: NDArray[np.float32]
    norm: tuple[NDArray[np.float32], NDArray[np.float32]]
    layers: tuple[BertLayer, ...]
    heads: int
    eps: float


def read_bert(folder: Path) -> BertWeights:
    """Read ``config.json`` and ``model.safetensors``.

    Raises
    ------
    DataError
        Where a file cannot be read, or is of another architecture.
    """
    from safetensors import SafetensorError, safe_open

    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    path = folder / "model.safetensors"
    try:
        with safe_open(path, framework="np") as file:
            start = "bert." if "bert.embeddings.LayerNorm.weight" in file.keys() else ""  # noqa: SIM118  # the file is no mapping

            def tensor(name: str) -> NDArray[np.float32]:
                return np.asarray(file.get_tensor(start + name), dtype=np.float32)

            def pair(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
                return tensor(f"{name}.weight"), tensor(f"{name}.bias")

            heads = config["num_attention_heads"]
            scale = np.float32(np.sqrt(heads / config["hidden_size"]))
            layers = []
            for number in range(config["num_hidden_layers"]):
                own = f"encoder.layer.{number}."
                weight, bias = pair(f"{own}attention.self.query")
                layers.append(
                    BertLayer(
                        query=(weight * scale, bias * scale),
                        key=pair(f"{own}attention.self.key"),
                        value=pair(f"{own}attention.self.value"),
                        mix=pair(f"{own}attention.output.dense"),
                        mix_norm=pair(f"{own}attention.output.LayerNorm"),
                        grow=pair(f"{own}intermediate.dense"),
                        shrink=pair(f"{own}output.dense"),
                        shrink_norm=pair(f"{own}output.LayerNorm"),
                    )
                )
            segment = tensor("embeddings.token_type_embeddings.weight")[0]
            return BertWeights(
                words=tensor("embeddings.word_embeddings.weight"),
                positions=tensor("embeddings.position_embeddings.weight") + segment,
                norm=pair("embeddings.LayerNorm"),
                layers=tuple(layers),
                heads=heads,
                eps=config["layer_norm_eps"],
            )
    except (OSError, SafetensorError, KeyError) as error:
        raise DataError(f"{path}: is no readable BERT encoder ({error}).") from error


def forward(
    weights: BertWeights,
    ids: NDArray[np.int32],
    starts: NDArray[np.int64],
    taken: Sequence[int],
    *,
    bfloat16: bool = False,
) -> NDArray[np.float32]:
    """Return a vector a token, of shape (n_tokens, d).

    Parameters
    ----------
    weights : BertWeights
        The encoder.
    ids : ndarray of int32
        The tokens of all texts, one text behind the other.
    starts : ndarray of int64, of shape (n_texts + 1,)
        Where each text begins.
    taken : sequence of int
        The layers whose outputs are averaged, 0 for the embeddings.
    bfloat16 : bool
        Whether both sides of products with weights are rounded to bfloat16.
    """
    from scipy.special import ndtr

    rounded: Callable[[NDArray[np.float32]], NDArray[np.float32]] = (
        to_bfloat16 if bfloat16 else np.asarray
    )

    def linear(
        x: NDArray[np.float32], map_: tuple[NDArray[np.float32], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        return np.asarray(rounded(x) @ rounded(map_[0]).T + map_[1], dtype=np.float32)

    lengths = np.diff(starts)
    positions = np.arange(len(ids)) - np.repeat(starts[:-1], lengths)
    eps = np.float32(weights.eps)
    x = _normalise(weights.words[ids] + weights.positions[positions], weights.norm, eps)
    chosen = set(taken)
    total = x.copy() if 0 in chosen else np.zeros_like(x)
    for number, layer in enumerate(weights.layers, start=1):
        q, k, v = linear(x, layer.query), linear(x, layer.key), linear(x, layer.value)
        context = np.empty_like(x)
        for start, end in pairwise(starts):
            context[start:end] = _attend(q[start:end], k[start:end], v[start:end], weights.heads)
        y = _normalise(x + linear(context, layer.mix), layer.mix_norm, eps)
        grown = linear(y, layer.grow)
        x = _normalise(y + linear(grown * ndtr(grown), layer.shrink), layer.shrink_norm, eps)
        if number in chosen:
            total += x
    return total / np.float32(len(chosen))


def to_bfloat16(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to the nearest number with 8 binary digits, half to even.

    Examples
    --------
    >>> to_bfloat16(np.array([1.0, 1.003, 1.005], dtype=np.float32)).tolist()
    [1.0, 1.0, 1.0078125]
    """
    words = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32)
    words = words + np.uint32(0x7FFF) + ((words >> np.uint32(16)) & np.uint32(1))
    return (words & np.uint32(0xFFFF0000)).view(np.float32)


def _normalise(
    x: NDArray[np.float32],
    norm: tuple[NDArray[np.float32], NDArray[np.float32]],
    eps: np.float32,
) -> NDArray[np.float32]:
    away = x - x.mean(axis=1, keepdims=True)
    variance = np.square(away).mean(axis=1, keepdims=True)
    scaled: NDArray[np.float32] = away / np.sqrt(variance + eps) * norm[0] + norm[1]
    return scaled


def _attend(
    q: NDArray[np.float32], k: NDArray[np.float32], v: NDArray[np.float32], heads: int
) -> NDArray[np.float32]:
    """Let every token of one text look at all of them, head by head; queries are scaled."""
    n, d = q.shape
    q, k, v = (one.reshape(n, heads, d // heads).transpose(1, 0, 2) for one in (q, k, v))
    scores = q @ k.transpose(0, 2, 1)
    scores = np.exp(scores - scores.max(axis=2, keepdims=True))
    scores /= scores.sum(axis=2, keepdims=True)
    return np.asarray((scores @ v).transpose(1, 0, 2).reshape(n, d))
