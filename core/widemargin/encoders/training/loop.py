"""The loop that trains every network: seeded, stopped where nothing gets better, and resumable.

Every epoch begins its random numbers anew from the seed and its own number, and the learning rate
depends on the place in training alone. So the state after an epoch is weights, moments and history;
an epoch that is begun again, after a kill or in smaller batches, needs no more.

Threads. torch computes in as many as the process may use, and repeats bit for bit at one count
(`test_a_convolution_in_two_threads_repeats_bit_for_bit`), not across counts, so that the count is
part of a checkpoint's key. Measured on two cores that others kept busy (torch 2.13, the network
``cnn`` on 4,000 grey images of 28 x 28, batches of 64 and 128, two runs each, which had the same
bytes at one count): images a second of processor time, medians

    threads   that wait asleep   that spin
    1         1,580              730
    2         1,310              320

Spinning is OpenMP's default; `require_library` turns it off where torch is not loaded yet. One
thread has nobody to wait for: the columns differ by what else ran. By the first one, two free
cores do 1.7 times the work of one; that was not measured on free ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Checkpoints, Progress, Silent
from widemargin.encoders.training.arrays import arrays_of, digest_of, seeded
from widemargin.encoders.training.devices import device_for, device_name
from widemargin.encoders.training.history import Epoch, History
from widemargin.encoders.training.inputs import ArrayInputs, Augment, Inputs
from widemargin.encoders.training.keeping import Keeper, checkpoint_key
from widemargin.encoders.training.network_epochs import NetworkTraining
from widemargin.encoders.training.objectives import Objective
from widemargin.encoders.training.settings import TrainingSettings
from widemargin.encoders.workers import one_torch_thread, torch_threads
from widemargin.native.jobs import threads_to_use

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ArrayInputs", "Augment", "Epoch", "History", "Inputs", "train_network"]

_VERSION = 1  # of what a checkpoint holds


def train_network(
    network: Any,
    inputs: Inputs,
    target: NDArray[np.intp],
    settings: TrainingSettings,
    *,
    dimension: int,
    n_classes: int,
    groups: NDArray[np.intp] | None = None,
    parameters: Sequence[Any] | None = None,
    head_rate: float | None = None,
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
    key: str = "",
    name: str = "network",
) -> History:
    """Train a network in place; the best epoch's weights are kept.

    AdamW, its learning rate rising for a tenth of the steps and falling after it (`one_cycle`). A
    tenth of the groups of each class are held out, and training stops after `patience` epochs in
    which their loss does not get smaller. Where that would be fewer than eight groups, nothing is
    held out and the last epoch's weights stay. Batches that do not fit into memory are halved, and
    training goes on after the last finished epoch.

    Parameters
    ----------
    network : torch.nn.Module
        ``network(batch) -> vectors`` of shape (n_batch, dimension). It comes back on the CPU, in
        eval mode.
    inputs : Inputs
        What the network reads.
    target : ndarray of shape (n_samples,)
        Class numbers from 0.
    settings : TrainingSettings
        How.
    dimension : int
        The length of a vector.
    n_classes : int
        How many classes there are.
    groups : ndarray of shape (n_samples,), optional
        Rows of equal numbers are of one class and held out together, or not at all.
    parameters : sequence of torch.nn.Parameter, optional
        Those that learn; by default all that require gradients.
    head_rate : float, optional
        The highest learning rate of the last layer, which begins from nothing; by default that of
        the settings.
    progress : Progress, optional
        Told of epochs and of what should be known.
    checkpoints : Checkpoints, optional
        Where the state is kept after epochs, 15 s apart at least, until training ends. A later
        call of the same arguments goes on from there.
    key : str
        What the items are, for their key: their order, content and preparation.
    name : str
        What is trained, for people.

    Returns
    -------
    History
        Losses and learning rates, epoch by epoch.

    Raises
    ------
    DataError
        Where there is no such device, the smallest batch does not fit into memory, the loss is no
        number, or there is nothing to compare.
    """
    torch: Any = import_module("torch")
    device = device_for(settings.device, name)
    threads = 1 if one_torch_thread.entered else threads_to_use()
    learning = list(parameters or (own for own in network.parameters() if own.requires_grad))
    watched = progress or Silent()
    with seeded(settings.seed % 2**63):
        objective = Objective(settings, dimension, n_classes)
    told = {
        "version": _VERSION,
        "settings": settings.model_dump(mode="json", exclude={"device"}),
        "device": device_name(device),
        "torch": torch.__version__,
        "threads": threads,
        "items": len(inputs),
        "classes": [dimension, n_classes],
        "head_rate": head_rate,
        "learning": _names(network, learning),
    }
    if checkpoints is not None:
        arrays = {"target": target, "groups": np.arange(0) if groups is None else groups}
        told["digest"] = digest_of({**arrays_of(network), **arrays})
    keeper = Keeper(checkpoints, checkpoint_key(key or name, told))
    with (
        torch_threads(threads),
        seeded(settings.seed % 2**63),
        _repeating(device),
        _learning_alone(network, learning),
        watched.stage(f"training {name}", total=settings.epochs) as stage,
    ):
        try:
            network.to(device)
            training = NetworkTraining(
                network, inputs, target, settings, groups, learning, objective, head_rate, device
            )
            return training.run(keeper, watched, stage, name)
        finally:
            network.to("cpu").eval()


@contextmanager
def _learning_alone(network: Any, learning: Sequence[Any]) -> Iterator[None]:
    """Within it, the parameters that learn require gradients, and no others of the network."""
    before = {own: own.requires_grad for own in network.parameters()}
    chosen = {id(own) for own in learning}
    try:
        for own in before:
            own.requires_grad_(id(own) in chosen)
        yield
    finally:
        for own, required in before.items():
            own.requires_grad_(required)
            own.grad = None


def _repeating(device: Any) -> AbstractContextManager[Any]:
    """Let a graphics card compute the same way each time, as far as cuDNN can."""
    if device.type == "cpu":
        return nullcontext()
    cudnn = import_module("torch").backends.cudnn
    flags: AbstractContextManager[Any] = cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=cudnn.allow_tf32
    )
    return flags


def _names(network: Any, learning: Sequence[Any]) -> list[str]:
    chosen = {id(own) for own in learning}
    return [name for name, own in network.named_parameters() if id(own) in chosen]
