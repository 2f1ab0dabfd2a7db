"""Walk-forward splits: nothing is learned from that was not known before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin.contracts import SplitRule
from widemargin.data.splits import make_splits
from widemargin.data.walk_forward import blocks_in_time, walk_forward
from widemargin.errors import DataError

WALK = SplitRule(kind="walk-forward")


@given(
    n_moments=st.integers(8, 60),
    n_series=st.integers(1, 3),
    wait=st.integers(0, 1),
    embargo=st.integers(0, 2),
    n_splits=st.integers(2, 6),
    seed=st.integers(0, 9),
)
def test_every_training_label_was_known_before_the_held_out_part_begins(
    n_moments: int, n_series: int, wait: int, embargo: int, n_splits: int, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(n_moments * n_series)
    times = np.tile(np.arange(n_moments), n_series)[order]
    splits = walk_forward(times, times + wait, n_splits=n_splits, embargo=embargo)
    held_out = np.concatenate([split.test for split in splits])
    assert len(set(held_out.tolist())) == len(held_out)
    latest = -1
    for split in splits:
        begins, ends = times[split.test].min(), times[split.test].max()
        assert begins > latest
        latest = ends
        assert (times[split.train] + wait + embargo < begins).all()
        # All that may be learned from is; all of a moment is held out together.
        assert (times + wait + embargo < begins).sum() == len(split.train)
        assert ((times >= begins) & (times <= ends)).sum() == len(split.test)
    assert latest == n_moments - 1


def test_the_row_order_has_no_say() -> None:
    times = np.repeat(np.arange(20), 2)
    order = np.random.default_rng(0).permutation(40)
    for one, other in zip(
        walk_forward(times, n_splits=3), walk_forward(times[order], n_splits=3), strict=True
    ):
        assert sorted(times[one.train]) == sorted(times[order][other.train])
        assert sorted(times[one.test]) == sorted(times[order][other.test])


def test_fewer_parts_are_made_of_few_moments_and_none_of_fewer_than_eight() -> None:
    assert len(walk_forward(np.arange(12), n_splits=10)) == 2
    with pytest.raises(DataError, match=r"only 7 moments in time.*at least 8"):
        walk_forward(np.arange(7), n_splits=2)


def test_labels_that_are_known_too_late_leave_nothing_to_learn_from() -> None:
    days = np.arange(20)
    with pytest.raises(DataError, match=r"nothing is left to learn from before 4"):
        walk_forward(days, days + 10, n_splits=4)
    with pytest.raises(DataError, match=r"evaluation\.embargo \(9\)"):
        walk_forward(days, n_splits=4, embargo=9)


def test_rows_that_share_what_decided_their_labels_are_of_one_stretch() -> None:
    days = np.repeat(np.arange(10), 2)
    blocks = blocks_in_time(days, days + 5)
    assert blocks.tolist() == [0] * 10 + [1] * 10
    assert blocks_in_time(days, None).tolist() == days.tolist()
    late = days + 1
    late[0] = 9  # one label that came late makes no stretch longer
    assert blocks_in_time(days, late).tolist() == days.tolist()


def test_the_rule_needs_times_and_no_groups_and_both_classes_in_each_training_part() -> None:
    y = np.array(["up", "down"] * 8)
    days = np.arange(16)
    assert len(make_splits(y, WALK, n_splits=3, times=days)) == 3
    sparse = np.array((["down"] * 30 + ["up"]) * 10)
    spread = np.arange(len(sparse))
    # Of ten parts the first would learn from one class; of nine it does not.
    assert len(make_splits(sparse, WALK, n_splits=10, times=spread)) == 9
    with pytest.raises(DataError, match="needs the time of each item"):
        make_splits(y, WALK, n_splits=3)
    with pytest.raises(DataError, match="goes by time alone"):
        make_splits(y, WALK, n_splits=3, times=days, groups=days)
    late = np.array(["up"] * 10 + ["down"] * 6)
    with pytest.raises(DataError, match=r"class 'down' is not known before .*earlier items"):
        make_splits(late, WALK, n_splits=3, times=days)
