"""Report blocks: typed tables, figures and text; rendering them is the report's business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Bars",
    "Block",
    "Cell",
    "Heatmap",
    "Histogram",
    "Lines",
    "ReportSection",
    "Scatter",
    "Series",
    "Table",
    "Text",
]

Cell = str | float | int | None


@dataclass(frozen=True, kw_only=True)
class Text:
    """A paragraph; plain text."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; numbers are right-aligned, and columns can be sorted."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One named line or cloud of points.

    `style` "reference" draws a thin dashed line, as for chance level.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: Literal["solid", "reference"] = "solid"
    labels: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Lines over a numeric axis; `markers` draws each point too."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    x_log: bool = False
    markers: bool = False
    vertical: Sequence[tuple[float, str]] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """Clouds of points; `labels` of a series show on hover."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Horizontal bars, positive to the right and negative to the left."""

    title: str
    x_label: str
    labels: Sequence[str]
    values: Sequence[float]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts in shared bins, one colour a name; `vertical` marks thresholds."""

    title: str
    x_label: str
    edges: Sequence[float]
    counts: Sequence[tuple[str, Sequence[float]]]
    y_label: str = "items"
    y_log: bool = False
    vertical: Sequence[tuple[float, str]] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Heatmap:
    """A grid of values; `marked` (row, column) is outlined; `texts` are written in the cells."""

    title: str
    x_label: str
    y_label: str
    columns: Sequence[str]
    rows: Sequence[str]
    values: Sequence[Sequence[float]]
    texts: Sequence[Sequence[str]] = ()
    marked: tuple[int, int] | None = None
    note: str = ""


Block = Text | Table | Lines | Scatter | Bars | Histogram | Heatmap


@dataclass(frozen=True, kw_only=True)
class ReportSection:
    """A headed part of a report; `advanced` parts start folded."""

    title: str
    blocks: Sequence[Block]
    intro: str = ""
    advanced: bool = False
