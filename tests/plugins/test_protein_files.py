"""Sequences of one's own: every form of file, where labels come from, and what is refused."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from widemargin import DataError, Dataset
from widemargin.encoders import ItemsError
from widemargin_proteins.entries import sniff_form
from widemargin_proteins.files import SequenceFile
from widemargin_proteins.location import Location
from widemargin_proteins.peptides import Antimicrobial
from widemargin_proteins.sequences import clean_sequence, looks_like_dna

FASTA = """;an old comment
>sp|P1|ONE_HUMAN Some protein OS=Homo sapiens GN=ABC location=nucleus
mktayiak-qr
qisfvk*
>p2 [location=cell membrane] something else
GIGKFLHSAKKFGKAFVGEIMNS
>p3 location:nucleus
AAAWWWXXKL
>p4 has none
PPPP
>p5 location=nucleus
"""

SWISSPROT = """ID   ONE_HUMAN               Reviewed;          12 AA.
AC   P00001; Q00001;
DT   01-JAN-2000, integrated into UniProtKB/Swiss-Prot.
DT   01-JAN-2000, sequence version 1.
DT   01-JAN-2020, entry version 10.
DE   RecName: Full=Invented protein one;
GN   Name=ONE;
OS   Homo sapiens (Human).
OC   Eukaryota; Metazoa.
OX   NCBI_TaxID=9606;
CC   -!- FUNCTION: None, it is invented.
CC   -!- SUBCELLULAR LOCATION: [Isoform 1]: Cell membrane {ECO:0000250};
CC       Single-pass membrane protein. Nucleus. Note=Invented.
PE   1: Evidence at protein level;
KW   Antimicrobial; Membrane.
SQ   SEQUENCE   12 AA;  1344 MW;  0000000000000000 CRC64;
     MKTAYIAKQR QI
//
ID   TWO_YEAST               Reviewed;          10 AA.
AC   P00002;
DT   01-JAN-2000, integrated into UniProtKB/Swiss-Prot.
DT   01-JAN-2000, sequence version 1.
DT   01-JAN-2020, entry version 10.
DE   RecName: Full=Invented protein two;
OS   Saccharomyces cerevisiae.
OC   Eukaryota; Fungi.
OX   NCBI_TaxID=4932;
CC   -!- SUBCELLULAR LOCATION: Secreted.
PE   1: Evidence at protein level;
KW   Signal.
SQ   SEQUENCE   10 AA;  1000 MW;  0000000000000000 CRC64;
     GGSSWWPPLL
//
"""

GENE = """LOCUS       INVENTED1                 33 bp    DNA     linear   BCT 01-JAN-2020
DEFINITION  Invented gene.
ACCESSION   INVENTED1
VERSION     INVENTED1.1
KEYWORDS    toxin.
SOURCE      Escherichia coli
  ORGANISM  Escherichia coli
            Bacteria.
FEATURES             Location/Qualifiers
     source          1..33
                     /organism="Escherichia coli"
     CDS             1..30
                     /protein_id="INV00001.1"
                     /product="invented toxin"
                     /compartment="secreted"
                     /translation="MKTAYIAKQ"
     CDS             1..30
                     /locus_tag="inv2"
                     /compartment="cytosol"
                     /translation="GGSSWWPPL"
ORIGIN
        1 atgaaaaccg cgtatattgc gaaacagtaa aaa
//
"""

PROTEIN = """LOCUS       INV00001                   9 aa            linear   BCT 01-JAN-2020
DEFINITION  invented toxin [Escherichia coli].
ACCESSION   INV00001
VERSION     INV00001.1
KEYWORDS    .
SOURCE      Escherichia coli
  ORGANISM  Escherichia coli
            Bacteria.
FEATURES             Location/Qualifiers
     source          1..9
                     /organism="Escherichia coli"
     Protein         1..9
                     /product="invented toxin"
                     /note="secreted"
ORIGIN
        1 mktayiakq
//
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def load(path: Path, **settings: Any) -> Dataset:
    return SequenceFile(path=path, **settings).load(Path("nowhere"))


def read(path: Path, loader: Any = None) -> list[tuple[str, str]]:
    batches = list((loader or Antimicrobial()).read_items(path))
    assert all(batch.kinds == {"sequence": "sequence"} for batch in batches)
    return [pair for batch in batches for pair in zip(batch.ids, batch.X["sequence"], strict=True)]


@pytest.mark.parametrize("name", ["x.fasta", "x.fa.gz", "x"])
def test_fasta_is_read_and_labelled_by_a_field_of_its_headers(tmp_path: Path, name: str) -> None:
    dataset = load(write(tmp_path, name, FASTA), label="location")
    assert list(dataset.X["sequence"]) == [
        "MKTAYIAKQRQISFVK",
        "GIGKFLHSAKKFGKAFVGEIMNS",
        "AAAWWWXXKL",
    ]
    assert dataset.y.tolist() == ["nucleus", "cell membrane", "nucleus"]
    assert dataset.ids.tolist() == ["sp|P1|ONE_HUMAN", "p2", "p3"]
    assert dataset.groups is not None
    assert dataset.groups.tolist() == [0, 1, 2]
    notes = " ".join(dataset.card.notes)
    assert "1 empty sequence was left out." in notes
    assert "1 sequence was left out: no class." in notes


@pytest.mark.parametrize("loader", [Antimicrobial(), Location()])
def test_published_collections_read_new_items_of_any_form(tmp_path: Path, loader: Any) -> None:
    assert read(write(tmp_path, "x.fasta", FASTA), loader)[1] == ("p2", "GIGKFLHSAKKFGKAFVGEIMNS")
    assert read(write(tmp_path, "x.txt", "mkt\n\nGG SS\n"), loader) == [
        ("x.txt:1", "MKT"),
        ("x.txt:3", "GGSS"),
    ]


def test_a_field_of_a_header_may_be_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, "x.fa", ">a|toxin|1\nMKT\n>b|other|2\nGGS\n")
    assert load(path, label="2").y.tolist() == ["toxin", "other"]


def test_fasta_without_that_field_says_which_there_are(tmp_path: Path) -> None:
    path = write(tmp_path, "x.fasta", FASTA)
    with pytest.raises(DataError, match=r"no sequence tells 'kind'.*OS, GN, location, 1, 2, 3"):
        load(path, label="kind")
    bare = write(tmp_path, "y.fasta", ">a\nMKT\n")
    with pytest.raises(DataError, match=r"Its headers tell nothing by name.*data\.labels=FILE"):
        load(bare)


def test_labels_may_stand_in_a_table_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path, "x.fasta", ">a more\nMKTA\n>b\nGGSS\n>c\nWWWW\n")
    labels = write(tmp_path, "y.csv", "name,label\na,toxin\nb,other\n")
    dataset = load(path, labels=labels)
    assert dataset.y.tolist() == ["toxin", "other"]
    assert "1 sequence was left out: no class." in dataset.card.notes
    twice = write(tmp_path, "z.csv", "name,label\na,toxin\na,other\n")
    with pytest.raises(DataError, match=r"z\.csv:3: gives 'a' a second class"):
        load(path, labels=twice)
    others = write(tmp_path, "w.csv", "name,label\nq,toxin\n")
    with pytest.raises(DataError, match=r"none of its 3 sequences has a class in .*w\.csv"):
        load(path, labels=others)


@pytest.mark.parametrize("beside", [False, True], ids=["in the table", "beside it"])
def test_labels_that_are_numbers_are_read_alike_wherever_they_stand(
    tmp_path: Path, beside: bool
) -> None:
    # A float column, since one label is missing; 1.0 is written 1, as everywhere.
    table = pd.DataFrame(
        {"name": [1.0, 2.0, 3.0], "sequence": ["MKTA", "GGSS", "WWWW"], "label": [1.0, 0.0, None]}
    )
    table.to_parquet(tmp_path / "y.parquet")
    if beside:
        fasta = write(tmp_path, "x.fasta", ">1\nMKTA\n>2\nGGSS\n>3\nWWWW\n")
        dataset = load(fasta, labels=tmp_path / "y.parquet")
    else:
        dataset = load(tmp_path / "y.parquet")
    assert dataset.y.tolist() == ["1", "0"]
    assert "1 sequence was left out: no class." in dataset.card.notes


def test_what_says_that_a_label_is_missing_is_no_class_and_the_peptide_na_is_one(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "x.csv", "sequence,label\nNA,a\nGGSS,b\nMKTA,N/A\n")
    dataset = load(path)
    assert dataset.X["sequence"].tolist() == ["NA", "GGSS"]
    assert dataset.y.tolist() == ["a", "b"]


def test_a_folder_has_a_file_for_each_class(tmp_path: Path) -> None:
    write(tmp_path, "toxin.fasta", ">a\nMKTA\n>b\nMKTW\n")
    write(tmp_path, "other.fa.gz", ">a\nGGSS\n")
    write(tmp_path, "notes.md", "nothing")
    dataset = load(tmp_path)
    assert sorted(zip(dataset.y.tolist(), dataset.X["sequence"], strict=True)) == [
        ("other", "GGSS"),
        ("toxin", "MKTA"),
        ("toxin", "MKTW"),
    ]
    # Two are called a: each is told by its place.
    assert sum(str(name).startswith("a (") for name in dataset.ids) == 2
    assert [letters for _, letters in read(tmp_path)] == ["GGSS", "MKTA", "MKTW"]


def test_a_folder_without_sequences_says_what_they_end_in(tmp_path: Path) -> None:
    write(tmp_path, "notes.md", "nothing")
    with pytest.raises(DataError, match=r"there is no file of sequences in it \(\.fasta"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.parquet"])
def test_a_table_has_sequences_and_labels(tmp_path: Path, name: str) -> None:
    table = pd.DataFrame({"seq": ["MKTA", "GGSS", ""], "label": ["a", "b", "a"], "family": 1})
    path = tmp_path / name
    if name.endswith("parquet"):
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="," if name.endswith("csv") else "\t")
    dataset = load(path, sequence="seq", group="family")
    assert dataset.y.tolist() == ["a", "b"]
    assert dataset.groups is not None
    assert len(set(dataset.groups)) == 1  # one family, though they are not alike
    assert [letters for _, letters in read(path, SequenceFile(path=path, sequence="seq"))] == [
        *("MKTA", "GGSS", "")
    ]


def test_a_table_without_the_column_says_which_it_has(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "sequences,label\nMKT,a\n")
    with pytest.raises(DataError, match=r"sequence.*sequences"):
        load(path)


def test_swissprot_tells_location_and_keywords(tmp_path: Path) -> None:
    path = write(tmp_path, "x.dat", SWISSPROT)
    assert sniff_form(path) == "swissprot"
    located = load(path, label="location")
    assert located.y.tolist() == ["Cell membrane", "Secreted"]
    assert list(located.X["sequence"]) == ["MKTAYIAKQRQI", "GGSSWWPPLL"]
    assert located.ids.tolist() == ["P00001", "P00002"]
    keyed = load(path, label="keyword=antimicrobial", positive="antimicrobial")
    assert keyed.y.tolist() == ["antimicrobial", "other"]
    assert keyed.positive_class == "antimicrobial"
    assert load(path, label="organism").y.tolist()[0] == "Homo sapiens (Human)"
    with pytest.raises(DataError, match=r"Told of its sequences are: organism, location, keyword="):
        load(path, label="place")


def test_genbank_gives_the_translations_of_genes(tmp_path: Path) -> None:
    path = write(tmp_path, "x.gb.gz", GENE)
    dataset = load(path, label="compartment")
    assert dataset.y.tolist() == ["secreted", "cytosol"]
    assert list(dataset.X["sequence"]) == ["MKTAYIAKQ", "GGSSWWPPL"]
    assert dataset.ids.tolist() == ["INV00001.1", "inv2"]


def test_genbank_gives_proteins(tmp_path: Path) -> None:
    path = write(
        tmp_path, "x.gp", PROTEIN + PROTEIN.replace("INV00001", "INV2").replace("mkt", "g")
    )
    assert read(path) == [("INV00001.1", "MKTAYIAKQ"), ("INV2.1", "GAYIAKQ")]
    with pytest.raises(DataError, match="only 'secreted'"):
        load(path, label="note")


def test_genbank_without_proteins_says_so(tmp_path: Path) -> None:
    text = "\n".join(line for line in GENE.splitlines() if "/translation" not in line) + "\n"
    with pytest.raises(DataError, match="no entry of a protein and no CDS feature with a transl"):
        read(write(tmp_path, "x.gb", text))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("x.dat", SWISSPROT.rsplit("//", 1)[0], r"x\.dat:19: the file ends within the entry"),
        (
            "x.dat",
            SWISSPROT.replace("AC   P00002", "??   P00002"),
            r"x\.dat:19: .* is no SwissProt",
        ),
        ("x.gb", GENE.replace("1..33", "1..nowhere"), ""),
        ("x.fasta", ">a\nMK\nM7KT\n", r"x\.fasta:3: '7' is no amino acid\. Allowed are the 20"),
        ("x.fasta", "\n;note\nMKT\n", r"x\.fasta:3|x\.fasta:2"),
        ("x.csv", "sequence\nMK\nM!T\n", r"x\.csv:3: '!' is no amino acid"),
        ("x.txt", "MKT\nM_T\n", r"x\.txt:2: '_' is no amino acid"),
        ("x.fasta", "", r"x\.fasta: there is no sequence in it"),
    ],
)
def test_what_is_malformed_is_told_with_its_line(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    path = write(tmp_path, name, text)
    if not says:  # a place that cannot be read costs the feature, not the file
        assert len(read(path)) == 2
        return
    with pytest.raises(DataError, match=says):
        read(path)


def test_dna_is_told_and_what_to_do(tmp_path: Path) -> None:
    whole = write(tmp_path, "x.fasta", ">a\nATGGCGTTCAAGCTAGCCTTGAACGTTAGC\n")
    with pytest.raises(DataError, match=r"x\.fasta:2: ATGGCG.* is DNA or RNA.*Translate it first"):
        read(whole)
    # Each too short to tell, but not together.
    short = write(tmp_path, "y.fasta", "".join(f">{n}\nACGTTGCA\n" for n in range(5)))
    with pytest.raises(DataError, match=r"y\.fasta: .* is DNA or RNA"):
        read(short)


def test_a_peptide_of_few_kinds_is_no_dna() -> None:
    assert not looks_like_dna("GAGAGGAAAGGGAGAAAGGAGAAGGAGAGGAAAGG")
    assert looks_like_dna("acguacguacguacguacguacguacguacgu".upper())


@pytest.mark.parametrize(
    ("given", "clean"),
    [("mk t\n", "MKT"), ("M-K.T*", "MKT"), ("MK*T", "MKXT"), ("XBZJUO", "XBZJUO"), ("", "")],
)
def test_sequences_are_tidied(given: str, clean: str) -> None:
    assert clean_sequence(given) == clean


def test_biopython_is_missed_politely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "Bio", None)
    monkeypatch.delitem(sys.modules, "Bio.SwissProt", raising=False)
    assert len(read(write(tmp_path, "x.fasta", FASTA))) == 5  # FASTA needs none
    with pytest.raises(DataError, match=r"needs Biopython.*widemargin\[bio\]"):
        read(write(tmp_path, "x.dat", SWISSPROT))


def test_repeats_go_and_contradictions_go(tmp_path: Path) -> None:
    rows = [("MKTA", "a"), ("mkta", "a"), ("GGSS", "b"), ("WWWW", "a"), ("WWWW", "b")]
    text = "sequence,label\n" + "".join(f"{one},{label}\n" for one, label in rows)
    dataset = load(write(tmp_path, "x.csv", text))
    assert list(dataset.X["sequence"]) == ["MKTA", "GGSS"]
    assert dataset.card.notes[:2] == (
        "1 sequence with two labels was left out.",
        "1 repeated sequence was left out.",
    )


def test_rare_classes_are_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    rows = [("MKTA", "a"), ("MKTW", "a"), ("GGSS", "b"), ("GGSW", "b"), ("LLLL", "c")]
    text = "sequence,label\n" + "".join(f"{one},{label}\n" for one, label in rows)
    dataset = load(write(tmp_path, "x.csv", text), at_least=2)
    assert dataset.classes == ("a", "b")
    said = "1 sequence of classes with fewer than 2 was left out: c."
    assert said in dataset.card.notes


def test_a_positive_class_that_is_none_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "sequence,label\nMKTA,a\nGGSS,b\n")
    with pytest.raises(DataError, match=r"data\.positive is 'q', and the classes are a, b"):
        load(path, positive="q")


def test_relatives_are_one_group_unless_that_is_not_wanted(tmp_path: Path) -> None:
    text = ">1 label=a\nGIGKFLHSAKKFGKAFV\n>2 label=b\nGIGKFLHSAKKFGKAFG\n>3 label=b\nPPPWWWRRR\n"
    path = write(tmp_path, "x.fasta", text)
    grouped = load(path).groups
    assert grouped is not None
    assert grouped.tolist() == [0, 0, 1]
    assert load(path, likeness=None).groups is None


def test_a_group_that_no_sequence_tells_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lab.fasta"
    path.write_text(">a kind=x strain=1\nMKTAYIAKQR\n>b kind=y strain=2\nGGWWLLKKAA\n")
    with pytest.raises(DataError, match=r"data\.group is 'nosuch', and no sequence tells it"):
        SequenceFile(path=path, label="kind", group="nosuch").load(tmp_path)


def test_that_all_sequences_contradict_each_other_is_said(tmp_path: Path) -> None:
    path = tmp_path / "lab.fasta"
    path.write_text(">a kind=x\nMKTAYIAKQR\n>b kind=y\nMKTAYIAKQR\n")
    with pytest.raises(DataError, match=r"fewer than two classes are left\. 1 sequence with two"):
        SequenceFile(path=path, label="kind").load(tmp_path)


def test_what_is_typed_in_is_refused_as_in_a_file() -> None:
    loader = SequenceFile(path=Path("none.fasta"))
    assert loader.checked({"sequence": ["mkt-AY*"]}) == {"sequence": ["MKTAY"]}
    dna = "ATGGCGTTCAAGCTAGCCTTGAACGTTAGC"
    with pytest.raises(ItemsError) as refused:
        loader.checked({"sequence": ["MKT", ">sp|x", "ACD1", dna]})
    problems = refused.value.problems
    assert sorted(problems) == [1, 2, 3]
    assert "--file" in problems[1]
    assert "'1' is no amino acid" in problems[2]
    assert "DNA or RNA" in problems[3]
