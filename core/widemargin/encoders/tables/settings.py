"""Settings of the encoder ``tabular``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from widemargin.contracts import PositiveFloat, Section
from widemargin.encoders.tables.evidence import Cuts

__all__ = ["Categories", "Numbers", "TabularSettings"]

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
    free: tuple[str, ...] = Field(
        (), description="numbers whose evidence may rise and fall though bins is tree, as an age's"
    )
    n_bins: Annotated[int, Field(ge=2, le=100)] = Field(
        8, description="bins of a number at most, besides the one for missing values"
    )
    smoothing: PositiveFloat = Field(
        1.0, description="rows that each bin is given, divided between the classes as all rows are"
    )
