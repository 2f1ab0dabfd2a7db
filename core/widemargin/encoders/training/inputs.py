"""Inputs: what a network reads, batch by batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ArrayInputs", "Augment", "AugmentedInputs", "Inputs", "KnownInputs"]

Augment = Callable[[Any, Any], Any]
"""``augment(batch, generator) -> batch``: what is changed at random before each step."""


class Inputs(Protocol):
    """What a network reads, item by item."""

    def __len__(self) -> int:
        """Return the number of items."""
        ...

    def batch(self, rows: NDArray[np.intp], generator: Any | None) -> Any:
        """Return these items as the network reads them, on the CPU.

        A tensor, or a tuple, list or dict of tensors; changed at random where a
        ``torch.Generator`` is given, by nothing but its numbers.
        """
        ...


class KnownInputs(Inputs, Protocol):
    """Inputs that can say what they are."""

    def digest(self) -> str:
        """Return a hash of all items, for the key of a checkpoint."""
        ...


class AugmentedInputs:
    """Inputs whose batches are changed at random when they are trained on.

    Parameters
    ----------
    inputs : Inputs
        The items.
    augment : callable
        ``augment(batch, generator) -> batch``.
    """

    def __init__(self, inputs: Inputs, augment: Augment) -> None:
        self._inputs, self._augment = inputs, augment

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._inputs)

    def batch(self, rows: NDArray[np.intp], generator: Any | None) -> Any:
        """Return these items, changed where they are trained on."""
        own = self._inputs.batch(rows, generator)
        return own if generator is None else self._augment(own, generator)


class ArrayInputs:
    """Items that are the rows of one array.

    Parameters
    ----------
    array : ndarray of shape (n_items, ...)
        The items.
    augment : callable, optional
        ``augment(batch, generator) -> batch``, for batches that are trained on.

    Examples
    --------
    >>> inputs = ArrayInputs(np.arange(6.0).reshape(3, 2))
    >>> inputs.batch(np.array([2, 0]), None).tolist()
    [[4.0, 5.0], [0.0, 1.0]]
    """

    def __init__(self, array: NDArray[Any], augment: Augment | None = None) -> None:
        self._array = array
        self._tensor = import_module("torch").from_numpy(array)
        self._augment = augment

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._array)

    def batch(self, rows: NDArray[np.intp], generator: Any | None) -> Any:
        """Return these rows as one tensor."""
        own = self._tensor[import_module("torch").from_numpy(rows)]
        if generator is None or self._augment is None:
            return own
        return self._augment(own, generator)

    def digest(self) -> str:
        """Return a hash of all items, for the key of a checkpoint."""
        told = hashlib.sha256(f"{self._array.dtype} {self._array.shape}".encode())
        told.update(np.ascontiguousarray(self._array).data)
        return told.hexdigest()
