"""Weight of evidence: the definition, bins that scorecards can use, and nothing from other rows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from widemargin.contracts import State
from widemargin.encoders import TabularEncoder
from widemargin.encoders.tables.settings import TabularSettings
from widemargin.encoders.tables.tabular import TABULAR
from widemargin.errors import DataError
from widemargin.testing.encoder_checks import check_encoder

WEIGHED: dict[str, Any] = {"categories": "weight-of-evidence", "numbers": "weight-of-evidence"}


def make_table(n: int) -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(0)
    age = random.normal(40, 10, n)
    town = random.choice(["Bonn", "Köln", "Rom"], n)
    bad = random.random(n) < 1 / (1 + np.exp((age - 40) / 5))
    table = pd.DataFrame({"age": age, "town": town})
    table.loc[::9, "age"] = np.nan
    return table, np.where(bad, "yes", "no")


def test_a_category_becomes_the_logarithm_of_its_likelihood_ratio() -> None:
    towns = ["Bonn"] * 6 + ["Rom"] * 4
    y = ["yes"] * 4 + ["no"] * 2 + ["yes"] + ["no"] * 3
    encoder = TabularEncoder(**WEIGHED, smoothing=1e-9).fit({"town": towns}, y)
    rows = encoder.transform({"town": ["Bonn", "Rom"]}).ravel()
    np.testing.assert_allclose(rows, [np.log((4 / 5) / (2 / 5)), np.log((1 / 5) / (3 / 5))])
    assert encoder.classes_ == ("no", "yes")


def test_smoothing_is_that_of_the_formula() -> None:
    towns = ["Bonn"] * 3 + ["Rom"] * 2
    y = np.array(["yes", "yes", "yes", "no", "no"])
    encoder = TabularEncoder(**WEIGHED, smoothing=2.0).fit({"town": towns}, y)
    # Four bins: Bonn, Rom, other, missing.
    p1, p0 = (3 + 2 * 3 / 5) / (3 + 2 * 4 * 3 / 5), (0 + 2 * 2 / 5) / (2 + 2 * 4 * 2 / 5)
    assert encoder.transform({"town": ["Bonn"]}).item() == pytest.approx(np.log(p1 / p0))
    bonn = encoder.binnings_["town"].bins[0]
    assert (bonn.label, bonn.rows) == ("Bonn", (0, 3))
    assert bonn.information == pytest.approx((p1 - p0) * np.log(p1 / p0))


def test_what_training_never_had_says_nothing() -> None:
    encoder = TabularEncoder(**WEIGHED).fit(
        {"town": ["Bonn", "Bonn", "Rom", "Rom"], "age": [1.0, 2.0, 3.0, 4.0]},
        ["no", "no", "no", "yes"],
    )
    rows = encoder.transform({"town": ["Paris", None], "age": [np.nan, np.nan]})
    np.testing.assert_allclose(rows, 0, atol=1e-12)


def test_missing_values_have_a_bin_and_a_weight_of_their_own() -> None:
    encoder = TabularEncoder(**WEIGHED, n_bins=2, smoothing=0.1).fit(
        {"age": [1.0, 2.0, 3.0, 4.0, None, None]}, ["no", "yes", "no", "yes", "yes", "yes"]
    )
    bins = encoder.binnings_["age"].bins
    assert [(own.label, own.rows) for own in bins] == [
        ("below 2.5", (1, 1)),
        ("2.5 or more", (1, 1)),
        ("missing", (0, 2)),
    ]
    low, high, missing = encoder.transform({"age": [2.49, 2.5, None]}).ravel()
    assert low == high < 0 < missing


def test_quantile_bins_hold_nearly_equally_many_rows() -> None:
    encoder = TabularEncoder(**WEIGHED, n_bins=4).fit({"age": np.arange(100.0)}, np.arange(100) % 2)
    assert [sum(own.rows) for own in encoder.binnings_["age"].bins] == [25, 25, 25, 25, 0]


def test_tree_bins_have_weights_that_only_rise_or_only_fall() -> None:
    table, y = make_table(600)
    encoder = TabularEncoder(**WEIGHED, bins="tree", n_bins=6).fit(table, y)
    bins = encoder.binnings_["age"].bins[:-1]
    assert 3 <= len(bins) <= 6
    assert (np.diff([own.evidence for own in bins]) < 0).all()
    assert min(sum(own.rows) for own in bins) >= 533 // 20


@given(st.integers(0, 10_000), st.floats(0.1, 20))
def test_tree_bins_are_monotone_whatever_the_smoothing(seed: int, smoothing: float) -> None:
    rng = np.random.default_rng(seed)
    age = np.where(rng.random(300) < 0.1, np.nan, rng.normal(size=300).round(1))
    y = rng.random(300) < 1 / (1 + np.exp(1 + 0.6 * np.nan_to_num(age)))
    encoder = TabularEncoder(**WEIGHED, bins="tree", n_bins=10, smoothing=smoothing)
    encoder.fit({"age": age}, y.astype(int))
    steps = np.diff([own.evidence for own in encoder.binnings_["age"].bins[:-1]])
    assert (steps > 0).all() or (steps < 0).all()


def test_a_free_number_may_rise_and_fall() -> None:
    age = np.random.default_rng(0).uniform(18, 80, 600)
    y = (abs(age - 48) > 20).astype(int)
    bound, free = (
        TabularEncoder(**WEIGHED, bins="tree", free=names).fit({"age": age}, y).binnings_["age"]
        for names in ((), ("age",))
    )
    steps = np.sign(np.diff([own.evidence for own in free.bins[:-1]]))
    assert set(steps.tolist()) == {1.0, -1.0}
    assert free.information_value > 2 * bound.information_value
    with pytest.raises(DataError, match=r"free names 'agee', .* \(age\)\. Did you mean 'age'\?"):
        TabularEncoder(**WEIGHED, bins="tree", free=("agee",)).fit({"age": age}, y)


@pytest.mark.parametrize("cuts", ["quantiles", "tree"])
@pytest.mark.parametrize(
    "values",
    [
        [5.0] * 40,
        [np.nan] * 40,
        [1e75, -1e75] * 20,
        [1.0, np.nextafter(1.0, 2.0)] * 20,
        [0.0, 5e-324] * 20,
        [0.0] * 39 + [1.0],
    ],
)
def test_odd_columns_have_bins_too(cuts: Any, values: list[float]) -> None:
    y = np.arange(40) % 2
    encoder = TabularEncoder(**WEIGHED, bins=cuts).fit({"a": values}, y)
    binning = encoder.binnings_["a"]
    assert np.isfinite(encoder.transform({"a": values})).all()
    assert sum(sum(own.rows) for own in binning.bins) == 40
    places = binning.places(np.array(values))
    told = [sum(own.rows) for own in binning.bins]
    assert np.bincount(places, minlength=len(told)).tolist() == told


def test_two_neighbouring_numbers_that_tell_the_classes_apart_fall_into_two_bins() -> None:
    values = [1.0, np.nextafter(1.0, 2.0)] * 20
    encoder = TabularEncoder(**WEIGHED, bins="tree").fit({"a": values}, np.arange(40) % 2)
    assert [own.rows for own in encoder.binnings_["a"].bins] == [(20, 0), (0, 20), (0, 0)]


def test_a_column_that_tells_more_has_more_information() -> None:
    table, y = make_table(600)
    encoder = TabularEncoder(**WEIGHED).fit(table, y)
    values = {name: own.information_value for name, own in encoder.binnings_.items()}
    assert values["age"] > 0.5 > 0.1 > values["town"] > 0


def test_numbers_may_be_scaled_and_weighed() -> None:
    table, y = make_table(200)
    encoder = TabularEncoder(numbers="both").fit(table, y)
    names = encoder.get_feature_names_out().tolist()
    assert names[:3] == ["age", "age missing", "age evidence"]
    assert names[3:] == ["town = Bonn", "town = Köln", "town = Rom", "town = other"]
    plain = TabularEncoder().fit_transform(table)
    rows = encoder.transform(table)
    np.testing.assert_array_equal(np.delete(rows, 2, axis=1), plain)


def test_what_is_not_weighed_is_as_it_was_bit_for_bit() -> None:
    table, y = make_table(200)
    encoder = TabularEncoder().fit(table, y)
    assert encoder.classes_ is None
    assert not encoder.binnings_
    assert set(encoder.get_state().meta) == {"columns", "numeric", "categories"}
    values = table["age"].to_numpy()
    filled = np.where(np.isfinite(values), values, np.nanmedian(values))
    expected = (filled - filled.mean()) / filled.std()
    np.testing.assert_array_equal(encoder.transform(table)[:, 0], expected)


@pytest.mark.parametrize("bins", ["quantiles", "tree"])
def test_it_comes_back_from_json_bit_for_bit(bins: Any) -> None:
    table, y = make_table(200)
    encoder = TabularEncoder(**WEIGHED, bins=bins).fit(table, y)
    state = encoder.get_state()
    back = TabularEncoder(**WEIGHED, bins=bins).set_state(
        State({}, json.loads(json.dumps(dict(state.meta))))
    )
    np.testing.assert_array_equal(back.transform(table), encoder.transform(table))
    assert back.binnings_ == encoder.binnings_
    assert back.classes_ == encoder.classes_


def test_bins_that_do_not_fit_are_refused() -> None:
    table, y = make_table(50)
    meta = json.loads(json.dumps(dict(TabularEncoder(**WEIGHED).fit(table, y).get_state().meta)))
    with pytest.raises(DataError, match="the saved columns and their settings disagree"):
        TabularEncoder().set_state(State({}, meta))
    meta["binnings"]["age"]["edges"].pop()
    with pytest.raises(DataError, match="the saved bins and their edges or categories disagree"):
        TabularEncoder(**WEIGHED).set_state(State({}, meta))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.floats(-1e3, 1e3), st.just(np.nan)),
            st.sampled_from(["a", "b", "c", None]),
            st.booleans(),
        ),
        min_size=2,
        max_size=20,
    ),
    st.sampled_from(["quantiles", "tree"]),
    st.sampled_from(["both", "weight-of-evidence"]),
)
def test_shares_sum_to_the_margin_one_a_column(rows: Any, bins: Any, numbers: Any) -> None:
    y = np.array([c for _, _, c in rows])
    y[:2] = [False, True]
    table = {"age": [a for a, _, _ in rows], "town": [b for _, b, _ in rows]}
    encoder = TabularEncoder(categories="weight-of-evidence", numbers=numbers, bins=bins)
    X = encoder.fit_transform(table, y)
    assert np.isfinite(X).all()
    coef = np.random.default_rng(0).normal(size=(X.shape[1],))
    told = encoder.explain(table, coef)
    assert all(len(own) == 2 for own in told)
    sums = [sum(share.contribution for share in own) for own in told]
    np.testing.assert_allclose(sums, X @ coef, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (None, "was fitted without a target; give y."),
        (["a", "b", "c"], "the target has 3 different values."),
        (["a", "a", "a"], "the target has 1 different values."),
    ],
)
def test_a_target_without_two_classes_is_refused(y: Any, said: str) -> None:
    with pytest.raises(DataError) as caught:
        TabularEncoder(**WEIGHED).fit({"a": [1.0, 2.0, 3.0]}, y)
    assert str(caught.value).startswith("tabular: weight of evidence compares two classes, and ")
    assert said in str(caught.value)


def test_what_it_learns_depends_on_the_settings() -> None:
    assert TABULAR.learns_at(TabularSettings()) == "X"
    assert TABULAR.learns_at(TabularSettings(categories="weight-of-evidence")) == "y"
    assert TABULAR.learns_at(TabularSettings(numbers="both")) == "y"


@pytest.mark.parametrize("numbers", ["both", "weight-of-evidence"])
@pytest.mark.parametrize("bins", ["quantiles", "tree"])
def test_it_does_what_every_encoder_must_do(numbers: Any, bins: Any) -> None:
    check_encoder(
        TABULAR, TabularSettings(categories="weight-of-evidence", numbers=numbers, bins=bins)
    )
