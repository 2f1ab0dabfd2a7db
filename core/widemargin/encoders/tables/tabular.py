"""Tables: numbers scaled, categories one-hot or weighed as evidence, missing values marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from widemargin.contracts import (
    Columns,
    EncoderSpec,
    Learns,
    Share,
    State,
    n_rows,
)
from widemargin.encoders.items import check_present
from widemargin.encoders.tables.cells import (
    doubts_of,
    is_numeric,
    learn_scale,
    numbers_of,
    shown,
    words_of,
)
from widemargin.encoders.tables.evidence import (
    Binning,
    Cuts,
    codes_of_target,
    fit_categories,
    fit_numbers,
)
from widemargin.encoders.tables.settings import Categories, Numbers, TabularSettings
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TABULAR", "TabularEncoder"]


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
    free : tuple of str, default=()
        Numbers whose weights may rise and fall though `bins` is a tree.
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
        free: tuple[str, ...] = (),
    ) -> None:
        self.scale = scale
        self.min_count = min_count
        self.max_categories = max_categories
        self.categories = categories
        self.numbers = numbers
        self.bins = bins
        self.n_bins = n_bins
        self.smoothing = smoothing
        self.free = free

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
                self.numeric_[name] = learn_scale(values, self.scale)
                if self.numbers != "scale":
                    self.binnings_[name] = fit_numbers(
                        values,
                        second,
                        self.bins,
                        self.n_bins,
                        self.smoothing,
                        free=name in self.free,
                    )
            else:
                words = words_of(X[name])
                self.categories_[name] = self._fit_categories(words)
                if self.categories != "one-hot":
                    self.binnings_[name] = fit_categories(
                        words, self.categories_[name], second, self.smoothing
                    )
        self._check_free()
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
        self._check_columns(X)
        blocks = [self._encode(name, X[name]) for name in self.columns_]
        if not blocks:
            return np.empty((n_rows(X), 0))
        return np.concatenate(blocks, axis=1)

    def bin_places(self, X: Columns) -> dict[str, NDArray[np.intp]]:
        """Return each row's place in the bins of every column that is weighed.

        Raises
        ------
        DataError
            Where a column of the training table is absent.

        Examples
        --------
        >>> table = {"town": ["Bonn", "Bonn", None]}
        >>> encoder = TabularEncoder(categories="weight-of-evidence").fit(table, ["a", "b", "a"])
        >>> [encoder.binnings_["town"].bins[at].label for at in encoder.bin_places(table)["town"]]
        ['Bonn', 'Bonn', 'missing']
        """
        self._check_columns(X)
        return {
            name: own.places(
                numbers_of(name, X[name], tell=False)
                if name in self.numeric_
                else words_of(X[name])
            )
            for name, own in self.binnings_.items()
        }

    def doubts(self, X: Columns) -> list[dict[int, str]]:
        """Say of each column in which rows a cell counts otherwise than it is written."""
        self._check_columns(X)
        return [doubts_of(name, X[name], self.categories_.get(name)) for name in self.columns_]

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

    def _check_columns(self, X: Columns) -> None:
        self._check_fitted("columns_")
        check_present(X, self.columns_)

    def _check_free(self) -> None:
        for name in self.free:
            if name not in self.numeric_:
                raise DataError(
                    f"tabular: free names {name!r}, which is none of the columns of numbers "
                    f"({', '.join(self.numeric_) or 'none'}).{nearest(name, self.numeric_)}"
                )

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
            values = numbers_of(name, column, tell=False)
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
