"""Quality against cost: named points with intervals, each a link."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from widemargin.report.figures.frame import LEFT, RIGHT, WIDTH, Drawing, Frame, colour
from widemargin.report.figures.scales import extent
from widemargin.report.figures.svg import Attributes, element, label, line, svg, tooltip

__all__ = ["CostPoint", "draw_costs"]

HEIGHT = 270.0
LETTER, ROW = 7.6, 15.0
"""About what a letter takes where figures shrink and letters do not."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class CostPoint:
    """One point.

    Parameters
    ----------
    name : str
        What stands beside it.
    cost : float
        Where it stands from left to right.
    value, low, high : float
        Quality with its interval, whose ends may be nan.
    text : str
        What shows while the pointer rests on it.
    link : str
        Where a click leads; empty for nowhere.
    index : int
        Its colour.
    hollow : bool
        Whether its cost is less than it would be.
    """

    name: str
    cost: float
    value: float
    low: float
    high: float
    text: str
    link: str
    index: int
    hollow: bool = False


def draw_costs(title: str, x_label: str, y_label: str, points: Sequence[CostPoint]) -> Drawing:
    """Draw quality over cost; costs of very different sizes on a logarithmic axis."""
    known = [one for one in points if math.isfinite(one.cost) and math.isfinite(one.value)]
    costs = [one.cost for one in known]
    log = bool(costs) and min(costs) > 0 and max(costs) > 8 * min(costs)
    ends = [end for one in known for end in (one.value, one.low, one.high)]
    frame = Frame.over(_range(costs, log), extent(ends, 0.08), HEIGHT, x_log=log)
    parts = frame.axes(x_label, y_label)
    places = [(frame.x(one.cost), frame.y(one.value)) for one in known]
    dots: list[Box] = [(x - 7, y - 7, x + 7, y + 7) for x, y in places]
    whiskers = [_whisker(frame, one, x) for one, (x, _) in zip(known, places, strict=True)]
    names: list[Box] = []
    for one, (x, y), (_, top, _, bottom) in zip(known, places, whiskers, strict=True):
        at, anchor, box = _place(one.name, x, y, [*dots, *names], whiskers)
        names.append(box)
        drawn = [tooltip(one.text)]
        if bottom > top:
            drawn.append(line(x, top, x, bottom, "whisker"))
        dot = "point hollow" if one.hollow else "point"
        drawn.append(element("circle", {"cx": x, "cy": y, "r": 5, "class": dot}))
        drawn.append(label(*at, one.name, "name", anchor))
        group = element("g", {"class": f"priced {colour(one.index)}"}, *drawn)
        link: Attributes = {"href": one.link}
        parts.append(element("a", link, group) if one.link else group)
    summary = f"{y_label} (vertical) over {x_label} (horizontal): " + "; ".join(
        one.text for one in known
    )
    return Drawing(svg(WIDTH, frame.height, title, summary, parts))


def _range(costs: Sequence[float], log: bool) -> tuple[float, float]:
    if log:
        return min(costs) / 1.5, max(costs) * 1.5
    return 0.0, 1.1 * max(costs, default=1.0) or 1.0


def _whisker(frame: Frame, one: CostPoint, x: float) -> Box:
    ends = [end for end in (one.low, one.high) if math.isfinite(end)] or [one.value]
    return x - 1, frame.y(max(ends)), x + 1, frame.y(min(ends))


def _place(
    name: str, x: float, y: float, taken: Sequence[Box], crossed: Sequence[Box]
) -> tuple[tuple[float, float], str, Box]:
    """Find where a name covers little: no point and no other name, and few of the lines."""
    width = LETTER * len(name)
    found = []
    for step in (4, -11, 19, -26, 34, -41, 49, -56, 64):
        for anchor in ("start", "end"):
            at = (x + 10, y + step) if anchor == "start" else (x - 10, y + step)
            left = at[0] if anchor == "start" else at[0] - width
            box = (left, at[1] - ROW + 4, left + width, at[1] + 4)
            outside = max(0.0, LEFT - left) + max(0.0, left + width - WIDTH + RIGHT - 8)
            covered = sum(_overlap(box, other) for other in taken)
            lines = sum(_overlap(box, other) for other in crossed)
            cost = 100 * covered + 20 * outside + 12 * lines + abs(step - 4)
            found.append((cost, (at, anchor, box)))
    return min(found, key=lambda one: one[0])[1]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
