"""Composition: shares of letters by their definition, and the same vector however it is written."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from widemargin.encoders.sequences.composition import (
    COMPOSITION,
    CompositionEncoder,
    CompositionSettings,
)
from widemargin.testing.encoder_checks import check_encoder

PROTEIN = "ACDEFGHIKLMNPQRSTVWY"
SEQUENCES = st.text(PROTEIN + "acXBZ*-\n ßÜ\ud800", max_size=30)


def by_hand(text: str, n: int, *, pairs: bool, end: int) -> list[float]:
    """Count letters, pairs and ends by their definition."""
    letters = "".join(text.split())
    letters = "".join(one.upper() if one.isascii() else "?" for one in letters)

    def shares(part: str) -> list[float]:
        counts = [part.count(one) for one in PROTEIN]
        return [count / max(1, len(part)) for count in [*counts, len(part) - sum(counts)]]

    out = shares(letters)
    if pairs:
        seen = [a + b for a, b in pairwise(letters)]
        whole = [one for one in seen if set(one) <= set(PROTEIN)]
        out += [whole.count(a + b) / max(1, len(whole)) for a in PROTEIN for b in PROTEIN]
    last = letters[-end:] if letters else ""
    return [*out, *shares(letters[:end]), *shares(last), np.log1p(len(letters)) / 10][:n]


@given(SEQUENCES, st.booleans(), st.integers(1, 9))
def test_shares_are_those_of_the_definition(text: str, pairs: bool, end: int) -> None:
    encoder = CompositionEncoder(pairs=pairs, ends=(end,), values="shares")
    expected = by_hand(text, encoder.dimension, pairs=pairs, end=end)
    np.testing.assert_allclose(encoder.transform([text])[0], expected, rtol=1e-6, atol=1e-7)


@given(SEQUENCES)
def test_roots_are_the_roots_of_shares_and_of_unit_length(text: str) -> None:
    shares = CompositionEncoder(values="shares", length=False, ends=()).transform([text])
    roots = CompositionEncoder(length=False, ends=()).transform([text])
    np.testing.assert_allclose(roots, np.sqrt(shares), atol=1e-7)
    assert np.square(roots).sum() == pytest.approx(1 if text.split() else 0, abs=1e-6)


def test_an_empty_sequence_is_zero() -> None:
    assert not CompositionEncoder(pairs=True).transform(["", " \n"]).any()


def test_pairs_do_not_span_an_unknown_letter() -> None:
    encoder = CompositionEncoder(alphabet="dna", pairs=True, ends=(), length=False, values="shares")
    row = dict(zip(encoder.columns, encoder.transform(["GANTA"])[0].tolist(), strict=True))
    assert {name: share for name, share in row.items() if share and len(name) == 2} == {
        "GA": 0.5,
        "TA": 0.5,
    }
    assert row["other"] == pytest.approx(0.2)


def test_case_and_line_ends_change_nothing() -> None:
    one, other = CompositionEncoder(pairs=True).transform(["MKTAYIAK", "mkta\r\nyiak\n"])
    np.testing.assert_array_equal(one, other)


def test_a_margin_splits_into_letters_with_their_shares() -> None:
    encoder = CompositionEncoder(alphabet="dna", ends=(2,), length=False, values="shares")
    coef = np.arange(encoder.dimension, dtype=np.float64)
    (shares,) = encoder.explain(["GATT"], coef)
    assert [share.piece for share in shares][:3] == ["A = 0.25", "G = 0.25", "T = 0.5"]
    assert "T in the last 2 = 1" in [share.piece for share in shares]
    total = sum(share.contribution for share in shares)
    assert total == pytest.approx(float(encoder.transform(["GATT"])[0] @ coef))


@pytest.mark.parametrize(
    "settings",
    [{}, {"pairs": True, "ends": (20, 60), "values": "shares"}, {"alphabet": "dna", "ends": ()}],
)
def test_it_does_what_every_encoder_must_do(settings: dict[str, Any]) -> None:
    check_encoder(COMPOSITION, CompositionSettings(**settings))


def test_the_spec_knows_the_usual_dimension() -> None:
    assert COMPOSITION.dimension == 64 == CompositionEncoder().transform(["MK"]).shape[1]


def test_a_window_that_is_named_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"ends: \[20, 20\] names a length twice"):
        CompositionSettings(ends=(20, 20))


@given(
    st.lists(st.text("ACDKX-ak \nß", max_size=14), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(["shares", "roots"]),
)
def test_letters_and_the_length_add_up_to_the_product(
    texts: list[str], pairs: bool, values: Literal["shares", "roots"]
) -> None:
    encoder = CompositionEncoder(pairs=pairs, ends=(3, 5), values=values)
    coef = np.random.default_rng(0).normal(size=encoder.dimension)
    products = encoder.transform(texts).astype(float) @ coef
    for shares, product_of in zip(encoder.explain_letters(texts, coef), products, strict=True):
        assert sum(share.contribution for share in shares) == pytest.approx(product_of, abs=1e-5)
        assert [share.piece for share in shares if share.letter is None] == ["length"]
