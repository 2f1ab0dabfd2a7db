r"""ProtVec: Word2Vec of k-mers.

A sequence is read k times, each reading shifted by one letter and cut into k-mers that do not
overlap; the readings are the sentences on which Word2Vec with skip-grams and negative sampling is
trained (Asgari & Mofrad 2015, doi:10.1371/journal.pone.0141287). A sequence's vector is the mean
over the k-mers of all its readings:

.. math:: v(x) = \frac{1}{n} \sum_{i=1}^{n} v_{x_i \dots x_{i+k-1}}.

The paper adds where this takes the mean, so that length does not decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from widemargin.contracts import (
    Checkpoints,
    Columns,
    EncoderSpec,
    PositiveFloat,
    Progress,
    Section,
    Share,
    Silent,
    State,
)
from widemargin.encoders.items import texts_of
from widemargin.encoders.libraries import require_library
from widemargin.encoders.sequences.letters import ALPHABETS, codes_of, letters_of
from widemargin.encoders.text.gensim_training import LIBRARIES, GensimTraining
from widemargin.encoders.training.epochs import run_epochs, training_key
from widemargin.encoders.training.memory import check_table_fits
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PROTVEC", "ProtVecEncoder", "ProtVecSettings"]

# gensim drops what exceeds this in a sentence, without a word.
_LONGEST = 10_000
_FEW = 10_000
_MOST = 200_000
# A k-mer's own numbers, those it has as one that is drawn against others, and at the end a copy.
_BYTES = 12


class ProtVecSettings(Section):
    """Settings of the encoder ``protvec``."""

    k: Annotated[int, Field(ge=1, le=6)] = Field(3, description="letters of each k-mer")
    alphabet: Literal["protein", "dna"] = Field(
        "protein", description="the letters; no k-mer spans any other"
    )
    dimension: Annotated[int, Field(ge=1, le=2000)] = Field(
        100, description="numbers of each vector"
    )
    window: Annotated[int, Field(ge=1, le=100)] = Field(
        25, description="k-mers to either side that are predicted from one"
    )
    epochs: Annotated[int, Field(ge=1, le=1000)] = Field(
        5, description="times that training goes through the sequences"
    )
    min_count: Annotated[int, Field(ge=1)] = Field(
        2, description="times that a k-mer must occur in training to have a vector"
    )
    max_kmers: Annotated[int, Field(ge=1, le=100_000_000)] = Field(
        _MOST,
        description="k-mers that get a vector at most, the most frequent ones; training takes up "
        "to 12 bytes x k-mers x dimension of memory",
    )
    negative: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="random k-mers that each right one is told from"
    )
    learning_rate: PositiveFloat = Field(0.025, description="size of the first step of training")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        0, description="start of the random numbers"
    )


class ProtVecEncoder(Transformer):
    """Mean of the Word2Vec vectors of a sequence's k-mers, trained on the training rows.

    Training runs in one thread, so that the same rows in the same order give the same vectors.
    Upper and lower case are alike and white space is left out; no k-mer spans a letter that is not
    in the alphabet. A k-mer without a vector is left out, and a sequence without any known k-mer
    has 0 everywhere.

    Parameters
    ----------
    k : int, default=3
        Letters of each k-mer.
    alphabet : {"protein", "dna"}, default="protein"
        The letters.
    dimension : int, default=100
        Numbers of each vector.
    window : int, default=25
        K-mers to either side that are predicted from one.
    epochs : int, default=5
        Passes over the sequences.
    min_count : int, default=2
        Times that a k-mer must occur to have a vector.
    max_kmers : int, default=200000
        How many have one at most; of those that occur equally often, the first in the alphabet.
    negative : int, default=5
        Random k-mers that each right one is told from.
    learning_rate : float, default=0.025
        Size of the first step.
    seed : int, default=0
        Start of the random numbers.

    Attributes
    ----------
    kmers_ : ndarray of shape (n_kmers,)
        The k-mers with a vector, as numbers to the base of the alphabet, ascending.
    vectors_ : ndarray of shape (n_kmers, dimension), float32
        Their vectors.
    progress : Progress
        Told of every epoch, and where there is little to learn from. Not a parameter.
    checkpoints : Checkpoints or None
        Where training keeps how far it is. Not a parameter.
    """

    name: ClassVar[str] = "protvec"
    progress: Progress = Silent()
    checkpoints: Checkpoints | None = None

    kmers_: NDArray[np.int64]
    vectors_: NDArray[np.float32]

    def __init__(
        self,
        k: int = 3,
        alphabet: Literal["protein", "dna"] = "protein",
        dimension: int = 100,
        window: int = 25,
        epochs: int = 5,
        min_count: int = 2,
        max_kmers: int = _MOST,
        negative: int = 5,
        learning_rate: float = 0.025,
        seed: int = 0,
    ) -> None:
        self.k = k
        self.alphabet = alphabet
        self.dimension = dimension
        self.window = window
        self.epochs = epochs
        self.min_count = min_count
        self.max_kmers = max_kmers
        self.negative = negative
        self.learning_rate = learning_rate
        self.seed = seed

    def fit(self, X: Columns | Sequence[str], y: Any = None) -> Self:
        """Train vectors of k-mers on the training rows.

        Raises
        ------
        DataError
            Where no k-mer occurs often enough, the vectors would not fit into memory, or gensim is
            not installed.
        """
        word2vec = require_library("gensim.models.word2vec", "protvec", "text")
        utils = require_library("gensim.utils", "protvec", "text")
        rows = [self._numbers(text) for text in texts_of(X)]
        kept = self._kept(rows)
        model = word2vec.Word2Vec(
            vector_size=self.dimension,
            window=self.window,
            min_count=1,
            negative=self.negative,
            sg=1,
            alpha=self.learning_rate,
            min_alpha=min(1e-4, self.learning_rate),
            seed=self.seed,
            workers=1,
        )
        sentences = [sentence for own in rows for sentence in self._readings(own)]
        keep, drop = utils.RULE_KEEP, utils.RULE_DISCARD
        model.build_vocab(
            sentences, trim_rule=lambda word, count, least: keep if word in kept else drop
        )
        run_epochs(
            GensimTraining(model, sentences, self.epochs),
            self.epochs,
            name=self.name,
            progress=self.progress,
            checkpoints=self.checkpoints,
            key=lambda: training_key(
                {"name": self.name, "parameters": repr(self)},
                (own.tobytes() for own in rows),
                LIBRARIES,
            ),
        )
        numbers = np.array([int(word) for word in model.wv.index_to_key], dtype=np.int64)
        order = np.argsort(numbers)
        self.kmers_ = numbers[order]
        self.vectors_ = np.ascontiguousarray(model.wv.vectors[order], dtype=np.float32)
        return self

    def transform(self, X: Columns | Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, dimension), float32."""
        self._check_fitted("vectors_")
        texts = texts_of(X)
        out = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(out, texts, strict=True):
            places, counts = self._known(text)
            if len(places):
                row[:] = counts @ self.vectors_[places].astype(np.float64) / counts.sum()
        return out

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns by their place."""
        return np.array([f"protvec: {k + 1}" for k in range(self.dimension)], dtype=object)

    def get_state(self) -> State:
        """Return the k-mers and their vectors."""
        self._check_fitted("vectors_")
        return State({"kmers": self.kmers_, "vectors": self.vectors_}, {})

    def set_state(self, state: State) -> Self:
        """Take up k-mers and vectors."""
        self.kmers_ = np.asarray(state.arrays["kmers"], dtype=np.int64)
        self.vectors_ = np.asarray(state.arrays["vectors"], dtype=np.float32)
        if self.vectors_.shape != (len(self.kmers_), self.dimension):
            raise DataError(
                f"protvec: {len(self.kmers_)} k-mers of {self.dimension} numbers each are saved "
                f"with vectors of the shape {self.vectors_.shape}."
            )
        return self

    def explain(self, X: Columns | Sequence[str], coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each row's product with `coef` into its k-mers, in order of appearance."""
        self._check_fitted("vectors_")
        products = self.vectors_.astype(np.float64) @ coef
        rows = []
        for text in texts_of(X):
            places, counts = self._known(text)
            shares = counts * products[places] / max(1.0, counts.sum())
            rows.append(
                [
                    Share(self._name(int(self.kmers_[place])), share)
                    for place, share in zip(places, shares.tolist(), strict=True)
                ]
            )
        return rows

    def _kept(self, rows: Sequence[NDArray[np.int64]]) -> set[str]:
        """Return the k-mers that get a vector, as gensim's words."""
        whole = np.concatenate([np.empty(0, np.int64), *(own[own >= 0] for own in rows)])
        numbers, counts = np.unique(whole, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] >= self.min_count]
        if not len(order):
            raise DataError(
                f"protvec: no stretch of {self.k} letters of the alphabet {self.alphabet} occurs "
                f"{self.min_count} times in the {len(rows)} sequences; lower min_count or k, or "
                "choose another alphabet."
            )
        if len(whole) < _FEW:
            self.progress.note(
                f"protvec: the training sequences have fewer than {_FEW:,} k-mers, of which "
                "vectors learn little; kmer or composition may do better."
            )
        if len(order) > self.max_kmers:
            self.progress.note(
                f"protvec: more than {self.max_kmers:,} k-mers (max_kmers) occur often enough in "
                "the training sequences; the most frequent ones are kept."
            )
        order = order[: self.max_kmers]
        check_table_fits(
            "protvec", len(order), self.dimension, _BYTES, setting="max_kmers", words="k-mers"
        )
        return set(map(str, numbers[order].tolist()))

    def _numbers(self, text: str) -> NDArray[np.int64]:
        """Return the k-mer that begins at each letter as a number, -1 where there is none."""
        alphabet = ALPHABETS[self.alphabet]
        codes = codes_of(letters_of(text), alphabet)
        n = max(0, len(codes) - self.k + 1)
        numbers = np.zeros(n, dtype=np.int64)
        whole = np.ones(n, dtype=bool)
        for place in range(self.k):
            own = codes[place : place + n]
            numbers = numbers * len(alphabet) + own
            whole &= own >= 0
        return np.where(whole, numbers, -1)

    def _readings(self, numbers: NDArray[np.int64]) -> Iterator[list[str]]:
        for shift in range(self.k):
            reading = numbers[shift :: self.k]
            words = [str(number) for number in reading[reading >= 0].tolist()]
            for start in range(0, len(words), _LONGEST):
                yield words[start : start + _LONGEST]

    def _known(self, text: str) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the places of the k-mers with vectors, by appearance, and how often each is."""
        numbers = self._numbers(text)
        places = np.minimum(np.searchsorted(self.kmers_, numbers), len(self.kmers_) - 1)
        places = places[self.kmers_[places] == numbers]
        unique, first, counts = np.unique(places, return_index=True, return_counts=True)
        order = np.argsort(first)
        return unique[order], counts[order].astype(np.float64)

    def _name(self, number: int) -> str:
        alphabet = ALPHABETS[self.alphabet]
        letters = ""
        for _ in range(self.k):
            number, digit = divmod(number, len(alphabet))
            letters = alphabet[digit] + letters
        return letters


def _build(settings: ProtVecSettings) -> ProtVecEncoder:
    return ProtVecEncoder(**settings.model_dump())


PROTVEC = EncoderSpec(
    name="protvec",
    summary="mean of Word2Vec vectors of k-mers, trained on the training sequences",
    kinds=("sequence",),
    learns="X",
    settings=ProtVecSettings,
    build=_build,
    dimension=ProtVecSettings().dimension,
    extra="text",
)
