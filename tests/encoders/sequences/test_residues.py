"""Proteins end to end, scales of residues, and the encoders built on them."""

from __future__ import annotations

from functools import cache
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin.encoders import (
    AutocovarianceEncoder,
    CompositionEncoder,
    Residues,
    WindowsEncoder,
)
from widemargin.encoders.named import NamedEncoder
from widemargin.encoders.sequences.letters import ALPHABETS
from widemargin.encoders.sequences.residues import PADDING
from widemargin.encoders.sequences.scales import (
    ScaleName,
    scale_of,
    standard_scale,
    whole_scale,
)
from widemargin.encoders.sequences.window_columns import window_columns
from widemargin.encoders.sequences.window_scales import TYPICAL

proteins = st.lists(st.text(ALPHABETS["protein"] + "X", max_size=80), min_size=1, max_size=4)


@pytest.mark.parametrize(("name", "theirs"), [("hydropathy", "kd"), ("hydrophilicity", "hw")])
def test_scales_are_those_of_biopython(name: ScaleName, theirs: str) -> None:
    data = pytest.importorskip("Bio.SeqUtils.ProtParamData")
    own = dict(zip(ALPHABETS["protein"], scale_of(name), strict=False))
    assert own == pytest.approx(getattr(data, theirs))


@given(proteins, st.integers(1, 40))
def test_a_window_is_the_sum_of_what_it_covers_and_never_of_the_next_protein(
    sequences: list[str], width: int
) -> None:
    residues = Residues(sequences)
    scale = scale_of("hydropathy")
    sums = residues.windows(scale[residues.codes], width)
    for row, sequence in enumerate(sequences):
        own = sums[(residues.row == row) & residues.inside]
        # X is in no alphabet, and the last of a scale's numbers is for such.
        values = [scale[ALPHABETS["protein"].find(one)] for one in sequence]
        expected = [sum(values[at : at + width]) for at in range(len(sequence))]
        np.testing.assert_allclose(own, expected, atol=1e-9)


@pytest.mark.parametrize("name", get_args(ScaleName))
def test_whole_scales_are_the_scales(name: ScaleName) -> None:
    whole, unit = whole_scale(name)
    np.testing.assert_allclose(whole / unit, scale_of(name), rtol=1e-15)
    assert np.any(whole % 10) or unit == 1


@pytest.mark.parametrize("width", [0, PADDING + 1])
def test_a_window_that_would_reach_the_next_protein_is_refused(width: int) -> None:
    residues = Residues(["MKV"])
    with pytest.raises(ValueError, match=f"a window covers 1 to {PADDING} places; got {width}"):
        residues.windows(residues.codes, width)


def on_the_threshold(tenths: int, rng: np.random.Generator) -> str:
    """Draw nineteen residues whose mean hydropathy is the threshold itself."""
    scale = whole_scale("hydropathy")[0][:20]
    share = np.exp(scale / 30)
    while True:
        drawn = rng.choice(20, (1000, 19), p=share / share.sum())
        for codes in drawn[scale[drawn].sum(axis=1) == tenths * 19]:
            return "".join(ALPHABETS["protein"][code] for code in codes)


@cache
def of_all_kinds() -> tuple[str, ...]:
    rng = np.random.default_rng(3)

    def loop() -> str:
        return "".join(rng.choice(list("DEKRNQGSTP"), rng.integers(0, 60)))

    tied = [
        loop() + on_the_threshold(tenths, rng) + loop()
        for tenths in (12, 16, 20)
        for _ in range(40)
    ]
    letters = list(ALPHABETS["protein"] + "X")
    drawn = ["".join(rng.choice(letters, size)) for size in rng.integers(0, 400, 120)]
    mixed = [*tied, *drawn]
    return tuple(mixed[at] for at in rng.permutation(len(mixed)))


@pytest.mark.parametrize(
    "encoder",
    [
        WindowsEncoder(),
        WindowsEncoder(scale="none"),
        AutocovarianceEncoder(),
        CompositionEncoder(pairs=True, ends=(10, 20)),
    ],
    ids=["windows", "windows as they are", "autocovariance", "composition"],
)
def test_a_proteins_numbers_depend_on_no_other_protein(encoder: NamedEncoder) -> None:
    sequences = of_all_kinds()
    together = encoder.encode(sequences)
    alone = np.concatenate([encoder.encode([one]) for one in sequences])
    turned = encoder.encode(sequences[::-1])[::-1]
    # To the last bit: a mean that equals a threshold is on one side of it for all.
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, turned)


@pytest.mark.parametrize("tenths", [12, 16, 20])
def test_a_window_on_the_threshold_is_not_above_it(tenths: int) -> None:
    rng = np.random.default_rng(4)
    column = f"segments over {tenths / 10}: ln(1 + windows)"
    for _ in range(20):
        assert numbers(on_the_threshold(tenths, rng))[column] == 0


@given(proteins)
def test_sums_and_maxima_are_each_proteins_own(sequences: list[str]) -> None:
    residues = Residues(sequences)
    assert residues.sum(residues.inside).tolist() == [len(one) for one in sequences]
    last = residues.max(residues.place.astype(float), residues.inside, none=-1.0)
    assert last.tolist() == [len(one) - 1 for one in sequences]


def test_no_protein_at_all_is_no_error() -> None:
    assert Residues([]).sum(Residues([]).inside).shape == (0,)
    assert WindowsEncoder().transform([]).shape == (0, len(TYPICAL))
    assert AutocovarianceEncoder().transform([]).shape == (0, 217)


def test_a_window_that_is_longer_than_its_protein_is_whole_once() -> None:
    residues = Residues(["MKL", ""])
    whole = residues.whole(5)
    assert residues.place[whole & residues.inside].tolist() == [0]
    assert residues.place[Residues(["MKLVA"]).whole(5).nonzero()[0]].tolist() == [0]


def test_every_column_of_windows_has_a_typical_value_and_the_other_way_round() -> None:
    made = [name for name, _ in window_columns(Residues(["MKV"]))]
    assert made == list(TYPICAL)
    assert all(spread > 0 for _, spread in TYPICAL.values())


def numbers(sequence: str) -> dict[str, float]:
    encoder = WindowsEncoder(scale="none")
    return dict(zip(encoder.columns, encoder.transform([sequence])[0].tolist(), strict=True))


def test_stretches_that_cross_a_membrane_are_counted_and_found() -> None:
    loop, stretch = "DGKSNE" * 8, "LIVALLFAVLIGLVAILFAVL"
    two = numbers(loop + stretch + loop + stretch + loop)
    assert two["segments over 1.6: ln(1 + number)"] == pytest.approx(np.log(3))
    assert two["segments over 1.6: ln(1 + number) from 36"] == pytest.approx(np.log(3))
    # Windows that reach over the edge count while their mean is high enough.
    assert 40 < np.expm1(two["segments over 1.6: ln(1 + first)"]) <= 48
    none = numbers(loop)
    assert none["segments over 1.6: ln(1 + number)"] == 0
    assert none["segments over 1.6: ln(1 + first)"] == pytest.approx(np.log(1001))
    first = numbers(stretch + loop)
    assert first["segments over 1.6: ln(1 + number) from 36"] == 0
    assert first["hydropathy in 19: most in the first 25"] > 2.5
    assert first["hydropathy in 19: most in the last 30"] < 0


def test_the_moment_of_a_helix_with_two_sides_is_large_at_its_own_angle() -> None:
    helix = "LKKLLKKLLKLLKKLLKKLLKL"
    strand = "LKLKLKLKLKLKLKLKLKLKLK"
    assert (
        numbers(helix)["moment at 100 degrees in 11: most"]
        > 3 * numbers(strand)["moment at 100 degrees in 11: most"]
    )
    assert (
        numbers(strand)["moment at 160 degrees in 11: most"]
        > 2 * numbers(helix)["moment at 160 degrees in 11: most"]
    )


def test_a_heptad_makes_a_coil_and_a_proline_breaks_it() -> None:
    heptad = "LKELEEK" * 8
    coil = numbers(heptad)["coil in 28: most"]
    assert coil > 0.1
    assert numbers("LKEPEEK" * 8)["coil in 28: most"] < coil / 100
    shuffled = "".join(np.random.default_rng(0).permutation(list(heptad)))
    assert numbers(shuffled)["coil in 28: most"] < 0.7 * coil


def test_autocovariance_is_the_formula() -> None:
    sequence = "MKWVTFISLLFLFSSAYSRGVFRRDAHK"
    encoder = AutocovarianceEncoder(scales=("volume",), lags=5)
    own = encoder.transform([sequence])[0]
    h = standard_scale("volume")[[ALPHABETS["protein"].index(one) for one in sequence]]
    assert own[0] == pytest.approx(h.mean(), abs=1e-6)
    h = h - h.mean()
    expected = [(h[:-lag] * h[lag:]).mean() for lag in range(1, 6)]
    np.testing.assert_allclose(own[1:], expected, atol=1e-6)


def test_autocovariance_beyond_a_proteins_length_is_0() -> None:
    own = AutocovarianceEncoder(scales=("charge",), lags=5).transform(["KEK"])[0]
    assert own[1] != 0
    assert own[3:].tolist() == [0, 0, 0]
