"""Neighbours of items, and how often they are of one class."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from widemargin.evaluation.probing import items as module
from widemargin.evaluation.probing.items import class_purity, item_neighbours


def test_neighbours_are_those_of_the_greatest_cosine(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 6))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -2)
    expected = np.argsort(-cosines, axis=1)[:, :4]
    for cells in (4_000_000, 120):  # all at once, and two rows at a time
        monkeypatch.setattr(module, "_CELLS", cells)
        for given in (vectors, csr_matrix(vectors), 100 * vectors):
            near = item_neighbours(given, 4)
            assert near.rows.tolist() == expected.tolist()
            assert near.cosines == pytest.approx(np.take_along_axis(cosines, expected, axis=1))


def test_items_of_one_group_are_no_neighbours() -> None:
    vectors = np.array([[1.0, 0], [1, 0], [0.9, 0.2], [0, 1]])
    assert item_neighbours(vectors, 1).rows[0, 0] == 1
    near = item_neighbours(vectors, 3, groups=np.array([0, 0, 1, 1]))
    assert near.rows.tolist() == [[2, 3, -1], [2, 3, -1], [0, 1, -1], [0, 1, -1]]


def test_an_item_without_direction_has_no_neighbours_and_is_none() -> None:
    near = item_neighbours(np.array([[1.0, 0], [0, 0], [0, 1]]), 2)
    assert near.rows.tolist() == [[2, -1], [-1, -1], [0, -1]]
    purity = class_purity(near, ["a", "a", "b"])
    # The other one of its class has no direction, so that its neighbour is of another class; and
    # the last one's class has no other.
    assert (purity.items, purity.share) == (1, 0)


def test_classes_that_lie_apart_are_pure() -> None:
    rng = np.random.default_rng(1)
    vectors = np.vstack([rng.normal([5, 0], 0.1, (30, 2)), rng.normal([0, 5], 0.1, (10, 2))])
    purity = class_purity(item_neighbours(vectors, 5), ["big"] * 30 + ["small"] * 10)
    # Of 40 items that are all right, as many can be wrong as none among 40 hide.
    assert purity.share == purity.high == 1
    assert purity.low == pytest.approx(0.025 ** (1 / 40))
    assert [(own.name, own.items, own.share) for own in purity.classes] == [
        ("big", 30, 1.0),
        ("small", 10, 1.0),
    ]
    assert [own.chance for own in purity.classes] == pytest.approx([29 / 39, 9 / 39])
    assert purity.chance == pytest.approx((30 * 29 + 10 * 9) / (40 * 39))


def test_the_interval_of_few_items_is_that_of_an_accuracy_of_few() -> None:
    rng = np.random.default_rng(4)
    near = item_neighbours(rng.normal(size=(12, 2)), 3)
    y = np.array(["a", "b"] * 6)
    purity = class_purity(near, y)
    shares = (y[near.rows] == y[:, np.newaxis]).mean(axis=1)
    mean, error = shares.mean(), shares.std(ddof=1) / np.sqrt(12)
    step = 2.2009852 * error / (mean * (1 - mean))
    ends = [1 / (1 + np.exp(-(np.log(mean / (1 - mean)) + side))) for side in (-step, step)]
    assert [purity.low, purity.high] == pytest.approx(ends)
    # Two items are too few, but for those that have no neighbour of another class.
    two = class_purity(item_neighbours(np.eye(2), 1), ["a", "a"])
    assert (two.share, two.high) == (1, 1)
    assert two.low == pytest.approx(0.025 ** (1 / 2))


def test_a_class_of_fewer_items_than_neighbours_can_be_pure() -> None:
    vectors = np.array([[1.0, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1], [0.7, 0.7]])
    purity = class_purity(item_neighbours(vectors, 4), ["a", "a", "a", "b", "b", "alone"])
    assert purity.share == 1
    assert [own.name for own in purity.classes] == ["a", "b"]
    assert purity.items == 5


def test_vectors_that_know_nothing_are_as_pure_as_chance() -> None:
    rng = np.random.default_rng(2)
    purity = class_purity(
        item_neighbours(rng.normal(size=(2000, 10)), 5), rng.choice(["a", "b"], 2000, p=[0.8, 0.2])
    )
    assert purity.share == pytest.approx(purity.chance, abs=0.02)
    assert purity.low < purity.share < purity.high


def test_copies_in_one_group_raise_nothing() -> None:
    rng = np.random.default_rng(3)
    vectors = np.repeat(rng.normal(size=(200, 10)), 3, axis=0)
    y = np.repeat(rng.choice(["a", "b"], 200), 3)
    groups = np.repeat(np.arange(200), 3)
    fooled = class_purity(item_neighbours(vectors, 2), y)
    honest = class_purity(item_neighbours(vectors, 2, groups=groups), y, groups=groups)
    assert fooled.share == 1
    assert honest.share == pytest.approx(honest.chance, abs=0.1)
    # Copies say nothing new, so that the interval is no narrower than that of 200 items.
    assert honest.high - honest.low > 0.08
