"""Who is held out, and who sits with whom."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin.encoders.training.batches import class_batches, held_out, shuffled_batches


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_tenth_of_each_class_is_held_out() -> None:
    y = np.repeat([0, 1, 2], [60, 45, 9])
    held, rest = held_out(y, 3)
    assert np.bincount(y[held], minlength=3).tolist() == [6, 4, 0]
    assert sorted([*held, *rest]) == list(range(114))
    assert held.tolist() != held_out(y, 4)[0].tolist()


def test_groups_are_held_out_whole() -> None:
    y = np.repeat([0, 1, 2], [600, 450, 90])
    groups = rng().permutation(114)[np.arange(1140) // 10]
    held, rest = held_out(y, 3, groups)
    assert not set(groups[held].tolist()) & set(groups[rest].tolist())
    assert np.bincount(y[held], minlength=3).tolist() == [60, 40, 0]
    assert sorted([*held, *rest]) == list(range(1140))


def test_each_row_is_a_group_where_none_are_told() -> None:
    y = np.repeat([0, 1, 2], [60, 45, 9])
    for one, other in zip(held_out(y, 3), held_out(y, 3, np.arange(114)), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(("n", "n_held"), [(79, 0), (80, 8)])
def test_fewer_than_eight_are_not_worth_holding_out(n: int, n_held: int) -> None:
    held, rest = held_out(np.zeros(n, dtype=np.intp), 0)
    assert (len(held), len(rest)) == (n_held, n - n_held)


def test_nobody_is_held_out_alone_of_a_class_where_items_are_compared() -> None:
    y = np.repeat([0, 1], [100, 19])
    assert np.bincount(y[held_out(y, 0)[0]]).tolist() == [10, 1]
    assert np.bincount(y[held_out(y, 0, pairs=True)[0]]).tolist() == [10]


@given(st.integers(2, 200), st.integers(2, 70), st.integers(0, 5))
def test_shuffled_batches_hold_each_row_once_and_none_holds_a_single_row(
    n: int, batch_size: int, seed: int
) -> None:
    dealt = shuffled_batches(np.arange(n), batch_size, rng(seed))
    sizes = [len(own) for own in dealt]
    assert sorted(np.concatenate(dealt).tolist()) == list(range(n))
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 2
    assert max(sizes) <= max(batch_size, 3)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(4, 70), st.integers(0, 5))
def test_batches_of_classes_hold_every_row_and_no_more_than_they_may(
    counts: list[int], batch_size: int, seed: int
) -> None:
    target = rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = np.flatnonzero(rng(seed).random(len(target)) < 0.9)
    rows = rows if len(rows) else np.arange(1)
    dealt = class_batches(rows, target, batch_size, rng(seed))
    assert set(np.concatenate(dealt).tolist()) == set(rows.tolist())
    assert max(map(len, dealt)) <= batch_size
    assert min(map(len, dealt)) >= min(2, len(rows))
    if len(np.unique(target[rows])) > batch_size // min(4, batch_size // 2):
        assert sum(map(len, dealt)) == len(rows)


@pytest.mark.parametrize(("n_classes", "batch_size"), [(2, 16), (10, 64), (10, 4), (300, 32)])
def test_nearly_nobody_is_alone_of_its_class_or_without_strangers(
    n_classes: int, batch_size: int
) -> None:
    target = np.arange(3000) % n_classes
    dealt = class_batches(np.arange(3000), target, batch_size, rng())
    alone = strangers = 0
    for own in dealt:
        _, counts = np.unique(target[own], return_counts=True)
        alone += int((counts == 1).sum())
        strangers += len(counts) > 1
    assert alone == 0
    assert strangers >= 0.98 * len(dealt)


def test_a_rare_class_is_in_nearly_every_batch() -> None:
    target = np.repeat([0, 1], [2000, 20])
    dealt = class_batches(np.arange(2020), target, 64, rng())
    seen = [np.bincount(target[own], minlength=2) for own in dealt]
    assert np.mean([counts[1] >= 4 for counts in seen]) > 0.9
    assert np.bincount(np.concatenate(dealt))[:2000].tolist() == [1] * 2000


def test_no_batch_holds_an_item_twice_in_one_hand() -> None:
    target = np.repeat([0, 1], [500, 3])
    dealt = class_batches(np.arange(503), target, 64, rng())
    for own in dealt:
        rare = own[target[own] == 1]
        assert len(rare) <= 3 or len(set(rare.tolist())) == 3


def test_a_class_of_one_item_comes_once() -> None:
    target = np.repeat([0, 1], [500, 1])
    dealt = np.concatenate(class_batches(np.arange(501), target, 32, rng()))
    assert (dealt == 500).sum() == 1
