"""History: how training went, epoch by epoch. It holds no times, so that it repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

__all__ = ["Epoch", "History", "Stopped"]

Stopped = Literal["", "epochs", "patience"]
"""Why training ended: all epochs were gone through, or nothing got better; empty while it runs."""


@dataclass(frozen=True)
class Epoch:
    """One time through the items.

    Parameters
    ----------
    train : float
        The mean loss on items that were learnt from, while they were.
    held_out : float or None
        The loss on items held out, after the epoch; None where none are.
    learning_rate : float
        The step length that the epoch ended with.
    """

    train: float
    held_out: float | None
    learning_rate: float


@dataclass(frozen=True)
class History:
    """How training went.

    Parameters
    ----------
    epochs : tuple of Epoch
        In order.
    stopped : {"epochs", "patience"}
        Why it ended.
    device : str
        Where it computed: ``cpu``, or ``cuda`` with the card's name.
    batch_size : int
        Items of a step, at the end; less than was set where memory did not suffice.
    notes : tuple of str
        What people should know of it.

    Examples
    --------
    >>> history = History((Epoch(0.9, 0.8, 0.01), Epoch(0.2, 0.9, 0.001)), "patience", "cpu", 32)
    >>> history.best, history.since_best
    (1, 1)
    >>> History.from_data(history.to_data()) == history
    True
    """

    epochs: tuple[Epoch, ...] = ()
    stopped: Stopped = ""
    device: str = "cpu"
    batch_size: int = 0
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> int:
        """The epoch, from 1, whose weights were kept: the first with the smallest held-out loss.

        The last one where nothing is held out, 0 before the first.
        """
        losses = [epoch.held_out for epoch in self.epochs if epoch.held_out is not None]
        if not losses:
            return len(self.epochs)
        return losses.index(min(losses)) + 1

    @property
    def since_best(self) -> int:
        """How many epochs came after the best one."""
        return len(self.epochs) - self.best

    def with_epoch(self, epoch: Epoch) -> Self:
        """Return the history with one epoch more."""
        return replace(self, epochs=(*self.epochs, epoch))

    def to_data(self) -> dict[str, Any]:
        """Return what JSON can hold, numbers exactly."""
        epochs = [asdict(epoch) for epoch in self.epochs]
        return {**asdict(self), "epochs": epochs, "notes": list(self.notes), "best": self.best}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the history that `to_data` returned."""
        return cls(
            epochs=tuple(Epoch(**own) for own in data["epochs"]),
            stopped=data["stopped"],
            device=data["device"],
            batch_size=int(data["batch_size"]),
            notes=tuple(data["notes"]),
        )
