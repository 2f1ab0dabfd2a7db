"""What the encoders of word vectors share: those that learn nothing, and those that do.

Vectors that are given and pooled by mean or maximum learn nothing from training texts
(`PretrainedWords`). Vectors trained on the texts do, and so does SIF pooling of any vectors, whose
weights and common direction come from training texts (`TrainedWords`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np

from widemargin.contracts import Checkpoints, Columns, Learns, Progress, Share, Silent, State
from widemargin.encoders.frozen import FrozenEncoder
from widemargin.encoders.items import texts_of
from widemargin.encoders.text.pooling import Pooling, Sif, explain_texts, fit_sif, pool_texts
from widemargin.encoders.text.vocabulary import count_words, frequent_words
from widemargin.encoders.text.word_sources import WordSource, WordTable, nearest_words
from widemargin.encoders.text.words import pack_words, unpack_words, words_of
from widemargin.encoders.training.epochs import EpochTraining, run_epochs, training_key
from widemargin.encoders.training.memory import check_table_fits
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CORPUS", "PretrainedWords", "TrainedWords", "learns_of"]

CORPUS: Final = "corpus"
"""What ``vectors`` says for vectors that are trained on the training texts."""

_FEW = 10_000
_MOST = 200_000


def learns_of(settings: Any) -> Learns:
    """Say what an encoder of word vectors takes from training texts at its settings."""
    return "X" if settings.vectors == CORPUS or settings.pooling == "sif" else "nothing"


class PretrainedWords(FrozenEncoder):
    """Texts as pooled vectors of words that were trained elsewhere.

    Parameters
    ----------
    vectors : str or Path
        Where they are.
    pooling : {"mean", "max"}, default="mean"
        How a text's are made one.
    """

    def __init__(self, vectors: str | Path, pooling: Pooling = "mean") -> None:
        self.vectors = vectors
        self.pooling = pooling

    @abstractmethod
    def source(self) -> WordSource:
        """Return the vectors; asked again, the same ones at no cost."""

    @property
    def dimension(self) -> int:
        """How many numbers an item becomes."""
        return self.source().dimension

    def identity(self) -> Mapping[str, Any]:
        """Return all that vectors depend on; where the file lies is not among it."""
        whole = super().identity()
        parameters = {key: own for key, own in whole["parameters"].items() if key != "vectors"}
        return {**whole, "parameters": parameters}

    def items(self, X: Columns | Sequence[Any]) -> list[Any]:
        """Return one text a row."""
        return texts_of(X)

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return the texts' vectors."""
        return pool_texts(items, self.source(), self.pooling)

    def explain(self, X: Columns | Sequence[Any], coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each text's product with `coef` into what stands between its white space."""
        return explain_texts(texts_of(X), self.source(), self.pooling, coef)

    def word_vectors(self, most: int = _MOST) -> tuple[list[str], NDArray[np.float32]]:
        """Return the first `most` words and their vectors, row by row."""
        return self.source().word_vectors(most)

    def nearest(self, word: str, n: int = 10) -> list[tuple[str, float]]:
        """List the `n` words nearest to a word, with cosines."""
        return nearest_words(self.source(), word, n)


class TrainedWords(Transformer):
    """Texts as pooled vectors of words that are trained on training texts, or pooled by them.

    A subclass has at least the parameters `vectors`, `pooling`, `dimension`, `epochs`, `min_count`
    and `max_words`.

    Attributes
    ----------
    progress : Progress
        Told of every epoch, and where there is little to learn from. Not a parameter.
    checkpoints : Checkpoints or None
        Where training keeps how far it is. Not a parameter.
    sif_ : Sif or None
        What SIF pooling learnt.
    """

    name: ClassVar[str]
    """What the registry calls it."""
    version: ClassVar[int] = 1
    """Raised whenever the same texts get other vectors."""
    word_bytes: ClassVar[int]
    """Bytes that training needs for each number of a word's vector, all matrices together."""

    progress: Progress = Silent()
    checkpoints: Checkpoints | None = None
    vectors: str | Path
    pooling: Pooling
    dimension: int
    epochs: int
    min_count: int
    max_words: int
    sif_: Sif | None

    @abstractmethod
    def given(self) -> WordSource:
        """Return the vectors that `vectors` names."""

    @abstractmethod
    def weights_hash(self) -> str:
        """Return the hash of the vectors that `vectors` names; empty for trained ones."""

    @abstractmethod
    def train(self, texts: Sequence[Sequence[str]]) -> WordSource:
        """Train vectors of all words of these texts, by `run_epochs`."""

    def check_size(self, n_words: int) -> None:
        """Refuse a vocabulary whose training takes more memory than may be used."""
        check_table_fits(self.name, n_words, self.dimension, self.word_bytes)

    def run_epochs(
        self, training: EpochTraining, texts: Sequence[Sequence[str]], libraries: Sequence[str]
    ) -> None:
        """Train for `epochs`, from the last checkpoint of the same training where there is one."""
        run_epochs(
            training,
            self.epochs,
            name=self.name,
            progress=self.progress,
            checkpoints=self.checkpoints,
            key=lambda: training_key(
                self.identity(), ("\n".join(words).encode() for words in texts), libraries
            ),
        )

    def table_state(self, table: WordSource) -> State:
        """Return what was trained, as data."""
        words, matrix = table.word_vectors(2**62)
        return State({"words": pack_words(words), "vectors": matrix}, {})

    def table_of(self, state: State) -> WordSource:
        """Return what `table_state` saved."""
        words = unpack_words(state.arrays["words"])
        matrix = np.asarray(state.arrays["vectors"], dtype=np.float32)
        if len(words) != len(matrix):
            raise DataError(
                f"{self.name}: the model has {len(words):,} words and {len(matrix):,} vectors."
            )
        return WordTable(words, matrix)

    def identity(self) -> Mapping[str, Any]:
        """Return what the vectors depend on besides the texts, as JSON values."""
        plain = (bool, int, float, str)
        parameters = {
            key: own if own is None or isinstance(own, plain) else str(own)
            for key, own in self.get_params().items()
        }
        return {
            "name": self.name,
            "version": self.version,
            "parameters": parameters,
            "weights": self.weights_hash(),
        }

    def fit(self, X: Columns | Sequence[str], y: Any = None) -> Self:
        """Train the vectors, and learn what pooling needs.

        Raises
        ------
        DataError
            Where no word occurs often enough, the vectors would not fit into memory, or given ones
            cannot be read.
        """
        texts = texts_of(X)
        self._table = self._train(texts) if self.vectors == CORPUS else None
        self.sif_ = fit_sif(texts, self.source()) if self.pooling == "sif" else None
        return self

    def fit_transform(self, X: Columns | Sequence[str], y: Any = None) -> NDArray[np.float32]:
        """Fit, and return the training texts' vectors."""
        return self.fit(X).transform(X)

    def transform(self, X: Columns | Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, dimension), float32."""
        self._check_fitted("sif_")
        return pool_texts(texts_of(X), self.source(), self.pooling, self.sif_)

    def source(self) -> WordSource:
        """Return the vectors in use."""
        if self.vectors != CORPUS:
            return self.given()
        self._check_fitted("_table")
        assert self._table is not None
        return self._table

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns by the encoder and their place."""
        self._check_fitted("sif_")
        dimension = self.source().dimension
        return np.array([f"{self.name}: {k + 1}" for k in range(dimension)], dtype=object)

    def get_state(self) -> State:
        """Return the trained vectors, or which ones were given, and what pooling learnt."""
        self._check_fitted("sif_")
        own = State({}, {}) if self._table is None else self.table_state(self._table)
        arrays, meta = dict(own.arrays), dict(own.meta)
        if self.sif_ is not None:
            arrays["sif.words"] = pack_words(list(self.sif_.counts))
            arrays["sif.counts"] = np.array(list(self.sif_.counts.values()), dtype=np.int64)
            arrays["sif.component"] = self.sif_.component
        return State(arrays, {**meta, "weights": self.weights_hash(), "version": self.version})

    def set_state(self, state: State) -> Self:
        """Take up what another of the same settings had learnt.

        Raises
        ------
        DataError
            Where the vectors that are given here are others.
        """
        if state.meta["version"] != self.version or state.meta["weights"] != self.weights_hash():
            raise DataError(
                f"{self.name}: the vectors here are not those that the model was trained with. "
                "Put those back, or run the use case again."
            )
        self._table = self.table_of(state) if self.vectors == CORPUS else None
        self.sif_ = None
        if self.pooling == "sif":
            words = unpack_words(state.arrays["sif.words"])
            counts = state.arrays["sif.counts"].tolist()
            component = np.asarray(state.arrays["sif.component"], dtype=np.float64)
            self.sif_ = Sif(dict(zip(words, counts, strict=True)), component)
        return self

    def explain(self, X: Columns | Sequence[str], coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each text's product with `coef` into what stands between its white space."""
        self._check_fitted("sif_")
        return explain_texts(texts_of(X), self.source(), self.pooling, coef, self.sif_)

    def word_vectors(self, most: int = _MOST) -> tuple[list[str], NDArray[np.float32]]:
        """Return the first `most` words and their vectors, row by row."""
        return self.source().word_vectors(most)

    def nearest(self, word: str, n: int = 10) -> list[tuple[str, float]]:
        """List the `n` words nearest to a word, with cosines."""
        return nearest_words(self.source(), word, n)

    def _train(self, texts: Sequence[str]) -> WordSource:
        read = [[word.lower() for word in words_of(text)] for text in texts]
        total = sum(map(len, read))
        counts = count_words(read)
        n_enough = sum(count >= self.min_count for count in counts.values())
        if not n_enough:
            raise DataError(
                f"{self.name}: no word occurs at least {self.min_count} times in the {len(texts):,}"
                " texts; lower min_count, or give vectors that were trained elsewhere."
            )
        if total < _FEW:
            self.progress.note(
                f"{self.name}: the training texts have fewer than {_FEW:,} words, of which word "
                "vectors learn little; vectors that were trained elsewhere, or tfidf, may do "
                "better."
            )
        if n_enough > self.max_words:
            self.progress.note(
                f"{self.name}: more than {self.max_words:,} words (max_words) occur often enough "
                "in the training texts; the most frequent ones are kept."
            )
        kept = set(frequent_words(counts, self.min_count, self.max_words))
        self.check_size(len(kept))
        return self.train([[word for word in words if word in kept] for words in read])

    _table: WordSource | None


def pieces_of(texts: Sequence[Sequence[str]], longest: int) -> Iterator[Sequence[str]]:
    """Cut texts into runs of at most so many words, since gensim drops what exceeds its limit."""
    for words in texts:
        for start in range(0, len(words), longest):
            yield words[start : start + longest]
