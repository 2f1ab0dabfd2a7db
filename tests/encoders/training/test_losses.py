"""The losses are what their papers say, and so are their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from widemargin.encoders.training.losses import (
    cross_entropy,
    info_nce,
    pairs_of,
    supervised_contrastive,
    triplet,
)

torch: Any = pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')

Floats = NDArray[np.float64]


def unit(vectors: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-12)


def reference_contrastive(vectors: Floats, target: Any, temperature: float) -> float:
    """Khosla et al. 2020, eq. 2, term by term."""
    z, each = unit(vectors), []
    for i in range(len(z)):
        others = [a for a in range(len(z)) if a != i]
        positives = [p for p in others if target[p] == target[i]]
        whole = sum(np.exp(z[i] @ z[a] / temperature) for a in others)
        if positives:
            terms = [np.log(np.exp(z[i] @ z[p] / temperature) / whole) for p in positives]
            each.append(-np.mean(terms))
    return float(np.mean(each)) if each else 0.0


def reference_triplet(apart: Floats, target: Any, margin: float) -> float:
    """Schroff et al. 2015, eq. 3 with the semi-hard stranger, over squared distances."""
    each, n = [], len(apart)
    for i in range(n):
        strange = [apart[i, k] for k in range(n) if target[k] != target[i]]
        for p in range(n):
            if p != i and target[p] == target[i] and strange:
                beyond = [own for own in strange if own > apart[i, p]]
                chosen = min(beyond) if beyond else max(strange)
                each.append(max(0.0, apart[i, p] - chosen + margin))
    return float(np.mean(each)) if each else 0.0


def reference_noise_contrast(
    anchors: Floats, positives: Floats, target: Any, temperature: float
) -> float:
    """Van den Oord et al. 2018, eq. 4, without negatives of the anchor's own class."""
    a, p, each = unit(anchors), unit(positives), []
    for i in range(len(a)):
        found = [k for k in range(len(a)) if k == i or target[k] != target[i]]
        whole = sum(np.exp(a[i] @ p[k] / temperature) for k in found)
        each.append(-np.log(np.exp(a[i] @ p[i] / temperature) / whole))
    return float(np.mean(each)) if each else 0.0


@st.composite
def batches(draw: st.DrawFn) -> tuple[Floats, NDArray[np.int64]]:
    n, dimension = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    numbers = st.floats(-3, 3, width=32)
    vectors = draw(arrays.arrays(np.float64, (n, dimension), elements=numbers))
    target = draw(arrays.arrays(np.int64, n, elements=st.integers(0, 3)))
    return vectors + np.linspace(0.01, 0.02, dimension), target


def tensors(*given: Any) -> Any:
    return tuple(torch.from_numpy(np.asarray(own)) for own in given)


@given(batches(), st.floats(0.05, 2))
def test_supervised_contrastive_is_its_formula(
    batch: tuple[Floats, NDArray[np.int64]], temperature: float
) -> None:
    vectors, target = tensors(*batch)
    made = supervised_contrastive(vectors, target, temperature)
    assert float(made) == pytest.approx(reference_contrastive(*batch, temperature), abs=1e-9)


@given(batches(), st.floats(0.01, 4))
def test_triplet_is_its_formula(batch: tuple[Floats, NDArray[np.int64]], margin: float) -> None:
    vectors, classes = tensors(*batch)
    length_1 = torch.nn.functional.normalize(vectors, dim=1)
    # As the loss has them, to the last bit: which stranger lies beyond may depend on it.
    apart = (2 - 2 * (length_1 @ length_1.T)).numpy()
    z = unit(batch[0])
    assert np.allclose(apart, ((z[:, None] - z[None, :]) ** 2).sum(2), atol=1e-9)
    made = triplet(vectors, classes, margin)
    assert float(made) == pytest.approx(reference_triplet(apart, batch[1], margin), abs=1e-9)


def test_triplet_does_not_draw_everything_into_one_point() -> None:
    """Batch-hard triplets do, from nearly equal vectors; the loss then is the margin."""
    generator = torch.Generator().manual_seed(0)
    vectors = 1 + 0.01 * torch.randn(32, 8, generator=generator)
    vectors.requires_grad_()
    target = torch.arange(32) % 2
    optimizer = torch.optim.Adam([vectors], lr=0.003)
    for _ in range(300):
        optimizer.zero_grad()
        triplet(vectors, target, 0.5).backward()
        optimizer.step()
    assert triplet(vectors, target, 0.5).item() < 0.05


@given(batches(), st.floats(0.05, 2))
def test_info_nce_is_its_formula(
    batch: tuple[Floats, NDArray[np.int64]], temperature: float
) -> None:
    vectors, target = batch
    positives = np.roll(vectors, 1, axis=1) + 0.3
    anchors, others, classes = tensors(vectors, positives, target)
    made = info_nce(anchors, others, classes, temperature)
    expected = reference_noise_contrast(vectors, positives, target, temperature)
    assert float(made) == pytest.approx(expected, abs=1e-9)


def test_cross_entropy_is_its_formula() -> None:
    logits = np.random.default_rng(0).normal(size=(6, 3))
    target = np.array([0, 1, 2, 2, 1, 0])
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = -np.log(shares[np.arange(6), target]).mean()
    assert float(cross_entropy(*tensors(logits, target))) == pytest.approx(expected)


@given(arrays.arrays(np.int64, st.integers(1, 20), elements=st.integers(0, 4)))
def test_pairs_are_of_one_class_and_each_item_is_once_in_either_place(target: Any) -> None:
    anchors, positives = (own.numpy() for own in pairs_of(torch.from_numpy(target)))
    assert (target[anchors] == target[positives]).all()
    assert (anchors != positives).all()
    paired = [k for k in range(len(target)) if (target == target[k]).sum() > 1]
    assert sorted(anchors.tolist()) == sorted(positives.tolist()) == paired


TARGET = [0, 1, 0, 2, 1, 0, 3]
LOSSES: dict[str, Any] = {
    "cross-entropy": cross_entropy,
    "supervised-contrastive": lambda own, target: supervised_contrastive(own, target, 0.3),
    "triplet": lambda own, target: triplet(own, target, 1.5),
    "info-nce": lambda own, target: info_nce(own, own.roll(1, 1), target, 0.3),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_small_differences(name: str) -> None:
    vectors = torch.from_numpy(np.random.default_rng(1).normal(size=(7, 4))).requires_grad_()
    target = torch.tensor(TARGET)
    assert LOSSES[name](vectors, target).item() > 0
    assert torch.autograd.gradcheck(lambda own: LOSSES[name](own, target), (vectors,))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("target", [[0], [0, 1], [0, 0], [0, 1, 2], [0, 0, 0]])
def test_batches_that_teach_nothing_have_a_finite_loss_and_finite_gradients(
    name: str, target: list[int]
) -> None:
    for start in (torch.randn(len(target), 3), torch.zeros(len(target), 3)):
        vectors = start.requires_grad_()
        LOSSES[name](vectors, torch.tensor(target)).backward()
        assert torch.isfinite(vectors.grad).all()


@pytest.mark.parametrize("name", [own for own in LOSSES if own != "cross-entropy"])
def test_only_directions_count(name: str) -> None:
    vectors = torch.randn(7, 4, dtype=torch.float64)
    longer = vectors * torch.linspace(0.1, 50, 7)[:, None]
    one, other = (LOSSES[name](own, torch.tensor(TARGET)) for own in (vectors, longer))
    assert float(one) == pytest.approx(float(other), rel=1e-9)


@pytest.mark.parametrize("name", [own for own in LOSSES if own != "cross-entropy"])
def test_no_order_of_items_makes_a_difference(name: str) -> None:
    vectors, target = torch.randn(7, 4, dtype=torch.float64), torch.tensor(TARGET)
    order = torch.tensor([3, 6, 0, 5, 1, 2, 4])
    one, other = LOSSES[name](vectors, target), LOSSES[name](vectors[order], target[order])
    assert float(one) == pytest.approx(float(other), rel=1e-9)


@pytest.mark.parametrize("name", ["supervised-contrastive", "triplet", "info-nce"])
def test_memory_grows_with_the_batch_alone_and_with_its_square_at_most(name: str) -> None:
    n = 300
    largest = 0

    class Largest(torch.utils._python_dispatch.TorchDispatchMode):  # type: ignore[misc]  # untyped
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            nonlocal largest
            made = func(*args, **(kwargs or {}))
            for own in made if isinstance(made, tuple) else (made,):
                largest = max(largest, own.numel() if isinstance(own, torch.Tensor) else 0)
            return made

    vectors = torch.randn(n, 4, requires_grad=True)
    with Largest():
        LOSSES[name](vectors, torch.arange(n) % 5).backward()
    assert n * n <= largest <= 2 * n * n
