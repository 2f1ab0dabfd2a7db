"""Any of torchvision's image networks, up to the layer that is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from widemargin.contracts import Columns, EncoderSpec, Section
from widemargin.encoders.images.layer_places import shape_and_places
from widemargin.encoders.images.reading import images_of, read_image
from widemargin.encoders.images.torchvision_weights import (
    published_as,
    read_classifier,
    weights_path,
)
from widemargin.encoders.libraries import require_library
from widemargin.encoders.training.trainable import Trainable, TunableEncoder, change_weights
from widemargin.encoders.weights import hash_of_path
from widemargin.encoders.workers import one_torch_thread, vectors_of
from widemargin.errors import DataError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.encoders.training.changes import Changes

__all__ = [
    "RESNET50",
    "TORCHVISION",
    "ResNet50Encoder",
    "ResNet50Settings",
    "TorchvisionEncoder",
    "TorchvisionSettings",
]

_WEIGHTS = "file of its weights (.pth); null looks in the folder where torch keeps what it fetched"


class TorchvisionSettings(Section):
    """Settings of the encoder ``torchvision``."""

    model: str = Field(description="name of an image classifier of torchvision, as in resnet18")
    layer: str = Field(
        description="layer whose output is the vector, as in avgpool; of maps, the mean is taken"
    )
    weights: Path | None = Field(None, description=_WEIGHTS)


class ResNet50Settings(Section):
    """Settings of the encoder ``resnet50``."""

    weights: Path | None = Field(None, description=_WEIGHTS)


class TorchvisionEncoder(TunableEncoder):
    """The output of one layer of one of torchvision's image classifiers.

    Feature maps, channels first or last, are averaged over the image, and sequences of patches over
    the patches. Images are resized and normalised as the weights' authors say; a file that does not
    have the name of published weights is taken for the model's default ones.

    Parameters
    ----------
    model : str
        Its name in torchvision, as in ``"resnet18"``.
    layer : str
        The layer's name in the model, as in ``"avgpool"`` or ``"layer4.1"``.
    weights : str, Path or None, default=None
        The file of its weights. Without it, the file that torchvision has fetched earlier is taken;
        nothing is fetched.

    Examples
    --------
    >>> TorchvisionEncoder("resnet18", "avgpool").get_params()["layer"]
    'avgpool'
    """

    name: ClassVar[str] = "torchvision"
    libraries: ClassVar[tuple[str, ...]] = ("pillow", "torch", "torchvision")

    def __init__(self, model: str, layer: str, weights: str | Path | None = None) -> None:
        self.model = model
        self.layer = layer
        self.weights = weights

    @property
    def dimension(self) -> int:
        """Channels of the layer; the weights are loaded to find out."""
        return self._network()[1]

    def items(self, X: Columns | Sequence[Any]) -> list[Any]:
        """Return one image a row."""
        return images_of(X)

    def weights_hash(self) -> str:
        """Return the hash of the weight file, and for which of its kind images are prepared."""
        path = self._path()
        return f"{hash_of_path(path)} {published_as(self.name, self.model, path).name}"

    def identity(self) -> dict[str, Any]:
        """Return all that vectors depend on; not where the weight file lies, but what is in it."""
        whole = dict(super().identity())
        whole["parameters"] = {"model": self.model, "layer": self.layer}
        return whole

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension).

        Raises
        ------
        DataError
            Where the weights or a library are absent, or an image cannot be read.
        """
        features, dimension = self._network()
        with one_torch_thread:
            return vectors_of(items, features, dimension)

    def trainable(self) -> Trainable:
        """Return the network in torch, with the weights as published."""
        from widemargin.encoders.images.image_inputs import ImageInputs, mirrored
        from widemargin.encoders.images.image_networks import LayerNetwork, layers_up_to

        own = _read_network(self.name, self.model, self.layer, self._path())
        network = LayerNetwork(own.network, self.layer, own.places)
        layers = layers_up_to(own.network, self.layer)

        def prepared(item: Any) -> NDArray[np.float32]:
            found: NDArray[np.float32] = own.prepared(item).numpy()
            return found

        return Trainable(
            network, layers, lambda items: ImageInputs(items, prepared, own.shape), mirrored
        )

    def _path(self) -> Path:
        return weights_path(self.name, self.model, self.weights)

    def _network(self) -> tuple[Callable[[Any], NDArray[np.float32]], int]:
        path = self._path()
        # The hash tells the cache when another file has come to the same place.
        weights = self.weights_hash()
        return _network(self.name, self.model, self.layer, path, weights, self.changes)


class ResNet50Encoder(TorchvisionEncoder):
    """The 2,048 pooled features of ResNet-50, before its last layer.

    Parameters
    ----------
    weights : str, Path or None, default=None
        The file of its weights. Without it, the file that torchvision has fetched earlier is taken;
        nothing is fetched.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016.

    Examples
    --------
    >>> ResNet50Encoder().dimension
    2048
    """

    name: ClassVar[str] = "resnet50"
    model = "resnet50"
    layer = "avgpool"

    def __init__(self, weights: str | Path | None = None) -> None:
        self.weights = weights

    @property
    def dimension(self) -> int:
        """Channels of the last stage."""
        return 2048


@dataclass(frozen=True)
class _Network:
    """A loaded network, how images come into it, and what is taken from it.

    Parameters
    ----------
    network : torch.nn.Module
        The network.
    prepared : callable
        ``prepared(item) -> tensor``: what the network reads of an image.
    shape : tuple of int
        That one's shape.
    places : tuple of int
        The axes of the layer's output that are places in the image.
    dimension : int
        The length of a vector.
    """

    network: Any
    prepared: Callable[[Any], Any]
    shape: tuple[int, ...]
    places: tuple[int, ...]
    dimension: int


@lru_cache(maxsize=2)
def _network(
    name: str, model: str, layer: str, path: Path, weights: str, changes: Changes | None
) -> tuple[Callable[[Any], NDArray[np.float32]], int]:
    """Return what makes a vector of an image, and its length."""
    torch = require_library("torch", name, "vision")
    own = _read_network(name, model, layer, path)
    change_weights(own.network, changes, "network.")
    # Workers run the network at the same time, so each keeps what it saw to itself.
    seen = threading.local()

    def keep(module: Any, inputs: Any, output: Any) -> None:
        seen.output = output

    own.network.get_submodule(layer).register_forward_hook(keep)

    def features(item: Any) -> NDArray[np.float32]:
        batch = own.prepared(item)[None]
        with torch.inference_mode():
            own.network(batch.contiguous(memory_format=torch.channels_last))
            output = seen.output.mean(own.places) if own.places else seen.output
            vector: NDArray[np.float32] = output[0].float().numpy()
        return vector

    return features, own.dimension


def _read_network(name: str, model: str, layer: str, path: Path) -> _Network:
    torch = require_library("torch", name, "vision")
    network = read_classifier(name, model, path).eval().to(memory_format=torch.channels_last)
    layers = [known for known, _ in network.named_modules() if known]
    if layer not in layers:
        top = ", ".join(known for known, _ in network.named_children())
        raise DataError(
            f"{name}: {model} has no layer {layer!r}.{nearest(layer, layers)} Its outermost layers "
            f"are {top}."
        )
    prepare = published_as(name, model, path).transforms()
    shortest = 2 * max(getattr(prepare, "resize_size", (0,)))

    def prepared(item: Any) -> Any:
        return prepare(read_image(item, shortest=shortest))

    with one_torch_thread:
        blank = prepared(np.zeros((8, 8, 3), np.uint8))
        shape, places = shape_and_places(network, layer, blank[None], f"{name}: {model}")
    dimension = next(n for k, n in enumerate(shape) if k and k not in places)
    return _Network(network, prepared, tuple(blank.shape), places, dimension)


def _build(settings: TorchvisionSettings) -> TorchvisionEncoder:
    return TorchvisionEncoder(settings.model, settings.layer, settings.weights)


def _build_resnet50(settings: ResNet50Settings) -> ResNet50Encoder:
    return ResNet50Encoder(settings.weights)


_LICENCE = "BSD-3-Clause (torchvision); trained on ImageNet"

TORCHVISION = EncoderSpec(
    name="torchvision",
    summary="any layer of any image network of torchvision",
    kinds=("image",),
    learns="nothing",
    settings=TorchvisionSettings,
    build=_build,
    licence=_LICENCE,
    extra="vision",
    tunable=True,
)

RESNET50 = EncoderSpec(
    name="resnet50",
    summary="a large convolutional network trained on ImageNet (ResNet-50 of torchvision)",
    kinds=("image",),
    learns="nothing",
    settings=ResNet50Settings,
    build=_build_resnet50,
    dimension=2048,
    licence=_LICENCE,
    extra="vision",
    tunable=True,
)
