"""A small convolutional network over words that learns from the user's own texts.

Kim 2014, "Convolutional neural networks for sentence classification", arXiv:1408.5882: word
vectors, filters over 2 to 5 words that stand side by side, the maximum of each over all places;
then a layer of `dimension` numbers, which are the embedding. Word vectors begin at random, or as
GloVe's, and are trained with the rest.

Words that are too rare to learn, and those that training never met, share vectors by their shape:
``08712460324`` and ``0800`` are both four digits or more.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from widemargin.contracts import Asset, Columns, EncoderSpec, PositiveFloat, State
from widemargin.encoders.items import texts_of
from widemargin.encoders.libraries import require_library
from widemargin.encoders.text.glove import GLOVE_ASSET, PretrainedGlove
from widemargin.encoders.text.vocabulary import count_words, frequent_words
from widemargin.encoders.text.words import pack_words, unpack_words, words_of
from widemargin.encoders.training.classes import group_equal
from widemargin.encoders.training.memory import check_table_fits
from widemargin.encoders.training.settings import Device, LossName, TrainingSettings
from widemargin.encoders.training.trained import TrainedEncoder
from widemargin.encoders.workers import one_torch_thread
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TEXT_CNN", "TextCnnEncoder", "TextCnnSettings", "shape_of"]

FirstVectors = Literal["random", "glove-6b-50d"]

_GLOVE_DIMENSION = 50
# Of each number of a word vector, float32: itself, its gradient, AdamW's two moments, and copies of
# it and the moments after the last epoch and the one before, and of itself after the best ones.
_BYTES = 48
_CODE = {True: "0", False: "a"}
_RUN = re.compile(r"(.)\1{3,}")


class TextCnnSettings(TrainingSettings):
    """Settings of the encoder ``text-cnn``."""

    dimension: Annotated[int, Field(ge=1, le=4096)] = Field(
        64, description="numbers that a text becomes"
    )
    vectors: FirstVectors = Field(
        "random", description="what word vectors begin with: random numbers, or glove-6b-50d"
    )
    word_dimension: Annotated[int, Field(ge=1, le=2000)] = Field(
        _GLOVE_DIMENSION, description="numbers of a word vector; 50 with glove-6b-50d"
    )
    widths: Annotated[tuple[Annotated[int, Field(ge=1, le=20)], ...], Field(min_length=1)] = Field(
        (2, 3, 4, 5), description="how many words a filter sees, for each set of filters"
    )
    filters: Annotated[int, Field(ge=1, le=4096)] = Field(64, description="filters of each width")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.5, description="share of filters that are left out in each step of training"
    )
    min_count: Annotated[int, Field(ge=1)] = Field(
        2, description="times that a word must occur in the training texts to have its own vector"
    )
    max_words: Annotated[int, Field(ge=1, le=100_000_000)] = Field(
        50_000,
        description="words that have a vector of their own at most, the most frequent ones; "
        f"training takes up to {_BYTES} bytes x words x word_dimension of memory",
    )
    unknown: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        100, description="vectors that all other words share, by their shape"
    )
    max_length: Annotated[int, Field(ge=1, le=100_000)] = Field(
        400, description="words after which a text is cut"
    )
    learning_rate: PositiveFloat = Field(0.003, description="highest step length of AdamW")

    @model_validator(mode="after")
    def _check_vectors(self) -> Self:
        if self.vectors != "random" and self.word_dimension != _GLOVE_DIMENSION:
            raise ValueError(
                f"word_dimension: the vectors of {self.vectors} have {_GLOVE_DIMENSION} numbers; "
                "leave it out, or set vectors to random"
            )
        return self


class TextCnnEncoder(TrainedEncoder):
    """The vectors of a small convolutional network over words that is trained on the texts.

    Parameters
    ----------
    dimension : int, default=64
        Length of the embedding.
    vectors : {"random", "glove-6b-50d"}, default="random"
        What word vectors begin with.
    word_dimension : int, default=50
        Their length.
    widths : tuple of int, default=(2, 3, 4, 5)
        Words that filters see.
    filters : int, default=64
        Filters of each width.
    dropout : float, default=0.5
        Share of filters left out in each step.
    min_count, max_words : int, default=2 and 50000
        Occurrences that a word needs for a vector of its own, and how many have one at most.
    unknown : int, default=100
        Vectors that the others share by their shape.
    max_length : int, default=400
        Words after which a text is cut.
    loss, temperature, margin, epochs, batch_size, learning_rate, patience, device, seed
        As in `TrainingSettings`.

    Attributes
    ----------
    words_ : list of str
        The words with a vector of their own, the most frequent first.
    classes_ : ndarray of str
        The classes that it was trained on.
    network_, history_, progress, checkpoints
        As in `TrainedEncoder`.

    Examples
    --------
    >>> encoder = TextCnnEncoder(dimension=4, filters=2, epochs=1, min_count=1)
    >>> encoder.fit(["win cash now", "see you"] * 4, ["spam", "ham"] * 4).transform(["win"]).shape
    (1, 4)
    """

    name: ClassVar[str] = "text-cnn"
    settings_type: ClassVar[type[TrainingSettings]] = TextCnnSettings

    words_: list[str]
    classes_: NDArray[np.str_]

    def __init__(
        self,
        dimension: int = 64,
        vectors: FirstVectors = "random",
        word_dimension: int = _GLOVE_DIMENSION,
        widths: tuple[int, ...] = (2, 3, 4, 5),
        filters: int = 64,
        dropout: float = 0.5,
        min_count: int = 2,
        max_words: int = 50_000,
        unknown: int = 100,
        max_length: int = 400,
        epochs: int = 30,
        batch_size: int = 64,
        learning_rate: float = 0.003,
        seed: int = 0,
        loss: LossName = "cross-entropy",
        temperature: float = 0.1,
        margin: float = 0.5,
        patience: int = 5,
        device: Device = "auto",
    ) -> None:
        self.dimension = dimension
        self.vectors = vectors
        self.word_dimension = word_dimension
        self.widths = widths
        self.filters = filters
        self.dropout = dropout
        self.min_count = min_count
        self.max_words = max_words
        self.unknown = unknown
        self.max_length = max_length
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.seed = seed
        self.loss = loss
        self.temperature = temperature
        self.margin = margin
        self.patience = patience
        self.device = device

    def fit(self, X: Columns | Sequence[str], y: Any = None) -> Self:
        """Train the network on texts and their classes.

        Raises
        ------
        DataError
            Where there are no classes to learn, or the word vectors would not fit into memory.
        AssetError
            Where word vectors begin as GloVe's, and these are not here.
        """
        require_library("torch", self.name, "text")
        from widemargin.encoders.text.text_cnn_network import WordInputs

        texts = texts_of(X)
        classes, target = self.class_numbers(y, len(texts), "texts")
        read = [self._words(text) for text in texts]
        words = frequent_words(count_words(read), self.min_count, self.max_words)
        check_table_fits(
            self.name, len(words), self.word_dimension, _BYTES, numbers="word_dimension"
        )
        self._know(words)
        ids = [self._ids(own) for own in read]
        self.classes_ = classes
        self._first = self._glove(words) if self.vectors != "random" else None
        groups = group_equal((own.tobytes() for own in ids), target)
        self.train(WordInputs(ids, max(self.widths)), target, groups)
        self._first = None
        return self

    def transform(self, X: Columns | Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, dimension), float32."""
        self._check_fitted("network_")
        require_library("torch", self.name, "text")
        from widemargin.encoders.text.text_cnn_network import encode_ids

        ids = [self._ids(self._words(text)) for text in texts_of(X)]
        with one_torch_thread:
            return encode_ids(self.network_, ids, max(self.widths), self.dimension)

    def get_state(self) -> State:
        """Return words and weights as arrays."""
        network = super().get_state()
        return State(
            {"words": pack_words(self.words_), **network.arrays},
            {"classes": self.classes_.tolist(), **network.meta},
        )

    def set_state(self, state: State) -> Self:
        """Take up words and weights.

        Raises
        ------
        DataError
            Where they do not fit the settings.
        """
        self.classes_ = np.array(state.meta["classes"], dtype=str)
        self._know(unpack_words(state.arrays["words"]))
        return super().set_state(state)

    def build_network(self) -> Any:
        """Return the network, of random weights."""
        require_library("torch", self.name, "text")
        from widemargin.encoders.text.text_cnn_network import TextCnnNetwork

        network = TextCnnNetwork(
            self.unknown,
            len(self.words_),
            word_dimension=self.word_dimension,
            filters=self.filters,
            dimension=self.dimension,
            widths=self.widths,
            dropout=self.dropout,
        )
        if self._first is not None:
            network.take_vectors(*self._first)
        return network

    def _know(self, words: list[str]) -> None:
        self.words_ = words
        self._places = {word: 1 + self.unknown + row for row, word in enumerate(words)}

    def _words(self, text: str) -> list[str]:
        return [word.lower() for word in words_of(text)[: self.max_length]]

    def _ids(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return numbers of words; a text without any has the number that stands for none."""
        known = self._places
        ids = [known.get(word) or 1 + _bucket(word, self.unknown) for word in words]
        return np.array(ids or [0], dtype=np.int64)

    def _glove(self, words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the places of words that GloVe knows, and their vectors."""
        source = PretrainedGlove().source()
        found = [(self._places[word], source.vector(word)) for word in words]
        known = [(place, vector) for place, vector in found if vector is not None]
        if not known:
            raise DataError(
                f"{self.name}: {self.vectors} knows none of the words of the training texts. "
                "Set vectors to random."
            )
        return (
            np.array([place for place, _ in known], dtype=np.int64),
            np.stack([vector for _, vector in known]),
        )

    _first: tuple[NDArray[np.int64], NDArray[np.float32]] | None = None


def shape_of(word: str) -> str:
    """Return a word with digits as 0 and letters as a, runs of either cut at four.

    Examples
    --------
    >>> shape_of("08712460324"), shape_of("txt4u"), shape_of("don't"), shape_of("£")
    ('0000', 'aaa0a', "aaa'a", '£')
    """
    letters = "".join(_CODE[letter.isdigit()] if letter.isalnum() else letter for letter in word)
    return _RUN.sub(lambda run: run[1] * 4, letters)


def _bucket(word: str, n: int) -> int:
    return zlib.crc32(shape_of(word).encode()) % n


def _build(settings: TextCnnSettings) -> TextCnnEncoder:
    return TextCnnEncoder(**settings.model_dump())


def _needs(settings: TextCnnSettings) -> tuple[Asset, ...]:
    return (GLOVE_ASSET,) if settings.vectors == GLOVE_ASSET.name else ()


TEXT_CNN = EncoderSpec(
    name="text-cnn",
    summary="a small convolutional network over words, trained on these texts",
    kinds=("text",),
    learns="y",
    trains=True,
    settings=TextCnnSettings,
    build=_build,
    dimension=64,
    assets=(GLOVE_ASSET,),
    needs=_needs,
    extra="text",
)
