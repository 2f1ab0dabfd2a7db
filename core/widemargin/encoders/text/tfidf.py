r"""TF-IDF of words and of characters.

Each part, words and characters, weighs an n-gram by

.. math:: w = (1 + \ln \mathrm{tf}) \left(1 + \ln \frac{1 + n}{1 + \mathrm{df}}\right)

and scales each text's part to unit length (Salton & Buckley 1988, doi:10.1016/0306-4573(88)90021-0;
the smoothed inverse document frequency is scikit-learn's). Character n-grams stay inside words, so
that every weight belongs to a word, and a linear margin splits into words exactly.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator

from widemargin.contracts import Columns, EncoderSpec, Section, Share, State
from widemargin.encoders.items import texts_of
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

__all__ = ["TFIDF", "TfidfEncoder", "TfidfSettings"]

_CHUNK = re.compile(r"\S+")
# A word, or one character that is none: "£", "!" and ":" tell much about a message.
_TOKEN = re.compile(r"\w+|[^\w\s]")

Length = Annotated[int, Field(ge=1, le=10)]


class TfidfSettings(Section):
    """Settings of the encoder ``tfidf``."""

    words: tuple[Length, Length] | None = Field(
        (1, 2), description="shortest and longest run of words counted; null for none"
    )
    characters: tuple[Length, Length] | None = Field(
        (2, 4), description="shortest and longest run of characters inside a word; null for none"
    )
    min_df: Annotated[int, Field(ge=1)] = Field(
        2, description="texts that an n-gram must occur in, at least"
    )
    max_df: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="share of the texts that an n-gram may occur in, at most"
    )
    sublinear_tf: bool = Field(True, description="count an n-gram's repetitions by 1 + ln(count)")
    lowercase: bool = Field(True, description="treat upper and lower case alike")

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if self.words is None and self.characters is None:
            raise ValueError("words and characters are both null; give at least one of them")
        for name, lengths in (("words", self.words), ("characters", self.characters)):
            if lengths is not None and lengths[0] > lengths[1]:
                raise ValueError(f"{name}: the shortest, {lengths[0]}, exceeds the longest")
        return self


class TfidfEncoder(Transformer):
    """TF-IDF vectors of texts: words and characters side by side.

    Parameters
    ----------
    words, characters : tuple of (int, int) or None, default=(1, 2) and (2, 4)
        Shortest and longest n-gram of each part.
    min_df : int, default=2
        Number of texts that an n-gram must occur in.
    max_df : float, default=1.0
        Share of the texts that an n-gram may occur in.
    sublinear_tf : bool, default=True
        Use 1 + ln(count) in place of the count.
    lowercase : bool, default=True
        Treat upper and lower case alike.

    Examples
    --------
    >>> encoder = TfidfEncoder(min_df=1, characters=None)
    >>> X = encoder.fit_transform(["win cash now", "see you now"])
    >>> X.shape
    (2, 9)
    """

    parts_: tuple[str, ...]
    vocabularies_: dict[str, dict[str, int]]
    idf_: dict[str, NDArray[np.float64]]

    def __init__(
        self,
        words: tuple[int, int] | None = (1, 2),
        characters: tuple[int, int] | None = (2, 4),
        min_df: int = 2,
        max_df: float = 1.0,
        sublinear_tf: bool = True,
        lowercase: bool = True,
    ) -> None:
        self.words = words
        self.characters = characters
        self.min_df = min_df
        self.max_df = max_df
        self.sublinear_tf = sublinear_tf
        self.lowercase = lowercase

    def fit(self, X: Columns | Sequence[str], y: Any = None) -> Self:
        """Choose the n-grams and their weights from training texts."""
        self._fit(texts_of(X))
        return self

    def fit_transform(self, X: Columns | Sequence[str], y: Any = None) -> csr_matrix:
        """Fit and return the training texts' vectors, reading each text once."""
        return self._weigh(self._fit(texts_of(X)))

    def transform(self, X: Columns | Sequence[str]) -> csr_matrix:
        """Return vectors of shape (n_samples, n_features), float64 CSR."""
        self._check_fitted("idf_")
        texts = texts_of(X)
        return self._weigh(
            [self._count(part, texts, self.vocabularies_[part])[0] for part in self.parts_]
        )

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns: ``words: free``, ``characters: £1``."""
        self._check_fitted("idf_")
        return np.array(
            [f"{part}: {ngram}" for part in self.parts_ for ngram in self.vocabularies_[part]],
            dtype=object,
        )

    def get_state(self) -> State:
        """Return vocabularies and weights as arrays."""
        self._check_fitted("idf_")
        arrays: dict[str, NDArray[Any]] = {}
        for part in self.parts_:
            # No n-gram holds a line feed, since it would have split the word.
            # Half a surrogate pair, as broken JSON may hold one, is no valid UTF-8.
            joined = "\n".join(self.vocabularies_[part]).encode("utf-8", "surrogatepass")
            arrays[f"{part}.vocabulary"] = np.frombuffer(joined, dtype=np.uint8)
            arrays[f"{part}.idf"] = self.idf_[part]
        return State(arrays, {"parts": list(self.parts_)})

    def set_state(self, state: State) -> Self:
        """Take up vocabularies and weights."""
        self.parts_ = tuple(state.meta["parts"])
        self.vocabularies_, self.idf_ = {}, {}
        for part in self.parts_:
            joined = state.arrays[f"{part}.vocabulary"].tobytes().decode("utf-8", "surrogatepass")
            ngrams = joined.split("\n") if joined else []
            self.vocabularies_[part] = {ngram: column for column, ngram in enumerate(ngrams)}
            self.idf_[part] = np.asarray(state.arrays[f"{part}.idf"], dtype=np.float64)
            if len(self.idf_[part]) != len(ngrams):
                raise DataError(f"tfidf: {part} has {len(ngrams)} n-grams and another many weights")
        return self

    def explain(self, X: Columns | Sequence[str], coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each text's product with `coef` into its words, in order of appearance.

        An n-gram's share goes in equal parts to its occurrences, and from there to the words that
        it spans. Contributions of a text sum to ``transform(text) @ coef``.
        """
        texts = texts_of(X)
        rows = self.transform(texts)
        rows.data *= coef[rows.indices]
        return [
            self._explain_one(text, rows.indices[start:end], rows.data[start:end])
            for text, start, end in zip(texts, rows.indptr[:-1], rows.indptr[1:], strict=True)
        ]

    def _explain_one(
        self, text: str, columns: NDArray[np.int32], products: NDArray[np.float64]
    ) -> list[Share]:
        product_of = dict(zip(columns.tolist(), products.tolist(), strict=True))
        chunks = _CHUNK.findall(text)
        sums = np.zeros(len(chunks))
        offset = 0
        for part in self.parts_:
            vocabulary = self.vocabularies_[part]
            places: dict[int, list[list[int]]] = {}
            for ngram, spanned in self._placed(part, text):
                column = vocabulary.get(ngram)
                if column is not None:
                    places.setdefault(column, []).append(spanned)
            for column, occurrences in places.items():
                each = product_of.get(column + offset, 0.0) / len(occurrences)
                for spanned in occurrences:
                    for chunk in spanned:
                        sums[chunk] += each / len(spanned)
            offset += len(vocabulary)
        merged: dict[str, float] = {}
        for chunk, total in zip(chunks, sums.tolist(), strict=True):
            merged[chunk] = merged.get(chunk, 0.0) + total
        return [Share(piece, contribution) for piece, contribution in merged.items()]

    def _fit(self, texts: Sequence[str]) -> list[csr_matrix]:
        """Choose the n-grams and their weights; return their counts, one matrix a part."""
        self.parts_ = tuple(
            part for part in ("words", "characters") if getattr(self, part) is not None
        )
        self.vocabularies_, self.idf_ = {}, {}
        n = len(texts)
        blocks = []
        for part in self.parts_:
            counts, names = self._count(part, texts)
            df = np.bincount(counts.indices, minlength=len(names))
            often = (df >= min(self.min_df, n)) & (df <= self.max_df * n)
            kept = sorted(np.flatnonzero(often).tolist(), key=names.__getitem__)
            if not kept:
                raise DataError(
                    f"tfidf: no {part} n-gram occurs in at least {self.min_df} and at most "
                    f"{self.max_df:.0%} of the {n} texts; lower min_df or raise max_df."
                )
            self.vocabularies_[part] = {names[old]: column for column, old in enumerate(kept)}
            self.idf_[part] = np.log((1 + n) / (1 + df[kept])) + 1
            blocks.append(counts[:, kept])
            blocks[-1].sort_indices()
        return blocks

    def _count(
        self, part: str, texts: Sequence[str], vocabulary: Mapping[str, int] | None = None
    ) -> tuple[csr_matrix, list[str]]:
        """Count the n-grams of a vocabulary, or all; return the counts and the n-grams' names.

        Each distinct piece is cut into n-grams once, and its texts get them by a product: a piece
        is a chunk for characters, which do not leave it, and the whole text for words.
        """
        from scipy.sparse import csr_matrix

        columns: dict[str, int] = {}
        rows: dict[str, int] = {}
        owned, owned_ends = array("q"), array("q", [0])
        held, held_ends = array("q"), array("q", [0])
        for text in texts:
            low = text.lower() if self.lowercase else text
            for piece in low.split() if part == "characters" else [low]:
                row = rows.setdefault(piece, len(rows))
                owned.append(row)
                if row < len(held_ends) - 1:
                    continue
                if vocabulary is None:
                    held.extend(
                        columns.setdefault(ngram, len(columns))
                        for ngram in self._listed(part, piece)
                    )
                else:
                    found = map(vocabulary.get, self._listed(part, piece))
                    held.extend(column for column in found if column is not None)
                held_ends.append(len(held))
            owned_ends.append(len(owned))
        width = len(columns) if vocabulary is None else len(vocabulary)
        pieces = _ones(owned, owned_ends, len(rows))
        counts = csr_matrix(pieces @ _ones(held, held_ends, width))
        counts.sort_indices()  # sums in this order are the same every time
        return counts, list(columns)

    def _weigh(self, blocks: Sequence[csr_matrix]) -> csr_matrix:
        from scipy.sparse import csr_matrix, hstack

        for part, block in zip(self.parts_, blocks, strict=True):
            if self.sublinear_tf:
                block.data = 1 + np.log(block.data)
            block.data *= self.idf_[part][block.indices]
            lengths = np.sqrt(np.asarray(block.multiply(block).sum(axis=1)).ravel())
            lengths[lengths == 0] = 1
            block.data /= np.repeat(lengths, np.diff(block.indptr))
        return csr_matrix(hstack(blocks, format="csr"))

    def _listed(self, part: str, piece: str) -> Iterable[str]:
        if part == "words":
            assert self.words is not None
            return _runs(_TOKEN.findall(piece), *self.words)
        assert self.characters is not None
        return _inside([piece], *self.characters)

    def _placed(self, part: str, text: str) -> Iterable[tuple[str, list[int]]]:
        """List the n-grams with the chunks (runs between white space) that each one spans."""
        chunks = _CHUNK.findall(text.lower() if self.lowercase else text)
        if part == "characters":
            assert self.characters is not None
            for place, chunk in enumerate(chunks):
                for ngram in _inside([chunk], *self.characters):
                    yield ngram, [place]
            return
        assert self.words is not None
        tokens = [
            (token, place) for place, chunk in enumerate(chunks) for token in _TOKEN.findall(chunk)
        ]
        for length in range(self.words[0], self.words[1] + 1):
            for start in range(len(tokens) - length + 1):
                run = tokens[start : start + length]
                yield " ".join(token for token, _ in run), [place for _, place in run]


def _ones(columns: array[int], ends: array[int], width: int) -> csr_matrix:
    """Make a matrix that counts how often each column stands in each row."""
    from scipy.sparse import csr_matrix

    indices, indptr = np.array(columns, dtype=np.int64), np.array(ends, dtype=np.int64)
    ones = csr_matrix((np.ones(len(indices)), indices, indptr), shape=(len(indptr) - 1, width))
    ones.sum_duplicates()
    return ones


def _runs(tokens: Sequence[str], shortest: int, longest: int) -> Iterable[str]:
    for length in range(shortest, longest + 1):
        if length == 1:
            yield from tokens
        else:
            for start in range(len(tokens) - length + 1):
                yield " ".join(tokens[start : start + length])


def _inside(chunks: Iterable[str], shortest: int, longest: int) -> Iterable[str]:
    """List character n-grams of each chunk with a space at both ends.

    A chunk shorter than an n-gram counts once, whole, as scikit-learn's ``char_wb`` does.
    """
    for chunk in chunks:
        padded = f" {chunk} "
        size = len(padded)
        for length in range(shortest, longest + 1):
            yield padded[:length]
            for start in range(1, size - length + 1):
                yield padded[start : start + length]
            if length >= size:
                break


def _build(settings: TfidfSettings) -> TfidfEncoder:
    return TfidfEncoder(**settings.model_dump())


TFIDF = EncoderSpec(
    name="tfidf",
    summary="weighted counts of words and of characters",
    kinds=("text",),
    learns="X",
    settings=TfidfSettings,
    build=_build,
)
