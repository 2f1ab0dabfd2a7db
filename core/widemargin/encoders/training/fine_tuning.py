"""One fine-tuning: which weights learn, how long, and what changed in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from widemargin.contracts import Checkpoints, Progress
from widemargin.encoders.training.arrays import array_of, seeded
from widemargin.encoders.training.batches import held_out
from widemargin.encoders.training.changes import Changes
from widemargin.encoders.training.history import History
from widemargin.encoders.training.inputs import AugmentedInputs
from widemargin.encoders.training.loop import train_network
from widemargin.encoders.training.lora import add_lora, lora_factors
from widemargin.encoders.training.objectives import Objective
from widemargin.encoders.training.trainable import Trainable
from widemargin.encoders.training.tuned import TuneSettings
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["changed_weights", "choose_weights", "fine_tune"]

# The last layer of cross-entropy begins at random, and has more to learn than what is pretrained.
_HEAD_RATE = 0.01


def fine_tune(
    trainable: Trainable,
    items: list[Any],
    target: NDArray[np.intp],
    settings: TuneSettings,
    *,
    dimension: int,
    groups: NDArray[np.intp],
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
    key: str = "",
    name: str = "network",
) -> tuple[History, Changes]:
    """Train a pretrained network further.

    Parameters
    ----------
    trainable : Trainable
        The network; it is trained in place.
    items : list
        What it learns from.
    target : ndarray of shape (n_items,)
        Numbers of classes, from 0.
    settings : TuneSettings
        How it is trained.
    dimension : int
        The length of its vectors.
    groups : ndarray of shape (n_items,)
        Items of one number are held out together, or not at all.
    progress, checkpoints, key, name
        As `train_network` has them.

    Returns
    -------
    history : History
        How training went.
    changes : Changes
        What it changed of the network's weights.
    """
    n_classes = int(target.max()) + 1
    with seeded(settings.seed):
        parameters = choose_weights(trainable, settings)
        objective = Objective(settings, dimension, n_classes)
    began = {id(one): array_of(one) for one in parameters}
    # What is held out makes no steps; of the rest an epoch takes so many, or more.
    _, rest = held_out(target, settings.seed, groups, pairs=objective.pairs)
    per_epoch = max(1, len(rest) // max(settings.batch_size, objective.fewest))
    epochs = max(settings.epochs, -(-settings.steps // per_epoch))
    inputs = trainable.inputs(items)
    if settings.flip and trainable.mirrored is not None:
        inputs = AugmentedInputs(inputs, trainable.mirrored)
    history = train_network(
        trainable.network,
        inputs,
        target,
        settings.model_copy(update={"epochs": epochs}),
        dimension=dimension,
        n_classes=n_classes,
        groups=groups,
        parameters=parameters,
        head_rate=_HEAD_RATE,
        progress=progress,
        checkpoints=checkpoints,
        key=key,
        name=name,
    )
    return history, Changes(changed_weights(trainable.network, began))


def choose_weights(trainable: Trainable, settings: TuneSettings) -> list[nn.Parameter]:
    """Let the weights learn that the method names, and no others.

    Returns
    -------
    list of torch.nn.Parameter
        Those that learn.

    Raises
    ------
    DataError
        Where the network has fewer layers than the settings ask for, or none that LoRA can change.
    """
    network, layers = trainable.network, list(trainable.layers)
    for one in network.parameters():
        one.requires_grad_(False)
    if settings.method == "lora":
        added = add_lora(layers, settings.rank)
        if not added:
            raise DataError(
                "features.train.method: lora changes linear layers and 1x1 convolutions, and this "
                "network has none. Choose full or last."
            )
        return added
    if settings.method == "last":
        if settings.last > len(layers):
            raise DataError(
                f"features.train.last: the network has {len(layers)} layers that learn; got "
                f"{settings.last}."
            )
        layers = layers[-settings.last :]
    learning = {id(one): one for layer in layers for one in layer.parameters()}
    for one in learning.values():
        one.requires_grad_(True)
    return list(learning.values())


def changed_weights(
    network: nn.Module, began: dict[int, NDArray[Any]]
) -> dict[str, NDArray[np.float32]]:
    """Return the factors of low-rank changes, or the weights that are not as they began.

    Parameters
    ----------
    network : torch.nn.Module
        The network after training.
    began : dict of int to ndarray
        Under each learning parameter's id, what it was.
    """
    factors = lora_factors(network)
    if factors:
        return factors
    now = {name: (id(one), array_of(one)) for name, one in network.named_parameters()}
    return {
        name: own
        for name, (number, own) in now.items()
        if number in began and not np.array_equal(own, began[number])
    }
