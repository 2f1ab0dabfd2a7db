"""The encoder ``genes``: profiles of the genes that training rows show to be worth having."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field

from widemargin import DataError, EncoderSpec
from widemargin.encoders import (
    Columns,
    ExpressionEncoder,
    ProfileSettings,
    Share,
    State,
    Transformer,
    gene_strengths,
)
from widemargin_cancer.elimination import by_elimination, choose_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GENES", "GeneEncoder", "GeneSettings", "Rank"]

Rank = Literal["f", "kruskal", "elimination"]
Count = Annotated[int, Field(ge=1)]
Keep = Literal["auto"] | Count | tuple[Count, ...]

_COUNTS = (20, 50, 100, 200, 500, 1000, 2000)


class GeneSettings(ProfileSettings):
    """Settings of the encoder ``genes``."""

    normalise: tuple[Literal["log", "quantile", "profile", "z"], ...] = Field(
        ("profile", "z"),
        description="steps among log, quantile, profile and z, in this order; [] for none",
    )
    rank: Rank = Field(
        "f",
        description="how genes are ranked: f (analysis of variance), kruskal (Kruskal-Wallis), or "
        "elimination (SVM-RFE)",
    )
    keep: Keep = Field(
        "auto",
        description="genes kept: a number, a list of numbers to choose from by cross-validation "
        "within the training rows, or auto (20, 50, 100, 200, 500, 1000, 2000 and all)",
    )


class GeneEncoder(Transformer):
    """Expression profiles, normalised, of the genes that rank highest on training rows.

    Normalisation is that of `widemargin.encoders.ExpressionEncoder`; the ranking and the number of
    genes see the classes, so that all of it is fitted anew in every inner fold.

    Parameters
    ----------
    normalise, offset, top_variance
        As for `ExpressionEncoder`.
    rank : {"f", "kruskal", "elimination"}, default="f"
        How genes are ranked.
    keep : "auto", int or tuple of int, default="auto"
        Genes kept, or numbers to choose from.

    Attributes
    ----------
    kept_ : ndarray of shape (n_kept,)
        Places of the genes kept, ascending.
    order_ : ndarray of shape (n_genes,)
        Places of all genes, the best first.
    counts_ : tuple of int
        Numbers of genes that were tried.
    mistakes_ : ndarray of shape (n_counts,)
        Mean mistakes of the cross-validation at each; zeros where there was no choice.

    Examples
    --------
    >>> X = {"TP53": [1.0, 2.0, 9.0, 8.0], "ACTB": [5.0, 7.0, 5.0, 7.0]}
    >>> encoder = GeneEncoder(keep=1).fit(X, ["ALL", "ALL", "AML", "AML"])
    >>> encoder.get_feature_names_out().tolist()
    ['TP53']
    """

    kept_: NDArray[np.int64]
    order_: NDArray[np.int64]
    counts_: tuple[int, ...]
    mistakes_: NDArray[np.float64]
    _profiles: ExpressionEncoder

    def __init__(
        self,
        normalise: tuple[Literal["log", "quantile", "profile", "z"], ...] = ("profile", "z"),
        offset: float = 1.0,
        top_variance: int | None = None,
        rank: Rank = "f",
        keep: Keep = "auto",
    ) -> None:
        self.normalise = normalise
        self.offset = offset
        self.top_variance = top_variance
        self.rank = rank
        self.keep = keep

    def fit(self, X: Columns, y: Any = None) -> Self:
        """Learn scales and genes from training rows and their classes.

        Raises
        ------
        DataError
            Where there are no classes, or the normalisation does not fit the values.
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Columns, y: Any = None) -> NDArray[np.float32]:
        """Fit, and return the training rows' vectors."""
        classes = None if y is None else np.asarray(y)
        if classes is None or classes.dtype.kind == "f":
            raise DataError(
                "genes: genes are ranked by how they tell classes apart, and there are none; give "
                "class names, or take the encoder expression."
            )
        if self.rank == "elimination" and len(np.unique(classes)) < 2:
            raise DataError("genes: all training rows are of one class; give rows of another.")
        self._profiles = self._unfitted()
        rows = self._profiles.fit_transform(X).astype(np.float64)
        self.counts_ = self._counts(rows.shape[1])
        least = min(self.counts_)

        def rank(own: NDArray[np.float64], of: NDArray[Any]) -> NDArray[np.intp]:
            if self.rank == "elimination":
                return by_elimination(own, of, least)
            return np.argsort(-gene_strengths(own, of, self.rank), kind="stable")

        count, self.mistakes_ = choose_count(rows, classes, self.counts_, rank)
        self.order_ = rank(rows, classes).astype(np.int64)
        self.kept_ = np.sort(self.order_[:count])
        return rows[:, self.kept_].astype(np.float32)

    def transform(self, X: Columns) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, n_kept), float32.

        Raises
        ------
        DataError
            Where a gene of the training rows is absent, or a value has no logarithm.
        """
        self._check_fitted("kept_")
        return self._profiles.transform(X)[:, self.kept_]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns by their genes."""
        self._check_fitted("kept_")
        return self._profiles.get_feature_names_out()[self.kept_]

    def ranking(self) -> list[str]:
        """Return the names of all genes, the best first."""
        self._check_fitted("order_")
        names = self._profiles.get_feature_names_out()
        return [str(names[place]) for place in self.order_]

    def get_state(self) -> State:
        """Return what was learnt: scales, genes, and what each number of genes was worth."""
        self._check_fitted("kept_")
        profiles = self._profiles.get_state()
        arrays = {f"profiles/{name}": array for name, array in profiles.arrays.items()}
        return State(
            {**arrays, "kept": self.kept_, "order": self.order_, "mistakes": self.mistakes_},
            {"profiles": dict(profiles.meta), "counts": list(self.counts_)},
        )

    def set_state(self, state: State) -> Self:
        """Take up what was learnt."""
        arrays = {
            name.removeprefix("profiles/"): array
            for name, array in state.arrays.items()
            if name.startswith("profiles/")
        }
        self._profiles = self._unfitted().set_state(State(arrays, state.meta["profiles"]))
        self.kept_ = np.asarray(state.arrays["kept"], dtype=np.int64)
        self.order_ = np.asarray(state.arrays["order"], dtype=np.int64)
        self.mistakes_ = np.asarray(state.arrays["mistakes"], dtype=np.float64)
        self.counts_ = tuple(int(count) for count in state.meta["counts"])
        n = len(self._profiles.kept_)
        if sorted(self.order_.tolist()) != list(range(n)) or not set(self.kept_) <= set(range(n)):
            raise DataError("genes: the saved genes and the profiles disagree.")
        return self

    def explain(self, X: Columns, coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each row's product with `coef` into its genes, with their values as given."""
        whole = np.zeros(len(self._profiles.kept_))
        whole[self.kept_] = coef
        places = self.kept_.tolist()
        return [[row[place] for place in places] for row in self._profiles.explain(X, whole)]

    def _unfitted(self) -> ExpressionEncoder:
        return ExpressionEncoder(
            normalise=self.normalise, offset=self.offset, top_variance=self.top_variance
        )

    def _counts(self, n_genes: int) -> tuple[int, ...]:
        """Return the numbers of genes to choose from, of which none exceeds what there is."""
        if self.keep == "auto":
            return (*(count for count in _COUNTS if count < n_genes), n_genes)
        asked = (self.keep,) if isinstance(self.keep, int) else self.keep
        return tuple(sorted({min(count, n_genes) for count in asked}))


def _build(settings: GeneSettings) -> GeneEncoder:
    return GeneEncoder(**settings.model_dump())


GENES = EncoderSpec(
    name="genes",
    summary="expression profiles of chosen genes: by a test of each, or by SVM-RFE; how many is "
    "chosen too",
    kinds=("expression",),
    learns="y",
    settings=GeneSettings,
    build=_build,
)
