"""What each letter of a sequence adds: with what is no letter's and the constant, the margin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from widemargin.contracts import Encoder, Items
from widemargin.encoders import CompositionEncoder, KmerEncoder
from widemargin.encoders.joined import JoinedEncoders
from widemargin.encoders.sequences.protparam import ProtParamEncoder
from widemargin.explanation import divides_into_letters, explain_items, explain_letters
from widemargin.svm.expression import Sum, Term
from widemargin.svm.kernels import LINEAR, RBF
from widemargin.svm.machine import Machine

RNG = np.random.default_rng(3)
TRAINING = ["".join(RNG.choice(list("ACDKLGW"), 20)) for _ in range(12)]
ASKED = ["KLKLKLKLWG", "acdx ACDKK\nK", "GG", "", "AAAAAAAAAAAAAAAAAAAAAAAAA"]

KMER = ("kmer", ("sequence",), KmerEncoder(k=3, mismatches=1, alphabet="protein"))
PAIRS = ("composition", ("sequence",), CompositionEncoder(pairs=True, ends=(5,)))
WHOLE = ("protparam", ("sequence",), ProtParamEncoder())


def items_of(sequences: list[str]) -> Items:
    return Items(
        X={"sequence": sequences},
        kinds={"sequence": "sequence"},
        ids=[str(row) for row in range(len(sequences))],
    )


def joined(*blocks: tuple[str, tuple[str, ...], Encoder], scale: bool = True) -> JoinedEncoders:
    return JoinedEncoders(list(blocks), scale=scale).fit({"sequence": TRAINING})


def summed(features: JoinedEncoders, *terms: Term) -> Machine:
    rows = features.transform({"sequence": TRAINING})
    weights = tuple(range(1, len(terms) + 1))
    return Machine(
        scheme="single",
        n_classes=2,
        kernel=Sum(terms, weights=weights).prepare(rows, blocks=features.blocks_).fit(1.0),
        vectors=rows,
        dual_coef=RNG.normal(size=(1, len(TRAINING))),
        intercept=np.array([0.5]),
    )


def linear(features: JoinedEncoders, n_classes: int = 2) -> Machine:
    width = features.transform({"sequence": TRAINING[:1]}).shape[1]
    n_functions = 1 if n_classes <= 2 else n_classes
    return Machine(
        scheme="single" if n_classes <= 2 else "one-vs-rest",
        n_classes=n_classes,
        coef=RNG.normal(size=(n_functions, width)),
        intercept=RNG.normal(size=n_functions),
    )


def totals(explained: Any) -> list[float]:
    return [sum(share.contribution for share in shares) for shares in explained]


@pytest.mark.parametrize("blocks", [(KMER,), (KMER, PAIRS), (PAIRS, WHOLE, KMER)])
def test_letters_and_the_rest_add_up_to_a_linear_margin(blocks: Any) -> None:
    features = joined(*blocks)
    machine = linear(features)
    decided = machine.decide(features.transform({"sequence": ASKED}))
    explained = explain_items(features, machine, items_of(ASKED))
    np.testing.assert_allclose(totals(explained), decided - machine.intercept[0], atol=1e-5)


def test_letters_are_named_by_their_place_and_come_in_order() -> None:
    features = joined(KMER, WHOLE)
    [shares] = explain_letters(
        features, linear(features), items_of(["kl WG"]), codes=np.zeros(1, np.intp)
    )
    assert [share.piece for share in shares] == ["K1", "L2", "W3", "G4", "protparam"]
    assert [share.letter for share in shares] == [1, 2, 3, 4, None]


def test_a_letter_has_equal_parts_of_the_runs_that_it_is_in() -> None:
    encoder = KmerEncoder(k=2, alphabet="protein", normalise=False)
    features = joined(("kmer", ("sequence",), encoder), scale=False)
    machine = linear(features)
    assert machine.coef is not None
    [shares] = explain_letters(features, machine, items_of(["ACA"]), codes=np.zeros(1, np.intp))
    first, second = machine.coef[0][[1, 20]]  # AC, CA
    expected = [first / 2, (first + second) / 2, second / 2]
    assert [share.contribution for share in shares] == pytest.approx(expected)


@pytest.mark.parametrize("positive", [0, 1])
def test_the_linear_blocks_of_a_sum_divide_and_the_others_stand_beside(positive: int) -> None:
    features = joined(KMER, PAIRS, WHOLE)
    terms = (Term(LINEAR, "kmer"), Term(LINEAR, "composition"), Term(RBF, "protparam"))
    machine = summed(features, *terms)
    decided = machine.decide(features.transform({"sequence": ASKED}))
    explained = explain_items(features, machine, items_of(ASKED), positive=positive, scale=2.0)
    sign = 2.0 if positive else -2.0
    np.testing.assert_allclose(totals(explained), sign * (decided - 0.5), atol=1e-5)
    others = [share.piece for share in explained[0] if share.letter is None]
    assert others == ["length", "protparam"]


def test_an_item_of_several_classes_is_explained_for_the_one_decided_for() -> None:
    features = joined(KMER)
    machine = linear(features, n_classes=3)
    decided = machine.decide(features.transform({"sequence": ASKED}))
    codes = decided.argmax(axis=1)
    own = decided[np.arange(len(ASKED)), codes] - machine.intercept[codes]
    np.testing.assert_allclose(totals(explain_items(features, machine, items_of(ASKED))), own)
    # Costs may call an item another class than its largest decision does.
    other = (codes + 1) % 3
    called = explain_items(features, machine, items_of(ASKED), codes=other)
    expected = decided[np.arange(len(ASKED)), other] - machine.intercept[other]
    np.testing.assert_allclose(totals(called), expected)


def test_nothing_divides_where_no_block_is_linear() -> None:
    features = joined(KMER, PAIRS)
    machine = summed(features, Term(RBF, "kmer"), Term(RBF, "composition"))
    assert not divides_into_letters(features, machine)
    with pytest.raises(ValueError, match="no part of this machine's margin divides into letters"):
        explain_letters(features, machine, items_of(ASKED), codes=np.zeros(len(ASKED), np.intp))
    # What each block adds is told instead.
    [shares] = explain_items(features, machine, items_of(ASKED[:1]))
    (name, part), _ = machine.parts(features.transform({"sequence": ASKED[:1]}))
    assert shares[0].piece == name == "kmer"
    assert shares[0].contribution == pytest.approx(part[0, 0])


def test_texts_are_still_split_into_runs() -> None:
    features = JoinedEncoders([("kmer", ("text",), KmerEncoder(k=2))]).fit({"text": ["abab", "bb"]})
    items = Items(X={"text": ["abb"]}, kinds={"text": "text"}, ids=["1"])
    [shares] = explain_items(features, linear_text(features), items)
    assert [share.piece for share in shares] == ["AB", "BB"]


def linear_text(features: JoinedEncoders) -> Machine:
    width = features.transform({"text": ["ab"]}).shape[1]
    return Machine(scheme="single", n_classes=2, coef=np.ones((1, width)), intercept=np.zeros(1))
