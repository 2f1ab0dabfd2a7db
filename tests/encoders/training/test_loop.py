"""Training stops where it no longer gets better, keeps the best weights, and repeats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from widemargin.encoders.training.batches import held_out
from widemargin.encoders.training.history import History
from widemargin.errors import DataError

torch: Any = pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')

CONTRASTIVE = ["supervised-contrastive", "triplet", "info-nce"]


def separable(network: Any, X: Any, y: Any) -> float:
    """Return how well a linear machine does on the directions of the network's vectors."""
    from sklearn.svm import LinearSVC

    with torch.no_grad():
        vectors = torch.nn.functional.normalize(network(torch.from_numpy(X))).numpy()
    return float(LinearSVC(max_iter=10_000).fit(vectors, y).score(vectors, y))


@pytest.mark.parametrize("loss", ["cross-entropy", *CONTRASTIVE])
def test_every_loss_learns_what_is_there_to_learn(small: Any, loss: str) -> None:
    X, y = small.rings(300)
    told = small.Told()
    untrained = separable(small.small_network().eval(), X, y)
    network, history = small.trained(
        X, y, options={"progress": told, "name": "net"}, loss=loss, epochs=25, patience=25
    )
    assert separable(network, X, y) > 0.93 > untrained + 0.1
    assert not network.training
    assert told.name == "training net"
    assert told.epochs == pytest.approx(len(history.epochs))


def test_it_stops_early_where_labels_are_chance_and_keeps_the_best_epoch(small: Any) -> None:
    X, _ = small.rings(300)
    y = np.random.default_rng(1).integers(0, 2, 300)
    network, history = small.trained(X, y, epochs=60, patience=4)
    assert history.stopped == "patience"
    assert len(history.epochs) == history.best + 4 < 60
    losses = [epoch.held_out for epoch in history.epochs]
    assert losses[history.best - 1] == min(losses)
    # Training as long as that, and no longer, makes the same weights only if none are kept.
    again, _ = small.trained(X, y, epochs=60, patience=4)
    assert small.same(network, again)


def test_the_best_epoch_s_weights_are_those_after_it(small: Any) -> None:
    X, _ = small.rings(300)
    y = np.random.default_rng(1).integers(0, 2, 300)
    kept = small.Kept()
    network, history = small.trained(X, y, options={"checkpoints": kept}, patience=8)
    assert history.stopped == "epochs"
    assert history.best < 8
    weights: dict[str, Any] = {}

    class Watching(small.Kept):  # type: ignore[misc]  # a class of a module loaded by its path
        def save(self, key: str, state: Any) -> None:
            if len(state.meta["history"]["epochs"]) == history.best:
                weights.update(state.arrays)

    import widemargin.encoders.training.keeping as keeping

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "PACE", keeping.Pace(0, 0))
        small.trained(X, y, options={"checkpoints": Watching()}, patience=8)
    for name, own in network.state_dict().items():
        assert np.array_equal(weights[f"now/network/{name}"], own.numpy())


def test_few_rows_are_all_learnt_from_in_all_epochs(small: Any) -> None:
    X, y = small.rings(40)
    _, history = small.trained(X, y, epochs=7)
    assert (len(history.epochs), history.best, history.stopped) == (7, 7, "epochs")
    assert all(epoch.held_out is None for epoch in history.epochs)


def test_the_groups_that_it_is_told_are_held_out_whole(small: Any) -> None:
    X, _ = small.rings(1000)
    X[:, 0] = groups = np.arange(1000) // 5
    y = np.repeat([0, 1], 500)
    seen: list[float] = []

    def augment(batch: Any, generator: Any) -> Any:
        seen.extend(batch[:, 0].tolist())
        return batch

    inputs = small.ArrayInputs(X, augment)
    small.trained(X, y, inputs=inputs, epochs=1, options={"groups": groups})
    assert len(seen) == 900
    assert len(set(seen)) == 180
    assert set(seen) == set(X[held_out(y, 0, groups)[1], 0].tolist())


def test_only_training_batches_are_changed_at_random(small: Any) -> None:
    X, y = small.rings(100)
    seen: list[int] = []

    def augment(batch: Any, generator: Any) -> Any:
        seen.append(len(batch))
        return small.shaken(batch, generator)

    small.trained(X, y, inputs=small.ArrayInputs(X, augment), epochs=2)
    assert sum(seen) == 2 * len(held_out(y, 0)[1]) < 200
    assert max(seen) - min(seen) <= 1


def test_the_seed_decides_and_users_numbers_and_threads_stay_as_they_were(small: Any) -> None:
    X, y = small.rings(100)
    threads = torch.get_num_threads()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, history = small.trained(X, y, epochs=3)
    assert torch.rand(1) == expected
    assert torch.get_num_threads() == threads
    other, again = small.trained(X, y, epochs=3)
    assert small.same(one, other)
    assert history == again
    assert not small.same(one, small.trained(X, y, epochs=3, seed=1)[0])
    assert small.trained(X, y, epochs=1, seed=2**80)[1].epochs


def test_a_convolution_in_two_threads_repeats_bit_for_bit(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import widemargin.encoders.training.loop as loop

    monkeypatch.setattr(loop, "threads_to_use", lambda: 2)
    X = np.random.default_rng(0).normal(size=(96, 3, 16, 16)).astype(np.float32)
    y = np.arange(96) % 2
    made = []
    for _ in range(3):
        nn = torch.nn
        with small.seeded(0):
            network = nn.Sequential(
                nn.Conv2d(3, 16, 3, padding=1),
                nn.BatchNorm2d(16),
                nn.ReLU(),
                nn.Conv2d(16, 32, 3),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(32, 8),
            ).to(memory_format=torch.channels_last)
        inputs = small.ArrayInputs(X)
        made.append(small.trained(X, y, network, inputs, epochs=2, batch_size=32)[0])
    assert small.same(made[0], made[1])
    assert small.same(made[0], made[2])


def test_only_the_parameters_that_are_told_learn(small: Any) -> None:
    X, y = small.rings(100)
    network, before = small.small_network(), small.small_network().state_dict()
    network[4].weight.requires_grad_(False)
    small.trained(X, y, network, epochs=2, options={"parameters": [network[0].weight]})
    after = network.state_dict()
    assert not torch.equal(after["0.weight"], before["0.weight"])
    assert torch.equal(after["0.bias"], before["0.bias"])
    assert torch.equal(after["4.weight"], before["4.weight"])
    wanted = [own.requires_grad for own in network.parameters()]
    assert wanted == [True, True, True, True, False, True]
    assert all(own.grad is None for own in network.parameters())


def test_the_last_layer_may_learn_faster(small: Any) -> None:
    X, y = small.rings(200)
    options = {"head_rate": 0.1}
    one = small.trained(X, y, epochs=3, learning_rate=1e-5)[1]
    other = small.trained(X, y, epochs=3, learning_rate=1e-5, options=options)[1]
    assert other.epochs[-1].train < one.epochs[-1].train
    assert other.epochs[-1].learning_rate == one.epochs[-1].learning_rate


def test_a_graphics_card_that_is_not_there_is_missed_politely(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    X, y = small.rings(20)
    with pytest.raises(DataError, match=r"net: device is cuda, and torch .* Set device to auto"):
        small.trained(X, y, device="cuda", options={"name": "net"})
    assert small.trained(X, y, epochs=1, device="auto")[1].device == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_a_graphics_card_learns_the_same_and_gives_the_network_back(small: Any) -> None:
    X, y = small.rings(300)
    network, history = small.trained(X, y, device="cuda", epochs=20)
    assert separable(network, X, y) > 0.95
    assert history.device.startswith("cuda: ")
    assert {own.device.type for own in network.state_dict().values()} == {"cpu"}


def test_a_loss_that_grows_without_bounds_is_told(small: Any) -> None:
    X, y = small.rings(100)
    X[3] = np.inf
    with pytest.raises(DataError, match=r"epoch 1 the loss is no finite number.*0\.02"):
        small.trained(X, y)


def test_nothing_can_be_compared_where_every_class_has_one_item(small: Any) -> None:
    X, _ = small.rings(5)
    with pytest.raises(DataError, match=r"triplet compares items of a class.*one item"):
        small.trained(X, np.arange(5), loss="triplet")


def test_a_history_comes_back_from_json_exactly(small: Any) -> None:
    import json

    _, history = small.trained(*small.rings(100), epochs=2)
    told = json.dumps(history.to_data(), allow_nan=False)
    assert History.from_data(json.loads(told)) == history
