"""Word2vec: vectors of words from the words around them, trained on the texts or given.

Skip-gram and CBOW with negative sampling (Mikolov, Sutskever, Chen, Corrado & Dean 2013,
"Distributed representations of words and phrases and their compositionality", NeurIPS 26), trained
by gensim with one worker, since more would not be repeatable.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from widemargin.contracts import EncoderSpec
from widemargin.encoders.libraries import require_library
from widemargin.encoders.text.gensim_training import LIBRARIES, GensimTraining
from widemargin.encoders.text.pooling import Pooling
from widemargin.encoders.text.vector_files import VectorFile, open_vectors
from widemargin.encoders.text.word_encoder import (
    CORPUS,
    PretrainedWords,
    TrainedWords,
    learns_of,
    pieces_of,
)
from widemargin.encoders.text.word_settings import MOST_WORDS, WordTrainingSettings
from widemargin.encoders.text.word_sources import WordTable
from widemargin.encoders.weights import hash_of_path

__all__ = ["WORD2VEC", "PretrainedWord2Vec", "Word2VecEncoder", "Word2VecSettings"]

Algorithm = Literal["skip-gram", "cbow"]

# Words of one text beyond this are dropped by gensim (MAX_WORDS_IN_BATCH).
LONGEST_TEXT = 10_000


class Word2VecSettings(WordTrainingSettings):
    """Settings of the encoder ``word2vec``."""

    vectors: Annotated[str, Field(min_length=1)] = Field(
        CORPUS,
        description="corpus: trained on the training texts; or a file of vectors, .txt, .vec or "
        "word2vec's .bin",
    )
    algorithm: Algorithm = Field(
        "skip-gram", description="skip-gram, better for rare words; or cbow, which is faster"
    )
    negative: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="words drawn at random against each true one"
    )


class PretrainedWord2Vec(PretrainedWords):
    r"""Texts as pooled vectors of a word2vec file: ``.txt``, ``.vec`` or ``.bin``.

    Parameters
    ----------
    vectors : Path
        The file. GloVe's text files and fastText's ``.vec`` files are of this kind too.
    pooling : {"mean", "max"}, default="mean"
        How the vectors of a text's words are made one.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "tiny.vec"
    ...     _ = file.write_text("2 2\nwin 1 0\ncash 0 1\n")
    ...     PretrainedWord2Vec(file).transform(["Win cash", "tea"]).tolist()
    [[0.5, 0.5], [0.0, 0.0]]
    """

    name = "word2vec"

    def source(self) -> VectorFile:
        """Return the file's vectors."""
        return open_vectors(Path(self.vectors).expanduser(), self.name)

    def weights_hash(self) -> str:
        """Return the file's hash."""
        self.source()  # whatever is no file of vectors is refused before it is hashed
        return hash_of_path(Path(self.vectors).expanduser())


class Word2VecEncoder(TrainedWords):
    """Texts as pooled word2vec vectors, trained on the training texts or pooled by them.

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
    random_state : int, default=0
        Seed of the training.

    Examples
    --------
    >>> encoder = Word2VecEncoder(dimension=4, min_count=1, epochs=1)
    >>> encoder.fit_transform(["win cash now", "see you now"]).shape
    (2, 4)
    """

    name = "word2vec"
    # A word's own numbers, and those it has as one that is drawn against others: float32.
    word_bytes = 8

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
        self.random_state = random_state

    def given(self) -> VectorFile:
        """Return the vectors of the file that `vectors` names."""
        return open_vectors(Path(self.vectors).expanduser(), self.name)

    def weights_hash(self) -> str:
        """Return the hash of the file that `vectors` names; empty for trained vectors."""
        if self.vectors == CORPUS:
            return ""
        self.given()
        return hash_of_path(Path(self.vectors).expanduser())

    def train(self, texts: Sequence[Sequence[str]]) -> WordTable:
        """Train vectors of the texts' words."""
        models = require_library("gensim.models", self.name, "text")
        sentences = list(pieces_of(texts, LONGEST_TEXT))
        model = models.Word2Vec(
            sg=int(self.algorithm == "skip-gram"),
            vector_size=self.dimension,
            window=self.window,
            min_count=1,
            negative=self.negative,
            seed=self.random_state,
            workers=1,
        )
        model.build_vocab(sentences)
        self.run_epochs(GensimTraining(model, sentences, self.epochs), texts, LIBRARIES)
        return WordTable(list(model.wv.index_to_key), np.asarray(model.wv.vectors, np.float32))


def _build(settings: Word2VecSettings) -> PretrainedWord2Vec | Word2VecEncoder:
    if learns_of(settings) == "nothing":
        return PretrainedWord2Vec(settings.vectors, settings.pooling)
    parameters = settings.model_dump(exclude={"seed"})
    return Word2VecEncoder(**parameters, random_state=settings.seed)


WORD2VEC = EncoderSpec(
    name="word2vec",
    summary="vectors of words, trained on the texts or given in a file, pooled",
    kinds=("text",),
    learns="X",
    learns_from=learns_of,
    settings=Word2VecSettings,
    build=_build,
    dimension=100,
    extra="text",
)
