r"""Latent semantic analysis: TF-IDF of words, reduced to the directions that vary most.

Deerwester, Dumais, Furnas, Landauer & Harshman 1990, "Indexing by latent semantic analysis", JASIS
41, 391-407. With the training texts' TF-IDF matrix :math:`X \approx U \Sigma V^\top`, truncated, a
text's row x becomes :math:`x V`, scaled to unit length. The decomposition is randomised (Halko,
Martinsson & Tropp 2011, doi:10.1137/090771806), seeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import Field

from widemargin.contracts import Columns, EncoderSpec, Share, State
from widemargin.encoders.items import texts_of
from widemargin.encoders.text.tfidf import TfidfEncoder, TfidfSettings
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

__all__ = ["LSA", "LsaEncoder", "LsaSettings"]

Length = Annotated[int, Field(ge=1, le=10)]

_OVERSAMPLES, _ITERATIONS = 20, 5
_SMALLEST = 1e-7  # a singular value below this share of the largest is rounding, not data


class LsaSettings(TfidfSettings):
    """Settings of the encoder ``lsa``."""

    n_components: Annotated[int, Field(ge=1, le=5000)] = Field(
        100, description="numbers that a text becomes; fewer where the training texts have fewer"
    )
    characters: tuple[Length, Length] | None = Field(
        None, description="shortest and longest run of characters inside a word; null for none"
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        0, description="seed of the decomposition; the same texts give the same numbers"
    )


class LsaEncoder(Transformer):
    """Texts as unit vectors of a truncated singular value decomposition of their TF-IDF.

    Parameters
    ----------
    n_components : int, default=100
        Numbers that a text becomes. Training texts of a smaller rank give as many as it is.
    words, characters, min_df, max_df, sublinear_tf, lowercase
        As in `TfidfEncoder`; by default of words alone.
    random_state : int, default=0
        Seed of the decomposition.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_ngrams)
        The directions, by falling singular value; of each the largest weight is above 0.

    Examples
    --------
    >>> encoder = LsaEncoder(min_df=1)
    >>> encoder.fit_transform(["win cash now", "see you now", "win now"]).shape
    (3, 3)
    """

    name = "lsa"

    components_: NDArray[np.float64]

    def __init__(
        self,
        n_components: int = 100,
        words: tuple[int, int] | None = (1, 2),
        characters: tuple[int, int] | None = None,
        min_df: int = 2,
        max_df: float = 1.0,
        sublinear_tf: bool = True,
        lowercase: bool = True,
        random_state: int = 0,
    ) -> None:
        self.n_components = n_components
        self.words = words
        self.characters = characters
        self.min_df = min_df
        self.max_df = max_df
        self.sublinear_tf = sublinear_tf
        self.lowercase = lowercase
        self.random_state = random_state

    def fit(self, X: Columns | Sequence[str], y: Any = None) -> Self:
        """Learn n-grams, their weights and the directions from training texts."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Columns | Sequence[str], y: Any = None) -> NDArray[np.float32]:
        """Fit and return the training texts' vectors, reading each text once."""
        from sklearn.utils.extmath import randomized_svd

        self._tfidf = self._new_tfidf()
        rows = self._tfidf.fit_transform(X)
        if not rows.nnz:
            raise DataError("lsa: no training text has a word that counts; lower min_df.")
        k = min(self.n_components, *rows.shape)
        _, values, components = randomized_svd(
            rows,
            k,
            n_oversamples=_OVERSAMPLES,
            n_iter=_ITERATIONS,
            random_state=self.random_state,
            flip_sign=False,
        )
        components = components[values > _SMALLEST * values[0]]
        # A direction and its opposite are one; which of them comes out is left to chance.
        largest = np.abs(components).argmax(axis=1)
        signs = np.sign(components[np.arange(len(components)), largest])
        self.components_ = np.ascontiguousarray(components * signs[:, None], dtype=np.float64)
        return self._scale(rows)[0].astype(np.float32)

    def transform(self, X: Columns | Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, n_components), float32, each of length 1 or 0."""
        self._check_fitted("components_")
        return self._scale(self._tfidf.transform(X))[0].astype(np.float32)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns by their place."""
        self._check_fitted("components_")
        return np.array([f"lsa: {k + 1}" for k in range(len(self.components_))], dtype=object)

    def get_state(self) -> State:
        """Return n-grams, their weights and the directions."""
        self._check_fitted("components_")
        own = self._tfidf.get_state()
        return State({**own.arrays, "components": self.components_}, own.meta)

    def set_state(self, state: State) -> Self:
        """Take up n-grams, their weights and the directions."""
        components = np.asarray(state.arrays["components"], dtype=np.float64)
        own = {key: array for key, array in state.arrays.items() if key != "components"}
        tfidf = self._new_tfidf().set_state(State(own, state.meta))
        n_ngrams = sum(map(len, tfidf.vocabularies_.values()))
        if components.shape[1:] != (n_ngrams,):
            raise DataError(f"lsa: the model has {n_ngrams} n-grams and directions of another many")
        self._tfidf, self.components_ = tfidf, components
        return self

    def explain(self, X: Columns | Sequence[str], coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each text's product with `coef` into its words, in order of appearance.

        A text's row is linear in its TF-IDF up to its length, which is the same for all its words.
        """
        self._check_fitted("components_")
        texts = texts_of(X)
        _, lengths = self._scale(self._tfidf.transform(texts))
        explained = self._tfidf.explain(texts, np.asarray(coef, np.float64) @ self.components_)
        return [
            [Share(share.piece, share.contribution / length) for share in shares]
            for shares, length in zip(explained, lengths.tolist(), strict=True)
        ]

    def _new_tfidf(self) -> TfidfEncoder:
        return TfidfEncoder(
            self.words,
            self.characters,
            self.min_df,
            self.max_df,
            self.sublinear_tf,
            self.lowercase,
        )

    def _scale(self, rows: csr_matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return unit rows, and the lengths that they had; 1 for those of zeros."""
        reduced = np.asarray(rows @ self.components_.T)
        lengths = np.sqrt((reduced**2).sum(axis=1))
        # What is orthogonal to all directions but for rounding stays at zero.
        reduced[lengths < _SMALLEST] = 0
        lengths[lengths < _SMALLEST] = 1
        return reduced / lengths[:, None], lengths


def _build(settings: LsaSettings) -> LsaEncoder:
    return LsaEncoder(**settings.model_dump(exclude={"seed"}), random_state=settings.seed)


LSA = EncoderSpec(
    name="lsa",
    summary="TF-IDF of words, reduced to the directions that vary most",
    kinds=("text",),
    learns="X",
    settings=LsaSettings,
    build=_build,
)
