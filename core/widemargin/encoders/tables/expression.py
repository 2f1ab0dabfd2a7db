r"""Gene expression: profiles normalised, and the genes chosen that are worth having.

Steps, in this order, each if it is wanted:

``log``
    :math:`\log_2(x + o)` of intensities or counts.
``quantile``
    Each profile's values replaced by those of a reference profile of equal rank; the reference is
    the mean of the training profiles' sorted values (Bolstad, Irizarry, Åstrand & Speed 2003,
    doi:10.1093/bioinformatics/19.2.185).
``profile``
    Each profile to mean 0 and deviation 1 over its genes, so that no array is brighter than another
    (Dudoit, Fridlyand & Speed 2002, doi:10.1198/016214502753479248).
``top_variance``
    The genes that vary most over the training rows.
``select``
    Of these, the genes whose means differ most between the classes: largest F of the analysis of
    variance (for two classes the square of the t-test's t), largest H of Kruskal & Wallis 1952, or
    for a target of numbers largest F of the correlation. Of equal genes the first by column.
``z``
    Each gene to mean 0 and deviation 1 over the training rows.

Selection sees the target, so that an encoder which selects learns y and is fitted anew in every
inner fold; selecting on all rows beforehand claims too much (Ambroise & McLachlan 2002,
doi:10.1073/pnas.102102699).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from widemargin.contracts import Columns, EncoderSpec, Learns, Section, Share, State
from widemargin.encoders.tables.cells import numbers_of
from widemargin.encoders.tables.gene_tests import Test, gene_strengths
from widemargin.encoders.tables.profiles import ranked, reference_of, standardised
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EXPRESSION", "ExpressionEncoder", "ExpressionSettings", "ProfileSettings", "Step"]

Step = Literal["log", "quantile", "profile", "z"]

_ORDER: tuple[Step, ...] = ("log", "quantile", "profile", "z")
# Intensities and counts go into the thousands, their logarithms to base 2 hardly above 20.
_LOGGED_TOP, _LOGGED_RANGE = 100.0, 50.0
_LARGEST = 1e15
"""What no instrument measures; beyond it, scaled values might not be finite in float32."""


class ProfileSettings(Section):
    """Settings of every encoder of expression profiles."""

    normalise: tuple[Step, ...] = Field(
        ("z",),
        description="steps among log, quantile, profile and z, in this order; [] for none",
    )
    offset: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        1.0, description="added before the logarithm, so that 0 has one"
    )
    top_variance: Annotated[int, Field(ge=1)] | None = Field(
        None, description="genes kept that vary most in training; null for all"
    )

    @model_validator(mode="after")
    def _check_steps(self) -> Self:
        if list(self.normalise) != [step for step in _ORDER if step in self.normalise]:
            raise ValueError(
                f"normalise: {', '.join(self.normalise)} must be among {', '.join(_ORDER)}, each "
                "once, in this order"
            )
        return self


class ExpressionSettings(ProfileSettings):
    """Settings of the encoder ``expression``."""

    select: Annotated[int, Field(ge=1)] | None = Field(
        None, description="genes kept whose classes differ most in training; null for all"
    )
    test: Test = Field(
        "f", description="how select measures difference: analysis of variance, or Kruskal-Wallis"
    )


class ExpressionEncoder(Transformer):
    """Vectors of expression profiles: one numeric column a gene, normalised and chosen.

    A missing value becomes, after logarithm and quantiles, the gene's training median; a gene
    without any value in training is 0 everywhere.

    Parameters
    ----------
    normalise : tuple of {"log", "quantile", "profile", "z"}, default=("z",)
        Steps of normalisation, in this order.
    offset : float, default=1.0
        Added before the logarithm.
    top_variance : int or None, default=None
        Genes kept that vary most.
    select : int or None, default=None
        Genes kept whose classes differ most.
    test : {"f", "kruskal"}, default="f"
        How difference is measured.

    Attributes
    ----------
    columns_ : list of str
        All genes of the training rows.
    kept_ : ndarray of shape (n_kept,)
        The places of those that were kept, ascending.
    strength_ : ndarray of shape (n_kept,)
        The test's F or H of each; NaN where nothing was selected.

    Examples
    --------
    >>> X = {"TP53": [1.0, 2.0, 9.0, 8.0], "ACTB": [5.0, 7.0, 5.0, 7.0]}
    >>> encoder = ExpressionEncoder(select=1).fit(X, ["ALL", "ALL", "AML", "AML"])
    >>> encoder.get_feature_names_out().tolist()
    ['TP53']
    """

    columns_: list[str]
    kept_: NDArray[np.int64]
    strength_: NDArray[np.float64]
    _reference: NDArray[np.float64]
    _median: NDArray[np.float64]
    _centre: NDArray[np.float64]
    _scale: NDArray[np.float64]

    def __init__(
        self,
        normalise: tuple[Step, ...] = ("z",),
        offset: float = 1.0,
        top_variance: int | None = None,
        select: int | None = None,
        test: Test = "f",
    ) -> None:
        self.normalise = normalise
        self.offset = offset
        self.top_variance = top_variance
        self.select = select
        self.test = test

    def fit(self, X: Columns, y: Any = None) -> Self:
        """Learn the reference, the genes and their scales from training rows.

        Raises
        ------
        DataError
            Where a logarithm is wanted of values below 0 or of what are logarithms already, or a
            selection without a fitting target.
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Columns, y: Any = None) -> NDArray[np.float32]:
        """Fit, and return the training rows' vectors."""
        self.columns_ = [str(name) for name in X]
        values = self._read(X)
        if "log" in self.normalise:
            self._check_intensities(values)
        values = self._logged(values)
        quantile = "quantile" in self.normalise
        self._reference = reference_of(values) if quantile else np.empty(0)
        values = self._levelled(values)
        known = ~np.isnan(values)
        self._median = np.zeros(values.shape[1])
        there = known.any(axis=0)
        self._median[there] = np.nanmedian(values[:, there], axis=0)
        values = np.where(known, values, self._median)
        self.kept_, self.strength_ = self._choose(values, y)
        chosen = values[:, self.kept_]
        self._centre, self._scale = np.zeros(len(self.kept_)), np.ones(len(self.kept_))
        if "z" in self.normalise:
            self._centre, self._scale = chosen.mean(axis=0), chosen.std(axis=0)
            # A gene that is constant in training says nothing; dividing by 1 keeps it at 0.
            constant = self._scale <= 1e-12 * np.maximum(1.0, np.abs(self._centre))
            self._scale[constant] = 1.0
        return self._finish(values)

    def transform(self, X: Columns) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, n_kept), float32.

        Raises
        ------
        DataError
            Where a gene of the training rows is absent, or a value has no logarithm.
        """
        self._check_fitted("kept_")
        for name in self.columns_:
            if name not in X:
                raise DataError(
                    f"the gene {name!r}, which the model was trained on, is absent."
                    f"{nearest(name, map(str, X))} It needs {len(self.columns_)} genes."
                )
        values = self._levelled(self._logged(self._read(X)))
        return self._finish(np.where(np.isnan(values), self._median, values))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns by their genes."""
        self._check_fitted("kept_")
        return np.array([self.columns_[place] for place in self.kept_], dtype=object)

    def get_state(self) -> State:
        """Return reference, genes and scales as arrays."""
        self._check_fitted("kept_")
        # A saved model holds finite numbers only: no strength where nothing was selected, and the
        # largest number for a gene that tells all.
        chosen = np.minimum(self.strength_, np.finfo(np.float64).max)
        arrays = {
            "kept": self.kept_,
            **({} if np.isnan(chosen).any() else {"strength": chosen}),
            "reference": self._reference,
            "median": self._median,
            "centre": self._centre,
            "scale": self._scale,
        }
        return State(arrays, {"columns": self.columns_})

    def set_state(self, state: State) -> Self:
        """Take up what was learnt."""
        self.columns_ = [str(name) for name in state.meta["columns"]]
        self.kept_ = np.asarray(state.arrays["kept"], dtype=np.int64)
        self._reference, self._median, self._centre, self._scale = (
            np.asarray(state.arrays[name], dtype=np.float64)
            for name in ("reference", "median", "centre", "scale")
        )
        nothing = np.full(len(self.kept_), np.nan)
        self.strength_ = np.asarray(state.arrays.get("strength", nothing), dtype=np.float64)
        n = len(self.columns_)
        if len(self._median) != n or not all(0 <= place < n for place in self.kept_.tolist()):
            raise DataError("expression: the saved genes and what was learnt of them disagree.")
        return self

    def explain(self, X: Columns, coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each row's product with `coef` into its genes, with their values as given."""
        products = self.transform(X).astype(np.float64) * coef
        values = self._read(X)[:, self.kept_]
        names = self.get_feature_names_out()
        return [
            [
                Share(f"{name} = {'missing' if np.isnan(value) else format(value, '.6g')}", share)
                for name, value, share in zip(names, own, row.tolist(), strict=True)
            ]
            for own, row in zip(values, products, strict=True)
        ]

    def _read(self, X: Columns) -> NDArray[np.float64]:
        if not self.columns_:
            raise DataError("expression: there is no gene: give one numeric column a gene.")
        values = _numbers(X, self.columns_)
        wrong = np.argwhere(np.abs(values) > _LARGEST)
        if len(wrong):
            row, column = wrong[0]
            raise DataError(
                f"expression: row {row + 1}: {self.columns_[column]} is {values[row, column]:g}, "
                "which is no expression of a gene. Correct it, or leave it empty."
            )
        return values

    def _check_intensities(self, values: NDArray[np.float64]) -> None:
        known = values[~np.isnan(values)]
        if not len(known):
            return
        low, high, top = known.min(), known.max(), float(np.percentile(known, 99))
        # As GEO2R tells: intensities have a long upper tail, logarithms have none.
        if top <= _LOGGED_TOP and high - low <= _LOGGED_RANGE:
            raise DataError(
                f"expression: the values go from {low:g} to {high:g}, as logarithms do and "
                "intensities do not. Leave log out of normalise."
            )

    def _logged(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if "log" not in self.normalise:
            return values
        wrong = np.argwhere((values < 0) | (values + self.offset <= 0))
        if len(wrong):
            row, column = wrong[0]
            raise DataError(
                f"expression: row {row + 1}: {self.columns_[column]} is {values[row, column]:g}, "
                f"and log takes values from 0 whose sum with offset, {self.offset:g}, is above 0. "
                "Are these logarithms already? Then leave log out of normalise; else set what lies "
                "below the background to 0, or to missing."
            )
        return np.log2(values + self.offset)

    def _levelled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Make profiles comparable, each by itself."""
        if "quantile" in self.normalise:
            values = ranked(values, self._reference)
        return standardised(values) if "profile" in self.normalise else values

    def _choose(
        self, values: NDArray[np.float64], y: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        n = values.shape[1]
        kept = np.arange(n)
        if self.top_variance is not None:
            kept = _largest(values.var(axis=0), self.top_variance)
        strength = np.full(len(kept), np.nan)
        if self.select is not None:
            of_all = gene_strengths(values[:, kept], y, self.test)
            best = _largest(of_all, self.select)
            kept, strength = kept[best], of_all[best]
        return kept.astype(np.int64), strength

    def _finish(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        return ((values[:, self.kept_] - self._centre) / self._scale).astype(np.float32)


def _numbers(X: Columns, names: list[str]) -> NDArray[np.float64]:
    """Return the columns side by side."""
    if hasattr(X, "dtypes"):
        # A frame of numbers in one piece: twenty thousand columns one by one take seconds.
        frame: Any = X
        if all(isinstance(own, np.dtype) and own.kind in "iuf" for own in set(frame.dtypes)):
            whole = frame if list(frame.columns) == names else frame[names]
            values: NDArray[np.float64] = whole.to_numpy(dtype=np.float64, copy=True)
            if not np.isinf(values).any():
                return values
    return np.stack([numbers_of(name, X[name]) for name in names], axis=1)


def _largest(values: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the places of the largest, ascending; of equal ones the first are taken."""
    return np.sort(np.argsort(-values, kind="stable")[:count])


def _learns(settings: ExpressionSettings) -> Learns:
    return "X" if settings.select is None else "y"


def _build(settings: ExpressionSettings) -> ExpressionEncoder:
    return ExpressionEncoder(**settings.model_dump())


EXPRESSION = EncoderSpec(
    name="expression",
    summary="expression profiles: logarithm, quantiles, z-scores, and filters of genes",
    kinds=("expression",),
    learns="X",
    learns_from=_learns,
    settings=ExpressionSettings,
    build=_build,
)
