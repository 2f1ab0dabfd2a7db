"""What training makes small, chosen by the settings, with the last layer where it takes one."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from widemargin.encoders.training import losses
from widemargin.encoders.training.batches import class_batches, shuffled_batches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from widemargin.encoders.training.settings import TrainingSettings

__all__ = ["Objective"]


class Objective:
    """A loss of vectors and their classes, and the batches that it needs.

    Parameters
    ----------
    settings : TrainingSettings
        They choose the loss.
    dimension : int
        The length of a vector.
    n_classes : int
        How many classes there are.

    Attributes
    ----------
    head : torch.nn.Linear or None
        The layer that tells classes apart, of random weights; None where the loss compares items.
    pairs : bool
        Whether the loss compares items with others of their class.
    fewest : int
        The smallest batch that teaches anything.
    """

    def __init__(self, settings: TrainingSettings, dimension: int, n_classes: int) -> None:
        self.pairs = settings.loss != "cross-entropy"
        self.fewest = 4 if self.pairs else 2
        self.head: Any = None
        if not self.pairs:
            self.head = import_module("torch").nn.Linear(dimension, n_classes)
        temperature, margin = settings.temperature, settings.margin

        def noise_contrast(vectors: Any, target: Any) -> Any:
            anchors, positives = losses.pairs_of(target)
            own = vectors[anchors], vectors[positives], target[anchors]
            return losses.info_nce(*own, temperature)

        made: dict[str, Callable[[Any, Any], Any]] = {
            "cross-entropy": lambda own, target: losses.cross_entropy(self.head(own), target),
            "supervised-contrastive": lambda own, target: losses.supervised_contrastive(
                own, target, temperature
            ),
            "triplet": lambda own, target: losses.triplet(own, target, margin),
            "info-nce": noise_contrast,
        }
        self._loss = made[settings.loss]

    def __call__(self, vectors: Any, target: Any) -> Any:
        """Return the mean loss of a batch, a tensor of shape ()."""
        return self._loss(vectors, target)

    def batches(
        self,
        rows: NDArray[np.intp],
        target: NDArray[np.intp],
        batch_size: int,
        rng: np.random.Generator,
    ) -> list[NDArray[np.intp]]:
        """Deal rows out to batches, as the loss needs them."""
        if self.pairs:
            return class_batches(rows, target, max(batch_size, self.fewest), rng)
        return shuffled_batches(rows, batch_size, rng)
