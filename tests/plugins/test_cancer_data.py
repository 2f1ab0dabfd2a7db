"""Expression profiles: tables either way round, files of the Gene Expression Omnibus, own sets."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from widemargin import DataError
from widemargin_cancer.geo import GeoFile
from widemargin_cancer.published import GOLUB_ASSET, KHAN_ASSET, NCI60, NCI60_ASSET, Golub, Khan
from widemargin_cancer.tables import GeneTable, averaged

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_cancer" / "fixture.csv"

MATRIX = """!Series_title\t"Colon and liver"
!Sample_title\t"first"\t"second"\t"third"
!Sample_characteristics_ch1\t"tissue: Colon"\t"tissue: liver"\t"tissue: colon"
!Sample_characteristics_ch1\t"patient: 7"\t"stage: II"\t"patient: 7"
!Sample_characteristics_ch1\t"stage: I"\t"patient: 8"\t""
!series_matrix_table_begin
"ID_REF"\t"GSM1"\t"GSM2"\t"GSM3"
"1007_s_at"\t8.5\t7.25\tnull
"1053_at"\t1.5\t2\t2.5
!series_matrix_table_end
"""

FAMILY = """^SERIES = GSE1
!Series_title = Colon and liver
^PLATFORM = GPL1
#ID = probe
#Gene Symbol = gene
!platform_table_begin
ID\tGene Symbol
a_at\tTP53
b_at\tTP53 /// WRAP53
c_at\t
!platform_table_end
^SAMPLE = GSM1
!Sample_title = first
!Sample_characteristics_ch1 = tissue: colon
!Sample_characteristics_ch1 = patient: 7
#ID_REF = probe
#VALUE = log2
!Sample_table_begin
ID_REF\tVALUE
a_at\t1
b_at\t3
c_at\t5
!Sample_table_end
^SAMPLE = GSM2
!Sample_title = second
!Sample_characteristics_ch1 = tissue: liver
#ID_REF = probe
#VALUE = log2
!Sample_table_begin
ID_REF\tVALUE
c_at\t9
b_at\tnull
a_at\t7
!Sample_table_end
"""

CURATED = """^DATABASE = Geo
^DATASET = GDS1
!dataset_title = Colon and liver
^SUBSET = GDS1_1
!subset_description = colon
!subset_sample_id = GSM1,GSM3
!subset_type = tissue
^SUBSET = GDS1_2
!subset_description = liver
!subset_sample_id = GSM2
!subset_type = tissue
^DATASET = GDS1
#ID_REF = probe
#IDENTIFIER = gene
!dataset_table_begin
ID_REF\tIDENTIFIER\tGSM1\tGSM2\tGSM3
a_at\tTP53\t1\t2\t3
b_at\tMYC\t4\t5\t6
!dataset_table_end
"""


def write(path: Path, text: str) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def test_columns_that_are_no_label_patient_or_name_are_genes() -> None:
    loader = GeneTable(path=FIXTURE, label="tumour", group="patient", id="sample")
    dataset = loader.load(FIXTURE)
    assert dataset.classes == ("adenoma", "carcinoma", "normal")
    assert set(dataset.kinds.values()) == {"expression"}
    assert len(dataset.kinds) == 24
    assert dataset.ids[0] == "S31"
    assert dataset.groups is not None
    assert len(set(dataset.groups)) == 30
    [items] = loader.read_items(FIXTURE)
    assert list(items.X) == list(dataset.X)


def test_genes_may_stand_in_rows_with_the_labels_in_a_row(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "gene,S1,S2,S3,S4\ntumour,yes,no,yes,NA\nwho,p,q,,q\nTP53,1,2,3,4\nMYC,4,5,NA,7\nTP53,3,4,5,6\n",
    )
    loader = GeneTable(path=path, genes="rows", label="tumour", group="who")
    dataset = loader.load(tmp_path)
    assert dataset.ids.tolist() == ["S1", "S2", "S3"]
    assert dataset.X["TP53"].tolist() == [2.0, 3.0, 4.0]
    assert np.isnan(dataset.X["MYC"].iloc[2])
    assert dataset.groups is not None
    assert dataset.groups[:2].tolist() == ["p", "q"]
    assert dataset.groups[2] not in ("p", "q")
    assert "1 of 4 samples was left out: no tumour." in dataset.card.notes
    assert "1 gene is measured more than once; the mean is taken." in dataset.card.notes
    [items] = loader.read_items(path)
    assert list(items.ids) == ["S1", "S2", "S3", "S4"]


def test_labels_may_stand_in_a_second_table(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "gene\tS1\tS2\tS3\nTP53\t1\t2\t3\nMYC\t4\t5\t6\n")
    labels = write(tmp_path / "l.csv", "sample,tumour,who\nS3,yes,p\nS1,no,p\nS9,no,q\n")
    dataset = GeneTable(path=path, genes="rows", label="tumour", group="who", labels=labels).load(
        tmp_path
    )
    assert dict(zip(dataset.ids.tolist(), dataset.y.tolist(), strict=True)) == {
        "S1": "no",
        "S3": "yes",
    }
    assert dataset.groups is not None
    assert dataset.groups.tolist() == ["p", "p"]


def test_labels_of_other_samples_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "gene,S1,S2\nTP53,1,2\n")
    labels = write(tmp_path / "l.csv", "sample,tumour\nx,yes\ny,no\n")
    with pytest.raises(DataError, match=r"none of its samples \(x, y, ...\) is one of those"):
        GeneTable(path=path, genes="rows", label="tumour", labels=labels).load(tmp_path)


def test_a_word_among_the_genes_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "label,sex,TP53\nyes,f,1\nno,m,2\n")
    with pytest.raises(
        DataError,
        match=r"sex is 'f' at line 2, which is no number.*take the column out .*columns_ign",
    ):
        GeneTable(path=path).load(tmp_path)
    dataset = GeneTable(path=path, columns_ignored=("sex",)).load(tmp_path)
    assert list(dataset.X) == ["TP53"]


def test_a_row_of_labels_that_is_absent_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "gene,S1,S2\nTP53,1,2\n")
    with pytest.raises(DataError, match="no row is called 'label'"):
        GeneTable(path=path, genes="rows").load(tmp_path)


def test_a_sample_named_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "s,label,TP53\nS1,yes,1\nS1,no,2\n")
    with pytest.raises(DataError, match="names the sample 'S1' twice"):
        GeneTable(path=path, id="s").load(tmp_path)


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_a_series_matrix_gives_values_and_characteristics(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, MATRIX.replace("tissue: Colon", "tissue: colon"))
    loader = GeoFile(path=path, label="Tissue", group="patient")
    dataset = loader.load(tmp_path)
    assert list(dataset.X) == ["1007_s_at", "1053_at"]
    assert dataset.y.tolist() == ["colon", "liver", "colon"]
    assert dataset.X["1053_at"].tolist() == [1.5, 2.0, 2.5]
    assert np.isnan(dataset.X["1007_s_at"].iloc[2])
    assert dataset.groups is not None
    assert dataset.groups[:2].tolist() == ["7", "8"]
    [items] = loader.read_items(path)
    assert list(items.ids) == ["GSM1", "GSM2", "GSM3"]


def test_a_run_without_a_label_lists_what_is_told_of_samples(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", MATRIX)
    with pytest.raises(DataError, match=r"data.label is not given.*tissue \(Colon, liver, colon\)"):
        GeoFile(path=path).load(tmp_path)
    with pytest.raises(DataError, match=r"'organ', which no sample tells.*stage \(I, II\)"):
        GeoFile(path=path, label="organ").load(tmp_path)


def test_classes_can_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", MATRIX)
    dataset = GeoFile(path=path, label="tissue", ignore=("Colon",)).load(tmp_path)
    assert dataset.y.tolist() == ["liver", "colon"]
    with pytest.raises(DataError, match=r"data\.ignore names 'lung', which 'tissue' never says"):
        GeoFile(path=path, label="tissue", ignore=("lung",)).load(tmp_path)


@pytest.mark.parametrize("name", ["a.soft", "a.soft.gz"])
def test_a_family_file_gives_samples_whatever_the_order_of_their_probes(
    tmp_path: Path, name: str
) -> None:
    path = write(tmp_path / name, FAMILY)
    dataset = GeoFile(path=path, label="tissue").load(tmp_path)
    assert list(dataset.X) == ["a_at", "b_at", "c_at"]
    assert dataset.X["a_at"].tolist() == [1.0, 7.0]
    assert dataset.X["c_at"].tolist() == [5.0, 9.0]
    assert np.isnan(dataset.X["b_at"].iloc[1])


def test_probes_of_one_gene_are_averaged_where_symbols_are_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.soft", FAMILY)
    dataset = GeoFile(path=path, label="tissue", names="symbol").load(tmp_path)
    assert list(dataset.X) == ["TP53", "c_at"]
    assert dataset.X["TP53"].tolist() == [2.0, 7.0]
    matrix = write(tmp_path / "a.txt", MATRIX)
    with pytest.raises(DataError, match="does not say the genes' symbols"):
        GeoFile(path=matrix, label="tissue", names="symbol").load(tmp_path)


def test_a_curated_data_set_takes_its_classes_from_subsets(tmp_path: Path) -> None:
    path = write(tmp_path / "a.soft", CURATED)
    dataset = GeoFile(path=path, label="tissue", names="symbol").load(tmp_path)
    assert dataset.y.tolist() == ["colon", "liver", "colon"]
    assert dataset.X["MYC"].tolist() == [4.0, 5.0, 6.0]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.txt", "gene,S1\n", "neither a series matrix"),
        ("a.txt", MATRIX.replace("1.5\t2\t2.5", "1.5"), "has 2 cells and the head of the table 4"),
        ("a.txt", MATRIX[: MATRIX.index("!series_matrix")], "there is no table of expression"),
        ("a.soft", "^SAMPLE = GSM1\n!Sample_title = x\n", "no sample has a table of values"),
        ("a.soft", FAMILY.replace("\tVALUE", "\tSIGNAL"), "GSM1 has no column VALUE"),
        (
            "a.soft",
            FAMILY.replace("c_at\t9\nb_at\tnull\na_at\t7", "x_at\t9"),
            "no probe in common",
        ),
    ],
)
def test_files_of_another_form_are_refused_with_what_is_wrong(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        GeoFile(path=write(tmp_path / name, text), label="tissue").load(tmp_path)


def test_a_packed_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(MATRIX.encode())[:-20])
    with pytest.raises(DataError, match="cannot be read to its end"):
        GeoFile(path=path, label="tissue").load(tmp_path)


def test_columns_of_one_gene_are_averaged_over_what_is_known() -> None:
    values = np.array([[1.0, 5.0, np.nan], [np.nan, 2.0, np.nan]])
    mean, genes, notes = averaged(values, ["a", "b", "a"])
    assert genes == ["a", "b"]
    assert mean[0].tolist() == [1.0, 5.0]
    assert np.isnan(mean[1, 0])
    assert notes == ("1 gene is measured more than once; the mean is taken.",)


def test_khans_parts_are_the_published_ones(tmp_path: Path) -> None:
    folder = tmp_path / "khan"
    folder.mkdir()
    for part, codes in (("train", [1, 2, 3, 4]), ("test", [4, 1])):
        rows = "\n".join("0.5,1.5" for _ in codes)
        write(folder / f"Khan_x{part}.csv", f'"V1","V2"\n{rows}\n')
        write(folder / f"Khan_y{part}.csv", '"x"\n' + "\n".join(map(str, codes)) + "\n")
    dataset = Khan().load(tmp_path)
    assert dataset.parts is not None
    assert dataset.parts.tolist() == ["train"] * 4 + ["test"] * 2
    assert dataset.y[0] == "Burkitt"
    assert dataset.y[4] == "rhabdomyosarcoma"
    assert list(dataset.X) == ["gene 1", "gene 2"]


def test_rare_kinds_of_nci60_are_left_out_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "nci60"
    folder.mkdir()
    np.save(folder / "NCI60data.npy", np.arange(14.0).reshape(7, 2))
    write(folder / "NCI60labs.csv", "label\nRENAL\nCNS\nRENAL\nCNS\nUNKNOWN\nCNS\nRENAL\n")
    dataset = NCI60(at_least=3).load(tmp_path)
    assert dataset.classes == ("CNS", "RENAL")
    assert dataset.X["gene 1"].tolist() == [0.0, 2.0, 4.0, 6.0, 10.0, 12.0]
    assert "1 cell lines of 1 rarer kinds left out: UNKNOWN." in dataset.card.notes


@pytest.mark.parametrize("loader", [Khan(), NCI60(), Golub()], ids=["khan", "nci60", "golub"])
def test_an_absent_asset_is_named_with_the_command(
    tmp_path: Path, loader: Khan | NCI60 | Golub
) -> None:
    pytest.importorskip("rdata")
    with pytest.raises(DataError, match="widemargin data fetch"):
        loader.load(tmp_path)


def test_assets_are_pinned_file_by_file() -> None:
    for asset in (KHAN_ASSET, NCI60_ASSET, GOLUB_ASSET):
        assert all(len(file.sha256) == 64 and file.size for file in asset.files)
