"""Report blocks: typed tables, figures and text; rendering them is the report's business.

Every text in a block is plain text; the report escapes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Bars",
    "Block",
    "Cell",
    "Code",
    "Estimate",
    "Estimates",
    "Facts",
    "Heatmap",
    "Histogram",
    "Lines",
    "Quote",
    "Quotes",
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
class Code:
    """Lines to be copied as they are, such as a config or a command."""

    text: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Names and what they are: a definition list."""

    pairs: Sequence[tuple[str, str]]
    title: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One measured number with its interval, beside what others reach.

    `text`, `interval` and the texts of `references` are what is read; the numbers are what is
    drawn, and None where undefined.
    """

    name: str
    text: str
    value: float | None
    low: float | None = None
    high: float | None = None
    interval: str = ""
    references: Sequence[tuple[str, float | None]] = ()
    summary: str = ""


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """A table of estimates; `references` heads the columns of the others' numbers."""

    rows: Sequence[Estimate]
    references: Sequence[str] = ()
    title: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """One item in its own words.

    `facts` stand above the text, `shares` (piece, signed contribution) are marked in it and listed
    below it, and readers can filter a list of quotes by `kind`.
    """

    text: str
    name: str = ""
    kind: str = ""
    facts: Sequence[tuple[str, str]] = ()
    shares: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True, kw_only=True)
class Quotes:
    """Items in their own words."""

    quotes: Sequence[Quote]
    title: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One named line or cloud of points.

    `style` "reference" draws a thin dashed line, as for chance level. `low` and `high` draw a band
    around a line, or a bar through each point of a line with markers.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: Literal["solid", "reference"] = "solid"
    labels: Sequence[str] = ()
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Lines over a numeric axis; `markers` draws each point too.

    Equal `x_range` and `y_range` make the figure square.
    """

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
    """Clouds of points; `labels` of a series show on hover, and a reference series is a line."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Horizontal bars, positive to the right and negative to the left."""

    title: str
    x_label: str
    labels: Sequence[str]
    values: Sequence[float]
    x_range: tuple[float, float] | None = None
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


Block = (
    Text | Code | Facts | Table | Estimates | Quotes | Lines | Scatter | Bars | Histogram | Heatmap
)


@dataclass(frozen=True, kw_only=True)
class ReportSection:
    """A headed part of a report; `advanced` parts start folded."""

    title: str
    blocks: Sequence[Block]
    intro: str = ""
    advanced: bool = False
