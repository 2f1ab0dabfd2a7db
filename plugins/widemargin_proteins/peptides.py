"""Peptides that kill microbes or tumour cells: modlAMP's collections, read with care."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from widemargin import Asset, AssetFile, DataError, Dataset, DatasetCard, Package
from widemargin.data import agreeing, counted, hash_file
from widemargin_proteins.files import SequenceLoader
from widemargin_proteins.sequences import (
    LIKENESS,
    Labelled,
    sequence_dataset,
    without_contradictions,
    without_repeats,
)

__all__ = ["PEPTIDES_ASSET", "Anticancer", "Antimicrobial", "kept_peptides"]

PEPTIDES_ASSET = Asset(
    name="peptides",
    title="Antimicrobial and anticancer peptides (modlAMP)",
    licence="BSD-3-Clause (the package that carries them)",
    origin="A. T. Müller, G. Gabernet, J. A. Hiss, G. Schneider (2017), Bioinformatics 33",
    package=Package(
        index="pip",
        name="modlamp",
        version="4.3.3",
        sha256="6948bcbc4a9614d10b6b47a051d4576c42fe8e5487fbbeb3cfe0d8033eb27f91",
        size=178_326,
    ),
    files=(
        AssetFile(
            name="AMPvsUniProt.csv",
            member="modlamp/data/AMPvsUniProt.csv",
            sha256="e1db3dd659179118dcfca63723385f2f0c95c49d27060a90f7a9d5848250eb48",
            size=191_952,
        ),
        AssetFile(
            name="ACP_CancPPD_vs_Random.csv",
            member="modlamp/data/ACP_CancPPD_vs_Random.csv",
            sha256="5c8d7970226d16eaae7e1c11f4225a81baf48381c9173580427d382ea3fa6cf9",
            size=17_623,
        ),
        AssetFile(
            name="ACP_CancPPD_vs_TM.csv",
            member="modlamp/data/ACP_CancPPD_vs_TM.csv",
            sha256="941a728be797b51fdbf5ad6e2f8ef58e6af748797c9c3c5747449a90ef187bf8",
            size=18_413,
        ),
    ),
)

_CITATION = (
    "A. T. Müller, G. Gabernet, J. A. Hiss, G. Schneider (2017). modlAMP: Python for antimicrobial "
    "peptides. Bioinformatics 33, 2753-2755."
)

_Likeness = Annotated[float, Field(gt=0, le=1)]


def kept_peptides(
    peptides: Sequence[Labelled], *, strip_methionine: bool, longest: int | None
) -> tuple[list[Labelled], tuple[str, ...]]:
    """Leave out what a model could pass an examination with and know nothing.

    In this order: sequences with two labels go; a leading M, where proteins begin, is taken off;
    longer sequences go; and of equal ones the first is kept.

    Parameters
    ----------
    peptides : sequence of Labelled
        All rows.
    strip_methionine : bool
        Whether a leading M is taken off.
    longest : int or None
        Residues that a peptide may have.

    Returns
    -------
    kept : list of Labelled
        Distinct sequences in their order, each of one label.
    notes : tuple of str
        What was done, and to how many.

    Examples
    --------
    >>> rows = [Labelled("1", "MKKL", "yes"), Labelled("2", "KKL", "yes")]
    >>> rows += [Labelled("3", "GGG", "no")]
    >>> kept, notes = kept_peptides(rows, strip_methionine=True, longest=49)
    >>> [one.id for one in kept]
    ['1', '3']
    >>> notes[-1]
    '1 repeated sequence was left out.'
    """
    peptides, notes = without_contradictions(peptides)
    if strip_methionine:
        started: Mapping[str, list[bool]] = defaultdict(list)
        for one in peptides:
            started[one.label].append(one.sequence.startswith("M"))
        shares = ", ".join(
            f"{100 * sum(own) / len(own):.0f}% of {name}" for name, own in sorted(started.items())
        )
        notes.append(f"A leading M was taken off ({shares} had one), as it tells whole proteins.")
        peptides = [one._replace(sequence=one.sequence.removeprefix("M")) for one in peptides]
        peptides, more = without_contradictions(peptides, " but for the leading M")
        notes += more
    if longest is not None:
        short = [one for one in peptides if len(one.sequence) <= longest]
        if lost := len(peptides) - len(short):
            notes.append(
                f"{counted(lost, 'row')} of more than {longest} residues "
                f"{agreeing(lost, 'were')} left out."
            )
        peptides = short
    kept, more = without_repeats(peptides)
    return kept, (*notes, *more)


class _Collection(SequenceLoader):
    """Two classes of peptides in a table of sequences and 0 or 1."""

    assets: ClassVar[tuple[Asset, ...]] = (PEPTIDES_ASSET,)

    longest: Annotated[int, Field(ge=1)] | None = Field(
        49, description="residues that a peptide may have; null for any number"
    )
    strip_methionine: bool = Field(True, description="take off a leading M, where proteins begin")
    likeness: _Likeness | None = Field(
        LIKENESS,
        description="share of 3-mers in common from which on peptides are never on both sides of "
        "a split; null groups nothing",
    )

    def _names(self) -> tuple[str, str]:
        """Return the names of the classes 0 and 1."""
        raise NotImplementedError

    def _file(self) -> str:
        raise NotImplementedError

    def _title(self) -> str:
        raise NotImplementedError

    def load(self, data_home: Path) -> Dataset:
        """Read the collection, without what a careless model would live on."""
        peptides, card = self._read(data_home)
        kept, notes = kept_peptides(
            peptides, strip_methionine=self.strip_methionine, longest=self.longest
        )
        return sequence_dataset(
            [one.sequence for one in kept],
            [one.label for one in kept],
            [one.id for one in kept],
            card,
            notes=notes,
            likeness=self.likeness,
        )

    def load_carelessly(self, data_home: Path) -> tuple[str, Dataset] | None:
        """Read the file as it is: repeats, contradictions, leading M and all."""
        peptides, card = self._read(data_home)
        faults = ["leading M", "every length", "relatives on both sides of a split"]
        if len(without_contradictions(peptides)[0]) < len(peptides):
            faults.insert(0, "sequences of both classes")
        if len(without_repeats(peptides)[0]) < len(peptides):
            faults.insert(0, "repeated sequences")
        title = f"the file as it is: {', '.join(faults[:-1])} and {faults[-1]}"
        return title, sequence_dataset(
            [one.sequence for one in peptides],
            [one.label for one in peptides],
            [one.id for one in peptides],
            card,
            likeness=None,
        )

    def _read(self, data_home: Path) -> tuple[list[Labelled], DatasetCard]:
        path = PEPTIDES_ASSET.path(data_home, self._file())
        if not path.is_file():
            raise DataError(
                f"{path}: the peptides are not there; get them with "
                f"`widemargin data fetch {PEPTIDES_ASSET.name}`."
            )
        names = self._names()
        peptides = []
        # The first line counts the rows and names the classes.
        for number, line in enumerate(path.read_text().splitlines()[1:], start=2):
            sequence, _, code = line.partition(",")
            if code.strip() not in ("0", "1"):
                raise DataError(f"{path}:{number}: {line[:60]!r} is no sequence with 0 or 1.")
            peptides.append(Labelled(f"line {number}", sequence.strip(), names[int(code)]))
        card = DatasetCard(
            title=self._title(),
            source="https://pypi.org/project/modlamp/4.3.3/",
            licence=PEPTIDES_ASSET.licence,
            citation=_CITATION,
            sha256=hash_file(path),
            positive_class=names[1],
            target="activity",
            item="peptide",
        )
        return peptides, card


class Antimicrobial(_Collection):
    """Antimicrobial peptides against pieces of other proteins of UniProt, each sequence once."""

    n_items: ClassVar[int] = 4_314

    source: Literal["antimicrobial"] = Field(
        "antimicrobial", description="antimicrobial peptides against others of UniProt (modlAMP)"
    )

    def _names(self) -> tuple[str, str]:
        return "other", "antimicrobial"

    def _file(self) -> str:
        return "AMPvsUniProt.csv"

    def _title(self) -> str:
        return "Antimicrobial peptides"


class Anticancer(_Collection):
    """413 anticancer peptides of CancerPPD against as many others."""

    n_items: ClassVar[int] = 826

    source: Literal["anticancer"] = Field(
        "anticancer", description="anticancer peptides of CancerPPD (modlAMP)"
    )
    against: Literal["random", "transmembrane"] = Field(
        "random",
        description="what they are told from: random pieces of proteins, or pieces of "
        "transmembrane helices",
    )

    def _names(self) -> tuple[str, str]:
        return ("random" if self.against == "random" else "transmembrane"), "anticancer"

    def _file(self) -> str:
        return f"ACP_CancPPD_vs_{'Random' if self.against == 'random' else 'TM'}.csv"

    def _title(self) -> str:
        return "Anticancer peptides"
