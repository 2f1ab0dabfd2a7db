"""LSA: the singular value decomposition, and a margin that splits into words exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from widemargin.contracts import State
from widemargin.encoders import TfidfEncoder
from widemargin.encoders.text.lsa import LSA, LsaEncoder, LsaSettings
from widemargin.errors import DataError

RNG = np.random.default_rng(0)
VOCABULARY = [f"w{k}" for k in range(40)]
TEXTS = [" ".join(RNG.choice(VOCABULARY, 12)) for _ in range(60)]


def test_rows_are_those_of_the_exact_decomposition() -> None:
    encoder = LsaEncoder(n_components=5, words=(1, 1))
    got = encoder.fit_transform(TEXTS)
    X = TfidfEncoder(words=(1, 1), characters=None).fit_transform(TEXTS).toarray()
    V = np.linalg.svd(X)[2][:5]
    expected = X @ V.T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    signs = np.sign((expected * got).sum(axis=0))
    np.testing.assert_allclose(got, expected * signs, atol=2e-3)
    largest = np.abs(encoder.components_).argmax(axis=1)
    assert (encoder.components_[np.arange(5), largest] > 0).all()
    np.testing.assert_array_equal(encoder.transform(TEXTS), got)
    assert got.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("texts", "rank"),
    [(["win cash"] * 5, 1), (["win", "win", "see", "see", "win see"], 2), (TEXTS[:7], 7)],
)
def test_there_are_never_more_numbers_than_the_texts_allow(texts: list[str], rank: int) -> None:
    encoder = LsaEncoder(min_df=1, words=(1, 1)).fit(texts)
    assert encoder.components_.shape[0] == rank
    assert encoder.transform(texts).shape == (len(texts), rank)
    assert len(encoder.get_feature_names_out()) == rank


def test_a_text_without_known_words_is_a_row_of_zeros() -> None:
    encoder = LsaEncoder(n_components=3).fit(TEXTS)
    assert not encoder.transform(["", "unseen", " \n"]).any()
    assert encoder.transform([]).shape == (0, 3)


@settings(max_examples=30)
@given(
    st.lists(st.lists(st.sampled_from([*VOCABULARY[:9], "x!", "W3"])).map(" ".join), max_size=5),
    st.integers(0, 9),
)
def test_shares_of_a_text_sum_to_its_product_with_the_weights(texts: list[str], seed: int) -> None:
    encoder = ENCODER
    coef = np.random.default_rng(seed).normal(size=4)
    shares = encoder.explain(texts, coef)
    rows = encoder.transform(texts)
    totals = [sum(share.contribution for share in own) for own in shares]
    np.testing.assert_allclose(totals, rows.astype(np.float64) @ coef, atol=1e-6)
    for text, own in zip(texts, shares, strict=True):
        assert [share.piece for share in own] == list(dict.fromkeys(text.split()))


ENCODER = LsaEncoder(n_components=4).fit(TEXTS)


@pytest.mark.parametrize("more", [{}, {"characters": (2, 3)}, {"n_components": 1000}])
def test_its_state_brings_back_the_same_vectors(more: dict[str, Any]) -> None:
    encoder = LsaEncoder(**more).fit(TEXTS)
    state = encoder.get_state()
    back = clone(encoder).set_state(state)
    np.testing.assert_array_equal(back.transform(TEXTS), encoder.transform(TEXTS))
    again = back.get_state()
    assert {name: array.tobytes() for name, array in again.arrays.items()} == {
        name: array.tobytes() for name, array in state.arrays.items()
    }


def test_the_same_seed_gives_the_same_vectors() -> None:
    one, other = (LsaEncoder(n_components=4).fit_transform(TEXTS) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_a_state_whose_parts_do_not_fit_is_refused() -> None:
    state = ENCODER.get_state()
    arrays = {**state.arrays, "components": np.ones((4, 3))}
    with pytest.raises(DataError, match=r"lsa: the model has \d+ n-grams and directions of"):
        clone(ENCODER).set_state(State(arrays, state.meta))


def test_texts_without_words_are_refused_with_the_remedy() -> None:
    with pytest.raises(DataError, match=r"no words n-gram occurs in at least 2 .* lower min_df"):
        LsaEncoder().fit(["", " "])


def test_what_is_not_fitted_says_so() -> None:
    with pytest.raises(NotFittedError, match="This LsaEncoder instance is not fitted yet"):
        LsaEncoder().transform(TEXTS)


def test_settings_build_the_encoder() -> None:
    encoder: Any = LSA.build(LsaSettings.model_validate_json('{"n_components": 7, "seed": 3}'))
    assert encoder.get_params() == LsaEncoder(n_components=7, random_state=3).get_params()
    assert LSA.learns_at(LsaSettings()) == "X"
