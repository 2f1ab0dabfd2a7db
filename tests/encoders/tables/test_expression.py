"""Expression: reference values of other libraries, choices by training rows only, exact returns."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.base import clone

from widemargin.contracts import State
from widemargin.encoders.tables.expression import (
    EXPRESSION,
    ExpressionEncoder,
    ExpressionSettings,
)
from widemargin.encoders.tables.gene_tests import gene_strengths
from widemargin.errors import DataError
from widemargin.testing.encoder_checks import check_encoder

Y = np.array(["ALL", "AML", "AML"] * 8)


def make_profiles(n_genes: int = 20) -> pd.DataFrame:
    random = np.random.default_rng(0)
    values = 2 ** random.normal(8, 2, (24, n_genes))
    values[:, 3] *= np.where(Y == "AML", 8, 1)
    return pd.DataFrame(values, columns=[f"G{k}" for k in range(n_genes)])


def test_z_is_scikit_learns_scaling() -> None:
    from sklearn.preprocessing import StandardScaler

    X = make_profiles()
    expected = StandardScaler().fit_transform(X.to_numpy())
    made = ExpressionEncoder().fit_transform(X)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-6)


def test_log_is_to_base_two_with_an_offset() -> None:
    X = make_profiles()
    made = ExpressionEncoder(normalise=("log",), offset=16).fit_transform(X)
    np.testing.assert_allclose(made, np.log2(X.to_numpy() + 16), rtol=1e-6)


def test_quantiles_are_those_of_the_papers_example() -> None:
    # Four genes and three profiles: each rank's mean over profiles, put back by rank.
    X = {"A": [5.0, 4.0, 3.0], "B": [2.0, 1.0, 4.0], "C": [3.0, 4.5, 6.0], "D": [4.0, 2.0, 8.0]}
    means = np.array([6, 9, 14, 17.5]) / 3
    made = ExpressionEncoder(normalise=("quantile",)).fit_transform(X)
    expected = [
        [means[3], means[0], means[1], means[2]],
        [means[2], means[0], means[3], means[1]],
        [means[0], means[1], means[2], means[3]],
    ]
    np.testing.assert_allclose(made, expected, rtol=1e-6)


def test_after_quantiles_all_profiles_have_the_training_distribution() -> None:
    X = make_profiles()
    encoder = ExpressionEncoder(normalise=("quantile",)).fit(X[:12])
    reference = np.sort(X[:12].to_numpy(), axis=1).mean(axis=0)
    made = np.sort(encoder.transform(X[12:] * 7 + 3), axis=1)
    np.testing.assert_allclose(made, np.tile(reference, (12, 1)), rtol=1e-6)


def test_equal_values_stay_equal_and_missing_ones_leave_the_rest_in_order() -> None:
    X = make_profiles(6)
    encoder = ExpressionEncoder(normalise=("quantile",)).fit(X)
    odd = pd.DataFrame([[1.0, 1.0, 2.0, 3.0, np.nan, 9.0]], columns=X.columns)
    (row,) = encoder.transform(odd)
    assert row[0] == row[1] < row[2] < row[3] < row[5]
    assert row[4] == pytest.approx(float(np.float32(encoder._median[4])))


def test_a_missing_value_is_the_training_median() -> None:
    X = pd.DataFrame({"A": [1.0, 2.0, 9.0, np.nan], "B": [np.nan] * 4})
    encoder = ExpressionEncoder(normalise=()).fit(X)
    assert encoder.transform(X).tolist() == [[1, 0], [2, 0], [9, 0], [2, 0]]
    assert np.isfinite(ExpressionEncoder().fit_transform(X)).all()


def test_the_genes_that_vary_most_are_kept_in_their_order() -> None:
    X = pd.DataFrame({"A": [0.0, 1.0], "B": [0.0, 9.0], "C": [5.0, 5.0], "D": [3.0, -3.0]})
    encoder = ExpressionEncoder(top_variance=2).fit(X)
    assert encoder.get_feature_names_out().tolist() == ["B", "D"]
    assert ExpressionEncoder(top_variance=99).fit(X).transform(X).shape == (2, 4)


def test_f_and_h_are_scikit_learns_and_scipys() -> None:
    from scipy.stats import kruskal
    from sklearn.feature_selection import f_classif, f_regression

    random = np.random.default_rng(1)
    values = random.integers(0, 9, (30, 12)).astype(float)
    classes = random.choice(["a", "b", "c"], 30)
    np.testing.assert_allclose(gene_strengths(values, classes, "f"), f_classif(values, classes)[0])
    groups = [values[classes == name] for name in "abc"]
    expected = [kruskal(*(own[:, gene] for own in groups)).statistic for gene in range(12)]
    np.testing.assert_allclose(gene_strengths(values, classes, "kruskal"), expected)
    target = random.normal(size=30)
    np.testing.assert_allclose(gene_strengths(values, target, "f"), f_regression(values, target)[0])


@pytest.mark.parametrize("test", ["f", "kruskal"])
def test_a_constant_gene_tells_nothing_and_a_perfect_one_all(test: Any) -> None:
    y = np.array(["a", "b"] * 5)
    values = np.stack([np.full(10, 0.1), np.where(y == "a", 0.1, 0.7), np.arange(10)], axis=1)
    constant, perfect, usual = gene_strengths(values, y, test)
    assert constant == 0
    assert perfect > usual > 0
    assert perfect == (np.inf if test == "f" else pytest.approx(9))


@pytest.mark.parametrize("test", ["f", "kruskal"])
def test_the_genes_whose_classes_differ_are_selected(test: Any) -> None:
    X = make_profiles()
    encoder = ExpressionEncoder(normalise=("log", "z"), select=1, test=test).fit(X, Y)
    assert encoder.get_feature_names_out().tolist() == ["G3"]
    assert encoder.strength_.shape == (1,)
    assert encoder.strength_[0] > 5


def test_of_equal_genes_the_first_are_taken() -> None:
    gene = [1.0, 2.0, 3.0, 5.0]
    X = {"A": [0.0, 0.0, 0.0, 1.0], "B": gene, "C": gene, "D": gene}
    encoder = ExpressionEncoder(select=2).fit(X, ["a", "a", "b", "b"])
    assert encoder.get_feature_names_out().tolist() == ["B", "C"]


def test_selection_follows_the_rows_that_it_is_fitted_on() -> None:
    X = make_profiles()
    encoder = ExpressionEncoder(select=3)
    first = clone(encoder).fit(X[:12], Y[:12])
    turned = clone(encoder).fit(X[:12], Y[:12][::-1])
    assert first.kept_.tolist() != turned.kept_.tolist()


@pytest.mark.parametrize("test", ["f", "kruskal"])
def test_a_target_that_cannot_be_compared_is_refused(test: Any) -> None:
    X = make_profiles()
    encoder = ExpressionEncoder(select=2, test=test)
    for y, said in (
        (None, "was fitted without any; give y"),
        (["one"] * 24, "all training rows are of one"),
        ([str(k) for k in range(24)], "every training row has one of its own"),
    ):
        with pytest.raises(DataError, match=said):
            encoder.fit(X, y)
    with pytest.raises(DataError, match=r"the target is a number; take f|finite and not constant"):
        encoder.fit(X, np.zeros(24))


def test_values_below_zero_have_no_logarithm() -> None:
    X = make_profiles()
    X.loc[4, "G2"] = -0.3
    with pytest.raises(DataError) as caught:
        ExpressionEncoder(normalise=("log",)).fit(X)
    assert str(caught.value) == (
        "expression: row 5: G2 is -0.3, and log takes values from 0 whose sum with offset, 1, is "
        "above 0. Are these logarithms already? Then leave log out of normalise; else set what "
        "lies below the background to 0, or to missing."
    )
    with pytest.raises(DataError, match=r"row 1: G0 is 0, .* offset, 0, is above 0"):
        ExpressionEncoder(normalise=("log",), offset=0.0).fit(X.assign(G0=0.0))


def test_what_are_logarithms_already_is_not_logged_again() -> None:
    X = np.log2(make_profiles() + 1)
    with pytest.raises(DataError) as caught:
        ExpressionEncoder(normalise=("log", "z")).fit(X)
    assert "as logarithms do and intensities do not. Leave log out of normalise." in str(
        caught.value
    )
    ExpressionEncoder().fit(X)


def test_a_later_profile_of_small_values_is_logged_all_the_same() -> None:
    encoder = ExpressionEncoder(normalise=("log",)).fit(make_profiles())
    assert encoder.transform(make_profiles() * 0 + 1).tolist() == [[1.0] * 20] * 24


def test_a_number_that_is_no_expression_is_named() -> None:
    with pytest.raises(DataError, match=r"row 2: G1 is 1e\+300, which is no expression of a gene"):
        ExpressionEncoder().fit(make_profiles().assign(G1=[0.0, 1e300] * 12))


def test_an_absent_gene_is_named_with_its_nearest() -> None:
    encoder = ExpressionEncoder().fit(pd.DataFrame({"TP53": [1.0, 2.0], "ACTB": [3.0, 4.0]}))
    with pytest.raises(DataError) as caught:
        encoder.transform(pd.DataFrame({"TP-53": [1.0], "ACTB": [3.0]}))
    assert str(caught.value) == (
        "the gene 'TP53', which the model was trained on, is absent. Did you mean 'TP-53'? "
        "It needs 2 genes."
    )


def test_no_gene_at_all_is_refused() -> None:
    with pytest.raises(DataError, match="there is no gene"):
        ExpressionEncoder().fit(pd.DataFrame(index=range(3)))


def test_it_comes_back_bit_for_bit() -> None:
    X = make_profiles()
    X.iloc[3, 5] = np.nan
    parameters: dict[str, Any] = {"normalise": ("log", "quantile", "z"), "select": 5}
    encoder = ExpressionEncoder(**parameters).fit(X, Y)
    state = encoder.get_state()
    back = ExpressionEncoder(**parameters).set_state(
        State(state.arrays, json.loads(json.dumps(dict(state.meta))))
    )
    np.testing.assert_array_equal(back.transform(X), encoder.transform(X))
    np.testing.assert_array_equal(back.strength_, encoder.strength_)
    with pytest.raises(DataError, match="the saved genes and what was learnt of them disagree"):
        back.set_state(State(state.arrays, {"columns": ["A"]}))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(), ("z",), ("log", "quantile", "z")]))
def test_a_margin_splits_into_genes_exactly(seed: int, normalise: Any) -> None:
    random = np.random.default_rng(seed)
    X = pd.DataFrame(2 ** random.normal(8, 2, (8, 5)), columns=list("ABCDE"))
    X = X.mask(random.random(X.shape) < 0.1)
    encoder = ExpressionEncoder(normalise=normalise, top_variance=3)
    made = encoder.fit_transform(X)
    coef = random.normal(size=(made.shape[1],))
    told = encoder.explain(X, coef)
    sums = [sum(share.contribution for share in own) for own in told]
    np.testing.assert_allclose(sums, made.astype(float) @ coef, rtol=1e-9, atol=1e-9)
    assert all(len(own) == 3 for own in told)


def test_a_share_is_named_after_the_gene_and_its_value_as_given() -> None:
    encoder = ExpressionEncoder().fit({"TP53": [1.5, 2.5], "ACTB": [3.0, 4.0]})
    (row,) = encoder.explain({"TP53": [2.25], "ACTB": [np.nan]}, np.ones(2))
    assert [share.piece for share in row] == ["TP53 = 2.25", "ACTB = missing"]


def test_steps_in_another_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="each once, in this order"):
        ExpressionSettings(normalise=("z", "log"))
    with pytest.raises(ValidationError, match="each once, in this order"):
        ExpressionSettings(normalise=("z", "z"))


def test_what_it_learns_depends_on_the_settings() -> None:
    assert EXPRESSION.learns_at(ExpressionSettings()) == "X"
    assert EXPRESSION.learns_at(ExpressionSettings(top_variance=3)) == "X"
    assert EXPRESSION.learns_at(ExpressionSettings(select=3)) == "y"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"normalise": ("log", "quantile", "z"), "top_variance": 6},
        {"normalise": (), "select": 3, "test": "kruskal"},
    ],
)
def test_it_does_what_every_encoder_must_do(settings: dict[str, Any]) -> None:
    check_encoder(EXPRESSION, ExpressionSettings(**settings))
