"""Training a small network on the CPU: seeded, and stopped where it no longer gets better."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Progress, Silent
from widemargin.encoders.workers import one_torch_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Augment", "arrays_of", "load_arrays", "seeded", "train_network"]

Augment = Callable[[Any, Any], Any]
"""``augment(batch, generator) -> batch``: what is changed at random before each step."""

_HELD_OUT = 10  # one row in ten of each class
_PATIENCE = 5  # epochs without a smaller loss on the rows held out


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within it, torch's random numbers begin at a seed; those of others go on as before after it.

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
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def train_network(
    network: Any,
    inputs: NDArray[np.float32],
    targets: NDArray[np.intp],
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    progress: Progress | None = None,
    name: str = "network",
    augment: Augment | None = None,
    groups: NDArray[np.intp] | None = None,
) -> None:
    """Train a classifier in place by cross-entropy; the best epoch's weights are kept.

    AdamW, its learning rate rising for a tenth of the steps and falling after it (one cycle, L. N.
    Smith and N. Topin, "Super-Convergence", 2019). A tenth of the rows of each class are held out,
    and training stops after five epochs in which their loss does not get smaller. Where no class
    has ten rows, nothing is held out and the last epoch's weights stay. With `groups` this holds
    of groups instead of rows: rows alike would tell of one another. One thread computes: the
    same rows give the same weights whatever the number of cores, and others' work slows it less.

    Parameters
    ----------
    network : torch.nn.Module
        Takes a batch of inputs and returns logits of shape (n_batch, n_classes).
    inputs : ndarray of shape (n_samples, ...)
        What the network reads.
    targets : ndarray of shape (n_samples,)
        Class numbers from 0.
    epochs : int
        How often the rows are gone through, at most.
    batch_size : int
        Rows of one step.
    learning_rate : float
        The highest one.
    seed : int
        Decides which rows are held out, the order of the others, dropout and `augment`.
    progress : Progress, optional
        Told of every epoch.
    name : str
        What is trained, for `progress`.
    augment : callable, optional
        ``augment(batch, generator) -> batch``, for training batches only.
    groups : ndarray of shape (n_samples,), optional
        Rows of equal numbers are of one class and held out together, or not at all.
    """
    torch: Any = import_module("torch")
    held, rows = _held_out(targets, seed, groups)
    X, y = torch.from_numpy(inputs), torch.from_numpy(targets.astype(np.int64))
    generator = torch.Generator().manual_seed(seed)
    steps = max(1, -(-len(rows) // batch_size))
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=epochs * steps, pct_start=0.1
    )
    best, best_state, since = np.inf, None, 0
    stages = (progress or Silent()).stage(f"training {name}", total=epochs)
    with one_torch_thread, seeded(seed), stages as stage:
        for _ in range(epochs):
            network.train()
            order = torch.from_numpy(rows)[torch.randperm(len(rows), generator=generator)]
            for batch in torch.tensor_split(order, steps):
                own = X[batch] if augment is None else augment(X[batch], generator)
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(network(own), y[batch]).backward()
                optimizer.step()
                schedule.step()
            stage.advance()
            if len(held):
                loss = _loss(network, X, y, held, batch_size)
                since = since + 1 if loss >= best else 0
                if since == 0:
                    best, best_state = loss, copy.deepcopy(network.state_dict())
                if since == _PATIENCE:
                    break
    if best_state is not None:
        network.load_state_dict(best_state)
    network.eval()


def arrays_of(network: Any) -> dict[str, NDArray[Any]]:
    """Return a network's weights as arrays, exactly."""
    return {
        name: np.array(value.numpy(), order="C") for name, value in network.state_dict().items()
    }


def load_arrays(network: Any, arrays: dict[str, NDArray[Any]]) -> None:
    """Take up weights that `arrays_of` returned, and stop learning."""
    torch: Any = import_module("torch")
    network.load_state_dict({name: torch.tensor(value) for name, value in arrays.items()})
    network.eval()


def _held_out(
    targets: NDArray[np.intp], seed: int, groups: NDArray[np.intp] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw a tenth of every class's groups; return their rows and the others."""
    own = np.arange(len(targets)) if groups is None else groups
    names, first = np.unique(own, return_index=True)
    classes = targets[first]
    rng = np.random.default_rng(seed)
    drawn = [
        rng.permutation(names[classes == label])[: (classes == label).sum() // _HELD_OUT]
        for label in np.unique(classes)
    ]
    held = np.isin(own, np.concatenate(drawn))
    return np.flatnonzero(held), np.flatnonzero(~held)


def _loss(network: Any, X: Any, y: Any, rows: NDArray[np.intp], batch_size: int) -> float:
    torch: Any = import_module("torch")
    network.eval()
    total = 0.0
    with torch.no_grad():
        for start in range(0, len(rows), batch_size):
            own = torch.from_numpy(rows[start : start + batch_size])
            each = torch.nn.functional.cross_entropy(network(X[own]), y[own], reduction="sum")
            total += float(each)
    return total / len(rows)
