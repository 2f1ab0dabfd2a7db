"""Blocks that are drawn: figures as numbers, whose drawing is the report's business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "Bars",
    "Heatmap",
    "Histogram",
    "Lines",
    "Map",
    "Scatter",
    "Series",
]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One named line or cloud of points.

    Parameters
    ----------
    name : str
        What the legend says.
    x, y : sequence of float
        The points.
    style : {"solid", "reference"}
        ``reference`` draws a thin dashed line, as for chance level.
    labels : sequence of str
        What each point shows on hover.
    low, high : sequence of float
        A band around a line, or a bar through each point of a line with markers.
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
    """Lines over a numeric axis.

    Parameters
    ----------
    title, x_label, y_label, note : str
        What stands above, at the axes and below.
    series : sequence of Series
        The lines.
    x_range, y_range : tuple of (float, float), optional
        Ends of the axes; equal ones make the figure square.
    x_log : bool
        Whether the x axis is logarithmic.
    markers : bool
        Whether each point is drawn too.
    vertical : sequence of (float, str)
        Upright marks with their names.
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
    """Clouds of points.

    Parameters
    ----------
    title, x_label, y_label, note : str
        What stands above, at the axes and below.
    series : sequence of Series
        The clouds; one of style ``reference`` is a line.
    x_range, y_range : tuple of (float, float), optional
        Ends of the axes.
    """

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Horizontal bars, positive to the right and negative to the left.

    Parameters
    ----------
    title, x_label, note : str
        What stands above, at the axis and below.
    labels : sequence of str
        One name a bar.
    values : sequence of float
        Their lengths.
    details : sequence of str
        What each bar shows on hover.
    x_range : tuple of (float, float), optional
        Ends of the axis.
    """

    title: str
    x_label: str
    labels: Sequence[str]
    values: Sequence[float]
    details: Sequence[str] = ()
    x_range: tuple[float, float] | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts in shared bins, one colour a name.

    Parameters
    ----------
    title, x_label, y_label, note : str
        What stands above, at the axes and below.
    edges : sequence of float
        Ends of the bins, one more than there are bins.
    counts : sequence of (str, sequence of float)
        Name and counts.
    y_log : bool
        Whether the y axis is logarithmic.
    vertical : sequence of (float, str)
        Upright marks with their names, as for a threshold.
    """

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
    """A grid of values.

    Parameters
    ----------
    title, x_label, y_label, note : str
        What stands above, at the axes and below.
    columns, rows : sequence of str
        Names along the axes.
    values : sequence of sequence of float
        One row of cells a row.
    texts : sequence of sequence of str
        What is written in the cells.
    marked : tuple of (int, int), optional
        Row and column of the cell that is outlined.
    bands : sequence of (str, int)
        Names and sizes of groups of neighbouring columns, which stand below them in place of the
        columns' own names; for many narrow columns.
    """

    title: str
    x_label: str
    y_label: str
    columns: Sequence[str]
    rows: Sequence[str]
    values: Sequence[Sequence[float]]
    texts: Sequence[Sequence[str]] = ()
    marked: tuple[int, int] | None = None
    bands: Sequence[tuple[str, int]] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Map:
    """Items as points of a plane, on which near means alike; it has no numbers along its sides.

    Parameters
    ----------
    title, x_label, y_label, note : str
        What stands above, along the sides and below.
    x, y : sequence of float
        The points. Both directions have one scale.
    groups : sequence of str
        Names of the colours; up to 12 can be told apart.
    group : sequence of int
        Each point's place in `groups`.
    ordered : bool
        Whether the groups are steps from low to high, whose colours go from cold to warm.
    labels : sequence of str
        What each point shows on hover; an empty one shows nothing.
    marked : sequence of int
        The points that are ringed.
    marked_name : str
        What the key says of them.
    items : sequence of int
        Which item each point is. Points of one item on maps side by side light up together.
    pictures : mapping of int to bytes
        Small JPEG images of some items, shown with the label where the page may run its script;
        one of maps side by side is enough to hold them.
    """

    title: str
    x: Sequence[float]
    y: Sequence[float]
    groups: Sequence[str]
    group: Sequence[int]
    x_label: str = ""
    y_label: str = ""
    ordered: bool = False
    labels: Sequence[str] = ()
    marked: Sequence[int] = ()
    marked_name: str = "mistake"
    items: Sequence[int] = ()
    pictures: Mapping[int, bytes] = field(default_factory=dict)
    note: str = ""
