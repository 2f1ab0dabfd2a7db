r"""Physico-chemical properties of a protein, as Biopython's ProtParam computes them.

Aromaticity (Lobry & Gautier 1994), instability index (Guruprasad, Reddy & Pandit 1990), GRAVY (Kyte
& Doolittle 1982, doi:10.1016/0022-2836(82)90515-0), flexibility (Vihinen, Torkkila & Riikonen
1994), isoelectric point and charge (Bjellqvist et al. 1993), aliphatic index (Ikai 1980),
absorbance (Pace et al. 1995). With ``groups``, also composition, transition and distribution of
seven groupings of amino acids (Dubchak, Muchnik, Holbrook & Kim 1995, doi:10.1073/pnas.92.19.8700).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from widemargin.contracts import Columns, EncoderSpec, Section
from widemargin.encoders.items import texts_of
from widemargin.encoders.libraries import require_library
from widemargin.encoders.named import NamedEncoder
from widemargin.encoders.sequences.letters import ALPHABETS, codes_of, letters_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PROTPARAM", "ProtParamEncoder", "ProtParamSettings"]

# Each property with a middle and a spread: round figures near mean and standard deviation over
# every tenth of the 19,074 UniProt sequences of p-scldata. They are fixed: nothing is learnt.
_PROPERTIES: dict[str, tuple[float, float]] = {
    "log10 length": (2.6, 0.4),
    "log10 molecular weight": (4.6, 0.4),
    "mean residue weight": (112, 3),
    "aromaticity": (0.08, 0.03),
    "aliphatic index": (80, 16),
    "instability index": (45, 13),
    "isoelectric point": (7, 2),
    "GRAVY": (-0.35, 0.4),
    "flexibility": (1, 0.01),
    "share in helix formers": (0.3, 0.05),
    "share in turn formers": (0.3, 0.05),
    "share in sheet formers": (0.35, 0.05),
    "charge at pH 7 per residue": (0, 0.04),
    "absorbance of 1 g/l, cysteines reduced": (1, 0.5),
    "absorbance of 1 g/l, cysteines paired": (1, 0.5),
    "share of letters left out": (0, 0.1),
}

# Rare residues as the nearest of the twenty; B, Z and J stand for either of two.
_NEAREST = str.maketrans({"U": "C", "O": "K", "B": "N", "Z": "Q", "J": "L"})

_WINDOW = 9  # Vihinen's flexibility is a mean of so many residues

_GROUPS: dict[str, tuple[str, str, str]] = {
    "hydrophobicity": ("RKEDQN", "GASTPHY", "CLVIMFW"),
    "volume": ("GASTPDC", "NVEQIL", "MHKFRYW"),
    "polarity": ("LIFWCMVY", "PATGS", "HQRKNED"),
    "polarisability": ("GASDT", "CPNVEQIL", "KMHFRYW"),
    "charge": ("KR", "ANCQGHILMFPSTWYV", "DE"),
    "structure": ("EALMQKRH", "VIYCWFT", "GNPSD"),
    "accessibility": ("ALFCGIVW", "RKQEND", "MSPTHY"),
}
_QUARTERS = ("first", "25%", "50%", "75%", "last")


class ProtParamSettings(Section):
    """Settings of the encoder ``protparam``."""

    scale: Literal["typical", "none"] = Field(
        "typical",
        description="typical: less a fixed middle, by a fixed spread of proteins; none: as it is",
    )
    groups: bool = Field(
        False,
        description="add composition, transition and distribution of seven groupings of residues",
    )


class ProtParamEncoder(NamedEncoder):
    """Sixteen properties of a protein, and 147 numbers of grouped residues where wanted.

    U and O count as C and K, and of the letters that leave a choice B counts as N, Z as Q and J
    as L. Any other character (X, a stop, a gap) is left out, and a column has its share. What a
    property needs and a short sequence lacks is defined: an empty one has 0 for every property
    before scaling, and flexibility, a mean of windows of nine residues, is that of the residues
    where there is no window.

    Scaling learns nothing: each property has a fixed middle and spread. Whoever wants the training
    rows' own scales them in front of the kernel.

    Parameters
    ----------
    scale : {"typical", "none"}, default="typical"
        Whether properties are brought to the order of 1.
    groups : bool, default=False
        Add composition (share), transition (share of neighbours in two groups) and distribution
        (where in the sequence the first, a quarter, half, three quarters and all of a group lie).

    Examples
    --------
    >>> encoder = ProtParamEncoder(scale="none")
    >>> row = encoder.transform(["MKWVTFISLLFLFSSAYS"])[0]
    >>> names = encoder.get_feature_names_out()
    >>> [(names[k], round(float(row[k]), 2)) for k in (3, 6, 7)]
    [('aromaticity', 0.28), ('isoelectric point', 8.34), ('GRAVY', 1.23)]
    """

    name: ClassVar[str] = "protparam"
    libraries: ClassVar[tuple[str, ...]] = ("biopython",)

    def __init__(self, scale: Literal["typical", "none"] = "typical", groups: bool = False) -> None:
        self.scale = scale
        self.groups = groups

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each number, in order."""
        names = list(_PROPERTIES)
        if self.groups:
            for title, groups in _GROUPS.items():
                names += [f"{title}: share of {own}" for own in groups]
                for one, other in ((0, 1), (0, 2), (1, 2)):
                    names.append(f"{title}: {groups[one]} beside {groups[other]}")
                names += [f"{title}: {at} of {own}" for own in groups for at in _QUARTERS]
        return tuple(names)

    def items(self, X: Columns | Sequence[Any]) -> list[str]:
        """Return one sequence a row, in capitals, without white space."""
        return [letters_of(text) for text in texts_of(X)]

    def encode(self, items: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension)."""
        middle, spread = np.array(list(_PROPERTIES.values())).T
        rows = np.zeros((len(items), self.dimension))
        for row, whole in zip(rows, items, strict=True):
            letters = "".join(
                letter for letter in whole.translate(_NEAREST) if letter in ALPHABETS["protein"]
            )
            own = row[: len(middle)]
            if letters:
                own[:-1] = _properties(letters)
                row[len(middle) :] = _grouped(letters) if self.groups else ()
            own[-1] = (len(whole) - len(letters)) / max(1, len(whole))
            if self.scale == "typical":
                own -= middle
                own /= spread
        return rows.astype(np.float32)


def _properties(letters: str) -> list[float]:
    tools = require_library("Bio.SeqUtils.ProtParam", "protparam", "bio")
    protein = tools.ProteinAnalysis(letters)
    n = len(letters)
    counts = protein.count_amino_acids()
    weight = protein.molecular_weight()
    flexibility = (
        protein.flexibility()
        if n > _WINDOW
        else [tools.ProtParamData.Flex[letter] for letter in letters]
    )
    aliphatic = counts["A"] + 2.9 * counts["V"] + 3.9 * (counts["I"] + counts["L"])
    reduced, paired = protein.molar_extinction_coefficient()
    return [
        math.log10(n),
        math.log10(weight),
        weight / n,
        protein.aromaticity(),
        100 * aliphatic / n,
        protein.instability_index(),
        protein.isoelectric_point(),
        protein.gravy(),
        sum(flexibility) / len(flexibility),
        *protein.secondary_structure_fraction(),
        protein.charge_at_pH(7.0) / n,
        reduced / weight,
        paired / weight,
    ]


def _grouped(letters: str) -> NDArray[np.float64]:
    """Return composition, transition and distribution of every grouping, between 0 and 1."""
    n = len(letters)
    numbers: list[float] = []
    for groups in _GROUPS.values():
        member = np.array(
            [g for letter in ALPHABETS["protein"] for g in range(3) if letter in groups[g]]
        )[codes_of(letters, ALPHABETS["protein"])]
        places = [np.flatnonzero(member == group) + 1 for group in range(3)]
        numbers += [len(own) / n for own in places]
        steps = np.sort(np.stack([member[:-1], member[1:]]), axis=0)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            beside = np.count_nonzero((steps[0] == one) & (steps[1] == other))
            numbers.append(beside / max(1, n - 1))
        for own in places:
            size = len(own)
            at = [0, *(max(1, size * quarter // 4) - 1 for quarter in (1, 2, 3)), size - 1]
            numbers += [0.0] * 5 if size == 0 else (own[at] / n).tolist()
    return np.array(numbers)


def _build(settings: ProtParamSettings) -> ProtParamEncoder:
    return ProtParamEncoder(**settings.model_dump())


PROTPARAM = EncoderSpec(
    name="protparam",
    summary="physico-chemical properties of proteins: charge, hydropathy, flexibility and others",
    kinds=("sequence",),
    learns="nothing",
    settings=ProtParamSettings,
    build=_build,
    dimension=len(_PROPERTIES),
    extra="bio",
)
