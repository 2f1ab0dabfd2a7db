"""Lines and clouds of points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from widemargin.contracts import Cell, Lines, Scatter, Series
from widemargin.report.figures.frame import Drawing, Frame, colour, keys, verticals
from widemargin.report.figures.scales import extent, simplified, thinned
from widemargin.report.figures.svg import Attributes, element, line, path, svg, tooltip
from widemargin.report.wordings import number

__all__ = ["draw_lines", "draw_scatter"]

SQUARE, WIDE = 320.0, 230.0
HOVERED, TABLED, DRAWN_POINTS = 40, 12, 700


def draw_lines(block: Lines) -> Drawing:
    """Draw lines, with bands, error bars and vertical marks where the block has them."""
    solid = [one for one in block.series if one.style == "solid"]
    frame = _frame(block, block.x_log)
    parts = frame.axes(block.x_label, block.y_label)
    parts += verticals(frame, block.vertical)
    parts += [_reference(frame, one) for one in block.series if one.style == "reference"]
    for index, one in enumerate(solid):
        parts += _line(frame, one, colour(index), block.markers)
    summary = _summary(block.x_label, block.y_label, block.series)
    drawn = svg(440, frame.height, block.title, summary, parts)
    return Drawing(drawn, keys(block.series, "line"), *_table(block, solid))


def draw_scatter(block: Scatter) -> Drawing:
    """Draw clouds of points; of a large cloud an even sample."""
    solid = [one for one in block.series if one.style == "solid"]
    frame = _frame(block)
    parts = frame.axes(block.x_label, block.y_label)
    parts += [_reference(frame, one) for one in block.series if one.style == "reference"]
    for index, one in enumerate(solid):
        for k in thinned(len(one.x), DRAWN_POINTS // max(len(solid), 1)):
            text = f"{number(one.x[k])}, {number(one.y[k])}"
            text = f"{one.labels[k]}: {text}" if one.labels else text
            parts.append(_dot(frame, one.x[k], one.y[k], 3, f"dot {colour(index)}", text))
    summary = _summary(block.x_label, block.y_label, block.series)
    return Drawing(svg(440, frame.height, block.title, summary, parts), keys(block.series, "dot"))


def _frame(block: Lines | Scatter, x_log: bool = False) -> Frame:
    xs = (x for one in block.series for x in one.x)
    ys = (y for one in block.series for y in (*one.y, *one.low, *one.high))
    x_range = block.x_range or (extent(xs, 0.0) if isinstance(block, Lines) else extent(xs))
    if x_log and x_range[0] <= 0:
        x_range = (
            min((x for one in block.series for x in one.x if x > 0), default=1.0),
            x_range[1],
        )
    y_range = block.y_range or extent(ys, 0.08)
    square = block.x_range is not None and block.x_range == block.y_range
    return Frame.over(x_range, y_range, SQUARE if square else WIDE, x_log)


def _line(frame: Frame, one: Series, kind: str, markers: bool) -> Iterable[Markup]:
    finite = [k for k in range(len(one.x)) if math.isfinite(one.y[k])]
    banded = one.low and one.high
    if banded and not markers:
        upper = [(frame.x(one.x[k]), frame.y(one.high[k])) for k in finite]
        lower = [(frame.x(one.x[k]), frame.y(one.low[k])) for k in reversed(finite)]
        yield path(upper + lower, f"band {kind}", closed=True)
    if banded and markers:
        for k in finite:
            x = frame.x(one.x[k])
            yield line(x, frame.y(one.low[k]), x, frame.y(one.high[k]), f"whisker {kind}")
    points = [(frame.x(one.x[k]), frame.y(one.y[k])) for k in finite]
    if points:
        yield path(simplified(points), f"line {kind}")
    for k in thinned(len(finite), len(finite) if markers else HOVERED):
        at = finite[k]
        text = f"{one.name}: {number(one.x[at])}, {number(one.y[at])}"
        if one.labels:
            text = f"{text} ({one.labels[at]})"
        if markers:
            yield _dot(frame, one.x[at], one.y[at], 3.5, f"point {kind}", text)
        else:
            yield _dot(frame, one.x[at], one.y[at], 6, f"hit {kind}", text)


def _reference(frame: Frame, one: Series) -> Markup:
    points = zip(one.x, one.y, strict=True)
    return path([(frame.x(x), frame.y(y)) for x, y in points], "reference")


def _dot(frame: Frame, x: float, y: float, radius: float, kind: str, text: str) -> Markup:
    attributes: Attributes = {"cx": frame.x(x), "cy": frame.y(y), "r": radius, "class": kind}
    return element("circle", attributes, tooltip(text))


def _summary(x_label: str, y_label: str, series: Sequence[Series]) -> str:
    names = "; ".join(one.name for one in series if one.name)
    return f"{y_label} (vertical) over {x_label} (horizontal): {names}."


def _table(block: Lines, solid: Sequence[Series]) -> tuple[list[str], list[list[Cell]]]:
    named = len(solid) > 1
    columns = [*(["line"] if named else []), block.x_label, block.y_label]
    ranged = any(one.low and one.high for one in solid)
    columns += ["from", "to"] if ranged else []
    rows: list[list[Cell]] = []
    for one in solid:
        for k in thinned(len(one.x), 100 if block.markers else TABLED):
            row: list[Cell] = [*([one.name] if named else []), float(one.x[k]), float(one.y[k])]
            if ranged:
                row += [float(one.low[k]), float(one.high[k])] if one.low else [None, None]
            rows.append(row)
    return columns, rows
