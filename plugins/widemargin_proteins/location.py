"""Where in the cell a protein works: the published collection SCL2205."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from widemargin import (
    Asset,
    AssetFile,
    DataError,
    Dataset,
    DatasetCard,
    Package,
)
from widemargin.data import read_table
from widemargin_proteins.files import SequenceLoader
from widemargin_proteins.sequences import COLUMN, LIKENESS, cluster_groups

__all__ = ["LOCATION_ASSET", "PLACES", "Location"]

LOCATION_ASSET = Asset(
    name="protein-location",
    title="Subcellular locations of proteins (SCL2205)",
    licence="CC0 1.0 (the data); MIT (the package that carries it)",
    origin="D. Ouso, G. Pollastri (2026), SCL2205, from UniProtKB 2022_05",
    package=Package(
        index="pip",
        name="p-scldata",
        version="2025.6.0",
        sha256="0b9990b9b710a2d02c166aea2b3f28f5a20501392d94e48ef398c3610ec737fd",
        size=6_172_090,
    ),
    files=(
        AssetFile(
            name="scl2205.csv",
            member="scldata/data/scl2205.csv",
            sha256="e5172a395efce1c38c2af9335d71dcd68ff82fcdf08fa4e2451f0d0716e278ce",
            size=9_945_494,
        ),
        AssetFile(
            name="splits.json",
            member="scldata/data/splits.json",
            sha256="0c10ebd82fdd0e376cec00c54d885839ec0b3b7f440d484642abfcf974d717ea",
            size=1_395_465,
        ),
        AssetFile(
            name="labels.json",
            member="scldata/data/labels.json",
            sha256="2990e384f67aa49975b54b4b591b8afc7a864cb3299c3b25a5bd1efbd7592e4d",
            size=770,
        ),
    ),
)

PLACES = {
    "Cytoplasm": "cytoplasm",
    "Plastid": "plastid",
    "Secreted": "secreted",
    "Mitochondrion": "mitochondrion",
    "Membrane": "membrane",
    "Peroxisome": "peroxisome",
    "Nucleus": "nucleus",
    "Cell projection": "cell projection",
    "ER": "endoplasmic reticulum",
    "Cytoplasm;Nucleus": "cytoplasm and nucleus",
    "Centrosome;Cytoplasm;Cytoskeleton;Microtubule organizing center": "centrosome",
    "Cytoplasm;Membrane": "cytoplasm and membrane",
    "Cytoplasm;Cytoskeleton": "cytoskeleton",
}
"""The collection's names of classes, and ours."""

_KEPT = (
    "The published split is kept as it is, and is not free of relatives: the report counts them."
)
_PARTS = {"trn": "train", "evl": "validation", "tst": "test"}


class Location(SequenceLoader):
    """SCL2205: 19,074 proteins of 13 locations, with the published split."""

    assets: ClassVar[tuple[Asset, ...]] = (LOCATION_ASSET,)
    n_items: ClassVar[int] = 19_074

    source: Literal["location"] = Field(
        "location", description="SCL2205, proteins of UniProt and where in the cell they work"
    )
    likeness: Annotated[float, Field(gt=0, le=1)] | None = Field(
        LIKENESS,
        description="share of 3-mers in common from which on proteins are never on both sides of "
        "a split where evaluation.split is folds; null groups nothing",
    )

    def load(self, data_home: Path) -> Dataset:
        """Read sequences, locations and the published split from the data home."""
        import json

        import numpy as np

        paths = {file.name: LOCATION_ASSET.path(data_home, file.name) for file in _FILES}
        for path in paths.values():
            if not path.is_file():
                raise DataError(
                    f"{path}: {LOCATION_ASSET.title} are not there; get them with "
                    f"`widemargin data fetch {LOCATION_ASSET.name}`."
                )
        table = read_table(paths["scl2205.csv"], columns=["entry", "seq", "scl"])
        names = json.loads(paths["labels.json"].read_text())["index_to_label"]
        splits = json.loads(paths["splits.json"].read_text())
        parts = np.full(len(table), "", dtype="<U10")
        for theirs, ours in _PARTS.items():
            parts[splits[theirs]] = ours
        card = DatasetCard(
            title="Subcellular locations of proteins (SCL2205)",
            source="https://pypi.org/project/p-scldata/2025.6.0/",
            licence=LOCATION_ASSET.licence,
            citation=(
                "D. Ouso, G. Pollastri (2026). Developing SCL2205: a protein sequence-based "
                "spatial modelling dataset for the protein language model frontier. Preprint, "
                "doi:10.64898/2026.03.08.710388."
            ),
            sha256=LOCATION_ASSET.files[0].sha256,
            target="location",
            item="protein",
            notes=(
                "Four of the 13 classes are proteins that work in several places at once; they "
                "are classes of their own here, as in the publication.",
                _KEPT,
            ),
        )
        return Dataset(
            X=table[["seq"]].rename(columns={"seq": COLUMN}).reset_index(drop=True),
            kinds={COLUMN: "sequence"},
            y=np.array([PLACES[names[str(code)]] for code in table["scl"]], dtype=np.str_),
            ids=table["entry"].to_numpy(np.str_),
            card=card,
            parts=parts,
        )

    def without_parts(self, dataset: Dataset) -> Dataset:
        """Make groups of relatives, which the published split does not keep together."""
        notes = [note for note in dataset.card.notes if note != _KEPT]
        if self.likeness is None:
            notes.append(
                "The published split is not kept, and nothing is grouped: relatives are on both "
                "sides of splits."
            )
            return replace(dataset, parts=None, card=replace(dataset.card, notes=tuple(notes)))
        groups, note = cluster_groups(
            dataset.X[COLUMN].tolist(), self.likeness, item=dataset.card.item
        )
        notes += ["The published split is not kept.", note]
        card = replace(dataset.card, notes=tuple(notes))
        return replace(dataset, parts=None, groups=groups, card=card)


_FILES = LOCATION_ASSET.files
