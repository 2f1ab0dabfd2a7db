"""Known patterns: signals that lead a protein to its place, and marks of families at work there.

Signals: into peroxisomes (Gould et al. 1989, doi:10.1083/jcb.108.5.1657), back to the endoplasmic
reticulum (Munro & Pelham 1987, doi:10.1016/0092-8674(87)90086-9; Jackson, Nilsson & Peterson 1990,
doi:10.1002/j.1460-2075.1990.tb07490.x), into the nucleus (Robbins et al. 1991,
doi:10.1016/0092-8674(91)90245-T; Lee et al. 2006, doi:10.1016/j.cell.2006.05.049) and out of it
(la Cour et al. 2004, doi:10.1093/protein/gzh062), into mitochondria (Gavel & von Heijne 1990,
doi:10.1093/protein/4.1.33), out of the cell (von Heijne 1986, doi:10.1093/nar/14.11.4683).
Families: from textbooks; several are as PROSITE has them, shortened.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from widemargin_proteins.prosite import Pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.encoders import Residues

__all__ = ["KNOWN", "Measure", "Signal"]


class Measure(Enum):
    """What of a pattern's occurrences counts."""

    ANY = "whether it occurs"
    NUMBER = "ln(1 + number)"
    DENSITY = "four times the root of the number a residue"


@dataclass(frozen=True)
class Signal:
    """A pattern with a name, and what of its occurrences counts.

    Parameters
    ----------
    name : str
        What it means.
    pattern : str
        In PROSITE's notation.
    measure : Measure
        What counts.
    within : tuple of (int, int), optional
        First and last place where the pattern may begin, from the start of the protein, or where
        both are negative from its end: (-10, -1) are the last ten. By default anywhere.
    """

    name: str
    pattern: str
    measure: Measure = Measure.ANY
    within: tuple[int, int] | None = None

    def measure_in(self, proteins: Residues) -> NDArray[np.float64]:
        """Return one number a protein.

        Examples
        --------
        >>> from widemargin.encoders import Residues
        >>> Signal("sugar", "N-{P}-[ST]", Measure.NUMBER).measure_in(Residues(["MNKTNASNPS"]))
        array([1.09861229])
        """
        count = Pattern(self.pattern).count(proteins, self._where(proteins))
        if self.measure is Measure.ANY:
            return np.minimum(count, 1.0)
        if self.measure is Measure.NUMBER:
            return np.log1p(count)
        return 4 * np.sqrt(count / np.maximum(1, proteins.lengths))

    def _where(self, proteins: Residues) -> NDArray[np.bool_] | None:
        if self.within is None:
            return None
        first, last = self.within
        # A place's distance from the end is counted as Python counts it.
        own = proteins.place if first >= 0 else -1 - proteins.left
        where: NDArray[np.bool_] = (own >= first) & (own <= last)
        return where & proteins.inside


_ANY, _NUMBER, _DENSITY = Measure.ANY, Measure.NUMBER, Measure.DENSITY
_START = (0, 59)

KNOWN: tuple[Signal, ...] = (
    Signal("into peroxisomes: last three", "[SAC]-[KRHN]-[LM]>"),
    Signal("into peroxisomes: SKL", "S-K-L>"),
    Signal("into peroxisomes: last three, loosely", "[SACPG]-[KRHQN]-[LMIF]>"),
    Signal(
        "into peroxisomes: near the start",
        "R-[LVIQ]-x(2)-[LVIHQ]-[LSGAK]-x-[HQ]-[LAF]",
        _ANY,
        _START,
    ),
    Signal("stays in the ER: KDEL", "[KRHQSAN]-[DE]-E-L>"),
    Signal("stays in the ER: KKxx", "K-x(0,1)-K-x(2)>"),
    Signal("stays in the ER: two basic near the end", "[KR]-[KR]-x(2,3)>"),
    Signal("stays in the ER: RR at the start", "<M-x(0,4)-R-x(0,1)-R"),
    Signal("lipid at the end: CaaX", "C-[AGVILST]-[VILMAFST]-x>"),
    Signal("lipid at the end: CC", "C-C-x(0,1)>"),
    Signal("lipid at the end: CxC", "C-x-C>"),
    Signal("lipid at the start: myristate", "<M-G-{EDRKHPFYW}-x(2)-[STAGCN]-{P}"),
    Signal("begins MG", "<M-G"),
    Signal("begins MA", "<M-A"),
    Signal("into the nucleus: four basic", "[KR](4)", _NUMBER),
    Signal("into the nucleus: K[KR]x[KR]", "K-[KR]-x-[KR]", _NUMBER),
    Signal("into the nucleus: P before basic", "P-x(1,3)-[KR](3)", _NUMBER),
    Signal("into the nucleus: in two parts", "[KR](2)-x(10,12)-[KR](3)", _NUMBER),
    Signal("into the nucleus: in two parts, loosely", "[KR](2)-x(9,12)-[KR]-x-[KR]-[KR]", _NUMBER),
    Signal("into the nucleus: PY", "[KRH]-x(2,5)-P-Y"),
    Signal("out of the nucleus: leucines", "L-x(2,3)-[LIVFM]-x(2,3)-L-x-[LIV]", _NUMBER),
    Signal("zinc finger C2H2", "C-x(2,4)-C-x(12)-H-x(3,5)-H", _NUMBER),
    Signal("CxxC", "C-x(2)-C", _NUMBER),
    Signal("two CxxC", "C-x(2)-C-x(9,18)-C-x(2)-C", _NUMBER),
    Signal("homeobox", "W-F-x-N-[RK]-R"),
    Signal("RGG", "R-G-G", _NUMBER),
    Signal("RSR", "R-S-R", _NUMBER),
    Signal("SRS", "S-R-S", _NUMBER),
    Signal("[ST]P", "[ST]-P", _DENSITY),
    Signal("[ST]Px[KR]", "[ST]-P-x-[KR]", _NUMBER),
    Signal("leucine zipper", "L-x(6)-L-x(6)-L-x(6)-L", _NUMBER),
    Signal("helix-loop-helix", "E-R-x-R-[RK]"),
    Signal("RING finger", "C-x(2)-C-x(9,39)-C-x(1,3)-H", _NUMBER),
    Signal("FxFG", "F-x-F-G", _NUMBER),
    Signal("GLFG", "G-L-F-G", _NUMBER),
    Signal("SUMO site", "[VILMAFP]-K-x-E", _DENSITY),
    Signal("into mitochondria: cut at R-2", "R-x-[YFAS]-[SAT]", _ANY, _START),
    Signal("into mitochondria: cut at R-10", "R-x-[FLI]-x(2)-[STG]-x(4)", _ANY, _START),
    Signal("into mitochondria: cut at R-3", "R-[CFLY]-[AFSLY]-[SAT]", _ANY, _START),
    Signal("into plastids: cut", "[VI]-[RKQAST]-[AC]-A", _ANY, (0, 89)),
    Signal("mitochondrial carrier", "P-x-[DE]-x-[LIVAT]-[KR]-x-[RK]", _NUMBER),
    Signal("out of the cell: cut sites", "[AVSGTLIC]-x-[AGSC]", _NUMBER, (15, 34)),
    Signal("out of the cell: AxA", "A-x-A", _ANY, (12, 34)),
    Signal("N-glycosylation", "N-{P}-[ST]-{P}", _DENSITY),
    Signal("two basic", "[KR](2)", _DENSITY),
    Signal("hormone end GKR", "G-[KR]-[KR]", _NUMBER),
    Signal("RGD", "R-G-D"),
    Signal("two cysteines, near", "C-x(3,6)-C", _DENSITY),
    Signal("CC", "C-C", _NUMBER),
    Signal("toxin knot", "C-x(5,7)-C-x(3,6)-C-C"),
    Signal("EGF-like", "C-x-C-x(4,8)-[GA]-x-C", _NUMBER),
    Signal("serine protease", "G-D-S-G-G"),
    Signal("lipase", "G-x-S-x-G"),
    Signal("EF-hand", "D-x-[DNS]-[LIVFYW]-[DENSTG]-[DNQGHRK]-{GP}-[LIVMC]-[DENQSTAGC]", _NUMBER),
    Signal("P-loop", "[AG]-x(4)-G-K-[ST]", _NUMBER),
    Signal("protein kinase", "[HY]-x-D-[LIVMFY]-K-x(2)-N"),
    Signal("DFG", "D-F-G"),
    Signal("DEAD box", "D-E-[AH]-[DH]"),
    Signal("cytochrome P450", "F-x(2)-G-x(3)-C-x-G"),
    Signal("leucine-rich repeat", "L-x(2)-L-x-L-x(2)-[NC]", _NUMBER),
    Signal("WD repeat", "[LIVMS]-x-[LIVMSTAC]-W-[DN]", _NUMBER),
    Signal("ankyrin repeat", "G-x-T-[PA]-L-H", _NUMBER),
    Signal("kelch repeat", "G-G-x(4,8)-Y", _NUMBER),
    Signal("TPR repeat", "W-x(2)-[LIF]-[GA]-x(2)-[YLF]", _NUMBER),
    Signal("receptor DRY", "[DE]-R-[YFW]"),
    Signal("receptor NPxxY", "N-P-x(2,3)-Y"),
    Signal("aquaporin NPA", "N-P-A"),
    Signal("ABC transporter", "L-S-G-G"),
    Signal("GTPase NKxD", "N-K-x-D"),
    Signal("DxxG", "D-x(2)-G", _DENSITY),
    Signal("kinesin", "G-x(4)-G-K-T-x-[ST]"),
    Signal("motor AGTGKT", "A-G-T-G-K-T"),
    Signal("FxxΦ", "F-x(2)-[FWY]", _DENSITY),
    Signal("PxxP", "P-x(2)-P", _DENSITY),
    Signal("PDZ ligand at the end", "[ST]-x-[VILF]>"),
    Signal("sorting: YxxΦ", "Y-x(2)-[LIVMF]", _DENSITY),
    Signal("sorting: two leucines", "[DE]-x(3)-L-[LI]", _DENSITY),
    Signal("actin-binding", "[LIV]-[KR]-[KR]-[LIVTA]", _DENSITY),
    Signal("microtubule tip: SxIP", "S-x-I-P"),
    Signal("CAP-Gly", "G-K-N-[DH]-G"),
    Signal("calmodulin IQ", "[FILV]-Q-x(3)-[RK]-G-x(3)-[RK]", _NUMBER),
    Signal("Rossmann fold", "G-x-G-x(2)-[GA]"),
    Signal("PPR repeat", "[VIL]-x-[TS]-[YF]-[NST]-[TSAV]-[LIM]-[IL]", _NUMBER),
    Signal("light harvesting", "E-x(2)-[NH]-[GA]-R"),
    Signal("F-box", "L-P-x-[ED]"),
    Signal("thioredoxin", "W-C-[GP]-[PH]-C"),
    Signal("heat shock end", "[ILV]-x-[ILV]>"),
    Signal("GPI anchor site", "[SGADNC]-[SGADNCT]-[AGS]", _ANY, (-35, -16)),
)
"""What the encoder ``signals`` looks for."""
