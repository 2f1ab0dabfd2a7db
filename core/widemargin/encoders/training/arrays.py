"""A network's weights as arrays, and random numbers that leave others' alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["array_of", "arrays_of", "digest_of", "load_arrays", "seeded"]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within it, torch's random numbers begin at a seed; those of others go on as before after it.

    Those of the CPU, and of the graphics card in use where torch computes on one already.

    Examples
    --------
    >>> torch = import_module("torch")
    >>> with seeded(3):
    ...     first = torch.rand(1)
    >>> with seeded(3):
    ...     second = torch.rand(1)
    >>> bool(first == second)
    True
    """
    torch: Any = import_module("torch")
    cards = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=cards):
        seed_torch(seed)
        yield


def seed_torch(seed: int) -> None:
    """Begin torch's random numbers at a seed, on the CPU and on a card in use."""
    torch: Any = import_module("torch")
    # `torch.manual_seed` would also leave a seed for cards that someone uses later.
    torch.random.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(seed)


def array_of(tensor: Any) -> NDArray[Any]:
    """Return a tensor's numbers as an array of its own, row by row in memory."""
    return np.array(tensor.detach().cpu().numpy(), order="C")


def arrays_of(network: Any) -> dict[str, NDArray[Any]]:
    """Return a network's weights as arrays, exactly."""
    return {name: array_of(value) for name, value in network.state_dict().items()}


def load_arrays(network: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Take up weights that `arrays_of` returned, and stop learning."""
    torch: Any = import_module("torch")
    network.load_state_dict({name: torch.tensor(value) for name, value in arrays.items()})
    network.eval()


def digest_of(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return a hash of arrays and their names."""
    told = hashlib.sha256()
    for name in sorted(arrays):
        own = np.ascontiguousarray(arrays[name])
        told.update(f"{name} {own.dtype} {own.shape};".encode())
        told.update(own.data)
    return told.hexdigest()
