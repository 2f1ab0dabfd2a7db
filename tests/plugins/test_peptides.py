"""Peptides: what is left out of the collections and why, and decisions residue by residue."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import widemargin
from widemargin import DataError
from widemargin.cli.main import main
from widemargin_proteins.peptides import (
    PEPTIDES_ASSET,
    Anticancer,
    Antimicrobial,
    kept_peptides,
)
from widemargin_proteins.sequences import Labelled

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_proteins" / "peptides.fasta"

ROWS = [
    "GIGKFLHSAKKFGKAFV,1",
    "GIGKFLHSAKKFGKAFG, 1",  # a relative of the first
    "MKTAYIAKQRQISFVKSHF,0",
    "KTAYIAKQRQISFVKSHF,0",  # the same but for the M
    "MWWWPPP,0",
    "WWWPPP,1",  # of another class but for the M
    "RRRRWWWW,1",
    "RRRRWWWW,0",  # of both classes
    "RRRRWWWW,0",
    "ACDEFGHIKL" * 5 + ",0",  # of 50 residues
    "GGSSGGTTGGSS,0",
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for file in PEPTIDES_ASSET.files:
        path = PEPTIDES_ASSET.path(tmp_path, file.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([f"{len(ROWS)},1,UniProt,AMP", *ROWS]) + "\n")
    return tmp_path


def test_what_a_careless_model_lives_on_is_left_out_and_counted(home: Path) -> None:
    dataset = Antimicrobial().load(home)
    assert list(dataset.X["sequence"]) == [
        "GIGKFLHSAKKFGKAFV",
        "GIGKFLHSAKKFGKAFG",
        "KTAYIAKQRQISFVKSHF",
        "GGSSGGTTGGSS",
    ]
    assert dataset.y.tolist() == ["antimicrobial", "antimicrobial", "other", "other"]
    assert dataset.ids.tolist() == ["line 2", "line 3", "line 4", "line 12"]
    assert dataset.positive_class == "antimicrobial"
    assert dataset.card.notes == (
        "1 sequence with two labels was left out.",
        "A leading M was taken off (0% of antimicrobial, 40% of other had one), as it tells whole "
        "proteins.",
        "1 sequence with two labels but for the leading M was left out.",
        "1 row of more than 49 residues was left out.",
        "1 repeated sequence was left out.",
        "4 peptides in 3 clusters (3-mers in common from 0.4), the largest of 2; no cluster is on "
        "both sides of a split.",
    )


def test_relatives_are_one_group(home: Path) -> None:
    groups = Antimicrobial().load(home).groups
    assert groups is not None
    assert groups.tolist() == [0, 0, 1, 2]
    assert Antimicrobial(likeness=None).load(home).groups is None


def test_each_precaution_can_be_left_out(home: Path) -> None:
    whole = Antimicrobial(strip_methionine=False, longest=None).load(home)
    assert "MWWWPPP" in list(whole.X["sequence"])
    assert max(map(len, whole.X["sequence"])) == 50


def test_the_careless_way_is_the_file_as_it_is(home: Path) -> None:
    careless = Antimicrobial().load_carelessly(home)
    assert careless is not None
    title, dataset = careless
    assert "repeated sequences" in title
    assert len(dataset) == len(ROWS)
    assert dataset.groups is None
    assert set(dataset.y) == {"antimicrobial", "other"}


def test_both_collections_of_anticancer_peptides_are_there(home: Path) -> None:
    assert Anticancer().load(home).classes == ("anticancer", "random")
    other = Anticancer(against="transmembrane").load(home)
    assert other.classes == ("anticancer", "transmembrane")
    assert other.positive_class == "anticancer"


def test_an_absent_or_damaged_collection_is_told(tmp_path: Path, home: Path) -> None:
    with pytest.raises(DataError, match="get them with `widemargin data fetch peptides`"):
        Antimicrobial().load(tmp_path / "elsewhere")
    PEPTIDES_ASSET.path(home, "AMPvsUniProt.csv").write_text("1,1,UniProt,AMP\nMKT;1\n")
    with pytest.raises(DataError, match=r"AMPvsUniProt\.csv:2: 'MKT;1' is no sequence with 0 or 1"):
        Antimicrobial().load(home)


def test_every_file_is_pinned() -> None:
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in PEPTIDES_ASSET.files)


def test_nothing_is_noted_where_nothing_is_left_out() -> None:
    rows = [Labelled("1", "KKL", "a"), Labelled("2", "GGG", "b")]
    kept, notes = kept_peptides(rows, strip_methionine=False, longest=49)
    assert kept == rows
    assert notes == ()


@pytest.fixture(scope="module")
def spectrum(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_fixture(
        tmp_path_factory.mktemp("runs"),
        {"encoder": {"name": "kmer", "k": 2, "mismatches": 1, "alphabet": "protein"}},
        {"kernel": "linear"},
    )


def run_fixture(folder: Path, features: dict[str, Any], svm: dict[str, Any]) -> Any:
    return widemargin.run(
        "peptides",
        data={"source": "file", "path": str(FIXTURE), "label": "activity", "positive": "active"},
        features=features,
        svm=svm,
        evaluation={"outer": 3, "inner": 2, "resamples": 100, "map": "none"},
        runs=folder,
    )


def sections(run: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((run.path / "analysis.json").read_text())
    return found


def test_the_report_shows_residues_that_add_up(spectrum: Any) -> None:
    [section] = sections(spectrum)
    assert section["title"] == "Residue by residue"
    first, second, bars = (block["block"] for block in section["blocks"])
    assert first["title"] == "The 6 that were called active most surely"
    assert second["title"] == "The 6 that were called other most surely"
    # Cells say which residue, and a line's residues are those of the peptide.
    line = "".join(first["texts"][0])
    assert re.search(rf">{first['rows'][0]} activity=active\n{line}", FIXTURE.read_text())
    # K makes a peptide of the fixture active, and D does not.
    by_kind = dict(zip(bars["labels"], bars["values"], strict=True))
    assert by_kind["K"] > 0 > by_kind["D"]
    assert "Residue by residue" in spectrum.report.read_text(encoding="utf-8")


def test_runs_of_residues_that_decide_are_in_capitals(spectrum: Any) -> None:
    explanation = json.loads((spectrum.path / "explanation.json").read_text())
    pieces = [one["piece"] for one in explanation["pieces"]]
    assert "KK" in pieces
    assert all(re.fullmatch("[A-Z]{2}", piece) for piece in pieces)


def test_an_rbf_kernel_has_no_residues(tmp_path: Path) -> None:
    run = run_fixture(tmp_path, {"encoder": "composition"}, {"kernel": "rbf"})
    assert not (run.path / "analysis.json").exists() or sections(run) == []


def test_predict_tells_residues_that_add_up_to_the_margin(spectrum: Any) -> None:
    model = widemargin.load(spectrum.path)
    told = model.predict(FIXTURE, explain=True)
    sums = np.array([sum(shares.values()) for shares in told["shares"]])
    constants = told["margin"].to_numpy(float) - sums
    np.testing.assert_allclose(constants, constants[0], atol=1e-6)
    sequences = [line for line in FIXTURE.read_text().split("\n") if line and line[0] != ">"]
    for shares, sequence in zip(told["shares"], sequences, strict=True):
        assert sorted(shares) == sorted(f"{letter}{at}" for at, letter in enumerate(sequence, 1))


def test_the_command_line_reads_fasta_and_says_letters(
    spectrum: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.fasta"
    path.write_text(">one\nkkll-kk*\n>two\nDDEEGGSS\n")
    with pytest.raises(SystemExit) as left:
        main(["predict", str(spectrum.path), "--file", str(path), "--explain"])
    assert left.value.code in (0, None)
    out, err = capsys.readouterr()
    assert re.search(r"one +active .*K\d [+-]", out)
    assert "what each letter adds" in err
    assert "a constant of" in err
