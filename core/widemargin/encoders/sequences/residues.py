"""Residues of many proteins end to end, so that each step is one pass over an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.encoders.sequences.letters import ALPHABETS, codes_of, letters_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PADDING", "Residues"]

PADDING = 40
"""Empty places behind each sequence, and the most places that a window covers: none that begins in
one sequence reaches the next."""

_OTHER = len(ALPHABETS["protein"])


class Residues:
    """Proteins one behind the other, with empty places between.

    Parameters
    ----------
    sequences : sequence of str
        Proteins; any letter that is none of the twenty amino acids counts as none.

    Attributes
    ----------
    codes : ndarray of shape (n_places,)
        Each place's residue, by the alphabet; 20 where there is none.
    lengths : ndarray of shape (n_sequences,)
        Letters of each sequence.
    place : ndarray of shape (n_places,)
        Distance from the first residue.
    left : ndarray of shape (n_places,)
        Distance from the last residue; negative behind it.
    row : ndarray of shape (n_places,)
        The sequence that a place belongs to.

    Examples
    --------
    >>> two = Residues(["MK", ""])
    >>> two.sum(two.known).tolist(), two.lengths.tolist()
    ([2.0, 0.0], [2, 0])
    """

    def __init__(self, sequences: Sequence[str]) -> None:
        own = [letters_of(sequence) for sequence in sequences]
        gap = "-" * PADDING
        codes = codes_of("".join(letters + gap for letters in own), ALPHABETS["protein"])
        self.codes = np.where(codes < 0, _OTHER, codes)
        self.lengths = np.array([len(letters) for letters in own], dtype=np.intp)
        held = self.lengths + PADDING
        self._starts = np.cumsum(held) - held
        self.row = np.repeat(np.arange(len(own)), held)
        self.place = np.arange(len(codes)) - self._starts[self.row]
        self.left = self.lengths[self.row] - 1 - self.place

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether a place holds a letter."""
        inside: NDArray[np.bool_] = self.left >= 0
        return inside

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether a place holds one of the twenty amino acids."""
        known: NDArray[np.bool_] = self.codes < _OTHER
        return known

    def windows(
        self, values: NDArray[Any], width: int, weights: Sequence[float] | None = None
    ) -> NDArray[Any]:
        """Return the sum over the window that begins at each place.

        Sums of whole numbers are exact. Others are added up window by window, from its first place
        to its last: to the last bit, no sum depends on what stands before its window.

        Parameters
        ----------
        values : ndarray of shape (n_places,)
            Whole numbers, truth values or floats.
        width : int
            How many places a window covers, at most `PADDING`.
        weights : sequence of float of length `width`, optional
            What the value at each place of the window is multiplied by; by default 1.

        Returns
        -------
        ndarray of shape (n_places,)
            Of whole numbers where `values` are and there are no weights; 0 where the window
            reaches beyond the last place.

        Raises
        ------
        ValueError
            Where a window would reach the next sequence.

        Examples
        --------
        >>> Residues(["MKT"]).windows(np.array([1, 2, 3, *[0] * PADDING]), 2)[:3].tolist()
        [3, 5, 3]
        """
        if not 1 <= width <= PADDING:
            raise ValueError(f"a window covers 1 to {PADDING} places; got {width}")
        exact = weights is None and values.dtype.kind in "iub"
        out: NDArray[Any] = np.zeros(len(values), dtype=np.int64 if exact else np.float64)
        n = len(values) - width + 1
        if n < 1:
            return out
        if exact:
            sums = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
            out[:n] = sums[width:] - sums[:-width]
            return out
        for at in range(width):
            own = values[at : at + n]
            out[:n] += own if weights is None else own * weights[at]
        return out

    def whole(self, width: int) -> NDArray[np.bool_]:
        """Whether the window that begins at a place is within its sequence.

        A sequence shorter than the window has one, its own.
        """
        whole: NDArray[np.bool_] = (self.left >= width - 1) | (
            (self.place == 0) & (self.lengths[self.row] < width)
        )
        return whole

    def sum(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum over each sequence; of truth values, how many are true."""
        return self._reduce(np.add, np.asarray(values, dtype=np.float64))

    def max(
        self, values: NDArray[Any], where: NDArray[np.bool_], none: float = 0.0
    ) -> NDArray[np.float64]:
        """Return the largest value of each sequence among some places; `none` without any."""
        largest = self._reduce(np.maximum, np.where(where, values, -np.inf))
        return np.where(np.isneginf(largest), none, largest)

    def mean(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum over each sequence, by its length; of truth values, their share."""
        return self.sum(values) / np.maximum(1, self.lengths)

    def _reduce(self, how: np.ufunc, values: NDArray[np.float64]) -> NDArray[np.float64]:
        # `reduceat` of nothing is an error, and a sequence has its padding at least.
        out: NDArray[np.float64] = how.reduceat(values, self._starts) if len(self) else np.empty(0)
        return out
