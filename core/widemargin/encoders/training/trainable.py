"""What a pretrained encoder gives to be fine-tuned."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from widemargin.encoders.frozen import FrozenEncoder
from widemargin.errors import DataError

if TYPE_CHECKING:
    from widemargin.encoders.training.changes import Changes
    from widemargin.encoders.training.inputs import Augment, Inputs

__all__ = ["Trainable", "TunableEncoder", "change_weights"]


@dataclass(frozen=True)
class Trainable:
    """A network to be trained further, and how items come into it.

    Parameters
    ----------
    network : torch.nn.Module
        A copy that belongs to the caller; ``network(batch)`` returns vectors of shape
        (n_items, dimension), before they are scaled to length 1.
    layers : sequence of torch.nn.Module
        Its layers, the first one first. What is in none of them, as a table of word embeddings, is
        not trained: most of its rows are of words that training never meets. Low-rank changes come
        beside linear layers and 1x1 convolutions within them, not beside the layers themselves.
    inputs : callable
        ``inputs(items) -> Inputs``.
    mirrored : callable, optional
        ``mirrored(batch, generator) -> batch``: some items at random as in a mirror; None where
        items have no left and right.
    """

    network: Any
    layers: Sequence[Any]
    inputs: Callable[[list[Any]], Inputs]
    mirrored: Augment | None = None


class TunableEncoder(FrozenEncoder):
    """Base of the encoders whose weights can be trained further.

    Attributes
    ----------
    changes : Changes or None
        What training changed of the weights; None for the weights as published. Not a parameter.
    """

    changes: Changes | None = None

    @abstractmethod
    def trainable(self) -> Trainable:
        """Return the network in torch, with the weights as published.

        Raises
        ------
        DataError
            Where a library or the weights are absent, or these settings have nothing to train.
        AssetError
            Where weights are absent.
        """

    def why_not_tunable(self) -> str:
        """Say why these settings cannot be fine-tuned, and what to do; empty where they can.

        Nothing is read for it.
        """
        return ""

    def check_tunable(self) -> None:
        """Refuse settings that cannot be fine-tuned.

        Raises
        ------
        DataError
            With what `why_not_tunable` says.
        """
        reason = self.why_not_tunable()
        if reason:
            raise DataError(f"features.train: {reason}")

    def tuned(self, changes: Changes) -> Self:
        """Return an encoder of the same settings that encodes with changed weights.

        Its vectors are nobody else's, so it keeps none in a store.
        """
        own = type(self)(**self.get_params())
        own.changes = changes
        own.progress = self.progress
        return own

    def identity(self) -> Mapping[str, Any]:
        """Return all that vectors depend on besides the item, as JSON values."""
        whole = super().identity()
        return whole if self.changes is None else {**whole, "changes": self.changes.digest}


def change_weights(network: Any, changes: Changes | None, prefix: str = "") -> None:
    """Give a network the weights that training left, in place.

    Parameters
    ----------
    network : torch.nn.Module
        The network as published.
    changes : Changes, optional
        What training changed; None changes nothing.
    prefix : str
        What names began with in the network that was trained.
    """
    if changes is None:
        return
    torch: Any = import_module("torch")
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                before = tensor.numpy()
                after = changes.of(prefix + name, before)
                if after is not before:
                    tensor.copy_(torch.from_numpy(after))
