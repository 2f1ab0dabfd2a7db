r"""Composition: which letters a sequence is made of, as a whole and at its two ends.

The share of each letter, of each pair of neighbours, and of each letter in windows at the ends of
the sequence, where the signals sit that sort proteins (Nakai & Kanehisa 1992,
doi:10.1016/S0888-7543(05)80111-9):

.. math:: f_a = \frac{\#\{i : x_i = a\}}{n}.

The square roots of shares, :math:`\sqrt{f_a}`, are what Hellinger's distance compares: rare letters
then count as much as common ones, since the deviation of the root of a share does not depend on the
share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from widemargin.contracts import Columns, EncoderSpec, Section, Share
from widemargin.encoders.items import texts_of
from widemargin.encoders.named import NamedEncoder
from widemargin.encoders.sequences.letters import ALPHABETS, codes_of, letters_of
from widemargin.encoders.sequences.shares import letter_shares, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COMPOSITION", "CompositionEncoder", "CompositionSettings"]


class CompositionSettings(Section):
    """Settings of the encoder ``composition``."""

    alphabet: Literal["protein", "dna"] = Field(
        "protein", description="the letters that have a share each; all others count as one, other"
    )
    pairs: bool = Field(False, description="add the shares of all pairs of neighbouring letters")
    ends: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(
        (50,), description="lengths of the windows at each end whose shares are added; [] for none"
    )
    length: bool = Field(True, description="add a tenth of the natural logarithm of the length")
    values: Literal["shares", "roots"] = Field(
        "roots", description="shares of letters, or their square roots, which suit RBF kernels"
    )

    @model_validator(mode="after")
    def _check_ends(self) -> Self:
        if len(set(self.ends)) != len(self.ends):
            raise ValueError(f"ends: {list(self.ends)} names a length twice")
        return self


class CompositionEncoder(NamedEncoder):
    """Shares of letters in a sequence, and in windows at its ends.

    Upper and lower case are alike and white space is left out. Any other character that is not in
    the alphabet (X, B, Z, U, O, a stop, a gap; N in DNA) counts as "other", and no pair spans one.
    A sequence shorter than a window is its own window; an empty one has 0 everywhere. Several
    columns are read as one sequence.

    Parameters
    ----------
    alphabet : {"protein", "dna"}, default="protein"
        The letters.
    pairs : bool, default=False
        Add the shares of pairs of neighbours.
    ends : tuple of int, default=(50,)
        Lengths of windows at both ends.
    length : bool, default=True
        Add a column for the length, a tenth of ln(1 + length).
    values : {"shares", "roots"}, default="roots"
        Shares, or their square roots.

    Examples
    --------
    >>> encoder = CompositionEncoder(alphabet="dna", ends=(), length=False, values="shares")
    >>> encoder.transform(["GATTACAN"])
    array([[0.375, 0.125, 0.125, 0.25 , 0.125]], dtype=float32)
    >>> encoder.get_feature_names_out()
    array(['A', 'C', 'G', 'T', 'other'], dtype=object)
    """

    name: ClassVar[str] = "composition"

    def __init__(
        self,
        alphabet: Literal["protein", "dna"] = "protein",
        pairs: bool = False,
        ends: tuple[int, ...] = (50,),
        length: bool = True,
        values: Literal["shares", "roots"] = "roots",
    ) -> None:
        self.alphabet = alphabet
        self.pairs = pairs
        self.ends = ends
        self.length = length
        self.values = values

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each number, in order."""
        letters = ALPHABETS[self.alphabet]
        names = [*letters, "other"]
        if self.pairs:
            names += [one + other for one in letters for other in letters]
        for size in self.ends:
            for end in ("first", "last"):
                names += [f"{letter} in the {end} {size}" for letter in [*letters, "other"]]
        if self.length:
            names.append("ln(1 + length) / 10")
        return tuple(names)

    def items(self, X: Columns | Sequence[Any]) -> list[str]:
        """Return one sequence a row, in capitals, without white space."""
        return [letters_of(text) for text in texts_of(X)]

    def encode(self, items: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension)."""
        return np.array([self._encode(one) for one in items], np.float32).reshape(
            len(items), self.dimension
        )

    def explain_letters(
        self, X: Columns | Sequence[Any], coef: NDArray[np.float64]
    ) -> list[list[Share]]:
        """Split each row's product with `coef` into its letters, exactly, and its length.

        What a number adds is divided equally among the letters, or pairs of letters, that it
        counts. The length is no letter's, and stands by itself.
        """
        return [self._explain_letters(text, np.asarray(coef, np.float64)) for text in texts_of(X)]

    def _explain_letters(self, text: str, coef: NDArray[np.float64]) -> list[Share]:
        letters = letters_of(text)
        total = np.zeros(len(letters))
        start = 0
        for codes, places, size in self._groups(letters):
            counts = np.bincount(codes, minlength=size)
            parts = self._values(counts) * coef[start : start + size] / np.maximum(1, counts)
            total += spread(places, parts[codes], len(letters))
            start += size
        shares = letter_shares(letters, total)
        if self.length:
            shares.append(Share("length", float(_length(letters) * coef[start])))
        return shares

    def _encode(self, letters: str) -> NDArray[np.float64]:
        values = np.concatenate(
            [
                self._values(np.bincount(codes, minlength=size))
                for codes, _, size in self._groups(letters)
            ]
        )
        return np.append(values, _length(letters)) if self.length else values

    def _groups(self, letters: str) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], int]]:
        """Go through what is counted together.

        Yields
        ------
        codes : ndarray of shape (n_counted,)
            Which of the group's numbers each counts for.
        places : ndarray of shape (n_counted, n_letters_each)
            The letters that it is made of.
        size : int
            How many numbers there are.
        """
        alphabet = ALPHABETS[self.alphabet]
        base = len(alphabet)
        codes = codes_of(letters, alphabet)
        # The code of "other" follows those of the letters.
        codes = np.where(codes < 0, base, codes)
        places = np.arange(len(codes))[:, None]
        yield codes, places, base + 1
        if self.pairs:
            left, right = codes[:-1], codes[1:]
            whole = (left < base) & (right < base)
            pairs = np.hstack([places[:-1], places[1:]])
            yield left[whole] * base + right[whole], pairs[whole], base * base
        for size in self.ends:
            yield codes[:size], places[:size], base + 1
            yield codes[-size:], places[-size:], base + 1

    def _values(self, counts: NDArray[np.intp]) -> NDArray[np.float64]:
        shares: NDArray[np.float64] = counts / max(1, counts.sum())
        return np.sqrt(shares) if self.values == "roots" else shares


def _length(letters: str) -> float:
    return float(np.log1p(len(letters)) / 10)


def _build(settings: CompositionSettings) -> CompositionEncoder:
    return CompositionEncoder(**settings.model_dump())


COMPOSITION = EncoderSpec(
    name="composition",
    summary="shares of letters in a sequence and at its ends, with its length",
    kinds=("sequence",),
    learns="nothing",
    settings=CompositionSettings,
    build=_build,
    dimension=len(CompositionEncoder().columns),
)
