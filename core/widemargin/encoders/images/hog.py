"""Histograms of oriented gradients: which way the edges run, cell by cell.

With the gradient (g_x, g_y) of an image by central differences, each pixel votes with its
magnitude √(g_x² + g_y²) for its direction, taken modulo 180°: in parts for the two nearest of the
`orientations` bins and for the up to four nearest cells (trilinear interpolation). A histogram of a
cell is the sum of the votes. Cells are normalised in blocks that overlap, each by L2-Hys,

    v ← v / √(‖v‖² + ε²),   v ← min(v, 0.2),   v ← v / √(‖v‖² + ε²),

and the blocks, one after the other, are the vector (N. Dalal and B. Triggs, "Histograms of Oriented
Gradients for Human Detection", CVPR 2005). Left out is the Gaussian weighting inside a block, which
that paper found to be worth 1%.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from widemargin.contracts import Columns, EncoderSpec, Section
from widemargin.encoders.frozen import FrozenEncoder
from widemargin.encoders.images.pixels import pixels_of
from widemargin.encoders.images.reading import images_of
from widemargin.encoders.workers import vectors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HOG", "HogEncoder", "HogSettings", "histograms"]

_EPSILON = 1e-3  # far below any visible edge, above the noise of flat areas
_CLIP = 0.2


class HogSettings(Section):
    """Settings of the encoder ``hog``."""

    size: Annotated[int, Field(ge=8, le=1024)] = Field(
        64, description="width and height that every image is resized to"
    )
    orientations: Annotated[int, Field(ge=2, le=36)] = Field(
        9, description="bins that 180 degrees are divided into"
    )
    pixels_per_cell: Annotated[int, Field(ge=2)] = Field(
        8, description="width and height of a cell; divides size"
    )
    cells_per_block: Annotated[int, Field(ge=1)] = Field(
        2, description="width and height of a block, in cells"
    )

    @model_validator(mode="after")
    def _check_cells(self) -> Self:
        if self.size % self.pixels_per_cell:
            raise ValueError(
                f"size, {self.size}, is no multiple of pixels_per_cell, {self.pixels_per_cell}"
            )
        cells = self.size // self.pixels_per_cell
        if self.cells_per_block > cells:
            raise ValueError(
                f"cells_per_block, {self.cells_per_block}, exceeds the {cells} cells of a side"
            )
        return self


class HogEncoder(FrozenEncoder):
    """Histograms of oriented gradients of the grey image.

    Parameters
    ----------
    size : int, default=64
        Width and height that every image is resized to.
    orientations : int, default=9
        Bins that 180° are divided into.
    pixels_per_cell : int, default=8
        Width and height of a cell.
    cells_per_block : int, default=2
        Width and height of a block, in cells.

    References
    ----------
    N. Dalal and B. Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005.

    Examples
    --------
    >>> HogEncoder(size=28, pixels_per_cell=7).transform([np.zeros((28, 28), np.uint8)]).shape
    (1, 324)
    """

    name: ClassVar[str] = "hog"
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)

    def __init__(
        self,
        size: int = 64,
        orientations: int = 9,
        pixels_per_cell: int = 8,
        cells_per_block: int = 2,
    ) -> None:
        self.size = size
        self.orientations = orientations
        self.pixels_per_cell = pixels_per_cell
        self.cells_per_block = cells_per_block

    @property
    def dimension(self) -> int:
        """Blocks times cells of a block times orientations."""
        blocks = self.size // self.pixels_per_cell - self.cells_per_block + 1
        return blocks**2 * self.cells_per_block**2 * self.orientations

    def items(self, X: Columns | Sequence[Any]) -> list[Any]:
        """Return one image a row."""
        return images_of(X)

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension)."""
        return vectors_of(items, self._encode_one, self.dimension)

    def _encode_one(self, item: Any) -> NDArray[np.float32]:
        cells = histograms(
            pixels_of(item, self.size, "grey"), self.orientations, self.pixels_per_cell
        )
        side = self.cells_per_block
        windows = np.lib.stride_tricks.sliding_window_view(cells, (side, side), axis=(0, 1))
        # (blocks, blocks, orientations, side, side) to one row a block, cells first
        blocks = windows.transpose(0, 1, 3, 4, 2).reshape(-1, side * side * self.orientations)
        blocks = _unit(np.minimum(_unit(blocks), _CLIP))
        return blocks.ravel().astype(np.float32)


def histograms(
    image: NDArray[np.float32], orientations: int, pixels_per_cell: int
) -> NDArray[np.float64]:
    """Sum the gradients of a square image by cell and direction.

    Parameters
    ----------
    image : ndarray of shape (size, size)
        Brightness; beyond its border the outermost pixels repeat.
    orientations, pixels_per_cell : int
        Bins of 180°, and the side of a cell, which divides `size`.

    Returns
    -------
    ndarray of shape (n_cells, n_cells, orientations)
        `n_cells` is ``size // pixels_per_cell``.

    Examples
    --------
    >>> ramp = np.tile(np.arange(8, dtype=np.float32), (8, 1))  # brighter to the right
    >>> histograms(ramp, 2, 8).round(2).tolist()
    [[[32.62, 32.62]]]
    """
    padded = np.pad(image.astype(np.float64), 1, mode="edge")
    across = padded[1:-1, 2:] - padded[1:-1, :-2]
    down = padded[2:, 1:-1] - padded[:-2, 1:-1]
    magnitude = np.hypot(across, down)
    # Bin k is centred on (k + 1/2) · 180° / orientations, and the last one touches the first.
    place = np.arctan2(down, across) / np.pi % 1.0 * orientations - 0.5
    lower = np.floor(place)
    upper_share = place - lower
    rows, columns = np.indices(image.shape)
    votes = np.zeros((*image.shape, orientations))
    first = lower.astype(np.intp)
    # Two bins never coincide, since there are at least two: plain assignment would do for each.
    votes[rows, columns, first % orientations] += magnitude * (1 - upper_share)
    votes[rows, columns, (first + 1) % orientations] += magnitude * upper_share
    shares = _cell_shares(len(image), pixels_per_cell)
    return np.asarray(np.einsum("ci,ijo,dj->cdo", shares, votes, shares, optimize=True))


def _cell_shares(size: int, pixels_per_cell: int) -> NDArray[np.float64]:
    """Return how much of its vote each pixel along a side gives to each cell.

    A tent around the cell's middle that ends at the middles of its neighbours.
    """
    pixels = np.arange(size) + 0.5
    middles = (np.arange(size // pixels_per_cell) + 0.5) * pixels_per_cell
    return np.maximum(0.0, 1 - np.abs(pixels - middles[:, None]) / pixels_per_cell)


def _unit(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.sqrt((blocks**2).sum(axis=1, keepdims=True) + _EPSILON**2)
    return np.asarray(blocks / lengths)


def _build(settings: HogSettings) -> HogEncoder:
    return HogEncoder(**settings.model_dump())


HOG = EncoderSpec(
    name="hog",
    summary="histograms of oriented gradients: which way the edges run",
    kinds=("image",),
    learns="nothing",
    settings=HogSettings,
    build=_build,
    dimension=1764,
    extra="vision",
)
