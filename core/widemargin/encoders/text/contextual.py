"""Encoders whose vector of a word depends on the words around it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.contracts import Columns
from widemargin.encoders.items import texts_of
from widemargin.encoders.training.trainable import TunableEncoder
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ContextualEncoder", "ContextualModel", "Pooling", "load_tokenizer"]

Pooling = Literal["mean", "cls", "max"]
"""What a text's vector is made of: the mean of its tokens' vectors, the first, or the greatest."""


class ContextualModel(ABC):
    """A tokenizer and the layers behind it, loaded.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        It cuts texts and truncates what it makes of them.
    taken : sequence of int
        The layers whose outputs are averaged, 0 for the embeddings.
    """

    def __init__(self, tokenizer: Any, taken: Sequence[int]) -> None:
        self.tokenizer = tokenizer
        self.taken = tuple(taken)

    def vectors(self, texts: Sequence[str], pooling: Pooling) -> NDArray[np.float32]:
        """Return a vector a text, of shape (n_texts, d)."""
        return self.pooled([one.ids for one in self.tokenizer.encode_batch(list(texts))], pooling)

    def word_vectors(self, text: str) -> list[tuple[str, NDArray[np.float32]]]:
        """Return every word with the mean of its tokens' vectors."""
        encoded = self.tokenizer.encode(text)
        states = self.states(encoded.ids)
        places: dict[int, list[int]] = {}
        for token, word in enumerate(encoded.word_ids):
            if word is not None:
                places.setdefault(word, []).append(token)
        found = []
        for tokens in places.values():
            start, end = encoded.offsets[tokens[0]][0], encoded.offsets[tokens[-1]][1]
            found.append((text[start:end].strip(), states[tokens].mean(axis=0)))
        return found

    @abstractmethod
    def pooled(self, ids: Sequence[Sequence[int]], pooling: Pooling) -> NDArray[np.float32]:
        """Return a vector a text, of shape (n_texts, d), from each text's tokens."""

    @abstractmethod
    def states(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Return a vector a token of one text, of shape (n_tokens, d)."""


class ContextualEncoder(TunableEncoder):
    """Base of the encoders of this kind.

    A text beyond the model's longest is cut there. An empty one has the vector of the tokens that
    begin and end every text. What is no Unicode, as half a surrogate pair, is read as ``?``.
    """

    @abstractmethod
    def _model(self) -> ContextualModel:
        """Return the loaded model; loading is shared by encoders of equal settings."""

    @abstractmethod
    def _pooling(self) -> Pooling:
        """Return the pooling in use."""

    def _normalises(self) -> bool:
        return True

    def items(self, X: Columns | Sequence[str]) -> list[str]:
        """Return one text a row."""
        return [text.encode("utf-8", "replace").decode("utf-8") for text in texts_of(X)]

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_texts, dimension), of length 1 unless told otherwise."""
        if not items:
            return np.empty((0, self.dimension), dtype=np.float32)
        vectors = self._model().vectors(items, self._pooling())
        if self._normalises():
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors /= np.maximum(lengths, np.finfo(np.float32).tiny)
        return vectors

    def word_vectors(self, text: str) -> list[tuple[str, NDArray[np.float32]]]:
        """Return the words of a text in order, each with its vector there.

        The same word has another vector in another sentence. Vectors are the mean of a word's
        tokens, of no certain length; words beyond the longest text read are left out.
        """
        return self._model().word_vectors(self.items([text])[0])


def load_tokenizer(folder: Path, max_length: int, encoder: str) -> Any:
    """Read ``tokenizer.json``; what it makes is truncated and not padded.

    Raises
    ------
    DataError
        Where the file is no tokenizer, or its library is absent.
    """
    from widemargin.encoders.libraries import require_library

    tokenizers = require_library("tokenizers", encoder, "text")
    path = folder / "tokenizer.json"
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise DataError(f"{path}: is no readable tokenizer ({error}).") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return tokenizer
