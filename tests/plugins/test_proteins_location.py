"""Subcellular location: the published collection, patterns, and the report's part."""

from __future__ import annotations

import json
import re
import tracemalloc
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import widemargin
from widemargin import DataError, Predictions
from widemargin.contracts import Split
from widemargin.encoders import Residues
from widemargin_proteins import _analyse_location
from widemargin_proteins.kmers import closest, kmer_sets
from widemargin_proteins.known_signals import KNOWN, Measure, Signal
from widemargin_proteins.location import LOCATION_ASSET, PLACES, Location
from widemargin_proteins.places import SEVERAL, _first_of_each_family, mark_sections, place_sections
from widemargin_proteins.prosite import Pattern
from widemargin_proteins.relatives import relative_sections
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


def test_where_the_published_split_is_not_kept_relatives_are_groups(tmp_path: Path) -> None:
    dataset = Location().load(collection(tmp_path))
    assert dataset.groups is None
    own = Location(likeness=0.6).without_parts(dataset)
    assert own.parts is None
    assert own.groups is not None
    # MKLA has two of the four 3-mers of MKLALA, and the longer ones have no other.
    assert own.groups.tolist() == [0, 1, 1, 1, 1, 1]
    assert "6 proteins in 2 clusters (3-mers in common from 0.6)" in own.card.notes[-1]
    assert not any("is kept as it is" in note for note in own.card.notes)
    none = Location(likeness=None).without_parts(dataset)
    assert none.groups is None
    assert "relatives are on both sides" in none.card.notes[-1]


def test_folds_in_place_of_the_published_split_split_no_relatives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, n = tmp_path / "home", 36
    folder = home / LOCATION_ASSET.name
    folder.mkdir(parents=True)
    rng = np.random.default_rng(7)
    rows, letters = [], ""
    for k in range(n):
        # Every other protein is the one before it but for its end.
        letters = letters + "W" if k % 2 else "".join(rng.choice(list(_AMINO), 80))
        rows.append(f"P{k},{letters},{(k // 2) % 2}")
    (folder / "scl2205.csv").write_text("entry,seq,scl\n" + "\n".join(rows) + "\n")
    names = {str(k): name for k, name in enumerate(PLACES)}
    (folder / "labels.json").write_text(json.dumps({"index_to_label": names}))
    splits = {"trn": list(range(12, n)), "evl": list(range(8, 12)), "tst": list(range(8))}
    (folder / "splits.json").write_text(json.dumps(splits))
    monkeypatch.setenv("WIDEMARGIN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("WIDEMARGIN_HOME", str(home))
    monkeypatch.setattr(Location, "assets", ())
    few = {"outer": 3, "inner": 2, "resamples": 100, "map": "none"}
    encoder = {"encoder": {"name": "composition", "ends": []}, "scaling": "none"}
    svm = {"kernel": "rbf", "C": [1], "blocks": None, "weights": "equal"}
    intros = {}
    for split in ("auto", "folds"):
        run = widemargin.run(
            "proteins", features=encoder, svm=svm, evaluation={"split": split, **few}
        )
        told = json.loads((run.path / "analysis.json").read_text(encoding="utf-8"))
        intros[split] = told[0]["intro"]
    assert "None of the 36 held-out proteins" in intros["folds"]
    assert intros["auto"].startswith("The split is taken as it was published. ")


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


def test_a_proteins_signals_depend_on_no_other_protein() -> None:
    sequences = [letters for *_, letters in _more()]
    together = SignalsEncoder().encode(sequences)
    alone = np.concatenate([SignalsEncoder().encode([one]) for one in sequences])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, SignalsEncoder().encode(sequences[::-1])[::-1])


def test_long_patterns_cost_no_more_memory_than_the_proteins_have_places() -> None:
    proteins = Residues(["".join(np.random.default_rng(0).choice(list(_AMINO), 1000))])
    tracemalloc.start()
    count = Pattern("x(1,100)-x(1,100)-C").count(proteins)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    last = max(at for at in range(1000) if proteins.codes[at] == _AMINO.index("C"))
    # From every place but the last two before the last cysteine on.
    assert count.tolist() == [last - 1]
    assert most < 1_000_000


def test_patterns_longer_than_the_padding_span_no_two_proteins() -> None:
    pattern = Pattern("K-x(90)-L")
    assert pattern.count(Residues(["K" + "A" * 90, "L" * 95, "K" + "A" * 90 + "L"])).tolist() == [
        *[0, 0, 1]
    ]


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


def test_repeats_count_proteins_and_not_predictions() -> None:
    both = "cytoplasm and nucleus"
    true = ["nucleus", both, both, "membrane", "membrane"]
    told = ["nucleus", "nucleus", "nucleus", "membrane", "nucleus"]
    once, thrice = predicted(true, told), predicted(true * 3, told * 3)
    thrice = replace(thrice, ids=np.tile(once.ids, 3))
    assert place_sections(thrice) == place_sections(once)


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
    np.testing.assert_allclose(closest(kmer_sets(own), kmer_sets(others)), expected)
    assert closest(kmer_sets(own), kmer_sets([])).tolist() == [0, 0, 0, 0]


def study_of(**changed: Any) -> Any:
    """Make a study of 66 proteins, of which the last 21 are held out: two are copies."""
    rows = _more()
    data = pd.DataFrame({"sequence": [letters for *_, letters in rows]})
    data.loc[45, "sequence"], data.loc[46, "sequence"] = data.sequence[0], data.sequence[1]
    true = (np.array([place for _, place, _ in rows])[45:] == "nucleus").astype(np.int64)
    told = np.where(np.arange(21) % 3 > 0, true, 1 - true)
    places = ["elsewhere", "nucleus"]
    own: dict[str, Any] = {
        "X": data,
        "kinds": {"sequence": "sequence"},
        "parts": np.array(["train"] * 45 + ["test"] * 21),
        "groups": None,
    }
    return SimpleNamespace(
        dataset=SimpleNamespace(**(own | changed)),
        predictions=predicted([places[k] for k in true], [places[k] for k in told]),
        splits=[Split(np.arange(45), np.arange(45, 66))],
        progress=SimpleNamespace(stage=lambda _: nullcontext()),
    )


def test_relatives_across_a_published_split_are_counted_and_told_apart() -> None:
    [section] = relative_sections(study_of())
    assert section.intro == (
        "The split is taken as it was published. 2 of 21 held-out proteins (9.5%) have at least "
        "0.4 of their 3-mers in common with one that their model learned from; 2 have all. Without "
        "them 68.4% are called rightly in place of 66.7%."
    )
    table: Any = section.blocks[0]
    assert table.rows[-1][:3] == ("below 0.4", 19, "68.4%")


def test_relatives_across_folds_are_counted_by_what_each_fold_learned_from() -> None:
    study = study_of(parts=None)
    assert "Nothing is grouped, so that relatives may be" in relative_sections(study)[0].intro
    # Two folds: the copies are 45 of 0 and 46 of 1, and only the first pair is apart.
    study.splits = [
        Split(np.arange(1, 56), np.array([0, *range(56, 66)])),
        Split(np.array([0, *range(56, 66)]), np.arange(46, 56)),
    ]
    [section] = relative_sections(study)
    assert "1 of 21 held-out proteins (4.8%) has at least 0.4" in section.intro
    assert "; 1 has all." in section.intro


def test_where_no_held_out_protein_has_a_relative_the_report_says_so() -> None:
    study = study_of(parts=None, groups=np.arange(66))
    study.splits = [Split(np.arange(2, 45), np.arange(45, 66))]
    [section] = relative_sections(study)
    assert section.intro == (
        "No group is on both sides of a split. None of the 21 held-out proteins has 0.4 of its "
        "3-mers in common with one that its model learned from."
    )
    table: Any = section.blocks[0]
    assert [row[:2] for row in table.rows] == [("below 0.2", 21)]


def test_where_all_held_out_proteins_are_relatives_no_share_is_made_up() -> None:
    study = study_of()
    study.dataset.X["sequence"] = ["MKTAYIAKQR"] * 66
    [section] = relative_sections(study)
    assert "21 of 21 held-out proteins (100.0%)" in section.intro
    assert "nan" not in section.intro
    assert "Without them" not in section.intro
    table: Any = section.blocks[0]
    assert [row[:2] for row in table.rows] == [("0.7 and more", 21)]


def test_one_section_that_fails_leaves_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    # This study has no model, so that what marks each place cannot be told.
    with pytest.warns(RuntimeWarning, match="what marks each place: left out of the report"):
        sections = _analyse_location(study_of())
    assert [one.title for one in sections] == ["Relatives across the split"]


def test_marks_are_read_of_sparse_features_too() -> None:
    rng = np.random.default_rng(6)
    values = rng.random((60, 4)) * (rng.random((60, 4)) > 0.5)
    y = np.array(["nucleus", "secreted", "membrane"] * 20)
    values[y == "nucleus", 2] += 3
    told: list[Any] = []
    for rows in (values, sparse.csr_array(values)):
        features = SimpleNamespace(
            blocks_={"kmers": slice(0, 2), "signals": slice(2, 4)},
            get_feature_names_out=lambda: np.array(["AAA", "AAC", "KR", "SKL"], dtype=object),
            transform=lambda _, rows=rows: rows,
        )
        dataset = SimpleNamespace(
            task="classification",
            classes=("membrane", "nucleus", "secreted"),
            y=y,
            X=None,
            take=lambda _: SimpleNamespace(X=None, y=y),
        )
        study: Any = SimpleNamespace(
            dataset=dataset, model=SimpleNamespace(features=features), learned=np.arange(60)
        )
        [section] = mark_sections(study)
        table: Any = section.blocks[0]
        told.append(table.rows)
    assert told[0] == told[1]
    assert next(row[1] for row in told[0] if row[0] == "nucleus") == "KR"


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
    relatives, section = json.loads((run.path / "analysis.json").read_text(encoding="utf-8"))
    assert relatives["title"] == "Relatives across the split"
    assert relatives["intro"].startswith("No group is on both sides of a split. None of the 66")
    [table] = [block["block"] for block in section["blocks"]]
    marks = {
        place: [row[1] for row in table["rows"] if row[0] == place] for place, *_ in table["rows"]
    }
    assert set(marks) == {"membrane", "nucleus", "secreted"}
    assert any(re.match("hydropathy in|segments over", name) for name in marks["membrane"])
    assert any(name.startswith("into the nucleus: ") for name in marks["nucleus"])
    assert not any(name.startswith("into the nucleus: ") for name in marks["membrane"])
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
