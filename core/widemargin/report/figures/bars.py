"""Bars and histograms."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from widemargin.contracts import Bars, Histogram
from widemargin.contracts.counting import counted
from widemargin.report.figures.frame import WIDTH, Drawing, Frame, colour, verticals
from widemargin.report.figures.scales import Scale, nice_ticks, tick_texts
from widemargin.report.figures.svg import Attributes, element, label, line, path, svg, tooltip
from widemargin.report.wordings import count, number

__all__ = ["draw_bars", "draw_histogram"]

ROW, TOP, BOTTOM, EDGE = 22.0, 6.0, 44.0, 4.0
CHARACTER = 6.6
"""About the width of a letter of a label, in the figure's units."""


def draw_bars(block: Bars) -> Drawing:
    """Draw horizontal bars, each label on the empty side of the zero line."""
    values = [float(value) for value in block.values]
    low, high = block.x_range or (min([0.0, *values]), max([0.0, *values]))
    high = high if high > low else low + 1.0
    longest = min(max((len(name) for name in block.labels), default=1), 26)
    names = longest * CHARACTER + 10
    # Labels need their own room only on a side that has no bars.
    left = EDGE + (names if low == 0 else _room(low, high, names, left=True))
    right = EDGE + (names if high == 0 else _room(low, high, names, left=False))
    x = Scale(low, high, left, WIDTH - right)
    bottom = TOP + ROW * len(values)
    parts: list[Markup] = []
    for tick in (ticks := nice_ticks(low, high, 4)):
        parts.append(line(x(tick), TOP, x(tick), bottom, "base" if tick == 0 else "grid"))
    for tick, text in zip(ticks, tick_texts(ticks), strict=True):
        parts.append(label(x(tick), bottom + 16, text))
    parts.append(label(WIDTH / 2, bottom + 36, block.x_label, "axis"))
    for row, (name, value) in enumerate(zip(block.labels, values, strict=True)):
        hover = f"{name}: {number(value, 3)}"
        hover += f" ({block.details[row]})" if block.details and block.details[row] else ""
        parts.append(_bar(x, row, name, value, high > 0, hover))
    summary = f"{block.x_label}: {counted(len(values), 'bar')}."
    return Drawing(
        svg(WIDTH, bottom + BOTTOM, block.title, summary, parts),
        columns=["", block.x_label, *(["where"] if block.details else [])],
        rows=[
            [name, value, *block.details[row : row + 1]]
            for row, (name, value) in enumerate(zip(block.labels, values, strict=True))
        ],
    )


def _bar(x: Scale, row: int, name: str, value: float, rightwards: bool, hover: str) -> Markup:
    zero, end = x(0.0), x(value)
    y = TOP + ROW * row
    # A value of 0 is labelled as the bars around it are.
    ahead = value > 0 or (value == 0 and rightwards)
    kind = colour(1 if ahead else 0)
    bar: Attributes = {
        "x": min(zero, end),
        "y": y + 5,
        "width": max(abs(end - zero), 0.5),
        "height": ROW - 10,
        "class": f"bar {kind}",
    }
    at, anchor = (zero - 7, "end") if ahead else (zero + 7, "start")
    return element(
        "g",
        {"class": "row"},
        element("rect", {"x": 0, "y": y, "width": WIDTH, "height": ROW, "class": "hit"}),
        element("rect", bar),
        label(at, y + ROW / 2 + 4, shortened(name), "name", anchor),
        tooltip(hover),
    )


def _room(low: float, high: float, names: float, left: bool) -> float:
    """Leave what the bars of one side do not already give the labels of the other."""
    share = (-low if left else high) / (high - low)
    return max(0.0, names - share * (WIDTH - 2 * EDGE)) / max(1.0 - share, 0.2)


def shortened(name: str, most: int = 26) -> str:
    """Cut a long label; the whole of it shows on hover and in the table.

    Examples
    --------
    >>> shortened("mean concave points of the nucleus", 20)
    'mean concave points…'
    """
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def draw_histogram(block: Histogram) -> Drawing:
    """Draw counts in shared bins as steps, one colour a name."""
    edges = [float(edge) for edge in block.edges]
    most = max((float(n) for _, counts in block.counts for n in counts), default=1.0)
    lowest = 0.7 if block.y_log else 0.0
    y_range = (lowest, max(most, 1.0) * (1.6 if block.y_log else 1.08))
    frame = Frame.over((edges[0], edges[-1]), y_range, 200, y_log=block.y_log)
    parts = frame.axes(block.x_label, block.y_label)
    for index, (_, counts) in enumerate(block.counts):
        points = [(frame.x(edges[0]), frame.y(lowest))]
        for k, n in enumerate(counts):
            height = frame.y(max(float(n), lowest))
            points += [(frame.x(edges[k]), height), (frame.x(edges[k + 1]), height)]
        points.append((frame.x(edges[-1]), frame.y(lowest)))
        parts.append(path(points, f"area {colour(index)}", closed=True))
    parts += verticals(frame, block.vertical)
    parts += _bins(frame, edges, block.counts)
    names = [name for name, _ in block.counts]
    rows = [
        [edges[k], edges[k + 1], *(round(counts[k]) for _, counts in block.counts)]
        for k in range(len(edges) - 1)
    ]
    summary = f"{block.y_label} by {block.x_label}: {'; '.join(names)}."
    return Drawing(
        svg(WIDTH, frame.height, block.title, summary, parts),
        [(colour(k), "area", name) for k, name in enumerate(names)] if len(names) > 1 else [],
        ["from", "to", *names],
        rows,
    )


def _bins(
    frame: Frame, edges: Sequence[float], groups: Sequence[tuple[str, Sequence[float]]]
) -> list[Markup]:
    bins = []
    for k in range(len(edges) - 1):
        counts = ", ".join(f"{name} {count(values[k])}" for name, values in groups)
        text = f"{number(edges[k], 3)} to {number(edges[k + 1], 3)}: {counts}"
        x, end = frame.x(edges[k]), frame.x(edges[k + 1])
        place: Attributes = {"x": x, "y": frame.y.end, "width": end - x, "class": "hit"}
        height = frame.y.start - frame.y.end
        bins.append(element("rect", {**place, "height": height}, tooltip(text)))
    return bins
