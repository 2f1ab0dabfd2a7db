"""How many words of texts word vectors know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from widemargin.encoders import (
    FastTextEncoder,
    JoinedEncoders,
    PretrainedWord2Vec,
    TfidfEncoder,
    Word2VecEncoder,
)
from widemargin.encoders.text.known_words import KnownWords, count_known, known_words
from widemargin.encoders.text.word_sources import WordTable

TABLE = WordTable(["win", "do", "n't", ".", "😀"], np.eye(5, dtype=np.float32))


@pytest.mark.parametrize(
    ("text", "words", "known"),
    [
        ("Win WIN tea", 3, 2),
        ("win, tea...", 2, 1),  # punctuation is no word, even where it has a vector
        ("don't", 1, 1),  # known by its parts
        ("😀 😀", 2, 2),  # no letter, and yet what such a text says
        ("5 £", 2, 0),
    ],
)
def test_words_are_counted_as_they_are_looked_up(text: str, words: int, known: int) -> None:
    found = count_known([text], TABLE)
    assert (found.n_words, found.n_known) == (words, known)
    assert (found.n_texts, found.n_unknown) == (1, int(known == 0))


def test_texts_without_words_are_not_counted() -> None:
    found = count_known(["", " ", "...", "tea", "win"], TABLE)
    assert (found.n_texts, found.n_unknown) == (2, 1)


def test_words_made_of_letters_are_not_known() -> None:
    encoder = FastTextEncoder(dimension=4, min_count=1, epochs=1, buckets=100)
    encoder.fit(["winning cash now"])
    found = count_known(["winner cash"], encoder.source())
    assert (found.n_words, found.n_known, found.n_composed) == (2, 1, 1)


def test_each_encoder_of_word_vectors_is_counted_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "tiny.vec"
    file.write_text("win 1 0\n", encoding="utf-8")
    joined = JoinedEncoders(
        [
            ("tfidf", ("text",), TfidfEncoder(min_df=1)),
            ("given", ("text",), PretrainedWord2Vec(file)),
            ("pooled", ("text",), Word2VecEncoder(vectors=str(file), pooling="sif")),
            ("own", ("text",), Word2VecEncoder(dimension=4, min_count=1, epochs=1)),
        ]
    )
    X = {"text": ["win cash", "see you"]}
    joined.fit(X)
    assert known_words(joined, X) == [
        KnownWords(block="given", n_known=1, n_unknown=1, n_texts=2, n_words=4),
        KnownWords(block="pooled", n_known=1, n_unknown=1, n_texts=2, n_words=4),
        KnownWords(block="own", trained=True, n_known=4, n_unknown=0, n_texts=2, n_words=4),
    ]
    assert known_words(object(), X) == []
