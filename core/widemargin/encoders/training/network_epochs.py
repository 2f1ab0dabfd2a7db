"""The epochs of one training: steps, what is held out, smaller batches, early stopping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Progress, Stage
from widemargin.encoders.training.arrays import seed_torch
from widemargin.encoders.training.batches import held_out
from widemargin.encoders.training.devices import device_name, moved, ran_out_of_memory
from widemargin.encoders.training.history import Epoch, History
from widemargin.encoders.training.inputs import Inputs
from widemargin.encoders.training.keeping import Keeper
from widemargin.encoders.training.objectives import Objective
from widemargin.encoders.training.schedule import one_cycle
from widemargin.encoders.training.settings import TrainingSettings
from widemargin.encoders.training.snapshot import Snapshots
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NetworkTraining"]

_DECAY = 0.01  # of weights, a step, times the learning rate
_TOLD = 1.0  # seconds from one word on progress to the next


class NetworkTraining:
    """One training under way.

    Parameters
    ----------
    network, inputs, target, settings, groups, head_rate
        As `train_network` has them; the network is where it computes.
    learning : sequence of torch.nn.Parameter
        Those that learn.
    objective : Objective
        The loss.
    device : torch.device
        Where it computes.
    """

    def __init__(
        self,
        network: Any,
        inputs: Inputs,
        target: NDArray[np.intp],
        settings: TrainingSettings,
        groups: NDArray[np.intp] | None,
        learning: Sequence[Any],
        objective: Objective,
        head_rate: float | None,
        device: Any,
    ) -> None:
        torch: Any = import_module("torch")
        self._network, self._inputs, self._target = network, inputs, target
        self._settings, self._objective, self._device = settings, objective, device
        self._held, self._rest = held_out(target, settings.seed, groups, pairs=objective.pairs)
        if objective.pairs and (np.bincount(target[self._rest]) < 2).all():
            raise DataError(
                f"loss: {settings.loss} compares items of a class, and every class has one item. "
                "Use cross-entropy, or more items."
            )
        self._y = torch.from_numpy(target.astype(np.int64))
        rates = [settings.learning_rate]
        sets = [{"params": list(learning)}]
        if objective.head is not None:
            sets.append({"params": list(objective.head.to(device).parameters())})
            rates.append(settings.learning_rate if head_rate is None else head_rate)
        self._rates = rates
        # In one pass over the weights: on a CPU a small network then takes a fifth less time.
        self._optimizer = torch.optim.AdamW(sets, weight_decay=_DECAY, fused=True)
        self._snapshots = Snapshots(network, objective.head, learning, self._optimizer)

    def run(self, keeper: Keeper, progress: Progress, stage: Stage, name: str) -> History:
        """Train until there is nothing left to do."""
        settings = self._settings
        history = History(device=device_name(self._device), batch_size=settings.batch_size)
        best: dict[str, NDArray[Any]] = {}
        kept = keeper.load()
        if kept is not None:
            history, best = self._snapshots.put_back(kept)
            progress.note(
                f"{name}: goes on after epoch {len(history.epochs)} of a training that was "
                "interrupted"
            )
        last = self._snapshots.take(history, best)
        told = _Told(stage)
        told.reached(len(history.epochs))
        while len(history.epochs) < settings.epochs and history.since_best < settings.patience:
            epoch = self._tried(history, told)
            if epoch is None:
                history, best = self._snapshots.put_back(last)
                history = self._halved(history, name)
                progress.note(history.notes[-1])
                last = self._snapshots.take(history, best)
                continue
            if not math.isfinite(epoch.train) or not math.isfinite(epoch.held_out or 0):
                raise DataError(
                    f"{name}: in epoch {len(history.epochs) + 1} the loss is no finite number any "
                    f"more. Lower learning_rate, which is {settings.learning_rate:g}."
                )
            history = history.with_epoch(epoch)
            told.reached(len(history.epochs))
            if len(self._held) and history.since_best == 0:
                best = self._snapshots.weights()
            last = self._snapshots.take(history, best)
            keeper.offer(last)
        if best:
            self._snapshots.use(best)
        keeper.drop()
        ended = len(history.epochs) == settings.epochs
        return replace(history, stopped="epochs" if ended else "patience")

    def _tried(self, history: History, told: _Told) -> Epoch | None:
        """Go through the items once; None where memory does not suffice."""
        try:
            return self._epoch(len(history.epochs), history.batch_size, told)
        except (MemoryError, RuntimeError) as error:
            if not ran_out_of_memory(error):
                raise
        # Only now, after the error and its frames are gone, is what they held free.
        self._optimizer.zero_grad(set_to_none=True)
        if self._device.type == "cuda":
            import_module("torch").cuda.empty_cache()
        return None

    def _halved(self, history: History, name: str) -> History:
        """Return the history with half the batch size.

        Raises
        ------
        DataError
            Where a batch of that size teaches nothing.
        """
        tried = min(history.batch_size, len(self._rest))
        if tried // 2 < self._objective.fewest:
            where = "the graphics card" if self._device.type == "cuda" else "this machine"
            other = ", or set device to cpu" if self._device.type == "cuda" else ""
            raise DataError(
                f"{name}: not even {tried} items at a time fit into the memory of {where}. Make "
                f"the items smaller (their size or length), or choose a smaller network{other}."
            )
        note = (
            f"{name}: batches of {self._settings.batch_size} did not fit into memory; it trains "
            f"with batches of {tried // 2}"
        )
        return replace(history, batch_size=tried // 2, notes=(note,))

    def _epoch(self, done: int, batch_size: int, told: _Told) -> Epoch:
        torch: Any = import_module("torch")
        rng = np.random.default_rng([self._settings.seed, done + 1])
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        seed_torch(int(rng.integers(2**63)))
        batches = self._objective.batches(self._rest, self._target, batch_size, rng)
        self._network.train()
        # Added up on the device: asking for a loss would wait for it.
        total = torch.zeros((), dtype=torch.float64, device=self._device)
        for step, rows in enumerate(batches):
            self._take_rate(done * len(batches) + step, self._settings.epochs * len(batches))
            self._optimizer.zero_grad(set_to_none=True)
            loss = self._objective(self._vectors(rows, generator), self._classes(rows))
            loss.backward()
            self._optimizer.step()
            total += loss.detach() * len(rows)
            told.reached(done + (step + 1) / len(batches))
        return Epoch(
            float(total) / sum(map(len, batches)),
            self._held_out_loss(batch_size),
            float(self._optimizer.param_groups[0]["lr"]),
        )

    def _held_out_loss(self, batch_size: int) -> float | None:
        """Return the loss on what is held out, always in the same batches of vectors.

        The network may see fewer items at a time; a contrastive loss depends on how many it
        compares.
        """
        if not len(self._held):
            return None
        torch: Any = import_module("torch")
        self._network.eval()
        total = 0.0
        with torch.no_grad():
            parts = np.array_split(self._held, -(-len(self._held) // batch_size))
            vectors = torch.cat([self._vectors(rows, None) for rows in parts])
            places = np.arange(len(self._held))
            target = self._target[self._held]
            rng = np.random.default_rng([self._settings.seed, 0])
            batches = self._objective.batches(places, target, self._settings.batch_size, rng)
            for own in batches:
                loss = self._objective(
                    vectors[torch.from_numpy(own)], self._classes(self._held[own])
                )
                total += float(loss) * len(own)
        return total / sum(map(len, batches))

    def _vectors(self, rows: NDArray[np.intp], generator: Any | None) -> Any:
        return self._network(moved(self._inputs.batch(rows, generator), self._device))

    def _classes(self, rows: NDArray[np.intp]) -> Any:
        return moved(self._y[import_module("torch").from_numpy(rows)], self._device)

    def _take_rate(self, step: int, total: int) -> None:
        share, momentum = one_cycle(step, total)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * share
            group["betas"] = (momentum, group["betas"][1])


class _Told:
    """Says how far training is, now and then."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._said, self._at = stage, 0.0, monotonic()

    def reached(self, epochs: float) -> None:
        """Say it, at the end of an epoch, and else where nothing was said for a second."""
        whole = epochs == int(epochs)
        if epochs > self._said and (whole or monotonic() - self._at > _TOLD):
            self._stage.advance(epochs - self._said)
            self._said, self._at = epochs, monotonic()
