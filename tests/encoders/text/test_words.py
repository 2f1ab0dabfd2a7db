"""Texts as words, and where the vectors of words are looked up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin.encoders.text.word_sources import WordTable, nearest_words, resolve
from widemargin.encoders.text.words import (
    chunks_of,
    pack_words,
    parts_of,
    placed_words,
    unpack_words,
    words_of,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t\n", []),
        ("Don\u2019t CALL", ["Don't", "CALL"]),
        ("'tis rock'n'roll '", ["'", "tis", "rock'n'roll", "'"]),
        ("£5.50!", ["£", "5", ".", "50", "!"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("שָׁלוֹם", ["שָׁלוֹם"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("漢字かな", ["漢字かな"]),
        ("half \ud83d pair", ["half", "pair"]),
    ],
)
def test_words_are_runs_of_letters_and_single_signs(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.text("aB'\u2019é! \t\n\u2003\ud83d", max_size=40))
def test_words_are_the_same_chunk_by_chunk(text: str) -> None:
    placed = placed_words(text)
    assert [word for word, _ in placed] == words_of(text)
    chunks = [chunk.replace("\u2019", "'") for chunk in chunks_of(text)]
    assert all(word in chunks[at] for word, at in placed)


@given(st.lists(st.text("aé'漢", min_size=1)))
def test_packed_words_come_back(words: list[str]) -> None:
    assert unpack_words(pack_words(words)) == words


def test_words_are_cut_at_their_last_apostrophe() -> None:
    assert parts_of("rock'n'roll") == ["rock'n", "'roll"]
    assert parts_of("can't") == ["ca", "n't"]


def test_a_word_is_found_as_it_is_written_then_in_lower_case_then_by_its_parts() -> None:
    table = WordTable(["US", "us", "it", "'s"], np.eye(4, dtype=np.float32))
    found = {word: [form for form, _ in resolve(table, word)] for word in ("US", "Us", "It's", "x")}
    assert found == {"US": ["US"], "Us": ["us"], "It's": ["it", "'s"], "x": []}


def test_the_nearest_words_are_those_of_the_largest_cosine() -> None:
    table = WordTable(
        ["win", "zero", "won", "lose"], np.array([[2, 0], [0, 0], [9, 1], [-1, 0]], np.float32)
    )
    near = nearest_words(table, "WIN", 2)
    assert [word for word, _ in near] == ["won", "zero"]
    assert near[0][1] == pytest.approx(9 / np.sqrt(82))
    assert nearest_words(table, "tea") == []
    assert [word for word, _ in nearest_words(table, "win", most=2)] == ["zero"]
