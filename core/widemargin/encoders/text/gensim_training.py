"""Word2vec and fastText by gensim, epoch by epoch, so that a training can be gone on with.

gensim lowers its learning rate in one line over all epochs. Each epoch is trained with its own part
of that line, which gives the vectors that training all of them in one call does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import State

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LIBRARIES", "GensimTraining"]

LIBRARIES = ("gensim", "numpy", "scipy")
"""What the last digits of trained vectors depend on: gensim multiplies by SciPy's BLAS."""


class GensimTraining:
    """A model of gensim with negative sampling and one worker, which more would not repeat.

    Parameters
    ----------
    model : gensim.models.Word2Vec or gensim.models.FastText
        With a vocabulary, and not trained.
    sentences : sequence of sequences of str
        What the vocabulary was built of.
    epochs : int
        How often they will be gone through.
    """

    def __init__(self, model: Any, sentences: Sequence[Sequence[str]], epochs: int) -> None:
        self.model = model
        self._sentences = sentences
        self._epochs = epochs
        self._first, self._last = float(model.alpha), float(model.min_alpha)

    def train_epoch(self, epoch: int) -> None:
        """Go through the sentences once."""
        self.model.train(
            self._sentences,
            total_examples=self.model.corpus_count,
            epochs=1,
            start_alpha=self._rate(epoch),
            end_alpha=self._rate(epoch + 1),
        )

    def get_state(self) -> State:
        """Return the weights and where the random numbers are."""
        _, numbers, place, *_ = self.model.random.get_state()
        return State({**self._weights(), "random": numbers}, {"random_place": int(place)})

    def set_state(self, state: State) -> None:
        """Take up weights and random numbers."""
        for name, own in self._weights().items():
            own[...] = state.arrays[name]
        numbers = np.asarray(state.arrays["random"], dtype=np.uint32)
        self.model.random.set_state(("MT19937", numbers, int(state.meta["random_place"])))

    def _rate(self, epoch: int) -> float:
        """Return the learning rate with which an epoch begins."""
        return self._first - (self._first - self._last) * (epoch / self._epochs)

    def _weights(self) -> dict[str, NDArray[np.float32]]:
        vectors = self.model.wv
        # FastText makes a word's vector of its own and those of its n-grams, after each epoch.
        names = ("vectors_vocab", "vectors_ngrams") if hasattr(vectors, "vectors_ngrams") else ()
        own = {name: getattr(vectors, name) for name in names or ("vectors",)}
        return {**own, "negative": self.model.syn1neg}
