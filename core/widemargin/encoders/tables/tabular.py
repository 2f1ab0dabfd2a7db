"""Tables: numbers scaled, categories one-hot or weighed as evidence, missing values marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field

from widemargin.contracts import (
    Columns,
    EncoderSpec,
    Learns,
    PositiveFloat,
    Section,
    Share,
    State,
    n_rows,
)
from widemargin.encoders.tables.cells import is_numeric, numbers_of, shown, words_of
from widemargin.encoders.tables.evidence import (
    Binning,
    Cuts,
    codes_of_target,
    fit_categories,
    fit_numbers,
)
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TABULAR", "TabularEncoder", "TabularSettings"]

Categories = Literal["one-hot", "weight-of-evidence"]
Numbers = Literal["scale", "weight-of-evidence", "both"]


class TabularSettings(Section):
    """Settings of the encoder ``tabular``."""

    scale: Literal["standard", "robust", "none"] = Field(
        "standard",
        description="standard: mean 0, deviation 1; robust: median 0, interquartile range 1; none",
    )
    min_count: Annotated[int, Field(ge=1)] = Field(
        2, description="rows that a category must occur in to have a column of its own"
    )
    max_categories: Annotated[int, Field(ge=1)] = Field(
        50, description="categories of one column, the commonest first; the rest share one column"
    )
    categories: Categories = Field(
        "one-hot",
        description="a column for each category, or one with its weight of evidence (two classes)",
    )
    numbers: Numbers = Field(
        "scale",
        description="scaled, or binned with each bin's weight of evidence (two classes), or both",
    )
    bins: Cuts = Field(
        "quantiles",
        description="quantiles: bins of equally many rows; tree: a decision tree's, monotone",
    )
    n_bins: Annotated[int, Field(ge=2, le=100)] = Field(
        8, description="bins of a number at most, besides the one for missing values"
    )
    smoothing: PositiveFloat = Field(
        1.0, description="rows that each bin is given, divided between the classes as all rows are"
    )


class TabularEncoder(Transformer):
    """Vectors of table rows: numbers and categories, scaled, one-hot or weighed as evidence.

    A missing number becomes the training median, and a further column marks it where any was
    missing in training. A category that training did not have, or had too seldom, counts as
    "other".

    With weight of evidence a column becomes the weight of the bin that its value falls into, one of
    them for missing values. That needs a target of two classes, and learns from it.

    Parameters
    ----------
    scale : {"standard", "robust", "none"}, default="standard"
        How numbers are centred and scaled.
    min_count : int, default=2
        Rows that a category must occur in.
    max_categories : int, default=50
        Number of categories of a column that get a column of their own.
    categories : {"one-hot", "weight-of-evidence"}, default="one-hot"
        What categories become.
    numbers : {"scale", "weight-of-evidence", "both"}, default="scale"
        What numbers become.
    bins : {"quantiles", "tree"}, default="quantiles"
        How numbers are binned for weight of evidence: equally many rows, or a decision tree whose
        weights only rise or only fall.
    n_bins : int, default=8
        Bins of a number at most.
    smoothing : float, default=1.0
        Rows that each bin is given, divided between the classes as all rows are.

    Attributes
    ----------
    binnings_ : dict of str to Binning
        The bins of each column that is weighed: names, counts, weights and information.
    classes_ : tuple of (str, str) or None
        The two classes; weights above 0 speak for the second. None where nothing is weighed.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"rooms": [2.0, 4.0], "town": ["Bonn", "Bonn"]})
    >>> TabularEncoder().fit(table).transform(table)
    array([[-1.,  1.,  0.],
           [ 1.,  1.,  0.]])
    """

    def __init__(
        self,
        scale: Literal["standard", "robust", "none"] = "standard",
        min_count: int = 2,
        max_categories: int = 50,
        categories: Categories = "one-hot",
        numbers: Numbers = "scale",
        bins: Cuts = "quantiles",
        n_bins: int = 8,
        smoothing: float = 1.0,
    ) -> None:
        self.scale = scale
        self.min_count = min_count
        self.max_categories = max_categories
        self.categories = categories
        self.numbers = numbers
        self.bins = bins
        self.n_bins = n_bins
        self.smoothing = smoothing

    def fit(self, X: Columns, y: Any = None) -> Self:
        """Learn centres, scales, categories and bins from training rows.

        Raises
        ------
        DataError
            Where weight of evidence is wanted and the target has not two classes.
        """
        self.columns_ = [str(name) for name in X]
        self.numeric_: dict[str, dict[str, float]] = {}
        self.categories_: dict[str, list[str]] = {}
        self.binnings_: dict[str, Binning] = {}
        self.classes_: tuple[str, str] | None = None
        second = np.empty(0, dtype=bool)
        if _weighs(self.categories, self.numbers):
            self.classes_, second = codes_of_target(y)
        for name in self.columns_:
            if is_numeric(X[name]):
                values = numbers_of(name, X[name])
                self.numeric_[name] = self._fit_numbers(values)
                if self.numbers != "scale":
                    self.binnings_[name] = fit_numbers(
                        values, second, self.bins, self.n_bins, self.smoothing
                    )
            else:
                words = words_of(X[name])
                self.categories_[name] = self._fit_categories(words)
                if self.categories != "one-hot":
                    self.binnings_[name] = fit_categories(
                        words, self.categories_[name], second, self.smoothing
                    )
        return self

    def fit_transform(self, X: Columns, y: Any = None) -> NDArray[np.float64]:
        """Fit, then encode the training rows."""
        return self.fit(X, y).transform(X)

    def transform(self, X: Columns) -> NDArray[np.float64]:
        """Return vectors of shape (n_samples, n_features).

        Raises
        ------
        DataError
            Where a column of the training table is absent.
        """
        self._check_fitted("columns_")
        for name in self.columns_:
            if name not in X:
                raise DataError(
                    f"the column {name!r}, which the model was trained on, is absent."
                    f"{nearest(name, map(str, X))} It needs {', '.join(self.columns_)}."
                )
        blocks = [self._encode(name, X[name]) for name in self.columns_]
        if not blocks:
            return np.empty((n_rows(X), 0))
        return np.concatenate(blocks, axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns: ``rooms``, ``town = Bonn``, ``rooms missing``, ``town evidence``."""
        self._check_fitted("columns_")
        return np.array(
            [label for name in self.columns_ for label in self._labels(name)], dtype=object
        )

    def get_state(self) -> State:
        """Return what was learnt; a table needs no arrays."""
        self._check_fitted("columns_")
        meta: dict[str, Any] = {
            "columns": self.columns_,
            "numeric": self.numeric_,
            "categories": self.categories_,
        }
        if self.classes_ is not None:
            meta["classes"] = list(self.classes_)
            meta["binnings"] = {name: own.to_data() for name, own in self.binnings_.items()}
        return State({}, meta)

    def set_state(self, state: State) -> Self:
        """Take up what was learnt."""
        self.columns_ = [str(name) for name in state.meta["columns"]]
        self.numeric_ = {
            name: {key: float(value) for key, value in numbers.items()}
            for name, numbers in state.meta["numeric"].items()
        }
        self.categories_ = {
            name: [str(category) for category in categories]
            for name, categories in state.meta["categories"].items()
        }
        # Models that were saved before there was weight of evidence have neither.
        classes = state.meta.get("classes")
        self.classes_ = None if classes is None else (str(classes[0]), str(classes[1]))
        self.binnings_ = {
            name: Binning.from_data(own) for name, own in state.meta.get("binnings", {}).items()
        }
        weighed = {
            *(self.numeric_ if self.numbers != "scale" else ()),
            *(self.categories_ if self.categories != "one-hot" else ()),
        }
        if {*self.numeric_, *self.categories_} != set(self.columns_) or (
            weighed != set(self.binnings_)
        ):
            raise DataError("tabular: the saved columns and their settings disagree.")
        return self

    def explain(self, X: Columns, coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each row's product with `coef` into its columns."""
        products = self.transform(X) * coef
        ends = np.cumsum([len(self._labels(name)) for name in self.columns_])
        said = {name: [shown(value) for value in X[name]] for name in self.columns_}
        return [
            [
                Share(f"{name} = {said[name][row]}", float(part.sum()))
                for name, part in zip(self.columns_, np.split(product, ends[:-1]), strict=True)
            ]
            for row, product in enumerate(products)
        ]

    def _fit_numbers(self, values: NDArray[np.float64]) -> dict[str, float]:
        known = values[np.isfinite(values)]
        if len(known) == 0:
            known = np.zeros(1)
        median = float(np.median(known))
        centre, scale = 0.0, 1.0
        if self.scale == "standard":
            filled = np.where(np.isfinite(values), values, median)
            centre, scale = float(filled.mean()), float(filled.std())
        elif self.scale == "robust":
            low, high = np.percentile(known, [25, 75])
            centre, scale = median, float(high - low)
        # A column that is constant in training says nothing; dividing by 1 keeps it at 0.
        scale = scale if scale > 1e-12 * max(1.0, abs(centre)) else 1.0
        return {
            "median": median,
            "centre": centre,
            "scale": scale,
            "missing": float(not np.isfinite(values).all()),
        }

    def _fit_categories(self, values: Sequence[str | None]) -> list[str]:
        counts: dict[str, int] = {}
        for value in values:
            if value is not None:
                counts[value] = counts.get(value, 0) + 1
        common = sorted(
            (name for name, count in counts.items() if count >= self.min_count),
            key=lambda name: (-counts[name], name),
        )
        return sorted(common[: self.max_categories])

    def _labels(self, name: str) -> list[str]:
        weighed = [f"{name} evidence"] if name in self.binnings_ else []
        if name in self.numeric_:
            if self.numbers == "weight-of-evidence":
                return weighed
            marks = [f"{name} missing"] if self.numeric_[name]["missing"] else []
            return [name, *marks, *weighed]
        if weighed:
            return weighed
        return [*(f"{name} = {category}" for category in self.categories_[name]), f"{name} = other"]

    def _encode(self, name: str, column: Sequence[Any]) -> NDArray[np.float64]:
        binning = self.binnings_.get(name)
        if name in self.numeric_:
            values = numbers_of(name, column)
            if binning is None:
                return self._scaled(name, values)
            weighed = binning.transform(values)[:, None]
            if self.numbers == "weight-of-evidence":
                return weighed
            return np.concatenate([self._scaled(name, values), weighed], axis=1)
        words = words_of(column)
        if binning is not None:
            return binning.transform(words)[:, None]
        place = {category: at for at, category in enumerate(self.categories_[name])}
        block = np.zeros((len(words), len(place) + 1))
        for row, word in enumerate(words):
            if word is not None:
                block[row, place.get(word, len(place))] = 1
        return block

    def _scaled(self, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        learnt = self.numeric_[name]
        known = np.isfinite(values)
        filled = np.where(known, values, learnt["median"])
        scaled = (filled - learnt["centre"]) / learnt["scale"]
        if not learnt["missing"]:
            return scaled[:, None]
        return np.stack([scaled, (~known).astype(np.float64)], axis=1)


def _weighs(categories: Categories, numbers: Numbers) -> bool:
    return categories != "one-hot" or numbers != "scale"


def _learns(settings: TabularSettings) -> Learns:
    return "y" if _weighs(settings.categories, settings.numbers) else "X"


def _build(settings: TabularSettings) -> TabularEncoder:
    return TabularEncoder(**settings.model_dump())


TABULAR = EncoderSpec(
    name="tabular",
    summary="scaled numbers, one-hot categories or weight of evidence, marks for missing values",
    kinds=("table",),
    learns="X",
    learns_from=_learns,
    settings=TabularSettings,
    build=_build,
)
