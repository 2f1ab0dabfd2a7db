"""Tables: numbers scaled, categories one-hot, missing values marked."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field

from widemargin.contracts import Columns, EncoderSpec, Section, Share, State, n_rows
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TABULAR", "TabularEncoder", "TabularSettings"]


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


class TabularEncoder(Transformer):
    """Vectors of table rows: scaled numbers, one-hot categories, marks for missing values.

    A missing number becomes the training median, and a further column marks it where any was
    missing in training. A category that training did not have, or had too seldom, counts as
    "other".

    Parameters
    ----------
    scale : {"standard", "robust", "none"}, default="standard"
        How numbers are centred and scaled.
    min_count : int, default=2
        Rows that a category must occur in.
    max_categories : int, default=50
        Number of categories of a column that get a column of their own.

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
    ) -> None:
        self.scale = scale
        self.min_count = min_count
        self.max_categories = max_categories

    def fit(self, X: Columns, y: Any = None) -> Self:
        """Learn centres, scales and categories from training rows."""
        self.columns_ = [str(name) for name in X]
        self.numeric_: dict[str, dict[str, float]] = {}
        self.categories_: dict[str, list[str]] = {}
        for name in self.columns_:
            if _is_numeric(X[name]):
                self.numeric_[name] = self._fit_numbers(_numbers(name, X[name]))
            else:
                self.categories_[name] = self._fit_categories(_words(X[name]))
        return self

    def fit_transform(self, X: Columns, y: Any = None) -> NDArray[np.float64]:
        """Fit, then encode the training rows."""
        return self.fit(X).transform(X)

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
        """Name the columns: ``rooms``, ``town = Bonn``, ``rooms missing``."""
        self._check_fitted("columns_")
        return np.array(
            [label for name in self.columns_ for label in self._labels(name)], dtype=object
        )

    def get_state(self) -> State:
        """Return what was learnt; a table needs no arrays."""
        self._check_fitted("columns_")
        meta = {
            "columns": self.columns_,
            "numeric": self.numeric_,
            "categories": self.categories_,
        }
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
        if {*self.numeric_, *self.categories_} != set(self.columns_):
            raise DataError("tabular: the saved columns and their settings disagree.")
        return self

    def explain(self, X: Columns, coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each row's product with `coef` into its columns."""
        products = self.transform(X) * coef
        ends = np.cumsum([len(self._labels(name)) for name in self.columns_])
        shown = {name: [_show(value) for value in X[name]] for name in self.columns_}
        return [
            [
                Share(f"{name} = {shown[name][row]}", float(part.sum()))
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
        if name in self.numeric_:
            return [name, f"{name} missing"] if self.numeric_[name]["missing"] else [name]
        return [*(f"{name} = {category}" for category in self.categories_[name]), f"{name} = other"]

    def _encode(self, name: str, column: Sequence[Any]) -> NDArray[np.float64]:
        if name in self.numeric_:
            learnt = self.numeric_[name]
            values = _numbers(name, column)
            known = np.isfinite(values)
            filled = np.where(known, values, learnt["median"])
            scaled = (filled - learnt["centre"]) / learnt["scale"]
            if not learnt["missing"]:
                return scaled[:, None]
            return np.stack([scaled, (~known).astype(np.float64)], axis=1)
        place = {category: at for at, category in enumerate(self.categories_[name])}
        words = _words(column)
        block = np.zeros((len(words), len(place) + 1))
        for row, word in enumerate(words):
            if word is not None:
                block[row, place.get(word, len(place))] = 1
        return block


def _is_numeric(column: Any) -> bool:
    import pandas as pd
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    values = pd.Series(column)
    return bool(is_numeric_dtype(values) and not is_bool_dtype(values))


def _numbers(name: str, column: Any) -> NDArray[np.float64]:
    import pandas as pd

    from widemargin.data import MISSING, parse_numbers

    given = pd.Series(column)
    numbers = parse_numbers(given)
    said = given.notna().to_numpy() & [str(value).strip() not in MISSING for value in given]
    wrong = np.flatnonzero(np.isnan(numbers) & said)
    if len(wrong):
        warnings.warn(
            f"{len(wrong)} values of the numeric column {name!r} are no numbers and count as "
            f"missing, the first of them {given.iloc[wrong[0]]!r}.",
            UserWarning,
            stacklevel=2,
        )
    return numbers


def _words(column: Any) -> list[str | None]:
    import pandas as pd

    return [None if pd.isna(value) else str(value) for value in column]


def _show(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _build(settings: TabularSettings) -> TabularEncoder:
    return TabularEncoder(**settings.model_dump())


TABULAR = EncoderSpec(
    name="tabular",
    summary="scaled numbers, one-hot categories, marks for missing values",
    kinds=("table",),
    learns="X",
    settings=TabularSettings,
    build=_build,
)
