"""The layers of EfficientNet-Lite0: a list of convolutions, and what they compute.

In use each batch norm is a fixed linear map, so it is folded into the convolution before it: with
γ, β, μ, σ² its weights and statistics,

    W ← W · γ / √(σ² + ε),    b ← β − μ · γ / √(σ² + ε).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from widemargin.encoders.libraries import require_library
from widemargin.errors import DataError

__all__ = ["FEATURES", "Convolution", "blocks", "convolutions", "forward"]

FEATURES = 1280
"""Channels of the head."""

_EPSILON = 1e-3

# Repeats, kernel size, stride of the first block, widening, channels: table 1 of the paper.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM = 32


@dataclass(frozen=True)
class Convolution:
    """One convolution with the batch norm after it folded in.

    Parameters
    ----------
    weight, bias : torch.Tensor
        Of shapes (out, in / groups, kernel, kernel) and (out,).
    stride, groups : int
        As torch has them.
    clipped : bool
        Whether ReLU6 follows.
    begins, ends : bool
        Whether its input is kept, and whether what was kept is added to its output.
    """

    weight: Any
    bias: Any
    stride: int = 1
    groups: int = 1
    clipped: bool = True
    begins: bool = False
    ends: bool = False


def convolutions(state: Mapping[str, Any]) -> list[Convolution]:
    """Build the network from a state dict, all of whose entries must be its own.

    Raises
    ------
    DataError
        Where an entry is missing, has another shape, or belongs to no layer.
    """
    left = dict(state)

    def take(name: str, *shape: int) -> Any:
        if name not in left or tuple(left[name].shape) != shape:
            found = f"has the shape {tuple(left[name].shape)}" if name in left else "is missing"
            raise DataError(
                f"efficientnet: {name} {found} and should have {shape}; these are not the weights "
                "of EfficientNet-Lite0."
            )
        return left.pop(name)

    def folded(conv: str, norm: str, out: int, into: int, kernel: int) -> tuple[Any, Any]:
        weight = take(f"{conv}.weight", out, into, kernel, kernel)
        scale = take(f"{norm}.weight", out)
        bias, mean = take(f"{norm}.bias", out), take(f"{norm}.running_mean", out)
        scale = scale / (take(f"{norm}.running_var", out) + _EPSILON).sqrt()
        take(f"{norm}.num_batches_tracked")
        return _channels_last(weight * scale[:, None, None, None]), bias - mean * scale

    def layers() -> Iterator[Convolution]:
        yield Convolution(*folded("_conv_stem", "_bn0", _STEM, 3, 3), stride=2)
        channels, block = _STEM, 0
        for repeats, kernel, first_stride, widening, out in _STAGES:
            for repeat in range(repeats):
                name = f"_blocks.{block}."
                stride = 1 if repeat else first_stride
                wide = channels * widening
                added = stride == 1 and channels == out
                if widening > 1:
                    widen = folded(f"{name}_expand_conv", f"{name}_bn0", wide, channels, 1)
                    yield Convolution(*widen, begins=added)
                depthwise = folded(f"{name}_depthwise_conv", f"{name}_bn1", wide, 1, kernel)
                yield Convolution(*depthwise, stride=stride, groups=wide)
                narrow = folded(f"{name}_project_conv", f"{name}_bn2", out, wide, 1)
                yield Convolution(*narrow, clipped=False, ends=added)
                channels, block = out, block + 1
        yield Convolution(*folded("_conv_head", "_bn1", FEATURES, channels, 1))

    built = list(layers())
    take("_fc.weight", 1000, FEATURES)
    take("_fc.bias", 1000)
    if left:
        raise DataError(
            f"efficientnet: {', '.join(sorted(left)[:3])} belong to no layer; these are not the "
            "weights of EfficientNet-Lite0."
        )
    return built


def forward(
    network: Sequence[Convolution], images: Any, modules: Sequence[Any] | None = None
) -> Any:
    """Return pooled features, of shape (n_images, 1280).

    Parameters
    ----------
    network : sequence of Convolution
        As `convolutions` returns it.
    images : torch.Tensor of shape (n_images, 3, 224, 224)
        As `input_of` returns them, channels first.
    modules : sequence of torch.nn.Module, optional
        What computes each convolution, where these learn; they pad by nothing where a stride is 2.
    """
    torch = require_library("torch", "efficientnet", "vision")
    values, kept = images, None
    for number, layer in enumerate(network):
        if layer.begins:
            kept = values
        kernel = layer.weight.shape[-1]
        padding = kernel // 2
        if layer.stride == 2:
            # TensorFlow, where the weights come from, pads the far side of an even length by one
            # more than the near side.
            near, far = (kernel - 2) // 2, (kernel - 1) // 2
            values = torch.nn.functional.pad(values, (near, far, near, far))
            padding = 0
        if modules is not None:
            values = modules[number](values)
        else:
            values = torch.nn.functional.conv2d(
                values, layer.weight, layer.bias, layer.stride, padding, 1, layer.groups
            )
        if layer.clipped:
            values = values.clamp_(0, 6)
        if layer.ends:
            values = values.add_(kept)
    return values.mean((2, 3))


def _channels_last(weight: Any) -> Any:
    # Convolutions on a CPU are faster where the channels of a pixel lie side by side.
    return weight.contiguous(memory_format=require_library("torch", "", "vision").channels_last)


def blocks(network: Sequence[Convolution]) -> list[list[int]]:
    """Return the places of the convolutions of the stem, of every block, and of the head.

    Examples
    --------
    >>> layer = Convolution(None, None)
    >>> blocks([layer, layer, Convolution(None, None, clipped=False), layer])
    [[0], [1, 2], [3]]
    """
    found: list[list[int]] = [[0], []]
    for place, layer in enumerate(network[1:], start=1):
        found[-1].append(place)
        if not layer.clipped:
            found.append([])
    return found
