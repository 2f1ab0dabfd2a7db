"""Near-duplicates and merged groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin.data import merge_groups, near_duplicate_key, near_duplicates

codes = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=40)


def test_case_punctuation_and_digits_do_not_count() -> None:
    assert near_duplicate_key("WIN £500 -- Straße!") == near_duplicate_key("win 123 STRASSE")


def test_the_number_of_digits_counts() -> None:
    assert near_duplicate_key("call 12") != near_duplicate_key("call 123")


@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    key = near_duplicate_key(text)
    assert near_duplicate_key(key) == key


@given(st.lists(st.sampled_from(["a", "A!", "b", "b 1", "b 2", "", "!", "?"])))
def test_groups_are_those_of_equal_keys_and_wordless_texts_stand_alone(texts: list[str]) -> None:
    groups = near_duplicates(texts)
    for i, first in enumerate(texts):
        for j, second in enumerate(texts):
            keys = near_duplicate_key(first), near_duplicate_key(second)
            same = first == second if "" in keys else keys[0] == keys[1]
            assert (groups[i] == groups[j]) == same


@given(codes)
def test_merging_keeps_every_group_whole(pairs: list[tuple[int, int]]) -> None:
    first, second = (list(part) for part in zip(*pairs, strict=True))
    merged = merge_groups(first, second)
    for grouping in (first, second):
        for i, a in enumerate(grouping):
            for j, b in enumerate(grouping):
                assert a != b or merged[i] == merged[j]


@given(codes)
def test_merging_joins_no_more_than_it_must(pairs: list[tuple[int, int]]) -> None:
    first, second = (list(part) for part in zip(*pairs, strict=True))
    merged = merge_groups(first, second).tolist()
    # Walk from row to row by shared groups: the rows reached are exactly the merged group.
    reached, waiting = {0}, [0]
    while waiting:
        i = waiting.pop()
        for j in range(len(pairs)):
            if j not in reached and (first[i] == first[j] or second[i] == second[j]):
                reached.add(j)
                waiting.append(j)
    assert reached == {i for i, group in enumerate(merged) if group == merged[0]}


def test_one_grouping_is_only_renumbered() -> None:
    assert merge_groups(["p", "q", "p"]).tolist() == [0, 1, 0]


def test_groupings_of_no_rows_merge_to_nothing() -> None:
    assert merge_groups([], []).tolist() == []


def test_groupings_must_fit_each_other() -> None:
    with pytest.raises(ValueError, match="equally long; got 2, 1"):
        merge_groups([1, 2], [1])
    with pytest.raises(ValueError, match="at least one grouping"):
        merge_groups()
