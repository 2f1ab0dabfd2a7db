"""Any of torchvision's image networks, up to the layer that is asked for."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from widemargin.contracts import Columns, EncoderSpec, Section
from widemargin.encoders.frozen import FrozenEncoder
from widemargin.encoders.images.layer_places import shape_and_places
from widemargin.encoders.images.reading import images_of, read_image
from widemargin.encoders.images.torchvision_shim import ensure_torchvision_operators
from widemargin.encoders.libraries import require_library
from widemargin.encoders.weights import hash_of_path
from widemargin.encoders.workers import one_torch_thread, vectors_of
from widemargin.errors import DataError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


class TorchvisionEncoder(FrozenEncoder):
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
        return self._network().dimension

    def items(self, X: Columns | Sequence[Any]) -> list[Any]:
        """Return one image a row."""
        return images_of(X)

    def weights_hash(self) -> str:
        """Return the hash of the weight file, and for which of its kind images are prepared."""
        path = self._path()
        return f"{hash_of_path(path)} {_published_as(self.name, self.model, path).name}"

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
        network = self._network()
        with one_torch_thread:
            return vectors_of(items, network.features, network.dimension)

    def _path(self) -> Path:
        return _weights_path(self.name, self.model, self.weights)

    def _network(self) -> _Network:
        path = self._path()
        # The hash tells the cache when another file has come to the same place.
        return _network(self.name, self.model, self.layer, path, self.weights_hash())


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
    """A loaded network: what makes a vector of an image, and its length."""

    features: Callable[[Any], NDArray[np.float32]]
    dimension: int


def _torchvision(name: str) -> Any:
    require_library("torch", name, "vision")
    ensure_torchvision_operators()
    return require_library("torchvision", name, "vision")


def _published(name: str, model: str) -> Any:
    """Return torchvision's enum of the model's published weights."""
    models = _torchvision(name).models
    known = models.list_models(module=models)
    if model not in known:
        raise DataError(
            f"{name}: torchvision has no image classifier {model!r}.{nearest(model, known)}"
        )
    return models.get_model_weights(model)


def _weights_path(name: str, model: str, weights: str | Path | None) -> Path:
    published = _published(name, model)
    if weights is not None:
        path = Path(weights).expanduser()
        if not path.is_file():
            raise DataError(
                f"{name}: {path}: there is no such file. weights is the file of the weights of "
                f"{model}, from {published.DEFAULT.url}."
            )
        return path
    torch = require_library("torch", name, "vision")
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    # The newest ones first, which are torchvision's default.
    for one in (published.DEFAULT, *published):
        path = folder / _file_name(one)
        if path.is_file():
            return path
    raise DataError(
        f"{name}: the weights of {model} are not here. Get {published.DEFAULT.url}, and put the "
        f"file into {folder}, or set weights to its path. Nothing is fetched by itself."
    )


def _published_as(name: str, model: str, path: Path) -> Any:
    """Return the published weights that a file is, by its name; the default ones for others."""
    published = _published(name, model)
    return next((one for one in published if _file_name(one) == path.name), published.DEFAULT)


def _file_name(published: Any) -> str:
    return str(published.url).rpartition("/")[2]


@lru_cache(maxsize=2)
def _network(name: str, model: str, layer: str, path: Path, weights: str) -> _Network:
    torch = require_library("torch", name, "vision")
    network = _loaded(name, model, path).eval().to(memory_format=torch.channels_last)
    layers = [known for known, _ in network.named_modules() if known]
    if layer not in layers:
        top = ", ".join(known for known, _ in network.named_children())
        raise DataError(
            f"{name}: {model} has no layer {layer!r}.{nearest(layer, layers)} Its outermost layers "
            f"are {top}."
        )
    # Workers run the network at the same time, so each keeps what it saw to itself.
    seen = threading.local()

    def keep(module: Any, inputs: Any, output: Any) -> None:
        seen.output = output

    prepare = _published_as(name, model, path).transforms()
    shortest = 2 * max(getattr(prepare, "resize_size", (0,)))

    with one_torch_thread:
        blank = prepare(read_image(np.zeros((8, 8, 3), np.uint8)))[None]
        shape, places = shape_and_places(network, layer, blank, f"{name}: {model}")

    network.get_submodule(layer).register_forward_hook(keep)

    def features(item: Any) -> NDArray[np.float32]:
        batch = prepare(read_image(item, shortest=shortest))[None]
        with torch.inference_mode():
            network(batch.contiguous(memory_format=torch.channels_last))
            output = seen.output.mean(places) if places else seen.output
            vector: NDArray[np.float32] = output[0].float().numpy()
        return vector

    return _Network(features, next(n for k, n in enumerate(shape) if k and k not in places))


# What torchvision's own builders set when they load published weights.
_BUILT_WITH = {
    "googlenet": {"transform_input": True, "init_weights": False},
    "inception_v3": {"transform_input": True, "init_weights": False},
}
# The published files of densenets are older than the names of its layers.
_OLD_NAME = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)")


def _loaded(name: str, model: str, path: Path) -> Any:
    torch = require_library("torch", name, "vision")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = {_OLD_NAME.sub(r"\1", key): value for key, value in state.items()}
    # torch.load raises nearly anything for a file that is none of its own.
    except Exception as error:  # noqa: BLE001
        raise DataError(
            f"{name}: {path}: is no file of weights, or holds more than weights "
            f"({type(error).__name__}). Get it again, or save it with "
            "torch.save(model.state_dict(), path)."
        ) from None
    # Its first weights, drawn at random, are replaced; nobody else's random numbers move.
    with torch.random.fork_rng(devices=[]):
        network = _torchvision(name).models.get_model(
            model, weights=None, **_BUILT_WITH.get(model, {})
        )
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        told = " ".join(str(error).split())
        raise DataError(
            f"{name}: {path}: these are not the weights of {model} ({told[:200]})."
        ) from None
    return network


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
)
