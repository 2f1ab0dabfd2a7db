"""Scales of residues: one number for each amino acid, 0 for any other letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from widemargin.encoders.sequences.letters import ALPHABETS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ScaleName", "membership", "scale_of", "standard_scale", "whole_scale"]

ScaleName = Literal[
    "hydropathy", "hydrophilicity", "volume", "charge", "helix", "sheet", "disorder", "consensus"
]

# In the order in which most papers print them.
_ORDER = "ARNDCQEGHILKMFPSTWYV"

_VALUES: dict[ScaleName, tuple[float, ...]] = {
    # Kyte & Doolittle 1982, doi:10.1016/0022-2836(82)90515-0
    "hydropathy": (
        *(1.8, -4.5, -3.5, -3.5, 2.5, -3.5, -3.5, -0.4, -3.2, 4.5),
        *(3.8, -3.9, 1.9, 2.8, -1.6, -0.8, -0.7, -0.9, -1.3, 4.2),
    ),
    # Hopp & Woods 1981, doi:10.1073/pnas.78.6.3824
    "hydrophilicity": (
        *(-0.5, 3.0, 0.2, 3.0, -1.0, 0.2, 3.0, 0.0, -0.5, -1.8),
        *(-1.8, 3.0, -1.3, -2.5, 0.0, 0.3, -0.4, -3.4, -2.3, -1.5),
    ),
    # cubic angstrom; Zamyatnin 1972, doi:10.1016/0079-6107(72)90005-3
    "volume": (
        *(88.6, 173.4, 114.1, 111.1, 108.5, 143.8, 138.4, 60.1, 153.2, 166.7),
        *(166.7, 168.6, 162.9, 189.9, 112.7, 89.0, 116.1, 227.8, 193.6, 140.0),
    ),
    "charge": (0, 1, 0, -1, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    # helix and sheet: Chou & Fasman 1978, doi:10.1002/9780470122921.ch2
    "helix": (
        *(1.42, 0.98, 0.67, 1.01, 0.70, 1.11, 1.51, 0.57, 1.00, 1.08),
        *(1.21, 1.16, 1.45, 1.13, 0.57, 0.77, 0.83, 1.08, 0.69, 1.06),
    ),
    "sheet": (
        *(0.83, 0.93, 0.89, 0.54, 1.19, 1.10, 0.37, 0.75, 0.87, 1.60),
        *(1.30, 0.74, 1.05, 1.38, 0.55, 0.75, 1.19, 1.37, 1.47, 1.70),
    ),
    # Campen et al. 2008, doi:10.2174/092986608785849164
    "disorder": (
        *(0.06, 0.18, 0.007, 0.192, 0.02, 0.318, 0.736, 0.166, 0.303, -0.486),
        *(-0.326, 0.586, -0.397, -0.697, 0.987, 0.341, 0.059, -0.884, -0.51, -0.121),
    ),
    # Eisenberg, Schwarz, Komaromy & Wall 1984, doi:10.1016/0022-2836(84)90309-7
    "consensus": (
        *(0.62, -2.53, -0.78, -0.90, 0.29, -0.85, -0.74, 0.48, -0.40, 1.38),
        *(1.06, -1.50, 0.64, 1.19, 0.12, -0.18, -0.05, 0.81, 0.26, 1.08),
    ),
}


def scale_of(name: ScaleName) -> NDArray[np.float64]:
    """Return a scale of shape (21,): the residues in the order of the alphabet, then any other.

    Examples
    --------
    >>> scale_of("hydropathy")[:3]
    array([ 1.8,  2.5, -3.5])
    """
    by_letter = dict(zip(_ORDER, _VALUES[name], strict=True))
    return np.array([*(by_letter[letter] for letter in ALPHABETS["protein"]), 0.0])


def whole_scale(name: ScaleName) -> tuple[NDArray[np.int64], int]:
    """Return a scale in whole numbers of shape (21,), and how many of them make 1.

    Sums of whole numbers are exact in any order, so that what a protein gets depends on nothing
    around it, and a mean that equals a threshold is not above it.

    Examples
    --------
    >>> whole, unit = whole_scale("hydropathy")
    >>> whole[:3].tolist(), unit
    ([18, 25, -35], 10)
    """
    scale = scale_of(name)
    unit = 1
    while not np.allclose(scale * unit, np.rint(scale * unit), rtol=0, atol=1e-6):
        unit *= 10
    return np.rint(scale * unit).astype(np.int64), unit


def standard_scale(name: ScaleName) -> NDArray[np.float64]:
    """Return a scale of mean 0 and deviation 1 over the twenty residues; any other letter has 0.

    Examples
    --------
    >>> scale = standard_scale("volume")
    >>> bool(abs(scale[:20].mean()) < 1e-9), float(scale[:20].std().round(9)), float(scale[20])
    (True, 1.0, 0.0)
    """
    scale = scale_of(name)
    own = scale[:20]
    scale[:20] = (own - own.mean()) / own.std()
    return scale


def membership(letters: str) -> NDArray[np.int64]:
    """Return a scale that is 1 for some residues and 0 for the others.

    Examples
    --------
    >>> membership("DE").nonzero()[0].tolist()
    [2, 3]
    """
    return np.array([*(int(one in letters) for one in ALPHABETS["protein"]), 0])
