"""Maps: items as points of a plane."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence

from markupsafe import Markup

from widemargin.contracts import Map
from widemargin.contracts.counting import counted
from widemargin.report.figures.frame import WIDTH, Drawing
from widemargin.report.figures.svg import Attributes, element, label, svg, tooltip
from widemargin.report.wordings import count

__all__ = ["MOST_GROUPS", "STEPS", "draw_map", "reach"]

MOST_GROUPS = 12
"""Six colours, as full and as hollow points."""

STEPS = 5
"""Colours from low to high, cold to warm."""

TOP, SIDE, BOTTOM, EDGE = 24.0, 400.0, 24.0, 7.0
FAR = 0.15
"""How far beyond the middle 99% of the points a map reaches, as a share of their width."""


def draw_map(block: Map) -> Drawing:
    """Draw the points, large groups below small ones and the ringed ones on top."""
    radius = min(max(2.6 * math.sqrt(1000 / max(len(block.x), 1)), 1.6), 3.6)
    (left, right), (below, above) = reach(block.x), reach(block.y)
    # One scale for both directions, so that distances can be compared.
    unit = min(
        (WIDTH - 2 * EDGE) / max(right - left, 1e-9), (SIDE - 2 * EDGE) / max(above - below, 1e-9)
    )
    marked = {k for k in block.marked if math.isfinite(block.x[k]) and math.isfinite(block.y[k])}
    places = [
        (
            _held(WIDTH / 2 + unit * (x - (left + right) / 2), EDGE, WIDTH - EDGE),
            _held(TOP + SIDE / 2 - unit * (y - (below + above) / 2), TOP + EDGE, TOP + SIDE - EDGE),
        )
        for x, y in zip(block.x, block.y, strict=True)
    ]

    def dot(k: int) -> Markup:
        attributes: dict[str, str | float] = {"cx": places[k][0], "cy": places[k][1], "r": radius}
        if block.items:
            attributes["data-i"] = str(block.items[k])
        if k in block.pictures:
            picture = base64.b64encode(block.pictures[k]).decode("ascii")
            attributes["data-image"] = f"data:image/jpeg;base64,{picture}"
        return element("circle", attributes, tooltip(block.labels[k]))

    def ring(k: int) -> Markup:
        return element("circle", {"cx": places[k][0], "cy": places[k][1], "r": radius + 2.6})

    members: list[list[int]] = [[] for _ in block.groups]
    for k, group in enumerate(block.group):
        if math.isfinite(block.x[k]) and math.isfinite(block.y[k]):
            members[group].append(k)
    frame: Attributes = {"x": 0.5, "y": TOP, "width": WIDTH - 1, "height": SIDE, "class": "ground"}
    parts = [element("rect", frame)]
    parts += [label(0, 12, block.y_label, "axis", "start")] if block.y_label else []
    if block.x_label:
        parts.append(label(WIDTH, TOP + SIDE + 18, block.x_label, "axis", "end"))
    order = sorted(range(len(members)), key=lambda group: -len(members[group]))
    for ringed in (False, True):
        for group in order:
            own = [k for k in members[group] if (k in marked) == ringed]
            silent = [places[k] for k in own if not (block.labels and block.labels[k])]
            drawn = _silent(silent, radius, hollow=_is_hollow(block, group))
            drawn += [dot(k) for k in own if block.labels and block.labels[k]]
            if drawn:
                parts.append(element("g", {"class": f"spots {_colour(block, group)}"}, *drawn))
    key = [(_colour(block, k), "spot", name) for k, name in enumerate(block.groups)]
    if marked:
        parts.append(element("g", {"class": "rings"}, *map(ring, sorted(marked))))
        key.append(("", "ring", block.marked_name))
    summary = f"{counted(len(block.x), 'point')}: {'; '.join(block.groups)}."
    if marked:
        summary = f"{summary} {count(len(marked))} ringed: {block.marked_name}."
    return Drawing(svg(WIDTH, TOP + SIDE + BOTTOM, block.title, summary, parts), key)


def _silent(places: Sequence[tuple[float, float]], radius: float, *, hollow: bool) -> list[Markup]:
    """Draw points that show nothing on hover as one line's round ends, which takes few letters."""
    if not places:
        return []
    steps = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
    drawn = [element("path", {"d": steps, "stroke-width": 2 * radius})]
    if hollow:
        drawn.append(element("path", {"d": steps, "stroke-width": 2 * radius - 2, "class": "hole"}))
    return drawn


def _is_hollow(block: Map, group: int) -> bool:
    return not block.ordered and MOST_GROUPS // 2 <= group < MOST_GROUPS


def _colour(block: Map, group: int) -> str:
    """Name the CSS classes of a group; what goes beyond the last colour is grey."""
    if block.ordered:
        steps = max(len(block.groups) - 1, 1)
        return f"v{round(group * (STEPS - 1) / steps) + 1}"
    if group >= MOST_GROUPS:
        return "s0"
    hollow = " hollow" if _is_hollow(block, group) else ""
    return f"s{group % (MOST_GROUPS // 2) + 1}{hollow}"


def reach(values: Sequence[float]) -> tuple[float, float]:
    """Return what of a direction is shown: nearly all, though not what a few far points need.

    Examples
    --------
    >>> reach([0.0, 2.0, 1.0])
    (0.0, 2.0)
    >>> reach([*range(201), 5000.0])
    (0.0, 229.85)
    """
    ordered = sorted(value for value in values if math.isfinite(value))
    if not ordered:
        return 0.0, 0.0
    cut = len(ordered) // 200
    low, high = ordered[cut], ordered[len(ordered) - 1 - cut]
    if low == high:
        return float(ordered[0]), float(ordered[-1])
    margin = FAR * (high - low)
    return float(max(ordered[0], low - margin)), float(min(ordered[-1], high + margin))


def _held(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
