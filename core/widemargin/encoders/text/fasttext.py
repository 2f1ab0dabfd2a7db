"""FastText: vectors of words and of the letters in them, so that unseen words have one too.

Bojanowski, Grave, Joulin & Mikolov 2017, "Enriching word vectors with subword information",
doi:10.1162/tacl_a_00051, trained by gensim with one worker, since more would not be repeatable; or
read from a file of fastText's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from widemargin.contracts import EncoderSpec, State
from widemargin.encoders.libraries import require_library
from widemargin.encoders.text.fasttext_files import FastTextFile, open_fasttext, subword_hashes
from widemargin.encoders.text.gensim_training import LIBRARIES, GensimTraining
from widemargin.encoders.text.pooling import Pooling
from widemargin.encoders.text.word2vec import LONGEST_TEXT
from widemargin.encoders.text.word_encoder import (
    CORPUS,
    PretrainedWords,
    TrainedWords,
    learns_of,
    pieces_of,
)
from widemargin.encoders.text.word_settings import MOST_WORDS, MaxWords, WordTrainingSettings
from widemargin.encoders.text.word_sources import WordSource, WordTable
from widemargin.encoders.text.words import pack_words, unpack_words
from widemargin.encoders.training.memory import check_table_fits
from widemargin.encoders.weights import hash_of_path
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FASTTEXT", "FastTextEncoder", "FastTextSettings", "PretrainedFastText", "SubwordTable"]

Algorithm = Literal["skip-gram", "cbow"]


class FastTextSettings(WordTrainingSettings):
    """Settings of the encoder ``fasttext``."""

    vectors: Annotated[str, Field(min_length=1)] = Field(
        CORPUS,
        description="corpus: trained on the training texts; or a .bin file of fastText's own",
    )
    algorithm: Algorithm = Field(
        "skip-gram", description="skip-gram, better for rare words; or cbow, which is faster"
    )
    negative: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="words drawn at random against each true one"
    )
    max_words: MaxWords = Field(
        MOST_WORDS,
        description="words that get a vector at most, the most frequent ones; training takes up to "
        "(16 bytes x words + 4 bytes x buckets) x dimension of memory",
    )
    subwords: tuple[Annotated[int, Field(ge=1, le=20)], Annotated[int, Field(ge=1, le=20)]] = Field(
        (3, 6), description="shortest and longest run of letters that has a vector of its own"
    )
    buckets: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        100_000, description="vectors that the runs of letters share"
    )

    @model_validator(mode="after")
    def _check_subwords(self) -> Self:
        if self.subwords[0] > self.subwords[1]:
            raise ValueError(f"subwords: the shortest, {self.subwords[0]}, exceeds the longest")
        return self


class SubwordTable(WordTable):
    """Words, and the n-grams of letters that unknown words are made of.

    Only the vectors of n-grams that training met are kept. The vector of an unknown word is the
    sum of those it has over the number of all its n-grams: the others, which fastText leaves at
    the small random numbers they began with, count as zero.

    Parameters
    ----------
    words, matrix
        As in `WordTable`.
    used : ndarray of shape (n_used,), int64
        The buckets that are kept, ascending.
    buckets : ndarray of shape (n_used, dimension), float32
        Their vectors.
    n_buckets : int
        How many there were.
    subwords : tuple of (int, int)
        Letters of the shortest and of the longest n-gram.
    """

    def __init__(
        self,
        words: Sequence[str],
        matrix: NDArray[np.float32],
        used: NDArray[np.int64],
        buckets: NDArray[np.float32],
        n_buckets: int,
        subwords: tuple[int, int],
    ) -> None:
        super().__init__(words, matrix)
        self.used, self.buckets = used, buckets
        self.n_buckets, self.subwords = n_buckets, subwords

    def compose(self, word: str) -> NDArray[np.float32] | None:
        """Return an unknown word's vector, None where training met none of its n-grams."""
        wanted = np.array(subword_hashes(word, *self.subwords), dtype=np.int64) % self.n_buckets
        places = np.searchsorted(self.used, wanted)
        places[places == len(self.used)] = 0
        found = places[self.used[places] == wanted] if len(self.used) else places[:0]
        if not len(found):
            return None
        total: NDArray[np.float64] = self.buckets[found].sum(axis=0, dtype=np.float64)
        return (total / len(wanted)).astype(np.float32)


class PretrainedFastText(PretrainedWords):
    """Texts as pooled vectors of a file of fastText's own format.

    Parameters
    ----------
    vectors : Path
        A ``.bin`` file, unsupervised and not quantised.
    pooling : {"mean", "max"}, default="mean"
        How the vectors of a text's words are made one.
    """

    name = "fasttext"

    def source(self) -> FastTextFile:
        """Return the file's vectors."""
        return open_fasttext(Path(self.vectors).expanduser(), self.name)

    def weights_hash(self) -> str:
        """Return the file's hash."""
        self.source()  # whatever is no such file is refused before it is hashed
        return hash_of_path(Path(self.vectors).expanduser())


class FastTextEncoder(TrainedWords):
    """Texts as pooled fastText vectors, trained on the training texts or pooled by them.

    Parameters
    ----------
    vectors : "corpus" or Path, default="corpus"
        Train on the training texts, or take a file's.
    pooling : {"mean", "sif", "max"}, default="mean"
        How the vectors of a text's words are made one.
    algorithm : {"skip-gram", "cbow"}, default="skip-gram"
        What is predicted: the words around one, or one from the words around.
    dimension, window, epochs, min_count, max_words, negative : int
        Numbers of a vector, words to each side, passes, occurrences that a word needs, how many
        words have a vector at most, and words drawn against each true one.
    subwords : tuple of (int, int), default=(3, 6)
        Letters of the shortest and of the longest n-gram.
    buckets : int, default=100000
        Vectors that the n-grams share.
    random_state : int, default=0
        Seed of the training.

    Examples
    --------
    >>> encoder = FastTextEncoder(dimension=4, min_count=1, epochs=1, buckets=100)
    >>> X = encoder.fit_transform(["win cash now", "see you now"])
    >>> bool(encoder.transform(["winning"]).any())  # never seen, and made of its letters
    True
    """

    name = "fasttext"
    # A word's own numbers, those together with its n-grams (the old ones live until the new are
    # made), and those it has as one that is drawn against others: float32.
    word_bytes = 16

    def __init__(
        self,
        vectors: str | Path = CORPUS,
        pooling: Pooling = "mean",
        algorithm: Algorithm = "skip-gram",
        dimension: int = 100,
        window: int = 5,
        epochs: int = 20,
        min_count: int = 2,
        max_words: int = MOST_WORDS,
        negative: int = 5,
        subwords: tuple[int, int] = (3, 6),
        buckets: int = 100_000,
        random_state: int = 0,
    ) -> None:
        self.vectors = vectors
        self.pooling = pooling
        self.algorithm = algorithm
        self.dimension = dimension
        self.window = window
        self.epochs = epochs
        self.min_count = min_count
        self.max_words = max_words
        self.negative = negative
        self.subwords = subwords
        self.buckets = buckets
        self.random_state = random_state

    def given(self) -> FastTextFile:
        """Return the vectors of the file that `vectors` names."""
        return open_fasttext(Path(self.vectors).expanduser(), self.name)

    def weights_hash(self) -> str:
        """Return the hash of the file that `vectors` names; empty for trained vectors."""
        if self.vectors == CORPUS:
            return ""
        self.given()
        return hash_of_path(Path(self.vectors).expanduser())

    def train(self, texts: Sequence[Sequence[str]]) -> SubwordTable:
        """Train vectors of the texts' words and of their n-grams."""
        models = require_library("gensim.models", self.name, "text")
        shortest, longest = self.subwords
        sentences = list(pieces_of(texts, LONGEST_TEXT))
        model = models.FastText(
            sg=int(self.algorithm == "skip-gram"),
            vector_size=self.dimension,
            window=self.window,
            min_count=1,
            negative=self.negative,
            min_n=shortest,
            max_n=longest,
            bucket=self.buckets,
            seed=self.random_state,
            workers=1,
        )
        model.build_vocab(sentences)
        self.run_epochs(GensimTraining(model, sentences, self.epochs), texts, LIBRARIES)
        words = list(model.wv.index_to_key)
        hashes = [value for word in words for value in subword_hashes(word, shortest, longest)]
        used = np.unique(np.array(hashes, dtype=np.int64) % self.buckets)
        return SubwordTable(
            words,
            np.asarray(model.wv.vectors, np.float32),
            used,
            np.array(model.wv.vectors_ngrams[used], np.float32),
            self.buckets,
            self.subwords,
        )

    def check_size(self, n_words: int) -> None:
        """Refuse words and n-grams whose training takes more memory than may be used."""
        check_table_fits(
            self.name,
            n_words,
            self.dimension,
            self.word_bytes,
            other_bytes=4 * self.buckets,
            other="buckets",
        )

    def table_state(self, table: WordSource) -> State:
        """Return words, n-grams and their vectors, as data."""
        assert isinstance(table, SubwordTable)
        arrays: dict[str, NDArray[Any]] = {
            "words": pack_words(table.words),
            "vectors": table.matrix,
            "used": table.used,
            "buckets": table.buckets,
        }
        return State(arrays, {})

    def table_of(self, state: State) -> SubwordTable:
        """Return what `table_state` saved."""
        words = unpack_words(state.arrays["words"])
        matrix = np.asarray(state.arrays["vectors"], dtype=np.float32)
        used = np.asarray(state.arrays["used"], dtype=np.int64)
        buckets = np.asarray(state.arrays["buckets"], dtype=np.float32)
        if len(words) != len(matrix) or len(used) != len(buckets):
            raise DataError(
                f"{self.name}: the model has {len(words):,} words and {len(matrix):,} vectors, "
                f"{len(used):,} buckets and {len(buckets):,} vectors of these."
            )
        return SubwordTable(words, matrix, used, buckets, self.buckets, self.subwords)


def _build(settings: FastTextSettings) -> PretrainedFastText | FastTextEncoder:
    if learns_of(settings) == "nothing":
        return PretrainedFastText(settings.vectors, settings.pooling)
    parameters = settings.model_dump(exclude={"seed"})
    return FastTextEncoder(**parameters, random_state=settings.seed)


FASTTEXT = EncoderSpec(
    name="fasttext",
    summary="vectors of words and of their letters, unseen words included, pooled",
    kinds=("text",),
    learns="X",
    learns_from=learns_of,
    settings=FastTextSettings,
    build=_build,
    dimension=100,
    extra="text",
)
