"""The settings that all encoders of word vectors have."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from widemargin.contracts import Section
from widemargin.encoders.text.pooling import Pooling
from widemargin.encoders.text.word_encoder import CORPUS

__all__ = ["MOST_WORDS", "MaxWords", "WordTrainingSettings"]

MOST_WORDS = 200_000
"""How many words get a vector at most, unless the settings say otherwise."""

MaxWords = Annotated[int, Field(ge=1, le=100_000_000)]


class WordTrainingSettings(Section):
    """What a training of word vectors is told."""

    vectors: Annotated[str, Field(min_length=1)] = Field(
        CORPUS, description="corpus: trained on the training texts; or a file of vectors"
    )
    pooling: Pooling = Field(
        "mean",
        description="how the vectors of a text's words become one: mean, max, or sif, which "
        "weighs rare words more and learns from the training texts",
    )
    dimension: Annotated[int, Field(ge=1, le=2000)] = Field(
        100, description="numbers of a trained vector"
    )
    window: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="words on each side that count as near"
    )
    epochs: Annotated[int, Field(ge=1, le=10_000)] = Field(
        20, description="how often training goes through the texts"
    )
    min_count: Annotated[int, Field(ge=1)] = Field(
        2, description="times that a word must occur in the training texts, at least"
    )
    max_words: MaxWords = Field(
        MOST_WORDS,
        description="words that get a vector at most, the most frequent ones; training takes up to "
        "8 bytes x words x dimension of memory",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        0, description="seed of the training; the same texts give the same vectors"
    )

    @model_validator(mode="after")
    def _check_used(self) -> Self:
        if self.vectors == CORPUS:
            return self
        for name, field in type(self).model_fields.items():
            if name not in ("vectors", "pooling") and getattr(self, name) != field.default:
                raise ValueError(
                    f"{name} is for the training of vectors, and vectors names some that are "
                    f"trained; leave it out, or set vectors to {CORPUS}"
                )
        return self
