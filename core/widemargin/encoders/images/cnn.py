"""A small convolutional network that learns from the user's own images.

Three stages of two 3x3 convolutions with batch norm and ReLU, each stage halving the sides and
doubling the channels from `channels`; the mean over places; a layer of `dimension` numbers, which
are the embedding. What they learn is chosen by the loss; by default a last layer tells the classes
apart, in training only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from widemargin.contracts import Columns, EncoderSpec, State
from widemargin.encoders.images.image_inputs import mirrored
from widemargin.encoders.images.pixels import pixels_of
from widemargin.encoders.images.reading import Colour, images_of
from widemargin.encoders.libraries import require_library
from widemargin.encoders.training.inputs import ArrayInputs
from widemargin.encoders.training.settings import (
    Device,
    LossName,
    Precision,
    TrainingSettings,
)
from widemargin.encoders.training.trained import TrainedEncoder
from widemargin.encoders.unreadable import Unreadable
from widemargin.encoders.workers import check_readable, one_torch_thread, vectors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CNN", "CnnEncoder", "CnnSettings"]

_BATCH = 64  # images of a forward pass when encoding


class CnnSettings(TrainingSettings):
    """Settings of the encoder ``cnn``."""

    size: Annotated[int, Field(ge=8, le=512)] = Field(
        32, description="width and height that every image is resized to"
    )
    colour: Colour = Field("rgb", description="grey for one number a pixel, rgb for three")
    dimension: Annotated[int, Field(ge=1, le=4096)] = Field(
        64, description="numbers that an image becomes"
    )
    channels: Annotated[int, Field(ge=1, le=1024)] = Field(
        16, description="channels of the first stage; the second has twice as many, the third four"
    )
    mirror: bool = Field(
        False, description="take the mean of the vectors of an image and of its mirror image"
    )
    precision: Precision = Field(
        "float32",
        description="what training computes in: float32, bfloat16, or auto: bfloat16, twice as "
        "fast, where the processor has instructions for it",
    )
    flip: bool = Field(
        False, description="train on mirror images too; not where left and right matter"
    )
    shift: Annotated[int, Field(ge=0)] = Field(
        2, description="pixels that a training image is moved by at most, each time another way"
    )


class CnnEncoder(TrainedEncoder):
    """The vectors of a small convolutional network that is trained on the images.

    Parameters
    ----------
    size : int, default=32
        Width and height that every image is resized to.
    colour : {"rgb", "grey"}, default="rgb"
        Channels.
    dimension : int, default=64
        Length of the embedding.
    flip : bool, default=False
        Mirror training images at random.
    shift : int, default=2
        Move training images by up to so many pixels at random; what leaves one side is lost.
    channels : int, default=16
        Channels of the first stage; the second has twice as many and the third four times.
    mirror : bool, default=False
        An image's vector is the mean of its own and that of its mirror image, at twice the time.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        What training computes in; auto is bfloat16, about twice as fast, where the processor has
        instructions for it, and float32 elsewhere. Vectors are computed in float32 always.
    loss, temperature, margin, epochs, batch_size, learning_rate, patience, device, seed
        As in `TrainingSettings`.

    Attributes
    ----------
    classes_ : ndarray of str
        The classes that it was trained on.
    network_, history_, progress, checkpoints
        As in `TrainedEncoder`.

    Examples
    --------
    >>> images = [np.full((8, 8), 250 * (k % 2), np.uint8) for k in range(8)]
    >>> encoder = CnnEncoder(size=8, dimension=4, epochs=1).fit(images, ["dark", "light"] * 4)
    >>> encoder.transform(images).shape
    (8, 4)
    """

    name: ClassVar[str] = "cnn"
    settings_type: ClassVar[type[TrainingSettings]] = CnnSettings

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
        loss: LossName = "cross-entropy",
        temperature: float = 0.1,
        margin: float = 0.5,
        patience: int = 5,
        device: Device = "auto",
        channels: int = 16,
        mirror: bool = False,
        precision: Precision = "float32",
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
        self.loss = loss
        self.temperature = temperature
        self.margin = margin
        self.patience = patience
        self.device = device
        self.channels = channels
        self.mirror = mirror
        self.precision = precision

    def check(self, X: Columns | Sequence[Any]) -> None:
        """Read every image once, before any training.

        Raises
        ------
        ItemsError
            Where some cannot be read; it names all of them.
        """
        check_readable(X, images_of, lambda item: pixels_of(item, self.size, self.colour))

    def fit(self, X: Columns | Sequence[Any], y: Any = None) -> Self:
        """Train the network on images and their classes.

        Raises
        ------
        DataError
            Where there are no classes to learn, or an image cannot be read.
        """
        require_library("torch", self.name, "vision")
        items = images_of(X)
        classes, target = self.class_numbers(y, len(items), "images")
        pixels = self._pixels(items)
        self.classes_ = classes
        self.mean_ = pixels.mean((0, 2, 3), dtype=np.float64).astype(np.float32)
        self.scale_ = np.maximum(pixels.std((0, 2, 3), dtype=np.float64), 1e-3).astype(np.float32)
        augment = self._augmented if self.flip or self.shift else None
        self.train(ArrayInputs(self._normalised(pixels), augment), target)
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
        found = Unreadable(len(items))
        with one_torch_thread, torch.inference_mode():
            for start in range(0, len(items), _BATCH):
                rows = range(start, min(start + _BATCH, len(items)))
                with found.at(rows):
                    own = self._normalised(self._pixels(items[start : rows.stop]))
                    vectors[start : rows.stop] = self._vectors(torch.from_numpy(own)).numpy()
        found.check()
        return vectors

    def get_state(self) -> State:
        """Return weights and normalisation as arrays."""
        network = super().get_state()
        return State(
            {"mean": self.mean_, "scale": self.scale_, **network.arrays},
            {"classes": self.classes_.tolist(), **network.meta},
        )

    def set_state(self, state: State) -> Self:
        """Take up weights and normalisation.

        Raises
        ------
        DataError
            Where they do not fit the settings.
        """
        self.classes_ = np.array(state.meta["classes"], dtype=str)
        self.mean_, self.scale_ = state.arrays["mean"], state.arrays["scale"]
        return super().set_state(state)

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

    def _vectors(self, images: Any) -> Any:
        """Encode images of shape (n_images, channels, height, width)."""
        vectors = self.network_(images)
        if self.mirror:
            vectors = (vectors + self.network_(images.flip(3))) / 2
        return vectors

    def build_network(self) -> Any:
        """Return the network, of random weights."""
        require_library("torch", self.name, "vision")
        from widemargin.encoders.images.cnn_network import CnnNetwork

        colours = 3 if self.colour == "rgb" else 1
        return CnnNetwork(colours, self.channels, self.dimension, self.precision)

    def _augmented(self, batch: Any, generator: Any) -> Any:
        """Mirror and move each image of a batch at random."""
        torch = require_library("torch", self.name, "vision")
        n, _, height, width = batch.shape
        if self.flip:
            batch = mirrored(batch, generator)
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
    trains=True,
    settings=CnnSettings,
    build=_build,
    dimension=64,
    extra="vision",
)
