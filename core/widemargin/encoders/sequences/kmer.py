r"""Counts of k-mers: the spectrum and mismatch kernels of sequences as explicit vectors.

The spectrum kernel compares how often each k-mer, k letters in a row, occurs (Leslie, Eskin & Noble
2002, "The spectrum kernel: a string kernel for SVM protein classification", PSB 564-575). The
(k, m) mismatch kernel lets each count for all that differ from it in at most m letters (Leslie,
Eskin, Cohen, Weston & Noble 2004, doi:10.1093/bioinformatics/btg431):

.. math:: \phi_\beta(x) = \#\{\alpha \text{ in } x : \alpha \text{ and } \beta
    \text{ differ in at most } m \text{ letters}\}, \qquad k(x, y) = \phi(x)^\top \phi(y).

The vectors are these :math:`\phi`; a linear kernel of them is the kernel of the papers, and of
vectors of unit length the normalised one. Other kernels may be put on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import comb
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from widemargin.contracts import Columns, EncoderSpec, Section, Share, State
from widemargin.encoders.items import texts_of
from widemargin.encoders.sequences.letters import ALPHABETS
from widemargin.encoders.sequences.mismatches import neighbours
from widemargin.encoders.sequences.shares import letter_shares, spread
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

__all__ = ["KMER", "KmerEncoder", "KmerSettings"]

_FIXED = 200_000
"""Columns up to which every k-mer has one; above, those that training rows reach."""

_ENTRIES = 50_000_000
"""Entries of one matrix, 600 MB: what a forgotten `mismatches: 2` would exceed many times."""


class KmerSettings(Section):
    """Settings of the encoder ``kmer``."""

    k: Annotated[int, Field(ge=1, le=8)] = Field(3, description="letters of each k-mer")
    mismatches: Annotated[int, Field(ge=0, le=2)] = Field(
        0, description="letters in which k-mers may differ and count as alike; below k"
    )
    alphabet: Literal["auto", "protein", "dna"] = Field(
        "auto", description="auto: letters seen in training; no k-mer spans any other"
    )
    weighting: Literal["counts", "binary"] = Field(
        "counts", description="count repetitions, or only whether a k-mer occurs"
    )
    normalise: bool = Field(True, description="scale each row to unit length")

    @model_validator(mode="after")
    def _check_mismatches(self) -> Self:
        if self.mismatches >= self.k:
            raise ValueError(
                f"mismatches, {self.mismatches}, must be below k, {self.k}; "
                "otherwise all k-mers are alike"
            )
        return self


class KmerEncoder(Transformer):
    """Counts of all k-mers, stretches of k letters, with or without mismatches.

    Upper and lower case are alike. No k-mer spans a letter outside the alphabet, such as the N
    of an unknown base, nor white space; with ``alphabet="auto"`` every other printable
    character of the training rows is a letter. Several columns are read one after the other, and
    no k-mer crosses from one to the next.

    Every possible k-mer has a column where there are at most 200,000; otherwise those have one
    that training rows reach. Lengths take all k-mers into account either way, so that products
    with training rows are those of the whole kernel.

    Parameters
    ----------
    k : int, default=3
        Number of letters of each k-mer, 1 to 8.
    mismatches : int, default=0
        Letters in which k-mers may differ and count as alike, 0 to 2 and below `k`.
    alphabet : {"auto", "protein", "dna"}, default="auto"
        The letters.
    weighting : {"counts", "binary"}, default="counts"
        Count repetitions, or only whether a k-mer occurs.
    normalise : bool, default=True
        Scale each row to unit length; a row without any k-mer stays 0.

    Examples
    --------
    >>> encoder = KmerEncoder(k=2, normalise=False)
    >>> encoder.fit_transform(["GATTA", "TATA"]).toarray()[:, [2, 6, 8]]
    array([[1., 1., 1.],
           [1., 2., 0.]])
    >>> encoder.get_feature_names_out()[[2, 6, 8]]
    array(['AT', 'TA', 'TT'], dtype=object)
    """

    alphabet_: str
    vocabulary_: NDArray[np.int64] | None

    def __init__(
        self,
        k: int = 3,
        mismatches: int = 0,
        alphabet: Literal["auto", "protein", "dna"] = "auto",
        weighting: Literal["counts", "binary"] = "counts",
        normalise: bool = True,
    ) -> None:
        self.k = k
        self.mismatches = mismatches
        self.alphabet = alphabet
        self.weighting = weighting
        self.normalise = normalise

    def fit(self, X: Columns | Sequence[str], y: Any = None) -> Self:
        """Learn the letters, and where there are too many k-mers, which of them occur.

        Raises
        ------
        DataError
            Where no row has k letters in a stretch, or the matrix would be too large.
        """
        self._fit(texts_of(X))
        return self

    def fit_transform(self, X: Columns | Sequence[str], y: Any = None) -> csr_matrix:
        """Fit and return the training rows' vectors, reading each row once."""
        return self._encode(self._fit(texts_of(X)))

    def transform(self, X: Columns | Sequence[str]) -> csr_matrix:
        """Return vectors of shape (n_samples, n_features), float64 CSR."""
        self._check_fitted("alphabet_")
        return self._encode([self._count(text) for text in texts_of(X)])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns by their k-mers: ``GAT``."""
        self._check_fitted("alphabet_")
        return np.array(self._names(self._columns()), dtype=object)

    def get_state(self) -> State:
        """Return the letters, and the learnt k-mers as numbers to the base of their count."""
        self._check_fitted("alphabet_")
        arrays = {} if self.vocabulary_ is None else {"vocabulary": self.vocabulary_}
        return State(arrays, {"alphabet": self.alphabet_})

    def set_state(self, state: State) -> Self:
        """Take up letters and k-mers."""
        self.alphabet_ = state.meta["alphabet"]
        every = len(self.alphabet_) ** self.k
        if "vocabulary" not in state.arrays:
            self.vocabulary_ = None
        else:
            self.vocabulary_ = np.asarray(state.arrays["vocabulary"], dtype=np.int64)
            if not len(self.vocabulary_) or not 0 <= self.vocabulary_[-1] < every:
                raise DataError(f"kmer: the saved k-mers are none of {self.k} letters")
        return self

    def explain(self, X: Columns | Sequence[str], coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each row's product with `coef` into its own k-mers, in order of appearance.

        What a k-mer adds to others by mismatch belongs to the k-mer that is in the row.
        Contributions of a row sum to ``transform(row) @ coef``.
        """
        self._check_fitted("alphabet_")
        rows = [self._count(text) for text in texts_of(X)]
        self._check_size(rows)
        return [
            list(map(Share, self._names(kmers), self._parts(kmers, counts, coef).tolist()))
            for kmers, counts in rows
        ]

    def explain_letters(
        self, X: Columns | Sequence[str], coef: NDArray[np.float64]
    ) -> list[list[Share]]:
        """Split each row's product with `coef` into its letters, exactly.

        Each k-mer's part, as `explain` has it, is divided equally among its k letters.
        """
        self._check_fitted("alphabet_")
        texts = texts_of(X)
        self._check_size([self._count(text) for text in texts])
        rows = []
        for text in texts:
            numbers, starts = self._runs(text)
            kmers, place, counts = np.unique(numbers, return_inverse=True, return_counts=True)
            parts = (self._parts(kmers, counts.astype(np.float64), coef) / counts)[place]
            letters = starts[:, None] + np.arange(self.k)
            capitals = text.upper()
            rows.append(letter_shares(capitals, spread(letters, parts, len(capitals))))
        return rows

    def _parts(
        self, kmers: NDArray[np.int64], counts: NDArray[np.float64], coef: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return what each of a row's k-mers adds to the product, all its occurrences together."""
        reached = self._neighbours(kmers)
        columns, sums, values = self._spread(reached, counts)
        weights = np.zeros(len(columns))
        places, known = self._find(columns)
        weights[known] = values[known] * coef[places[known]]
        # Of each column's product, every k-mer that reaches it has its part.
        weights /= np.where(sums == 0, 1, sums)
        parts: NDArray[np.float64] = counts * weights[np.searchsorted(columns, reached)].sum(axis=1)
        return parts

    def _fit(self, texts: Sequence[str]) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        if self.alphabet == "auto":
            seen = set().union(*(text.upper() for text in texts))
            letters = sorted(one for one in seen if one.isprintable() and not one.isspace())
            self.alphabet_ = "".join(letters)
        else:
            self.alphabet_ = ALPHABETS[self.alphabet]
        every = len(self.alphabet_) ** self.k
        if every > np.iinfo(np.int64).max:
            raise DataError(
                f"kmer: there are {len(self.alphabet_)} different letters, too many for k-mers of "
                f"{self.k}; lower k."
            )
        rows = [self._count(text) for text in texts]
        if not any(len(kmers) for kmers, _ in rows):
            raise DataError(
                f"kmer: none of the {len(texts)} rows has {self.k} letters of the alphabet "
                f"{self.alphabet} in a stretch; lower k or choose another alphabet."
            )
        self._check_size(rows)
        self.vocabulary_ = None
        if every > _FIXED:
            occurring = np.unique(np.concatenate([kmers for kmers, _ in rows]))
            # Sorted here: `unique` hashes, which takes ten times as long for millions of k-mers.
            reached = np.sort(self._neighbours(occurring), axis=None)
            self.vocabulary_ = reached[np.r_[True, np.diff(reached) > 0]]
        return rows

    def _count(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the row's k-mers as numbers, in order of appearance, and how often each occurs."""
        numbers, _ = self._runs(text)
        kmers, first, counts = np.unique(numbers, return_index=True, return_counts=True)
        order = np.argsort(first)
        return kmers[order], counts[order].astype(np.float64)

    def _runs(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """Return every k-mer as a number, and the letter where it begins."""
        digits = self._digits(text)
        n = max(0, len(digits) - self.k + 1)
        numbers = np.zeros(n, dtype=np.int64)
        whole = np.ones(n, dtype=bool)
        for place in range(self.k):
            own = digits[place : place + n]
            numbers = numbers * len(self.alphabet_) + own
            whole &= own >= 0
        return numbers[whole], np.flatnonzero(whole)

    def _digits(self, text: str) -> NDArray[np.int64]:
        """Return each letter's place in the alphabet, -1 for one that is not in it."""
        letters = _code_points(self.alphabet_)
        points = _code_points(text.upper())
        if not len(letters):
            return np.full(len(points), -1)
        places = np.minimum(np.searchsorted(letters, points), len(letters) - 1)
        return np.where(letters[places] == points, places, -1)

    def _neighbours(self, kmers: NDArray[np.int64]) -> NDArray[np.int64]:
        return neighbours(kmers, self.k, len(self.alphabet_), self.mismatches)

    def _spread(
        self, reached: NDArray[np.int64], counts: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Return a row's k-mers, mismatches included, in order, with their sums and values."""
        columns, inverse = np.unique(reached.ravel(), return_inverse=True)
        weights = np.repeat(counts, reached.shape[1])
        sums = np.bincount(inverse, weights=weights, minlength=len(columns)).astype(np.float64)
        values = np.ones(len(columns)) if self.weighting == "binary" else sums
        if self.normalise and len(values):
            values = values / np.sqrt(values @ values)
        return columns, sums, values

    def _encode(self, rows: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> csr_matrix:
        from scipy.sparse import csr_matrix

        self._check_size(rows)
        indices, data, ends = [np.empty(0, dtype=np.int64)], [np.empty(0)], [0]
        for kmers, counts in rows:
            columns, _, values = self._spread(self._neighbours(kmers), counts)
            places, known = self._find(columns)
            indices.append(places[known])
            data.append(values[known])
            ends.append(ends[-1] + len(data[-1]))
        shape = (len(rows), self._n_columns())
        return csr_matrix((np.concatenate(data), np.concatenate(indices), ends), shape=shape)

    def _find(self, kmers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return each k-mer's column, and whether it has one."""
        if self.vocabulary_ is None:
            return kmers, np.ones(len(kmers), dtype=bool)
        last = len(self.vocabulary_) - 1
        places = np.minimum(np.searchsorted(self.vocabulary_, kmers), last).astype(np.int64)
        return places, self.vocabulary_[places] == kmers

    def _n_columns(self) -> int:
        learnt = self.vocabulary_
        return len(self.alphabet_) ** self.k if learnt is None else len(learnt)

    def _columns(self) -> NDArray[np.int64]:
        learnt = self.vocabulary_
        return np.arange(self._n_columns(), dtype=np.int64) if learnt is None else learnt

    def _names(self, kmers: NDArray[np.int64]) -> list[str]:
        base = len(self.alphabet_)
        values = base ** np.arange(self.k - 1, -1, -1, dtype=np.int64)
        digits = (kmers[:, None] // values % base).tolist()
        return ["".join([self.alphabet_[digit] for digit in own]) for own in digits]

    def _check_size(self, rows: Iterable[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> None:
        others = len(self.alphabet_) - 1
        each = sum(comb(self.k, size) * others**size for size in range(self.mismatches + 1))
        entries = each * sum(len(kmers) for kmers, _ in rows)
        if self.mismatches and entries > _ENTRIES:
            raise DataError(
                f"kmer: with k = {self.k} and {self.mismatches} of {len(self.alphabet_)} letters "
                f"free each k-mer counts for {each:,}, {entries:,} entries in all; at most "
                f"{_ENTRIES:,} fit. Lower mismatches or k, or use fewer rows."
            )


def _code_points(text: str) -> NDArray[np.int64]:
    # Half a surrogate pair, as broken JSON may hold one, is no valid UTF-32.
    encoded = text.encode("utf-32-le", "surrogatepass")
    return np.frombuffer(encoded, dtype="<u4").astype(np.int64)


def _build(settings: KmerSettings) -> KmerEncoder:
    return KmerEncoder(**settings.model_dump())


KMER = EncoderSpec(
    name="kmer",
    summary="counts of all k-mers, the spectrum and mismatch kernels of sequences",
    kinds=("sequence", "text"),
    learns="X",
    settings=KmerSettings,
    build=_build,
)
