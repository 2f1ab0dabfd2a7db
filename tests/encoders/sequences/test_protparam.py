"""ProtParam: Biopython's numbers where it has them, and a defined vector where it has none."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from widemargin.encoders.sequences.protparam import (
    PROTPARAM,
    ProtParamEncoder,
    ProtParamSettings,
)
from widemargin.errors import DataError
from widemargin.testing.encoder_checks import check_encoder

LYSOZYME = (
    "KVFGRCELAAAMKRHGLDNYRGYSLGNWVCAAKFESNFNTQATNRNTDGSTDYGILQINSRWWCNDGRTPGSRNLCNIPCSALLSSDITAS"
    "VNCAKKIVSDGNGMNAWVAWRNRCKGTDVQAWIRGCRL"
)


def named(text: str, **parameters: Any) -> dict[str, float]:
    encoder = ProtParamEncoder(**parameters)
    return dict(zip(encoder.columns, encoder.transform([text])[0].tolist(), strict=True))


def test_lysozyme_has_the_properties_that_are_published() -> None:
    # ExPASy's ProtParam of UniProt P00698, residues 19 to 147; Pace et al. 1995 for absorbance.
    row = named(LYSOZYME, scale="none")
    assert 10 ** row["log10 molecular weight"] == pytest.approx(14313.1, abs=1)
    assert row["GRAVY"] == pytest.approx(-0.472, abs=1e-3)
    assert row["isoelectric point"] == pytest.approx(9.32, abs=0.1)
    assert row["aliphatic index"] == pytest.approx(65.12, abs=0.01)
    assert row["instability index"] == pytest.approx(16.09, abs=0.1)
    assert row["absorbance of 1 g/l, cysteines reduced"] == pytest.approx(2.62, abs=0.03)
    assert 10 ** row["log10 length"] == pytest.approx(129, abs=1e-3)


def test_properties_are_biopythons() -> None:
    from Bio.SeqUtils import ProtParam

    tools: Any = ProtParam
    protein = tools.ProteinAnalysis(LYSOZYME)
    row = named(LYSOZYME, scale="none")
    helix, turn, sheet = protein.secondary_structure_fraction()
    assert row["aromaticity"] == pytest.approx(protein.aromaticity())
    assert row["flexibility"] == pytest.approx(np.mean(protein.flexibility()))
    assert row["charge at pH 7 per residue"] * 129 == pytest.approx(protein.charge_at_pH(7.0))
    assert [row[f"share in {of} formers"] for of in ("helix", "turn", "sheet")] == pytest.approx(
        [helix, turn, sheet]
    )


def test_rare_residues_count_as_the_nearest_and_others_are_left_out() -> None:
    row, plain = named("MUOBZJ", scale="none"), named("MCKNQL", scale="none")
    assert row == plain
    gapped = named("M-K*XT", scale="none")
    assert gapped.pop("share of letters left out") == pytest.approx(0.5)
    expected = named("MKT", scale="none")
    expected.pop("share of letters left out")
    assert gapped == expected


@pytest.mark.parametrize("text", ["", "X", "***", "-", "M", "MK", "W" * 9, "MK\nTA", "Ü€"])
@pytest.mark.parametrize("groups", [False, True])
def test_odd_sequences_have_a_defined_vector(text: str, groups: bool) -> None:
    row = ProtParamEncoder(groups=groups).transform([text])
    assert np.isfinite(row).all()


def test_an_empty_sequence_is_zero_before_scaling() -> None:
    assert not any(named("", scale="none").values())
    assert named("XX", scale="none")["share of letters left out"] == 1


def test_flexibility_is_continued_to_sequences_without_a_window() -> None:
    short, long = named("A" * 9, scale="none"), named("A" * 20, scale="none")
    assert short["flexibility"] == pytest.approx(long["flexibility"])


def test_scaling_learns_nothing_and_brings_proteins_to_the_order_of_one() -> None:
    encoder = ProtParamEncoder()
    before = encoder.transform([LYSOZYME])
    np.testing.assert_array_equal(encoder.fit([LYSOZYME]).transform([LYSOZYME]), before)
    assert np.abs(before).max() < 5


def test_grouped_numbers_are_those_of_the_definition() -> None:
    # Charge: KR | neutral | DE. Positions of K and R: 2, 3, 7; D and E: 5, 10.
    row = named("MKRAEGKAAD", groups=True)
    assert row["charge: share of KR"] == pytest.approx(0.3)
    assert row["charge: share of DE"] == pytest.approx(0.2)
    neutral = "ANCQGHILMFPSTWYV"
    assert row[f"charge: KR beside {neutral}"] == pytest.approx(4 / 9)
    assert row["charge: KR beside DE"] == 0
    assert row[f"charge: {neutral} beside DE"] == pytest.approx(3 / 9)
    places = [row[f"charge: {at} of KR"] for at in ("first", "25%", "50%", "75%", "last")]
    assert places == pytest.approx([0.2, 0.2, 0.2, 0.3, 0.7])
    assert row["charge: last of DE"] == 1


@settings(max_examples=25)
@given(st.text("ACDEFGHIKLMNPQRSTVWY", min_size=1, max_size=40))
def test_grouped_shares_add_up_to_one(text: str) -> None:
    row = named(text, groups=True)
    for title in ("hydrophobicity", "volume", "polarity", "polarisability", "accessibility"):
        own = [value for name, value in row.items() if name.startswith(f"{title}: share")]
        assert len(own) == 3
        assert sum(own) == pytest.approx(1, abs=1e-6)


def test_the_kept_vectors_are_those_of_the_library_that_made_them() -> None:
    assert ProtParamEncoder().identity()["libraries"]["biopython"].startswith("1.")


def test_without_biopython_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "Bio"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [_Hidden(), *sys.meta_path])
    with pytest.raises(DataError) as caught:
        ProtParamEncoder().transform(["MK"])
    assert str(caught.value) == (
        "protparam needs Bio, which is not installed. "
        'Install it with pip install "widemargin[bio]".'
    )


class _Hidden:
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.split(".")[0] == "Bio":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize("groups", [False, True])
def test_it_does_what_every_encoder_must_do(groups: bool) -> None:
    check_encoder(PROTPARAM, ProtParamSettings(groups=groups))


def test_the_spec_knows_the_usual_dimension() -> None:
    assert PROTPARAM.dimension == 16 == ProtParamEncoder().dimension
    assert ProtParamEncoder(groups=True).dimension == 16 + 147
