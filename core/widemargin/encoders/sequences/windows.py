r"""Windows: what stands out along a protein, and at its ends.

Means over windows of neighbouring residues show what shares over a whole protein hide. A stretch of
about nineteen hydrophobic residues crosses a membrane (Kyte & Doolittle 1982,
doi:10.1016/0022-2836(82)90515-0); one near the start leads out of the cell. The hydrophobic moment
of a window,

.. math:: \mu = \frac{1}{w} \left| \sum_{k=1}^{w} h_k e^{i \delta k} \right|,

is large where one side of a helix (:math:`\delta` = 100 degrees) or strand (160) is hydrophobic
(Eisenberg, Weiss & Terwilliger 1984, doi:10.1073/pnas.81.1.140), as in what leads into a
mitochondrion. Hydrophobic residues that recur every 3.5 make coiled coils, as in the cytoskeleton
(Lupas, Van Dyke & Stock 1991, doi:10.1126/science.252.5009.1162).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from widemargin.contracts import EncoderSpec, Section
from widemargin.encoders.sequences.named import SequenceEncoder
from widemargin.encoders.sequences.residues import Residues
from widemargin.encoders.sequences.window_columns import window_columns
from widemargin.encoders.sequences.window_scales import TYPICAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WINDOWS", "WindowsEncoder", "WindowsSettings"]

_FARTHEST = 5.0


class WindowsSettings(Section):
    """Settings of the encoder ``windows``."""

    scale: Literal["typical", "none"] = Field(
        "typical",
        description="typical: less a fixed middle, by a fixed spread of proteins, and cut at five "
        "spreads; none: as it is",
    )


class WindowsEncoder(SequenceEncoder):
    """Extremes, numbers and places of windows along a protein.

    Hydropathy in windows of 7, 11 and 19 residues, also at both ends; stretches that could cross a
    membrane; hydrophobic moments; charge; the window that is densest in a residue; disorder; coiled
    coils; monotony. A window that the end of the protein cuts short is filled up with nothing.

    Upper and lower case are alike and white space is left out; a letter that is none of the twenty
    amino acids counts as nothing.

    Parameters
    ----------
    scale : {"typical", "none"}, default="typical"
        Whether columns are brought to the order of 1 by fixed numbers. Nothing is learnt.

    Examples
    --------
    >>> encoder = WindowsEncoder(scale="none")
    >>> row = encoder.transform(["MKWVTFISLLFLFSSAYSRGVFRRDAHKSEVAHRFKDLGE"])[0]
    >>> at = encoder.get_feature_names_out().tolist().index("hydropathy in 11: most")
    >>> round(float(row[at]), 2)
    2.38
    """

    name: ClassVar[str] = "windows"
    version: ClassVar[int] = 2

    def __init__(self, scale: Literal["typical", "none"] = "typical") -> None:
        self.scale = scale

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each number, in order."""
        return tuple(TYPICAL)

    def encode(self, items: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension)."""
        made = dict(window_columns(Residues(items)))
        rows = np.stack([made[name] for name in TYPICAL], axis=1)
        if self.scale == "typical":
            middle, spread = np.array(list(TYPICAL.values())).T
            rows = np.clip((rows - middle) / spread, -_FARTHEST, _FARTHEST)
        return rows.astype(np.float32)


def _build(settings: WindowsSettings) -> WindowsEncoder:
    return WindowsEncoder(**settings.model_dump())


WINDOWS = EncoderSpec(
    name="windows",
    summary="stretches along a protein: hydropathy, membranes, moments, charge, disorder, coils",
    kinds=("sequence",),
    learns="nothing",
    settings=WindowsSettings,
    build=_build,
    dimension=len(TYPICAL),
)
