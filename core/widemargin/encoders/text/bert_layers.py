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

from widemargin.encoders.hub import model_config
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Pair = tuple[NDArray[np.float32], NDArray[np.float32]]
    Change = Callable[[str, NDArray[np.float32]], NDArray[np.float32]]

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


def read_bert(folder: Path, change: Change | None = None) -> BertWeights:
    """Read ``config.json`` and ``model.safetensors``.

    Parameters
    ----------
    folder : Path
        It holds the two files.
    change : callable, optional
        ``change(name, weight) -> weight``: what takes the place of each weight that is read, as
        where training changed it. Names are those of today's files, without a first ``bert.``.

    Raises
    ------
    DataError
        Where a file cannot be read, is of another architecture, or the two do not fit each other.
    """
    from safetensors import SafetensorError, safe_open

    config = model_config(folder)

    def count(key: str, least: int = 1) -> int:
        value = config.get(key)
        if type(value) is not int or value < least:
            raise DataError(
                f"{folder / 'config.json'}: {key} must be a whole number from {least}; got {value}."
            )
        return value

    d, inner, heads = count("hidden_size"), count("intermediate_size"), count("num_attention_heads")
    if d % heads:
        raise DataError(
            f"{folder / 'config.json'}: num_attention_heads must divide hidden_size; got {heads} "
            f"and {d}."
        )
    eps = config.get("layer_norm_eps", 1e-12)
    if not isinstance(eps, int | float) or not 0 <= eps < 1:
        raise DataError(
            f"{folder / 'config.json'}: layer_norm_eps must be a number from 0 to 1; got {eps}."
        )
    path = folder / "model.safetensors"
    try:
        with safe_open(path, framework="np") as file:
            names = set(file.keys())
            start = "bert." if "bert.embeddings.word_embeddings.weight" in names else ""

            def tensor(name: str, *shape: int, own: str = "") -> NDArray[np.float32]:
                weight = _tensor(path, file, start + (own or name), shape)
                return weight if change is None else change(name, weight)

            def pair(name: str, n_out: int, n_in: int) -> _Pair:
                return tensor(f"{name}.weight", n_out, n_in), tensor(f"{name}.bias", n_out)

            def norm(name: str) -> _Pair:
                # The first models that were published have other names for them.
                old = f"{start}{name}.gamma" in names
                scale, shift = ("gamma", "beta") if old else ("weight", "bias")
                return (
                    tensor(f"{name}.weight", d, own=f"{name}.{scale}"),
                    tensor(f"{name}.bias", d, own=f"{name}.{shift}"),
                )

            scale = np.float32(np.sqrt(heads / d))
            layers = []
            for number in range(count("num_hidden_layers", 0)):
                own = f"encoder.layer.{number}."
                weight, bias = pair(f"{own}attention.self.query", d, d)
                layers.append(
                    BertLayer(
                        query=(weight * scale, bias * scale),
                        key=pair(f"{own}attention.self.key", d, d),
                        value=pair(f"{own}attention.self.value", d, d),
                        mix=pair(f"{own}attention.output.dense", d, d),
                        mix_norm=norm(f"{own}attention.output.LayerNorm"),
                        grow=pair(f"{own}intermediate.dense", inner, d),
                        shrink=pair(f"{own}output.dense", d, inner),
                        shrink_norm=norm(f"{own}output.LayerNorm"),
                    )
                )
            segments = tensor(
                "embeddings.token_type_embeddings.weight", count("type_vocab_size"), d
            )
            positions = tensor(
                "embeddings.position_embeddings.weight", count("max_position_embeddings"), d
            )
            return BertWeights(
                words=tensor("embeddings.word_embeddings.weight", count("vocab_size"), d),
                positions=positions + segments[0],
                norm=norm("embeddings.LayerNorm"),
                layers=tuple(layers),
                heads=heads,
                eps=float(eps),
            )
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path}: is no readable BERT encoder ({error}).") from error


def _tensor(path: Path, file: Any, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Read a tensor as float32, of the shape that config.json says."""
    own = file.get_slice(name)
    found, kind = tuple(own.get_shape()), own.get_dtype()
    if found != shape:
        raise DataError(
            f"{path}: {name} has the shape {found}, and by config.json it must have {shape}. "
            "The two are not of one model."
        )
    if kind == "BF16":
        return _bfloat16_tensor(path, name).reshape(shape)
    if kind not in {"F16", "F32", "F64"}:
        raise DataError(
            f"{path}: {name} holds numbers of the type {kind}, which is not supported. Save the "
            "model as float32: model.float().save_pretrained(folder)."
        )
    return np.asarray(file.get_tensor(name), dtype=np.float32)


def _bfloat16_tensor(path: Path, name: str) -> NDArray[np.float32]:
    """Read a tensor of bfloat16, which NumPy does not know: a float32's upper half."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        begin, end = json.loads(file.read(size))[name]["data_offsets"]
        file.seek(8 + size + begin)
        halves = np.frombuffer(file.read(end - begin), dtype="<u2")
    return (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)


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
