"""Splits: every row is held out once, groups stay whole, and what leaks is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from widemargin.contracts import Split, SplitRule
from widemargin.data.splits import check_split, make_splits
from widemargin.errors import DataError

KINDS = st.sampled_from(["stratified", "shuffled"])
SEEDS = st.integers(0, 1000)


def names(counts: list[int], seed: int = 0) -> NDArray[Any]:
    y = np.repeat([f"class {code}" for code in range(len(counts))], counts)
    return np.random.default_rng(seed).permutation(y)


def check_partition(splits: list[Split], n: int) -> None:
    tested = np.concatenate([split.test for split in splits])
    assert sorted(tested) == list(range(n))
    for split in splits:
        assert sorted([*split.train, *split.test]) == list(range(n))


@settings(max_examples=60)
@given(st.lists(st.integers(4, 20), min_size=2, max_size=4), st.integers(2, 8), SEEDS)
def test_every_row_is_held_out_once_and_every_class_keeps_its_share(
    counts: list[int], n_splits: int, seed: int
) -> None:
    y = names(counts, seed)
    splits = make_splits(y, SplitRule(), n_splits=n_splits, random_state=seed)
    check_partition(splits, len(y))
    assert len(splits) == min(n_splits, *counts)
    for name, count in zip(np.unique(y), counts, strict=True):
        held = [int((y[split.test] == name).sum()) for split in splits]
        assert max(held) - min(held) <= 1
        assert sum(held) == count


@settings(max_examples=60)
@given(st.integers(20, 60), st.integers(5, 15), st.integers(2, 5), KINDS, SEEDS, st.booleans())
def test_groups_never_cross(
    n: int, n_groups: int, n_splits: int, kind: Any, seed: int, numeric: bool
) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, n_groups, n).astype(str)
    y = rng.normal(size=n) if numeric else rng.choice(["a", "b"], n)
    try:
        splits = make_splits(
            y, SplitRule(kind=kind), n_splits=n_splits, groups=groups, random_state=seed
        )
    except DataError as error:
        assert "group" in str(error)  # noqa: PT017  # a class may lie in one group by chance
        assume(False)
    check_partition(splits, n)
    for split in splits:
        assert not set(groups[split.train]) & set(groups[split.test])


@settings(max_examples=30)
@given(st.integers(40, 200), SEEDS)
def test_the_range_of_a_number_is_spread_over_all_folds(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.lognormal(size=n)
    splits = make_splits(y, SplitRule(), n_splits=5, random_state=seed)
    check_partition(splits, n)
    lower = y <= np.median(y)
    for split in splits:
        assert 0.2 <= lower[split.test].mean() <= 0.8
        assert abs(len(split.test) - n / 5) <= 10


def test_few_numbers_are_no_error() -> None:
    check_partition(make_splits(np.array([1.0, 5.0, 2.0]), SplitRule(), n_splits=5), 3)
    check_partition(make_splits(np.full(12, 3.0), SplitRule(), n_splits=5), 12)


def test_another_seed_makes_other_folds() -> None:
    y = names([30, 30])
    first, again, other = (
        make_splits(y, SplitRule(), n_splits=5, random_state=seed)[0].test.tolist()
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_codes_are_divided_as_names_are() -> None:
    y = names([10, 6])
    codes = np.unique(y, return_inverse=True)[1]
    splits = [make_splits(labels, SplitRule(), n_splits=3) for labels in (y, codes)]
    for by_name, by_code in zip(*splits, strict=True):
        assert by_name.test.tolist() == by_code.test.tolist()


def test_rare_classes_shrink_the_number_of_folds() -> None:
    assert len(make_splits(names([50, 3]), SplitRule(), n_splits=10)) == 3


def test_few_groups_shrink_the_number_of_folds() -> None:
    y = np.arange(12.0)
    assert len(make_splits(y, SplitRule(), n_splits=10, groups=np.arange(12) // 4)) == 3


@pytest.mark.parametrize(
    ("counts", "at_least", "message"),
    [
        (
            [9, 1],
            2,
            "there is only 1 item of class 'class 1'; cross-validation needs at least 2. "
            "Add some, or leave the class out.",
        ),
        (
            [9, 2],
            3,
            "there are only 2 items of class 'class 1'; cross-validation needs at least 3. "
            "Add some, or leave the class out.",
        ),
    ],
)
def test_a_class_of_too_few_items_is_refused(
    counts: list[int], at_least: int, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        make_splits(names(counts), SplitRule(), n_splits=5, at_least=at_least)
    assert str(caught.value) == message


def test_a_class_in_a_single_group_is_refused() -> None:
    y = np.array(["a"] * 6 + ["b"] * 4)
    groups = np.array([1, 1, 2, 2, 3, 3, 9, 9, 9, 9])
    said = r"^there is only 1 group of class 'b' \(4 items that are kept together\); cross-"
    with pytest.raises(DataError, match=said):
        make_splits(y, SplitRule(), n_splits=3, groups=groups)


def test_a_class_of_one_item_is_told_of_items_though_others_have_groups() -> None:
    y = np.array(["a"] * 6 + ["b"])
    groups = np.array([1, 1, 2, 2, 3, 3, 9])
    with pytest.raises(DataError, match=r"^there is only 1 item of class 'b'; cross-validation"):
        make_splits(y, SplitRule(), n_splits=3, groups=groups)


def test_a_number_in_a_single_group_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        make_splits(np.arange(5.0), SplitRule(), n_splits=3, groups=np.zeros(5))
    assert str(caught.value) == (
        "there is only 1 group (5 items that are kept together); cross-validation needs at least "
        "2. Add some."
    )


def test_a_row_on_both_sides_is_a_leak() -> None:
    with pytest.raises(DataError, match=r"^the split leaks: row 2 is in both parts\.$"):
        check_split(Split(np.array([0, 1, 2]), np.array([2, 3])), np.array(["a", "b"] * 2))


def test_a_group_on_both_sides_is_a_leak() -> None:
    groups = np.array(["x", "y", "y", "z"])
    with pytest.raises(DataError, match=r"^the split leaks: group 'y' is in both parts\.$"):
        check_split(Split(np.array([0, 1]), np.array([2, 3])), np.array(["a", "b"] * 2), groups)


def test_a_class_that_cannot_be_trained_on_is_named() -> None:
    with pytest.raises(DataError) as caught:
        check_split(Split(np.array([0, 1]), np.array([2])), np.array(["a", "a", "b"]))
    assert str(caught.value) == (
        "class 'b' is not in a training part: too few items, or all of them in one group. "
        "Add items of it, or leave it out."
    )


def test_a_number_needs_no_class() -> None:
    check_split(Split(np.array([0, 1]), np.array([2])), np.array([1.0, 2.0, 3.0]))
