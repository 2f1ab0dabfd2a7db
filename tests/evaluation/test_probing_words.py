"""Analogies, similarity and contexts of words, and the lists that come with widemargin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.encoders.text.word_sources import WordTable
from widemargin.encoders.text.words import words_of
from widemargin.errors import InputError
from widemargin.evaluation.probing import similarity
from widemargin.evaluation.probing.bundled import (
    Analogy,
    WordPair,
    analogies,
    bundled_words,
    context_sets,
    word_pairs,
)
from widemargin.evaluation.probing.similarity import score_similarity, spearman
from widemargin.evaluation.probing.word_space import WordSpace, space_of_table, space_of_texts
from widemargin.evaluation.probing.words import (
    cosines_in_contexts,
    parse_analogy,
    score_analogies,
    shared_word,
    solve_analogy,
)

# royal, man, woman, fruit
ROYAL = {
    "king": (3, 2, 0, 0),
    "queen": (3, 0, 2, 0),
    "man": (0, 2, 0, 0.1),
    "woman": (0, 0, 2, 0.1),
    "prince": (2, 2, 0, 0.5),
    "apple": (0, 0, 0, 5),
}


def space(**more: Sequence[float]) -> WordSpace:
    table = {**ROYAL, **more}
    return space_of_table(WordTable(list(table), np.array(list(table.values()), np.float32)))


def test_king_minus_man_plus_woman_is_queen() -> None:
    found = solve_analogy(space(), parse_analogy("king - man + woman"), 2)
    assert found[0][0] == "queen"
    assert 1 >= found[0][1] > found[1][1]


def test_the_words_of_a_question_are_no_answer_in_any_case() -> None:
    own = space(KING=(3, 1.9, 0.1, 0))
    words = [word for word, _ in solve_analogy(own, parse_analogy("King - man + woman"), 10)]
    assert set(words) == {"queen", "prince", "apple"}


def test_every_word_of_a_question_counts_at_length_1() -> None:
    long = space(king=(300, 200, 0, 0))
    short = space(king=(0.3, 0.2, 0, 0))
    terms = parse_analogy("king - man + woman")
    one, other = dict(solve_analogy(long, terms, 3)), dict(solve_analogy(short, terms, 3))
    assert list(one) == list(other)
    assert one == pytest.approx(other)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("king - man + woman", [("king", 1), ("man", -1), ("woman", 1)]),
        ("+ a + b", [("a", 1), ("b", 1)]),
        ("- a + b", [("a", -1), ("b", 1)]),
        ("co-op - 1 \u2212 x", [("co-op", 1), ("1", -1), ("x", -1)]),
    ],
)
def test_sums_of_words_are_read(text: str, terms: list[tuple[str, int]]) -> None:
    assert list(parse_analogy(text)) == terms


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a sum of two words"),
        ("king", "not a sum of two words"),
        ("king-man+woman", "spaces around"),
        ("king man", "no sign before 'man'"),
        ("king - - man", "no word before '-'"),
        ("king -", "ends with a sign"),
        ("- king - man", "not a sum of two words"),
        ("-", "ends with a sign"),
    ],
)
def test_what_is_no_sum_is_refused_with_an_example(text: str, says: str) -> None:
    with pytest.raises(InputError, match="king - man \\+ woman") as caught:
        parse_analogy(text)
    assert says in str(caught.value)


def test_a_word_without_vector_is_named_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"no vector of 'quen', 'zzz'.*Did you mean 'queen'"):
        space().require(["quen", "king", "zzz"])


def test_analogies_are_counted_by_relation_and_unknown_words_named() -> None:
    scores = score_analogies(
        space(),
        [
            Analogy("rule", "man", "woman", "king", "queen"),
            Analogy("rule", "man", "woman", "prince", "apple"),
            Analogy("rule", "man", "woman", "duke", "duchess"),
            Analogy("fruit", "man", "pear", "king", "apple"),
        ],
    )
    rule, fruit = scores.relations
    assert (rule.name, rule.asked, rule.first, rule.among, rule.left_out) == ("rule", 2, 1, 2, 1)
    assert (fruit.asked, fruit.first, fruit.left_out) == (0, 0, 1)
    assert (scores.asked, scores.first, scores.among, scores.left_out) == (2, 1, 2, 2)
    assert set(scores.unknown) == {"duke", "duchess", "pear"}
    assert scores.candidates == len(ROYAL)


def test_similarity_is_the_correlation_of_ranks() -> None:
    pairs = [
        WordPair("x", "king", "prince", 4),
        WordPair("x", "king", "queen", 3),
        WordPair("x", "king", "man", 2),
        WordPair("x", "king", "apple", 0),
        WordPair("x", "king", "pear", 0),
    ]
    seen = score_similarity(space(), pairs)
    cosines = [pair.cosine for pair in seen.pairs]
    assert len(cosines) == 4
    assert seen.correlation == pytest.approx(spearman(np.array([4.0, 3, 2, 0]), np.array(cosines)))
    assert seen.correlation == pytest.approx(1)
    assert (seen.left_out, seen.unknown) == (1, ("pear",))
    assert all(pair.places == 0 for pair in seen.pairs)
    turned = [WordPair("x", one.first, one.second, 4 - one.grade) for one in pairs[:4]]
    back = score_similarity(space(), turned)
    assert back.correlation == pytest.approx(-1)
    assert {pair.second for pair in back.pairs if pair.places > 0} == {"prince", "queen"}


def test_the_interval_of_the_correlation_repeats_and_narrows_with_pairs() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{k}" for k in range(400)]
    matrix = rng.normal(size=(400, 5)).astype(np.float32)
    own = space_of_table(WordTable(words, matrix))
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)

    def pairs(n: int) -> list[WordPair]:
        made = []
        for k in range(n):
            cosine = float(unit[2 * k] @ unit[2 * k + 1]) + rng.normal(0, 0.5)
            grade = int(np.clip(round(2 * cosine + 2), 0, 4))
            made.append(WordPair("x", words[2 * k], words[2 * k + 1], grade))
        return made

    many, few = pairs(200), pairs(20)
    wide, narrow = score_similarity(own, few), score_similarity(own, many)
    assert score_similarity(own, many) == narrow
    assert narrow.low < narrow.correlation < narrow.high
    assert narrow.high - narrow.low < wide.high - wide.low


def test_ranks_that_weigh_are_those_of_rows_that_stand_there_as_often() -> None:
    """A resample is weights; what it is by hand are the rows drawn, some of them more than once."""
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    grades, cosines = rng.integers(0, 5, 60).astype(float), rng.normal(size=60).round(1)
    told = similarity._predictions(grades, cosines)
    assert similarity.spearman(grades, cosines) == pytest.approx(spearmanr(grades, cosines)[0])
    for _ in range(5):
        rows = rng.integers(0, 60, 60)
        weighed = told.with_weight(np.bincount(rows, minlength=60).astype(float))
        by_hand = spearmanr(grades[rows], cosines[rows])[0]
        assert similarity._SPEARMAN.value(weighed) == pytest.approx(by_hand)


def test_too_few_pairs_have_no_correlation() -> None:
    seen = score_similarity(space(), [WordPair("x", "king", "man", 2)])
    assert np.isnan([seen.correlation, seen.low, seen.high]).all()


def test_a_space_of_texts_reads_any_word() -> None:
    def encode(texts: list[str]) -> NDArray[np.float32]:
        return np.array([[len(text), text.count("e"), 1] for text in texts], np.float32)

    own = space_of_texts(encode, ["tree", "Tree", "sea", "me"])
    assert own.words == ["tree", "sea", "me"]
    found = own.require(["bee"])[0]
    assert own.nearest(found.vector[np.newaxis], [["bee"]], 1)[0][0][0] == "tree"


def test_a_vector_that_is_0_is_neither_found_nor_near() -> None:
    own = space(void=(0, 0, 0, 0))
    assert own.find(["void"]) == [None]
    assert "void" not in [word for word, _ in own.nearest(np.ones((1, 4)), [[]], 10)[0]]


def test_one_word_in_contexts_is_compared_in_any_case_and_where_it_first_stands() -> None:
    def read(text: str) -> list[tuple[str, NDArray[np.float32]]]:
        every = words_of(text)
        return [(word, np.array([at + 1, 1], np.float32)) for at, word in enumerate(every)]

    seen = cosines_in_contexts(read, "bank", ["Bank notes bank", "the bank", "a bank"])
    assert seen[1, 2] == pytest.approx(1)
    assert seen[0, 1] == pytest.approx(3 / np.sqrt(10))
    assert np.isnan(cosines_in_contexts(read, "bank", ["bank", "none"])).all()


@pytest.mark.parametrize(
    ("texts", "words", "says"),
    [
        (["a bat", "a seal"], [], "share no word"),
        (["the bat", "the bat"], [], "share bat, the; say which"),
        (["the bat", "the bats"], ["bat"], "same form"),
    ],
)
def test_contexts_without_one_shared_word_are_refused(
    texts: list[str], words: list[str], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        shared_word(texts, words)


def test_the_word_of_contexts_is_the_one_asked_for() -> None:
    assert shared_word(["the Bat", "the bat"], ["seal", "bat"]) == "bat"


# The lists


def test_pairs_cover_domains_and_grades_and_no_pair_twice() -> None:
    pairs = word_pairs()
    assert 80 <= len(pairs) <= 100
    assert len({frozenset((one.first, one.second)) for one in pairs}) == len(pairs)
    assert {one.grade for one in pairs} == {0, 1, 2, 3, 4}
    assert min(Counter(one.grade for one in pairs).values()) >= 8
    by_domain = Counter(one.domain for one in pairs)
    assert len(by_domain) >= 8
    assert min(by_domain.values()) >= 6


def test_analogies_have_six_relations_of_ten() -> None:
    questions = analogies()
    assert Counter(Counter(one.relation for one in questions).values()) == {10: 6}
    assert len({(one.a, one.b, one.c, one.d) for one in questions}) == len(questions)
    for one in questions:
        assert len({one.a, one.b, one.c, one.d}) == 4


def test_every_bundled_word_is_one_word() -> None:
    for word in bundled_words():
        assert words_of(word) == [word]


def test_every_context_has_its_word_once() -> None:
    for one in context_sets():
        for text in (one.sentence, one.like, one.unlike):
            assert [word.lower() for word in words_of(text)].count(one.word) == 1
