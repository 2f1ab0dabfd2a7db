"""A small convolutional network that learns from the user's own images.

Three stages of two 3x3 convolutions with batch norm and ReLU, each stage halving the sides and
doubling the channels from 16; the mean over places; a layer of `dimension` numbers, which are the
embedding; and a last layer that tells the classes apart, used in training only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from widemargin.contracts import (
    Columns,
    EncoderSpec,
    PositiveFloat,
    Progress,
    Section,
    Share,
    Silent,
    State,
)
from widemargin.encoders.images.pixels import pixels_of
from widemargin.encoders.images.reading import Colour, images_of
from widemargin.encoders.libraries import require_library
from widemargin.encoders.network_training import arrays_of, load_arrays, seeded, train_network
from widemargin.encoders.transformer import Transformer
from widemargin.encoders.workers import one_torch_thread, vectors_of
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CNN", "CnnEncoder", "CnnSettings"]

_WIDTH = 16
_STAGES = 3
_BATCH = 64  # images of a forward pass when encoding


class CnnSettings(Section):
    """Settings of the encoder ``cnn``."""

    size: Annotated[int, Field(ge=8, le=512)] = Field(
        32, description="width and height that every image is resized to"
    )
    colour: Colour = Field("rgb", description="grey for one number a pixel, rgb for three")
    dimension: Annotated[int, Field(ge=1, le=4096)] = Field(
        64, description="numbers that an image becomes"
    )
    epochs: Annotated[int, Field(ge=1)] = Field(
        30, description="how often the training images are gone through, at most"
    )
    batch_size: Annotated[int, Field(ge=2)] = Field(64, description="images of one step")
    learning_rate: PositiveFloat = Field(0.003, description="highest step length of AdamW")
    flip: bool = Field(
        False, description="train on mirror images too; not where left and right matter"
    )
    shift: Annotated[int, Field(ge=0)] = Field(
        2, description="pixels that a training image is moved by at most, each time another way"
    )
    seed: Annotated[int, Field(ge=0)] = Field(0, description="seed of all that is random")


class CnnEncoder(Transformer):
    """The last but one layer of a small convolutional network, trained by cross-entropy.

    Parameters
    ----------
    size : int, default=32
        Width and height that every image is resized to.
    colour : {"rgb", "grey"}, default="rgb"
        Channels.
    dimension : int, default=64
        Length of the embedding.
    epochs, batch_size : int, default=30 and 64
        Longest training, and images of one step.
    learning_rate : float, default=0.003
        The highest one of the cycle.
    flip : bool, default=False
        Mirror training images at random.
    shift : int, default=2
        Move training images by up to so many pixels at random; what leaves one side is lost.
    seed : int, default=0
        Seed of weights, order, dropout, flips and shifts.

    Attributes
    ----------
    progress : Progress
        Told of every epoch. Not a parameter: no vector depends on it.

    Examples
    --------
    >>> images = [np.full((8, 8), 250 * (k % 2), np.uint8) for k in range(8)]
    >>> encoder = CnnEncoder(size=8, dimension=4, epochs=1).fit(images, ["dark", "light"] * 4)
    >>> encoder.transform(images).shape
    (8, 4)
    """

    name: ClassVar[str] = "cnn"
    progress: Progress = Silent()

    network_: Any
    classes_: NDArray[np.str_]
    mean_: NDArray[np.float32]
    scale_: NDArray[np.float32]

    def __init__(
        self,
        size: int = 32,
        colour: Colour = "rgb",
        dimension: int = 64,
        epochs: int = 30,
        batch_size: int = 64,
        learning_rate: float = 0.003,
        flip: bool = False,
        shift: int = 2,
        seed: int = 0,
    ) -> None:
        self.size = size
        self.colour = colour
        self.dimension = dimension
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.flip = flip
        self.shift = shift
        self.seed = seed

    def fit(self, X: Columns | Sequence[Any], y: Any = None) -> Self:
        """Train the network on images and their classes.

        Raises
        ------
        DataError
            Where there are no classes to learn, or an image cannot be read.
        """
        names = np.asarray(y) if y is not None else np.array([], dtype=str)
        if names.dtype.kind == "f":
            raise DataError("cnn learns classes, and the target is a number. Use another encoder.")
        classes, targets = np.unique(names.astype(str), return_inverse=True)
        if len(classes) < 2:
            raise DataError(f"cnn learns to tell classes apart, and there are {len(classes)}.")
        pixels = self._pixels(images_of(X))
        self.classes_ = classes
        self.mean_ = pixels.mean((0, 2, 3), dtype=np.float64).astype(np.float32)
        self.scale_ = np.maximum(pixels.std((0, 2, 3), dtype=np.float64), 1e-3).astype(np.float32)
        with seeded(self.seed):
            self.network_ = self._built(len(classes))
        train_network(
            self.network_,
            self._normalised(pixels),
            targets,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            seed=self.seed,
            progress=self.progress,
            name=self.name,
            augment=self._augmented if self.flip or self.shift else None,
        )
        return self

    def transform(self, X: Columns | Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, dimension), float32.

        Raises
        ------
        DataError
            Where an image cannot be read.
        """
        self._check_fitted("network_")
        torch = require_library("torch", self.name, "vision")
        items = images_of(X)
        vectors = np.empty((len(items), self.dimension), dtype=np.float32)
        # All layers but the last one.
        embed = self.network_[:-1]
        with one_torch_thread, torch.inference_mode():
            for start in range(0, len(items), _BATCH):
                own = self._normalised(self._pixels(items[start : start + _BATCH]))
                vectors[start : start + _BATCH] = embed(torch.from_numpy(own)).numpy()
        return vectors

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns by the encoder and their place."""
        return np.array([f"{self.name}: {k + 1}" for k in range(self.dimension)], dtype=object)

    def get_state(self) -> State:
        """Return weights and normalisation as arrays."""
        self._check_fitted("network_")
        weights = {f"network.{name}": own for name, own in arrays_of(self.network_).items()}
        arrays = {"mean": self.mean_, "scale": self.scale_, **weights}
        return State(arrays, {"classes": self.classes_.tolist()})

    def set_state(self, state: State) -> Self:
        """Take up weights and normalisation.

        Raises
        ------
        DataError
            Where they do not fit the settings.
        """
        self.classes_ = np.array(state.meta["classes"], dtype=str)
        self.mean_, self.scale_ = state.arrays["mean"], state.arrays["scale"]
        with seeded(self.seed):
            network = self._built(len(self.classes_))
        weights = {
            name.removeprefix("network."): own
            for name, own in state.arrays.items()
            if name.startswith("network.")
        }
        try:
            load_arrays(network, weights)
        except RuntimeError as error:
            raise DataError("cnn: the saved weights do not fit the settings.") from error
        self.network_ = network
        return self

    def explain(
        self, X: Columns | Sequence[Any], coef: NDArray[np.float64]
    ) -> Sequence[Sequence[Share]]:
        """Give each row's product with `coef` as one piece: the numbers have no words."""
        return [
            [Share(f"{self.name} embedding", float(row @ coef))]
            for row in self.transform(X).astype(np.float64)
        ]

    def _pixels(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return images of shape (n_items, channels, size, size), from 0 to 1."""
        channels = 3 if self.colour == "rgb" else 1
        flat = vectors_of(
            items,
            lambda item: pixels_of(item, self.size, self.colour).ravel(),
            self.size * self.size * channels,
        )
        shaped = flat.reshape(len(items), self.size, self.size, channels)
        return np.ascontiguousarray(shaped.transpose(0, 3, 1, 2))

    def _normalised(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give every channel mean 0 and deviation 1, in place: there may be much of it."""
        pixels -= self.mean_[:, None, None]
        pixels /= self.scale_[:, None, None]
        return pixels

    def _built(self, n_classes: int) -> Any:
        torch = require_library("torch", self.name, "vision")
        nn = torch.nn
        layers, channels = [], 3 if self.colour == "rgb" else 1
        for stage in range(_STAGES):
            out = _WIDTH << stage
            for into in (channels, out):
                layers += [
                    nn.Conv2d(into, out, 3, padding=1, bias=False),
                    nn.BatchNorm2d(out),
                    nn.ReLU(),
                ]
            layers.append(nn.MaxPool2d(2))
            channels = out
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, self.dimension)]
        layers += [nn.ReLU(), nn.Linear(self.dimension, n_classes)]
        # A third faster on CPUs than with the channels apart.
        return nn.Sequential(*layers).to(memory_format=torch.channels_last)

    def _augmented(self, batch: Any, generator: Any) -> Any:
        """Mirror and move each image of a batch at random."""
        torch = require_library("torch", self.name, "vision")
        n, _, height, width = batch.shape
        if self.flip:
            turned = torch.rand(n, generator=generator) < 0.5
            batch = torch.where(turned[:, None, None, None], batch.flip(3), batch)
        if self.shift:
            by = torch.randint(-self.shift, self.shift + 1, (2, n, 1), generator=generator)
            # Beyond the border the outermost pixels repeat.
            rows = (torch.arange(height) + by[0]).clamp(0, height - 1)
            columns = (torch.arange(width) + by[1]).clamp(0, width - 1)
            every = torch.arange(n)[:, None, None]
            batch = batch.permute(0, 2, 3, 1)[every, rows[:, :, None], columns[:, None, :]]
            batch = batch.permute(0, 3, 1, 2)
        return batch


def _build(settings: CnnSettings) -> CnnEncoder:
    return CnnEncoder(**settings.model_dump())


CNN = EncoderSpec(
    name="cnn",
    summary="a small convolutional network trained on these images",
    kinds=("image",),
    learns="y",
    settings=CnnSettings,
    build=_build,
    dimension=64,
    extra="vision",
)
