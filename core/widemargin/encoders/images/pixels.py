"""Pixels: an image made small, its numbers row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from widemargin.contracts import Columns, EncoderSpec, Section
from widemargin.encoders.frozen import FrozenEncoder
from widemargin.encoders.images.reading import Colour, images_of, read_image
from widemargin.encoders.workers import vectors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PIXELS", "PixelsEncoder", "PixelsSettings", "pixels_of"]

Side = Annotated[int, Field(ge=1, le=1024)]


class PixelsSettings(Section):
    """Settings of the encoder ``pixels``."""

    size: Side = Field(32, description="width and height that every image is resized to")
    colour: Colour = Field("grey", description="grey for one number a pixel, rgb for three")


class PixelsEncoder(FrozenEncoder):
    """The pixels of an image as numbers from 0 to 1, row by row.

    Parameters
    ----------
    size : int, default=32
        Width and height that every image is resized to, whatever its shape.
    colour : {"grey", "rgb"}, default="grey"
        One number a pixel or three.

    Examples
    --------
    >>> white = np.full((4, 4), 255, np.uint8)
    >>> PixelsEncoder(size=2).transform([white])
    array([[1., 1., 1., 1.]], dtype=float32)
    """

    name: ClassVar[str] = "pixels"
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)

    def __init__(self, size: int = 32, colour: Colour = "grey") -> None:
        self.size = size
        self.colour = colour

    @property
    def dimension(self) -> int:
        """Pixels times channels."""
        return self.size * self.size * (3 if self.colour == "rgb" else 1)

    def items(self, X: Columns | Sequence[Any]) -> list[Any]:
        """Return one image a row."""
        return images_of(X)

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension)."""
        return vectors_of(
            items, lambda item: pixels_of(item, self.size, self.colour).ravel(), self.dimension
        )


def pixels_of(item: Any, size: int, colour: Colour) -> NDArray[np.float32]:
    """Return an image of shape (size, size[, 3]), float32 from 0 to 1.

    Raises
    ------
    DataError
        Where it cannot be read.

    Examples
    --------
    >>> pixels_of(np.zeros((9, 7), np.uint8), 4, "rgb").shape
    (4, 4, 3)
    """
    image = read_image(item, colour, shortest=2 * size)
    if image.size != (size, size):
        from PIL.Image import Resampling

        image = image.resize((size, size), Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _build(settings: PixelsSettings) -> PixelsEncoder:
    return PixelsEncoder(**settings.model_dump())


PIXELS = EncoderSpec(
    name="pixels",
    summary="brightness or colour of every pixel",
    kinds=("image",),
    learns="nothing",
    settings=PixelsSettings,
    build=_build,
    dimension=1024,
    extra="vision",
)
