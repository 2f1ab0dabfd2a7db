"""Training stops where it no longer gets better, and keeps the best weights."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from widemargin.encoders.network_training import _held_out, train_network

torch: Any = pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')


class Counting:
    """Progress that counts the epochs."""

    def __init__(self) -> None:
        self.epochs = 0.0
        self.name = ""

    def stage(self, name: str, total: float | None = None) -> Any:
        self.name = name
        return nullcontext(self)

    def advance(self, steps: float = 1) -> None:
        self.epochs += steps

    def note(self, message: str) -> None: ...


def trained(X: Any, y: Any, **options: Any) -> tuple[Any, Counting]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torch.nn.Sequential(
            torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)
        )
    counting = Counting()
    usual = {"epochs": 40, "batch_size": 16, "learning_rate": 0.05, "seed": 0}
    train_network(network, X, y, **{**usual, **options}, progress=counting, name="net")
    return network, counting


def rings(n: int) -> tuple[Any, Any]:
    X = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    return X, ((X**2).sum(1) > 1.4).astype(np.intp)


def test_it_learns_what_is_there_to_learn() -> None:
    X, y = rings(300)
    network, counting = trained(X, y)
    assert not network.training
    assert (network(torch.from_numpy(X)).argmax(1).numpy() == y).mean() > 0.95
    assert counting.name == "training net"


def test_it_stops_early_where_labels_are_chance_and_keeps_the_best_epoch() -> None:
    X, _ = rings(300)
    y = np.random.default_rng(1).integers(0, 2, 300)
    network, counting = trained(X, y)
    assert counting.epochs < 40
    held, _ = _held_out(y, 0)
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(
            network(torch.from_numpy(X[held])), torch.from_numpy(y[held])
        )
    assert loss < 0.85  # an epoch that had learnt the others by heart would be far worse


def test_a_tenth_of_each_class_is_held_out() -> None:
    y = np.repeat([0, 1, 2], [40, 25, 9])
    held, rest = _held_out(y, 3)
    assert np.bincount(y[held], minlength=3).tolist() == [4, 2, 0]
    assert sorted([*held, *rest]) == list(range(74))
    assert held.tolist() != _held_out(y, 4)[0].tolist()


def test_groups_are_held_out_whole() -> None:
    y = np.repeat([0, 1, 2], [400, 250, 90])
    groups = np.random.default_rng(0).permutation(74)[np.arange(740) // 10]
    held, rest = _held_out(y, 3, groups)
    assert not set(groups[held].tolist()) & set(groups[rest].tolist())
    assert np.bincount(y[held], minlength=3).tolist() == [40, 20, 0]
    assert sorted([*held, *rest]) == list(range(740))


def test_each_row_is_a_group_where_none_are_told() -> None:
    y = np.repeat([0, 1, 2], [40, 25, 9])
    for one, other in zip(_held_out(y, 3), _held_out(y, 3, np.arange(74)), strict=True):
        assert np.array_equal(one, other)


def test_training_holds_out_the_groups_that_it_is_told() -> None:
    X, y = rings(200)
    _, counting = trained(X, y, epochs=7, groups=y)  # two groups: too few to hold one out
    assert counting.epochs == 7
    seen: list[float] = []

    def augment(batch: Any, generator: Any) -> Any:
        seen.extend(batch[:, 0].tolist())
        return batch

    y = np.repeat([0, 1], 100)
    X[:, 0] = np.arange(200) // 5
    trained(X, y, epochs=1, augment=augment, groups=np.arange(200) // 5)
    assert len(seen) == 180
    assert len(set(seen)) == 36


def test_few_rows_are_all_learnt_from_in_all_epochs() -> None:
    X, y = rings(9)
    _, counting = trained(X, y, epochs=7)
    assert counting.epochs == 7


def test_only_training_batches_are_changed_at_random() -> None:
    seen = []

    def augment(batch: Any, generator: Any) -> Any:
        seen.append(len(batch))
        return batch + 0.01 * torch.randn(batch.shape, generator=generator)

    X, y = rings(100)
    trained(X, y, epochs=2, augment=augment)
    _, rest = _held_out(y, 0)
    assert sum(seen) == 2 * len(rest) < 200
    # Batches are of nearly equal size: none of a single row, which a batch norm cannot take.
    assert max(seen) - min(seen) <= 1


def test_the_seed_decides_and_the_thread_count_does_not() -> None:
    X, y = rings(100)
    before = torch.get_num_threads()
    made = []
    for threads, seed in ((1, 0), (2, 0), (1, 1)):
        torch.set_num_threads(threads)
        made.append(trained(X, y, epochs=3, seed=seed)[0][0].weight.detach().numpy())
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
