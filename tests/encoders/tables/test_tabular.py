"""Tables: scikit-learn's numbers on complete data, and no surprise on any other."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, RobustScaler, StandardScaler

from widemargin.contracts import State
from widemargin.encoders import TabularEncoder
from widemargin.errors import DataError


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "area": rng.normal(80, 20, 40),
            "rooms": rng.integers(1, 6, 40),
            "town": rng.choice(["Bonn", "Köln", "Rom"], 40),
        }
    )


@pytest.mark.parametrize(
    ("scale", "scaler"), [("standard", StandardScaler()), ("robust", RobustScaler())]
)
def test_equals_scikit_learn_on_complete_data(table: pd.DataFrame, scale: Any, scaler: Any) -> None:
    reference = make_column_transformer(
        (scaler, ["area", "rooms"]), (OneHotEncoder(sparse_output=False), ["town"])
    ).fit(table)
    ours = TabularEncoder(scale=scale).fit_transform(table)
    np.testing.assert_allclose(ours[:, :-1], reference.transform(table), atol=1e-12)
    assert not ours[:, -1].any()  # nothing is "other"


def test_scale_none_leaves_numbers_as_they_are(table: pd.DataFrame) -> None:
    X = TabularEncoder(scale="none").fit_transform(table)
    np.testing.assert_array_equal(X[:, 0], table["area"])


def test_columns_are_named(table: pd.DataFrame) -> None:
    table.loc[0, "area"] = np.nan
    names = TabularEncoder().fit(table).get_feature_names_out().tolist()
    assert names == [
        "area",
        "area missing",
        "rooms",
        "town = Bonn",
        "town = Köln",
        "town = Rom",
        "town = other",
    ]


def test_a_missing_number_is_the_median_and_is_marked() -> None:
    train = pd.DataFrame({"area": [1.0, 2.0, 9.0, np.nan]})
    encoder = TabularEncoder(scale="none").fit(train)
    assert encoder.transform(train).tolist() == [[1, 0], [2, 0], [9, 0], [2, 1]]


def test_a_number_missing_only_later_is_the_median_without_a_mark() -> None:
    encoder = TabularEncoder(scale="none").fit(pd.DataFrame({"area": [1.0, 2.0, 9.0]}))
    assert encoder.transform(pd.DataFrame({"area": [np.nan]})).tolist() == [[2]]
    for far in (np.inf, -1.7e308, 1e76):
        assert encoder.transform(pd.DataFrame({"area": [far]})).tolist() == [[2]]
    assert encoder.transform(pd.DataFrame({"area": [1e75]})).tolist() == [[1e75]]


def test_a_column_without_any_number_is_zero() -> None:
    train = pd.DataFrame({"area": [np.nan, np.nan], "rooms": [1.0, 2.0]})
    X = TabularEncoder().fit_transform(train)
    assert np.isfinite(X).all()
    assert X[:, 0].tolist() == [0, 0]


@pytest.mark.parametrize("value", [0.0, 7.5, 1e-300, 1e75, -3e8])
@pytest.mark.parametrize("scale", ["standard", "robust"])
def test_a_constant_column_is_zero(scale: Any, value: float) -> None:
    X = TabularEncoder(scale=scale).fit_transform(pd.DataFrame({"a": [value] * 5}))
    assert X.tolist() == [[0.0]] * 5


def test_unknown_rare_and_missing_categories() -> None:
    towns: list[Any] = [*["Bonn"] * 3, *["Köln"] * 2, "Rom", None]
    train = pd.DataFrame({"town": towns})
    encoder = TabularEncoder().fit(train)
    assert encoder.categories_ == {"town": ["Bonn", "Köln"]}
    test = pd.DataFrame({"town": ["Köln", "Rom", "Paris", None, np.nan]})
    assert encoder.transform(test).tolist() == [
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 1],
        [0, 0, 0],
        [0, 0, 0],
    ]


def test_only_the_commonest_categories_have_columns_of_their_own() -> None:
    train = pd.DataFrame({"town": ["d", "c", "c", "b", "b", "b", "a", "a"]})
    encoder = TabularEncoder(min_count=1, max_categories=2).fit(train)
    assert encoder.categories_ == {"town": ["a", "b"]}  # of equally common ones the first by name


def test_strings_are_read_as_numbers_where_training_had_numbers() -> None:
    encoder = TabularEncoder(scale="none").fit(pd.DataFrame({"area": [1.0, 2.0, 9.0]}))
    X = encoder.transform(pd.DataFrame({"area": ["7", " 8.5 ", "many", None]}))
    assert X.ravel().tolist() == [7, 8.5, 2, 2]


@pytest.mark.parametrize("values", [pd.array([1, None, 3], dtype="Int64"), [1.0, None, 3.0]])
def test_nullable_numbers_are_numbers(values: Any) -> None:
    X = TabularEncoder(scale="none").fit_transform(pd.DataFrame({"a": values}))
    assert X.tolist() == [[1, 0], [2, 1], [3, 0]]


def test_truth_values_are_categories() -> None:
    encoder = TabularEncoder().fit(pd.DataFrame({"garden": [True, True, False, False]}))
    assert encoder.categories_ == {"garden": ["False", "True"]}


def test_reads_a_mapping_of_lists_as_it_reads_a_data_frame(table: pd.DataFrame) -> None:
    columns = {str(name): table[name].tolist() for name in table}
    np.testing.assert_array_equal(
        TabularEncoder().fit(columns).transform(columns), TabularEncoder().fit_transform(table)
    )


def test_an_absent_column_is_named_with_its_nearest() -> None:
    encoder = TabularEncoder().fit(pd.DataFrame({"area": [1.0, 2.0], "rooms": [1, 2]}))
    with pytest.raises(DataError) as caught:
        encoder.transform(pd.DataFrame({"aera": [1.0], "rooms": [2]}))
    assert str(caught.value) == (
        "the column 'area', which the model was trained on, is absent. Did you mean 'aera'? "
        "It needs area, rooms."
    )
    with pytest.raises(DataError) as caught:
        encoder.transform(pd.DataFrame({"x": [1.0]}))
    assert str(caught.value) == (
        "the columns 'area', 'rooms', which the model was trained on, are absent. It needs area, "
        "rooms."
    )


def test_further_columns_and_another_order_do_no_harm(table: pd.DataFrame) -> None:
    encoder = TabularEncoder().fit(table)
    other = table[["town", "rooms", "area"]].assign(more=1)
    np.testing.assert_array_equal(encoder.transform(other), encoder.transform(table))


def test_its_state_is_json_and_brings_back_the_same_rows(table: pd.DataFrame) -> None:
    table.loc[0, "area"] = np.nan
    encoder = TabularEncoder().fit(table)
    state = encoder.get_state()
    assert not state.arrays
    back = TabularEncoder().set_state(State({}, json.loads(json.dumps(state.meta))))
    np.testing.assert_array_equal(back.transform(table), encoder.transform(table))


def test_a_state_that_contradicts_itself_is_refused() -> None:
    state = State({}, {"columns": ["a"], "numeric": {}, "categories": {}})
    with pytest.raises(DataError, match="the saved columns and their settings disagree"):
        TabularEncoder().set_state(state)


def test_clones_and_works_in_a_pipeline(table: pd.DataFrame) -> None:
    copy = clone(TabularEncoder(scale="robust"))
    given = {"scale": "robust", "min_count": 2, "max_categories": 50}
    assert {name: copy.get_params()[name] for name in given} == given
    y = table["rooms"] > 3
    assert make_pipeline(copy, LogisticRegression()).fit(table, y).score(table, y) > 0.9


NUMBERS = st.one_of(st.floats(-1e3, 1e3), st.just(np.nan))
WORDS = st.sampled_from(["a", "b", "c", None])


@settings(max_examples=50)
@given(
    st.lists(st.tuples(NUMBERS, WORDS), min_size=2, max_size=12),
    st.sampled_from(["standard", "robust", "none"]),
    st.integers(0, 99),
)
def test_shares_of_a_row_sum_to_its_product_with_the_weights(
    rows: list[tuple[float, str | None]], scale: Any, seed: int
) -> None:
    table = pd.DataFrame({"area": [a for a, _ in rows], "town": [b for _, b in rows]})
    encoder = TabularEncoder(scale=scale).fit(table)
    X: NDArray[np.float64] = encoder.transform(table)
    coef = np.random.default_rng(seed).normal(size=(X.shape[1],))
    shares = encoder.explain(table, coef)
    totals = [sum(share.contribution for share in own) for own in shares]
    np.testing.assert_allclose(totals, X @ coef, rtol=1e-9, atol=1e-9)
    assert all(len(own) == 2 for own in shares)


def test_a_share_is_named_after_the_column_and_its_value() -> None:
    table = pd.DataFrame({"area": [81.123456789, np.nan], "town": ["Bonn", None]})
    encoder = TabularEncoder(min_count=1).fit(table)
    pieces = [[share.piece for share in own] for own in encoder.explain(table, np.ones(4))]
    assert pieces == [["area = 81.1235", "town = Bonn"], ["area = missing", "town = missing"]]


def test_what_is_not_fitted_says_so_as_scikit_learn_does() -> None:
    encoder = TabularEncoder()
    message = (
        "This TabularEncoder instance is not fitted yet. Call 'fit' with appropriate "
        "arguments before using this estimator."
    )
    for ask in (
        lambda: encoder.transform({"a": [1]}),
        lambda: encoder.explain({"a": [1]}, np.ones(1)),
        encoder.get_feature_names_out,
        encoder.get_state,
    ):
        with pytest.raises(NotFittedError) as caught:
            ask()
        assert str(caught.value) == message


def test_a_value_that_is_no_number_counts_as_missing_and_is_named() -> None:
    encoder = TabularEncoder().fit(pd.DataFrame({"area": [1.0, 2.0, 3.0]}))
    items = {"area": ["1,000", "big", "1.7e308"]}
    rows = encoder.transform(items)
    assert rows[1:, 0].tolist() == [0.0, 0.0]  # the training median
    assert rows[0, 0] > 100
    assert encoder.doubts(items) == [
        {
            1: "area: 'big' is no number, and counts as missing",
            2: "area: '1.7e308' is beyond 1e75, the largest number, and counts as missing",
        }
    ]


def test_a_whole_number_without_end_counts_as_missing_and_is_named() -> None:
    huge = 10**400
    encoder = TabularEncoder().fit(pd.DataFrame({"area": [1.0, 2.0, 3.0]}))
    for cells in ([1, huge], ["x", huge], [2.5, -huge]):
        assert encoder.transform({"area": cells})[1].tolist() == [0.0]
        assert (
            f"{cells[1]}' is beyond 1e75, the largest number"
            in encoder.doubts({"area": cells})[0][1]
        )


@pytest.mark.parametrize("scale", ["standard", "robust", "none"])
def test_a_number_too_large_to_learn_from_is_named_once_and_missing(scale: Any) -> None:
    table = pd.DataFrame({"area": [1.0, 1.7e308, 2.0, np.inf, 9.0]})
    with pytest.warns(UserWarning, match="hold no number up to 1e75") as told:
        encoder = TabularEncoder(scale=scale).fit(table)
    said = ["cells of the numeric column 'area' that hold no number up to 1e75 count as missing."]
    assert [str(one.message) for one in told] == said
    with pytest.warns(UserWarning, match="hold no number up to 1e75") as of_a_part:
        TabularEncoder(scale=scale).fit(table[2:])
    assert [str(one.message) for one in of_a_part] == said  # or it is told once for each part
    rows = encoder.transform(table)
    assert rows[:, 1].tolist() == [0, 1, 0, 1, 0]
    assert np.isfinite(rows).all()
    assert rows[1, 0] == rows[2, 0]
