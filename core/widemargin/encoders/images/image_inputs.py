"""Images as networks read them in training: opened anew for every batch, so that few are held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.encoders.workers import one_torch_thread, vectors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ImageInputs", "mirrored"]


def mirrored(batch: Any, generator: Any) -> Any:
    """Mirror each image of a batch or leave it, by chance.

    Parameters
    ----------
    batch : torch.Tensor of shape (n_images, channels, height, width)
        The images.
    generator : torch.Generator
        Where chance comes from.
    """
    torch: Any = import_module("torch")
    turned = torch.rand(len(batch), generator=generator) < 0.5
    return torch.where(turned[:, None, None, None], batch.flip(3), batch)


class ImageInputs:
    """Images that are opened and prepared on all cores when a batch asks for them.

    Parameters
    ----------
    items : sequence
        Paths, bytes or arrays.
    prepared : callable
        ``prepared(item) -> ndarray``: what the network reads of an image.
    shape : tuple of int
        Its shape, channels first.
    """

    def __init__(
        self,
        items: Sequence[Any],
        prepared: Callable[[Any], NDArray[np.float32]],
        shape: tuple[int, ...],
    ) -> None:
        self._items, self._prepared, self._shape = items, prepared, shape

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._items)

    def batch(self, rows: NDArray[np.intp], generator: Any | None = None) -> Any:
        """Return some images as one tensor of shape (n_images, channels, height, width)."""
        torch: Any = import_module("torch")
        with one_torch_thread:
            flat = vectors_of(
                [self._items[row] for row in rows],
                lambda item: self._prepared(item).ravel(),
                int(np.prod(self._shape)),
            )
        images = torch.from_numpy(flat).reshape(len(rows), *self._shape)
        return images.contiguous(memory_format=torch.channels_last)
