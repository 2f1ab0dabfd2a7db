"""LoRA: it begins as the layer that it changes, learns only its factors, and can be merged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.encoders.training.changes import Changes, factor_names, merged
from widemargin.errors import DataError

torch: Any = pytest.importorskip("torch", reason='needs pip install "widemargin[text]"')

from torch import nn  # noqa: E402  # only where there is torch

from widemargin.encoders.training.lora import LoraLayer, add_lora, lora_factors  # noqa: E402
from widemargin.encoders.training.trainable import change_weights  # noqa: E402


def network(seed: int = 0) -> Any:
    """Linear layers, convolutions of both kinds, and attention, which takes weights as they are."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.ModuleDict(
            {
                "wide": nn.Conv2d(3, 8, 3, padding=1),
                "narrow": nn.Conv2d(8, 6, 1, stride=2),
                "deep": nn.Conv2d(6, 6, 1, groups=6),
                "one": nn.Linear(6, 12),
                "look": nn.MultiheadAttention(12, 2, batch_first=True),
            }
        )


def vectors(own: Any, images: Any) -> Any:
    maps = own["deep"](own["narrow"](own["wide"](images).relu())).flatten(2).transpose(1, 2)
    seen = own["one"](maps)
    return own["look"](seen, seen, seen)[0].mean(1)


def images() -> Any:
    return torch.from_numpy(np.random.default_rng(0).normal(size=(4, 3, 8, 8)).astype(np.float32))


def learn(own: Any, parameters: list[Any], steps: int = 3) -> None:
    optimizer = torch.optim.SGD(parameters, lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        vectors(own, images()).square().sum().backward()
        optimizer.step()


def test_training_begins_with_the_network_as_it_was() -> None:
    before = vectors(network(), images())
    own = network()
    add_lora([own], 2)
    assert torch.equal(vectors(own, images()), before)


def test_linear_layers_and_convolutions_of_one_pixel_are_changed_and_no_others() -> None:
    own = network()
    added = add_lora([own], 2)
    changed = {name for name, module in own.named_modules() if isinstance(module, LoraLayer)}
    assert changed == {"narrow", "one", "look.out_proj"}
    assert len(added) == 6
    assert {tuple(one.shape) for one in added} == {(2, 8), (6, 2), (2, 6), (12, 2), (2, 12)}


def test_the_rank_is_no_more_than_a_layer_has() -> None:
    own = nn.Sequential(nn.Linear(3, 20))
    assert [tuple(one.shape) for one in add_lora([own], 8)] == [(3, 3), (20, 3)]


def test_the_base_stays_and_the_change_learns() -> None:
    own = network()
    before = {name: value.clone() for name, value in own.state_dict().items()}
    for one in own.parameters():
        one.requires_grad_(False)
    learn(own, add_lora([own], 2))
    for name, value in own.state_dict().items():
        base = name.replace(".base.", ".")
        if base in before:
            assert torch.equal(value, before[base]), name
    assert not torch.allclose(vectors(own, images()), vectors(network(), images()), atol=1e-3)


def test_merged_weights_make_the_same_vectors() -> None:
    own = network()
    learn(own, add_lora([own], 2))
    expected = vectors(own, images())
    plain = network()
    change_weights(plain, Changes(lora_factors(own)))
    found = vectors(plain, images())
    assert not torch.allclose(found, vectors(network(), images()), atol=1e-3)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def test_a_change_has_the_rank_that_was_asked_for() -> None:
    own = network()
    learn(own, add_lora([own], 2))
    factors = lora_factors(own)
    a, b = (factors[name] for name in factor_names("one.weight"))
    assert a.shape == (2, 6)
    assert b.shape == (12, 2)
    assert np.linalg.matrix_rank(b @ a) == 2


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.ones((2, 3)), np.ones((4, 3))),  # ranks apart
        (np.ones((2, 5)), np.ones((4, 2))),  # another layer's
        (np.ones(3), np.ones(4)),
    ],
)
def test_factors_of_another_layer_are_refused(a: NDArray[Any], b: NDArray[Any]) -> None:
    with pytest.raises(DataError, match=r"kept a change of shape .* it is of another network"):
        merged("one.weight", np.zeros((4, 3), np.float32), a, b)


def test_weights_of_another_shape_are_refused() -> None:
    changes = Changes({"one.weight": np.zeros((2, 2), np.float32)})
    with pytest.raises(DataError, match=r"for one.weight, which has the shape \(3, 2\)"):
        changes.of("one.weight", np.zeros((3, 2), np.float32))


def test_changes_are_told_apart_by_what_they_hold() -> None:
    one = Changes({"a": np.zeros(2, np.float32)})
    assert one.digest == Changes({"a": np.zeros(2, np.float32)}).digest
    assert one.digest != Changes({"a": np.ones(2, np.float32)}).digest
    assert one.digest != Changes({"b": np.zeros(2, np.float32)}).digest
