"""Subcellular location: the published collection, patterns, and the report's part."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import widemargin
from widemargin import DataError, Predictions
from widemargin.encoders import Residues
from widemargin_proteins.known_signals import KNOWN, Measure, Signal
from widemargin_proteins.location import LOCATION_ASSET, PLACES, Location
from widemargin_proteins.places import SEVERAL, _first_of_each_family, place_sections
from widemargin_proteins.prosite import Pattern
from widemargin_proteins.relatives import closest, relative_sections
from widemargin_proteins.signals import SignalsEncoder, SignalsSettings

_AMINO = "ACDEFGHIKLMNPQRSTVWY"


def collection(home: Path, **changed: Any) -> Path:
    folder = home / LOCATION_ASSET.name
    folder.mkdir()
    names = list(PLACES)
    rows = [f"P{k},MK{'LA' * (k + 1)},{k % 3}" for k in range(6)]
    (folder / "scl2205.csv").write_text("entry,seq,scl\n" + "\n".join(rows) + "\n")
    labels = {"index_to_label": {str(k): name for k, name in enumerate(names)}}
    (folder / "labels.json").write_text(json.dumps(labels))
    splits = {"trn": [3, 4, 5], "evl": [2], "tst": [0, 1], "cv": {}} | changed
    (folder / "splits.json").write_text(json.dumps(splits))
    return home


def test_the_published_split_and_names_are_taken_up(tmp_path: Path) -> None:
    dataset = Location().load(collection(tmp_path))
    assert dataset.parts is not None
    assert dataset.parts.tolist() == ["test", "test", "validation", "train", "train", "train"]
    assert dataset.y.tolist() == ["cytoplasm", "plastid", "secreted"] * 2
    assert dataset.ids.tolist() == [f"P{k}" for k in range(6)]
    assert dataset.X["sequence"][1] == "MKLALA"


def test_a_collection_that_is_not_there_is_said_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="widemargin data fetch protein-location"):
        Location().load(tmp_path)


def test_rows_that_no_part_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no part of a split"):
        Location().load(collection(tmp_path, trn=[3, 4]))


def test_classes_of_several_places_are_among_those_of_the_collection() -> None:
    assert set(SEVERAL) <= set(PLACES.values())
    assert {one for several in SEVERAL.values() for one in several} <= set(PLACES.values())


# Patterns


def regex(pattern: str) -> str:
    """Translate PROSITE's notation another way than the code does."""
    out = []
    for element in pattern.strip("<>").split("-"):
        element = re.sub(r"\{([A-Z]+)\}", r"[^X\1]", element)
        element = re.sub(r"\((\d+)\)$", r"{\1}", element)
        element = re.sub(r"\((\d+),(\d+)\)$", r"{\1,\2}", element)
        out.append(re.sub(r"^x", ".", element))
    body = "".join(out)
    return (
        "^" if pattern.startswith("<") else ""
    ) + f"(?={body}{'$' if pattern[-1] == '>' else ''})"


@pytest.mark.parametrize(
    "pattern",
    sorted({signal.pattern for signal in KNOWN} | {"x(2)-C", "{P}-x(0,2)-K>", "<M-x(3,5)-[ST]"}),
)
def test_patterns_are_found_where_a_regular_expression_finds_them(pattern: str) -> None:
    rng = np.random.default_rng(len(pattern))
    # Letters of the pattern are frequent, so that it is met.
    letters = list(_AMINO + "X" + 6 * "".join(one for one in pattern if one in _AMINO))
    made = ["".join(rng.choice(letters, rng.integers(0, 60))) for _ in range(40)]
    made += ["M" + one for one in made[:10]]
    own = Pattern(pattern).count(Residues(made))
    expected = [len(re.findall(regex(pattern), one)) for one in made]
    assert own.tolist() == expected


@settings(deadline=None)
@given(st.lists(st.text(_AMINO, max_size=30), max_size=4))
def test_no_pattern_spans_two_proteins(sequences: list[str]) -> None:
    pattern = Pattern("K-x(0,3)-L")
    together = pattern.count(Residues(sequences)).tolist()
    assert together == [float(pattern.count(Residues([one]))[0]) for one in sequences]


@pytest.mark.parametrize(
    "pattern", ["", "K-", "K-B", "[KR", "x(3,2)", "K(0)", "K--L", "k", "x(999)"]
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"is no element|is met by no number"):
        Pattern(pattern)


def test_a_pattern_of_ones_own_is_checked_where_it_is_given_and_counted() -> None:
    with pytest.raises(ValueError, match="is no element of a PROSITE pattern"):
        SignalsSettings(patterns={"mine": "K-Z"})
    encoder = SignalsEncoder(patterns={"mine": "W-W"})
    assert encoder.columns[-1] == "mine"
    assert encoder.transform(["AWWWA"])[0, -1] == pytest.approx(np.log(3))


@pytest.mark.parametrize(
    ("sequence", "name"),
    [
        ("M" + "A" * 30 + "SKL", "into peroxisomes: last three"),
        ("M" + "A" * 30 + "KDEL", "stays in the ER: KDEL"),
        ("M" + "G" * 30 + "PKKKRKV" + "G" * 9, "into the nucleus: K[KR]x[KR]"),
        ("MLRAAVRLFSSARRAYSTGG", "into mitochondria: cut at R-2"),
        ("MGSSKSKPKDPSQR", "lipid at the start: myristate"),
        ("M" + "A" * 30 + "CVLS", "lipid at the end: CaaX"),
    ],
)
def test_textbook_signals_are_recognised(sequence: str, name: str) -> None:
    at = SignalsEncoder().columns.index(name)
    assert SignalsEncoder().transform([sequence])[0, at] > 0


def test_a_signal_counts_only_where_it_may_begin() -> None:
    proteins = Residues(["SKLAAASKL", "AAASKLAAAA"])
    anywhere = Signal("s", "S-K-L", Measure.NUMBER)
    assert np.expm1(anywhere.measure_in(proteins)).round().tolist() == [2, 1]
    first = Signal("s", "S-K-L", Measure.NUMBER, (0, 2))
    assert np.expm1(first.measure_in(proteins)).round().tolist() == [1, 0]
    last = Signal("s", "S-K-L", Measure.NUMBER, (-3, -1))
    assert np.expm1(last.measure_in(proteins)).round().tolist() == [1, 0]
    dense = Signal("s", "S-K-L", Measure.DENSITY)
    np.testing.assert_allclose(dense.measure_in(proteins), 4 * np.sqrt([2 / 9, 1 / 10]))


def test_every_signal_has_a_name_of_its_own() -> None:
    names = [signal.name for signal in KNOWN]
    assert len(set(names)) == len(names)


# The report's part


def predicted(true: list[str], told: list[str]) -> Predictions:
    classes = tuple(sorted({*true, *told}))
    codes = [np.array([classes.index(one) for one in own]) for own in (true, told)]
    n = len(true)
    return Predictions(
        y_true=codes[0],
        y_pred=codes[1],
        decision=np.zeros((n, len(classes))),
        probability=np.full((n, len(classes)), 1 / len(classes)),
        classes=classes,
        positive=1,
        ids=np.arange(n).astype(str),
        weight=np.ones(n),
    )


def test_mistakes_that_share_a_place_are_told_from_the_others() -> None:
    both = "cytoplasm and nucleus"
    true = ["nucleus", both, both, "membrane", "membrane"]
    told = ["nucleus", "nucleus", "nucleus", "membrane", "nucleus"]
    [section] = place_sections(predicted(true, told))
    text, table = section.blocks
    assert "Of 3 mistakes 2 name a class that shares a place" in text.text  # type: ignore[union-attr]
    assert "is named for 80.0%" in text.text  # type: ignore[union-attr]
    assert list(table.rows) == [  # type: ignore[union-attr]
        (both, "nucleus", 2, "100%", "66.7%", "share a place"),
        ("membrane", "nucleus", 1, "50%", "33.3%", ""),
    ]


def test_no_mistakes_and_two_classes_need_no_such_part() -> None:
    assert place_sections(predicted(["a", "b", "c"], ["a", "b", "c"])) == []
    assert place_sections(predicted(["a", "b"], ["a", "a"])) == []


def test_likeness_is_of_the_most_like_of_the_others() -> None:
    rng = np.random.default_rng(2)
    others = ["".join(rng.choice(list(_AMINO), n)) for n in (3, 40, 80, 200)]
    own = [others[2], others[3][:150], "W" * 9, "MK"]
    expected = []
    for one in own:
        runs = {one[k : k + 3] for k in range(len(one) - 2)}
        likeness = [0.0]
        for other in others:
            theirs = {other[k : k + 3] for k in range(len(other) - 2)}
            likeness.append(len(runs & theirs) / max(1, len(runs | theirs)))
        expected.append(max(likeness))
    np.testing.assert_allclose(closest(own, others), expected)
    assert closest(own, []).tolist() == [0, 0, 0, 0]


def test_relatives_across_a_published_split_are_counted_and_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDEMARGIN_RUNS", str(tmp_path / "runs"))
    rows = _more()
    data = pd.DataFrame({"sequence": [letters for *_, letters in rows]})
    parts = np.array(["train"] * 45 + ["test"] * 21)
    # Two of the test part are copies of training proteins.
    data.loc[45, "sequence"], data.loc[46, "sequence"] = data.sequence[0], data.sequence[1]
    y = np.array([place for _, place, _ in rows])
    right = np.arange(21) % 3 > 0
    true = (y[45:] == "nucleus").astype(np.int64)
    told = np.where(right, true, 1 - true)
    study: Any = SimpleNamespace(
        dataset=SimpleNamespace(X=data, kinds={"sequence": "sequence"}, parts=parts),
        predictions=SimpleNamespace(task="classification", y_true=true, y_pred=told),
        rows=np.arange(45, 66),
        learned=np.arange(45),
        progress=SimpleNamespace(stage=lambda _: nullcontext()),
    )
    [section] = relative_sections(study)
    assert "2 of 21 held-out proteins (9.5%)" in section.intro
    table: Any = section.blocks[0]
    assert table.rows[-1][:3] == ("below 0.4", 19, f"{right[2:].mean():.1%}")
    study.dataset.parts = None
    assert relative_sections(study) == []


def test_of_columns_that_measure_much_the_same_the_largest_is_named() -> None:
    names = ["ln(1 + length)", "ln(1 + length) / 10", "hydropathy in 7: most", "E", "into x: SKL"]
    effect = np.array([0.5, 0.4, -0.9, 0.1, 0.2])
    assert _first_of_each_family(effect, names) == [2, 0, 4, 3]


def test_own_proteins_run_and_the_report_says_what_marks_each_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDEMARGIN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path / "home"))
    path = tmp_path / "mine.fasta"
    # The fixture has twelve of each, and what is told of a place rests on more than that.
    path.write_text(
        "".join(f">more-{k} location={place}\n{letters}\n" for k, place, letters in _more())
    )
    run = widemargin.run(
        "proteins",
        data={"path": str(path), "label": "location"},
        evaluation={"outer": 3, "inner": 3, "resamples": 100, "map": "none"},
    )
    assert run.record.metrics["metrics"]["f1_macro"]["value"] > 0.9
    [section] = json.loads((run.path / "analysis.json").read_text(encoding="utf-8"))
    [table] = [block["block"] for block in section["blocks"]]
    marks = {
        place: [row[1] for row in table["rows"] if row[0] == place] for place, *_ in table["rows"]
    }
    assert set(marks) == {"membrane", "nucleus", "secreted"}
    assert any("hydropathy" in name or "segments" in name for name in marks["membrane"])
    assert any(
        "into the nucleus" in name or "KR" in name or "R" in name for name in marks["nucleus"]
    )
    assert run.predict([_more()[0][2]])["label"].tolist() == ["membrane"]


def _more() -> list[tuple[int, str, str]]:
    rng = np.random.default_rng(5)

    def draw(letters: str, n: int) -> str:
        return "".join(rng.choice(list(letters), n))

    rows = []
    for k in range(66):
        body = draw(_AMINO + "DESTNKG", 60)
        place = ("membrane", "nucleus", "secreted")[k % 3]
        letters = {
            "membrane": "M" + body[:30] + draw("LIVAF", 22) + body[30:],
            "nucleus": "M" + body[:30] + "PKKKRKVRRR" + body[30:],
            "secreted": "MK" + draw("LAVL", 14) + "ASA" + body,
        }[place]
        rows.append((k, place, letters))
    return rows
