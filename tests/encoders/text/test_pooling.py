"""Pooling: the formulas, texts by themselves, and margins that split into words exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin.encoders.text import pooling
from widemargin.encoders.text.pooling import Pooling, Sif, explain_texts, fit_sif, pool_texts
from widemargin.encoders.text.word_sources import WordTable

WORDS = ["win", "cash", "now", "see", "you", "do", "n't", "!"]
TABLE = WordTable(WORDS, np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32))
TRAIN = ["win cash now!", "see you now", "don't see", "", "tea", "you you WIN"]
TEXTS = st.lists(
    st.lists(st.sampled_from([*WORDS, "don't", "tea", "WIN!", "now,cash"]), max_size=8).map(
        " ".join
    ),
    max_size=6,
)


def vector(word: str) -> Any:
    return TABLE.matrix[WORDS.index(word)].astype(np.float64)


def test_mean_is_the_mean_of_the_words_that_are_known() -> None:
    (row,) = pool_texts(["Win tea, don't win"], TABLE, "mean")
    expected = (2 * vector("win") + vector("do") + vector("n't")) / 4
    np.testing.assert_allclose(row, expected, rtol=1e-6)


def test_max_is_the_largest_number_of_any_word() -> None:
    (row,) = pool_texts(["see win see"], TABLE, "max")
    np.testing.assert_array_equal(row, np.maximum(vector("see"), vector("win")).astype(np.float32))


def test_sif_is_the_formula_of_the_paper() -> None:
    texts = ["win win now", "see now now", "you!"]
    sif = fit_sif(texts, TABLE)
    assert sif.counts == {"win": 2, "now": 3, "see": 1, "you": 1, "!": 1}
    a, share = 1e-3, {word: count / 8 for word, count in sif.counts.items()}

    def weighted(*words: str) -> Any:
        terms = [a / (a + share.get(word, 0)) * vector(word) for word in words]
        return sum(terms) / len(words)

    rows = np.array(
        [weighted("win", "win", "now"), weighted("see", "now", "now"), weighted("you", "!")]
    )
    u = np.linalg.svd(rows)[2][0]
    assert abs(u @ sif.component) == pytest.approx(1)
    got = pool_texts([*texts, "cash"], TABLE, "sif", sif)
    expected = np.vstack([rows, weighted("cash")])
    np.testing.assert_allclose(got, expected - np.outer(expected @ u, u), rtol=1e-4, atol=1e-7)


def test_sif_of_texts_without_known_words_takes_nothing_away() -> None:
    sif = fit_sif(["tea", ""], TABLE)
    assert sif == Sif({}, sif.component)
    assert not sif.component.any()
    np.testing.assert_allclose(pool_texts(["win"], TABLE, "sif", sif)[0], vector("win"), rtol=1e-6)


@pytest.mark.parametrize("how", ["mean", "max", "sif"])
def test_a_text_without_known_words_is_the_zero_vector(how: Pooling) -> None:
    sif = fit_sif(TRAIN, TABLE) if how == "sif" else None
    assert not pool_texts(["", "tea", " \n", "\ud83d"], TABLE, how, sif).any()
    assert pool_texts([], TABLE, how, sif).shape == (0, 5)


@pytest.mark.parametrize("how", ["mean", "max", "sif"])
@given(texts=TEXTS)
def test_a_vector_depends_on_no_other_text(how: Pooling, texts: list[str]) -> None:
    sif = fit_sif(TRAIN, TABLE) if how == "sif" else None
    whole = pool_texts(texts, TABLE, how, sif)
    alone = [pool_texts([text], TABLE, how, sif)[0] for text in texts]
    for row, own in zip(whole, alone, strict=True):
        np.testing.assert_array_equal(row, own)


@pytest.mark.parametrize("how", ["mean", "max", "sif"])
def test_batches_change_nothing(how: Pooling, monkeypatch: pytest.MonkeyPatch) -> None:
    sif = fit_sif(TRAIN, TABLE) if how == "sif" else None
    coef = np.arange(5.0)
    whole = pool_texts(TRAIN, TABLE, how, sif), explain_texts(TRAIN, TABLE, how, coef, sif)
    monkeypatch.setattr(pooling, "BATCH", 2)
    np.testing.assert_array_equal(pool_texts(TRAIN, TABLE, how, sif), whole[0])
    assert explain_texts(TRAIN, TABLE, how, coef, sif) == whole[1]
    again = fit_sif(TRAIN, TABLE)
    assert again.counts == fit_sif(TRAIN, TABLE).counts
    if sif is not None:
        assert abs(again.component @ sif.component) == pytest.approx(1)


@pytest.mark.parametrize("how", ["mean", "max", "sif"])
@given(texts=TEXTS, seed=st.integers(0, 99))
def test_shares_sum_to_the_product_and_are_one_for_each_chunk(
    how: Pooling, texts: list[str], seed: int
) -> None:
    sif = fit_sif(TRAIN, TABLE) if how == "sif" else None
    coef = np.random.default_rng(seed).normal(size=5)
    shares = explain_texts(texts, TABLE, how, coef, sif)
    rows = pool_texts(texts, TABLE, how, sif)
    totals = [sum(share.contribution for share in own) for own in shares]
    np.testing.assert_allclose(totals, rows.astype(np.float64) @ coef, atol=1e-5)
    for text, own in zip(texts, shares, strict=True):
        assert [share.piece for share in own] == list(dict.fromkeys(text.split()))


def test_a_share_belongs_to_its_word() -> None:
    table = WordTable(["win", "see"], np.array([[3, 0], [1, 2]], np.float32))
    coef = np.array([1.0, 10.0])
    said = {
        how: [
            (s.piece, s.contribution) for s in explain_texts(["Win tea see"], table, how, coef)[0]
        ]
        for how in ("mean", "max")
    }
    assert said["mean"] == [("Win", 1.5), ("tea", 0.0), ("see", 10.5)]
    assert said["max"] == [("Win", 3.0), ("tea", 0.0), ("see", 20.0)]
