"""TF-IDF: scikit-learn's numbers, and a margin that splits into words exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline

from widemargin.encoders import TfidfEncoder
from widemargin.encoders.text.tfidf import TfidfSettings
from widemargin.errors import DataError

# Few letters, so that n-grams repeat; letters whose lower case is longer, and every kind of space.
LETTERS = "aabB1£!İß é\t\n\u00a0\u2003\U0001d518_"
TEXTS = st.lists(st.text(LETTERS, max_size=25), min_size=1, max_size=8)

WORDS = {"token_pattern": r"\w+|[^\w\s]"}

ODD = [
    "",
    "   ",
    "a",
    "WIN £500 now!! call 08001234567 :-) :-)",
    "win £500 NOW call",
    "İstanbul straße ﬀ ÀÉ",
    "line one\nline two\r\n\tline\x0bthree\x1cfour\x85five\u2028six",
    "😀😀 👩‍👩‍👧 😀",
    "漢字かな交じり文、漢字。",
    "don't_stop re-do e.g. 1,000.50",
    "\x00 \ufeffzero\u200bwidth",
    "x" * 40,
]


def reference(
    words: tuple[int, int] | None, characters: tuple[int, int] | None, **common: Any
) -> Any:
    parts = []
    if words:
        parts.append(
            (
                "words",
                TfidfVectorizer(ngram_range=words, **WORDS, **common),
            )
        )
    if characters:
        parts.append(
            ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=characters, **common))
        )
    return FeatureUnion(parts)


def assert_equal(X: Any, Y: Any) -> None:
    np.testing.assert_array_equal(X.toarray(), Y.toarray())


def check_equal(train: list[str], test: list[str], **options: Any) -> None:
    options.setdefault("sublinear_tf", True)
    expected = reference(**options)
    try:
        expected.fit(train)
    except ValueError:
        assume(False)
    encoder = TfidfEncoder(**options).fit(train)
    for texts in (train, test):
        ours, theirs = encoder.transform(texts), expected.transform(texts)
        assert ours.shape == theirs.shape
        assert np.abs((ours - theirs).toarray()).max(initial=0) < 1e-12
    names = [name.replace("__", ": ", 1) for name in expected.get_feature_names_out()]
    assert encoder.get_feature_names_out().tolist() == names


@settings(max_examples=60)
@given(
    TEXTS,
    TEXTS,
    st.sampled_from([(1, 1), (1, 2), (2, 3), None]),
    st.sampled_from([(1, 3), (2, 4), (5, 5)]),
    st.integers(1, 2),
    st.booleans(),
    st.booleans(),
)
def test_equals_scikit_learn_on_random_texts(
    train: list[str],
    test: list[str],
    words: tuple[int, int] | None,
    characters: tuple[int, int],
    min_df: int,
    sublinear_tf: bool,
    lowercase: bool,
) -> None:
    assume(min_df <= len(train))
    check_equal(
        train,
        test,
        words=words,
        characters=characters,
        min_df=min_df,
        sublinear_tf=sublinear_tf,
        lowercase=lowercase,
    )


@pytest.mark.parametrize("words", [(1, 2), None])
@pytest.mark.parametrize("max_df", [1.0, 0.3])
def test_equals_scikit_learn_on_odd_texts(words: tuple[int, int] | None, max_df: float) -> None:
    check_equal(ODD, ODD[::-1], words=words, characters=(2, 4), min_df=1, max_df=max_df)


def test_equals_scikit_learn_on_words_alone() -> None:
    check_equal(ODD, ODD, words=(1, 3), characters=None, min_df=1)


def test_fit_transform_returns_what_fit_and_transform_do() -> None:
    at_once = TfidfEncoder(min_df=1).fit_transform(ODD)
    one_by_one = TfidfEncoder(min_df=1).fit(ODD).transform(ODD)
    assert_equal(at_once, one_by_one)


def test_an_empty_text_is_a_row_of_zeros() -> None:
    encoder = TfidfEncoder(min_df=1).fit(["win cash", "see you"])
    X = encoder.transform(["", " \n ", "unseen?", "win"])
    assert X.shape[0] == 4
    assert np.diff(X.indptr)[:2].tolist() == [0, 0]
    assert np.diff(X.indptr)[3] > 0


def test_rows_of_each_part_have_unit_length() -> None:
    encoder = TfidfEncoder(min_df=1)
    X = encoder.fit_transform(ODD[3:])
    lengths = np.asarray(X.multiply(X).sum(axis=1)).ravel()
    np.testing.assert_allclose(lengths, 2.0)


def test_several_text_columns_are_read_as_one_text() -> None:
    encoder = TfidfEncoder(min_df=1)
    joined = encoder.fit_transform(["hi\nthere you", "see\nyou"])
    columns = encoder.fit_transform({"subject": ["hi", "see"], "body": ["there you", "you"]})
    assert_equal(joined, columns)


@pytest.mark.parametrize(("value", "kind"), [(None, "NoneType"), (3.5, "float"), (b"a", "bytes")])
def test_a_row_that_is_no_text_is_refused_by_its_number(value: Any, kind: str) -> None:
    with pytest.raises(DataError, match=rf"^row 2: expected text, got {kind}\.$"):
        TfidfEncoder().fit(["win cash", value])


def test_texts_that_share_nothing_are_refused_with_the_remedy() -> None:
    with pytest.raises(DataError) as caught:
        TfidfEncoder(min_df=2).fit(["win cash", "see you"])
    assert str(caught.value) == (
        "tfidf: no words n-gram occurs in at least 2 and at most 100% of the 2 texts; "
        "lower min_df or raise max_df."
    )


def test_clones_and_reports_its_parameters_as_scikit_learn_does() -> None:
    encoder = TfidfEncoder(words=(1, 1), min_df=3)
    copy = clone(encoder)
    assert copy is not encoder
    assert copy.get_params() == encoder.get_params()
    assert copy.set_params(min_df=1) is copy
    assert copy.get_params()["min_df"] == 1
    assert encoder.min_df == 3
    assert repr(copy).startswith("TfidfEncoder(words=(1, 1), characters=(2, 4), min_df=1")


def test_an_unknown_parameter_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^Invalid parameter 'mindf' for TfidfEncoder\.$"):
        TfidfEncoder().set_params(mindf=1)


def test_works_in_a_pipeline() -> None:
    texts, labels = ["win cash", "win now", "see you", "you there"], [1, 1, 0, 0]
    pipeline = make_pipeline(TfidfEncoder(min_df=1), LogisticRegression())
    pipeline.set_params(tfidfencoder__min_df=1, logisticregression__C=10)
    assert pipeline.fit(texts, labels).predict(["win", "you"]).tolist() == [1, 0]


@pytest.mark.parametrize("texts", [ODD, [*ODD, "half a pair \ud83d of a surrogate"]])
def test_its_state_brings_back_the_same_vectors(texts: list[str]) -> None:
    encoder = TfidfEncoder(min_df=1).fit(texts)
    state = encoder.get_state()
    back = TfidfEncoder(min_df=1).set_state(state)
    assert_equal(back.transform(texts), encoder.transform(texts))
    assert back.get_feature_names_out().tolist() == encoder.get_feature_names_out().tolist()
    again = back.get_state()
    assert again.meta == state.meta
    assert {name: array.tobytes() for name, array in again.arrays.items()} == {
        name: array.tobytes() for name, array in state.arrays.items()
    }


def test_a_state_whose_weights_do_not_fit_its_ngrams_is_refused() -> None:
    state = TfidfEncoder(min_df=1).fit(["win cash"]).get_state()
    arrays = {**state.arrays, "words.idf": np.ones(1)}
    with pytest.raises(DataError, match="tfidf: words has 3 n-grams and another many weights"):
        TfidfEncoder(min_df=1).set_state(type(state)(arrays, state.meta))


@settings(max_examples=60)
@given(
    TEXTS,
    TEXTS,
    st.sampled_from([(1, 1), (1, 2), (2, 3), None]),
    st.sampled_from([(1, 3), (2, 4)]),
    st.booleans(),
    st.integers(0, 99),
)
def test_shares_of_a_text_sum_to_its_product_with_the_weights(
    train: list[str],
    texts: list[str],
    words: tuple[int, int] | None,
    characters: tuple[int, int],
    lowercase: bool,
    seed: int,
) -> None:
    encoder = TfidfEncoder(words=words, characters=characters, min_df=1, lowercase=lowercase)
    try:
        encoder.fit(train)
    except DataError:
        assume(False)
    coef = np.random.default_rng(seed).normal(size=len(encoder.get_feature_names_out()))
    shares = encoder.explain(texts, coef)
    totals = [sum(share.contribution for share in own) for own in shares]
    np.testing.assert_allclose(totals, encoder.transform(texts) @ coef, atol=1e-9)
    for text, own in zip(texts, shares, strict=True):
        assert [share.piece for share in own] == list(dict.fromkeys(text.split()))


def test_a_share_belongs_to_the_word_that_holds_the_ngram() -> None:
    encoder = TfidfEncoder(min_df=1, words=(1, 1), characters=None).fit(["win cash now"])
    coef = np.array(
        [1.0 if name == "words: cash" else 0.0 for name in encoder.get_feature_names_out()]
    )
    (shares,) = encoder.explain(["Win CASH cash now"], coef)
    assert [(share.piece, share.contribution > 0) for share in shares] == [
        ("Win", False),
        ("CASH", True),
        ("cash", True),
        ("now", False),
    ]


def test_settings_refuse_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="words and characters are both null; give at least one"):
        TfidfSettings(words=None, characters=None)
    with pytest.raises(ValueError, match="characters: the shortest, 4, exceeds the longest"):
        TfidfSettings(characters=(4, 2))


def test_what_is_not_fitted_says_so_as_scikit_learn_does() -> None:
    encoder = TfidfEncoder()
    message = (
        "This TfidfEncoder instance is not fitted yet. Call 'fit' with appropriate "
        "arguments before using this estimator."
    )
    for ask in (
        lambda: encoder.transform(["win"]),
        lambda: encoder.explain(["win"], np.ones(1)),
        encoder.get_feature_names_out,
        encoder.get_state,
    ):
        with pytest.raises(NotFittedError) as caught:
            ask()
        assert str(caught.value) == message
