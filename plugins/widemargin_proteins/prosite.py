"""Patterns of residues as PROSITE writes them, searched for in many proteins at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from widemargin_proteins.sequences import AMINO_ACIDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.encoders import Residues

__all__ = ["Pattern"]

_ELEMENT = re.compile(
    rf"(?P<one>x|[{AMINO_ACIDS}]|\[[{AMINO_ACIDS}]+\]|\{{[{AMINO_ACIDS}]+\}})"
    r"(?:\((?P<least>\d+)(?:,(?P<most>\d+))?\))?"
)
_MOST = 100


@dataclass(frozen=True)
class Pattern:
    """A pattern in PROSITE's notation.

    Elements are joined by hyphens: a residue; ``[ST]``, one of several; ``{P}``, any but some;
    ``x``, any letter; ``x(2)`` and ``x(2,4)``, so many of them. ``<`` at the front ties a pattern
    to the first residue, ``>`` at the end to the last (Sigrist et al. 2002,
    doi:10.1093/bib/3.3.265).

    Parameters
    ----------
    text : str
        The pattern.

    Raises
    ------
    ValueError
        Where it is none.

    Examples
    --------
    >>> from widemargin.encoders import Residues
    >>> proteins = Residues(["MAKSKL", "MSKLA"])
    >>> Pattern("[SAC]-[KR]-L>").count(proteins).tolist()
    [1.0, 0.0]
    """

    text: str

    def __post_init__(self) -> None:
        self._elements()

    def count(
        self, proteins: Residues, where: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Count the places where the pattern begins in each protein.

        Parameters
        ----------
        proteins : Residues
            The proteins.
        where : ndarray of shape (n_places,), optional
            Places that count; by default all.

        Returns
        -------
        ndarray of shape (n_proteins,)
        """
        found = self.find(proteins)
        return proteins.sum(found if where is None else found & where)

    def find(self, proteins: Residues) -> NDArray[np.bool_]:
        """Say of every place whether the pattern begins there."""
        inside = proteins.inside
        # From the last element to the first: the places from which the rest is met.
        begun = proteins.left == -1 if self.text.endswith(">") else np.ones(len(inside), bool)
        for letters, least, most in reversed(self._elements()):
            member = np.array(
                [not letters or one in letters for one in AMINO_ACIDS] + [not letters]
            )
            fits = inside & member[proteins.codes]
            rest, begun = begun, np.zeros(len(inside), bool)
            # Whether so many residues from each place on fit; padding never does, so that none is
            # of the next protein.
            fitting = np.ones(len(inside), bool)
            for number in range(most + 1):
                if number >= least:
                    begun |= fitting & _ahead(rest, number)
                fitting &= _ahead(fits, number)
        if self.text.startswith("<"):
            begun &= proteins.place == 0
        return begun & inside

    def _elements(self) -> list[tuple[str, int, int]]:
        """Return of each element its residues (none for any), and how many at least and most."""
        elements = []
        for element in self.text.removeprefix("<").removesuffix(">").split("-"):
            parsed = _ELEMENT.fullmatch(element)
            if parsed is None:
                raise ValueError(
                    f"{self.text!r}: {element!r} is no element of a PROSITE pattern; allowed are "
                    "x, a residue, [ABC], {ABC}, each with (2) or (2,4), joined by hyphens"
                )
            least = int(parsed["least"] or 1)
            most = int(parsed["most"] or least)
            if most < least or not 0 < most <= _MOST:
                raise ValueError(
                    f"{self.text!r}: {element!r} is met by no number of residues, or by more than "
                    f"{_MOST}"
                )
            letters = parsed["one"].strip("[]x")
            if letters.startswith("{"):
                letters = "".join(own for own in AMINO_ACIDS if own not in letters)
            elements.append((letters, least, most))
        return elements


def _ahead(values: NDArray[np.bool_], number: int) -> NDArray[np.bool_]:
    """Return what is so many places further on; nothing beyond the last."""
    if not number:
        return values
    out = np.zeros(len(values), bool)
    out[:-number] = values[number:]
    return out
