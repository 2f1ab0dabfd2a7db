"""ProtVec: readings as the paper has them, means of k-mers, and the same vectors every time."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from widemargin.contracts import State
from widemargin.encoders.sequences.protvec import PROTVEC, ProtVecEncoder, ProtVecSettings
from widemargin.errors import DataError
from widemargin.testing.encoder_checks import check_encoder


def make_proteins(n: int) -> list[str]:
    random = np.random.default_rng(0)
    sides = ("AVLIMFWG", "DEKRNQSTH")
    return ["".join(random.choice(list(sides[row % 2]), 60)) for row in range(n)]


PROTEINS = make_proteins(40)


@pytest.fixture(scope="module")
def encoder() -> ProtVecEncoder:
    return ProtVecEncoder(dimension=12, window=5, epochs=2, min_count=1).fit(PROTEINS)


def test_a_sequence_is_read_once_from_each_shift() -> None:
    encoder = ProtVecEncoder()
    readings = list(encoder._readings(encoder._numbers("ACDEFGH")))
    words = [[encoder._name(int(word)) for word in reading] for reading in readings]
    assert words == [["ACD", "EFG"], ["CDE", "FGH"], ["DEF"]]


def test_what_gensim_would_cut_off_is_read_too() -> None:
    encoder = ProtVecEncoder(k=1)
    readings = list(encoder._readings(encoder._numbers("A" * 25_000)))
    assert [len(reading) for reading in readings] == [10_000, 10_000, 5_000]


def test_no_kmer_spans_an_unknown_letter() -> None:
    numbers = ProtVecEncoder(k=2)._numbers("ACXac\nDß")
    assert [ProtVecEncoder(k=2)._name(int(one)) for one in numbers if one >= 0] == [
        "AC",
        "AC",
        "CD",
    ]


def test_a_vector_is_the_mean_over_all_kmers(encoder: ProtVecEncoder) -> None:
    text = PROTEINS[0][:9]
    kmers = [text[start : start + 3] for start in range(7)]
    by_name = {
        encoder._name(int(k)): v for k, v in zip(encoder.kmers_, encoder.vectors_, strict=True)
    }
    expected = np.mean([by_name[kmer] for kmer in kmers], axis=0)
    np.testing.assert_allclose(encoder.transform([text])[0], expected, rtol=1e-5, atol=1e-7)


def test_the_vectors_are_those_that_gensim_trains() -> None:
    word2vec = import_module("gensim.models").Word2Vec
    encoder = ProtVecEncoder(dimension=8, window=4, epochs=3, min_count=1, seed=7).fit(PROTEINS)
    sentences = [
        [text[at : at + 3] for at in range(shift, len(text) - 2, 3)]
        for text in PROTEINS
        for shift in range(3)
    ]
    peer = word2vec(
        sentences, vector_size=8, window=4, epochs=3, min_count=1, seed=7, sg=1, workers=1
    )
    assert len(peer.wv) == len(encoder.kmers_)
    for kmer in ("AVL", PROTEINS[1][:3]):
        if kmer in peer.wv:
            place = [encoder._name(int(one)) for one in encoder.kmers_].index(kmer)
            np.testing.assert_array_equal(encoder.vectors_[place], peer.wv[kmer])


def test_what_has_no_known_kmer_is_zero(encoder: ProtVecEncoder) -> None:
    assert not encoder.transform(["", "AV", "XXXX", "CCC"]).any()


def test_like_sequences_are_nearer_than_unlike_ones() -> None:
    encoder = ProtVecEncoder(dimension=16, window=10, epochs=5, min_count=1).fit(PROTEINS)
    rows = encoder.transform(PROTEINS[:8])
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = rows @ rows.T
    assert cosines[0, 2::2].min() > cosines[0, 1::2].max()


def test_fitting_twice_gives_the_same_vectors_and_another_seed_gives_others(
    encoder: ProtVecEncoder,
) -> None:
    again = clone(encoder).fit(PROTEINS)
    np.testing.assert_array_equal(again.vectors_, encoder.vectors_)
    other = clone(encoder).set_params(seed=1).fit(PROTEINS)
    assert not np.array_equal(other.vectors_, encoder.vectors_)


def test_a_margin_splits_into_kmers_in_order_of_appearance(encoder: ProtVecEncoder) -> None:
    text = PROTEINS[0][:5] + "X" + PROTEINS[0][:4]
    coef = np.random.default_rng(0).normal(size=12)
    (shares,) = encoder.explain([text], coef)
    assert [share.piece for share in shares] == [text[at : at + 3] for at in range(3)]
    total = sum(share.contribution for share in shares)
    assert total == pytest.approx(float(encoder.transform([text])[0] @ coef), rel=1e-5)


def test_too_little_to_learn_from_is_said() -> None:
    with pytest.raises(DataError) as caught:
        ProtVecEncoder().fit(["MK", "XXXXX"])
    assert str(caught.value) == (
        "protvec: no stretch of 3 letters of the alphabet protein occurs 2 times in the 2 "
        "sequences; lower min_count or k, or choose another alphabet."
    )


def test_what_is_not_fitted_says_so() -> None:
    encoder = ProtVecEncoder()
    for ask in (lambda: encoder.transform(["MKT"]), encoder.get_state):
        with pytest.raises(NotFittedError):
            ask()


def test_a_state_that_does_not_fit_is_refused(encoder: ProtVecEncoder) -> None:
    with pytest.raises(DataError, match="k-mers of 100 numbers each are saved"):
        ProtVecEncoder().set_state(State(encoder.get_state().arrays, {}))


@pytest.mark.parametrize("settings", [{}, {"k": 2, "alphabet": "dna", "min_count": 1}])
def test_it_does_what_every_encoder_must_do(settings: dict[str, Any]) -> None:
    check_encoder(PROTVEC, ProtVecSettings(dimension=10, epochs=1, **settings))
