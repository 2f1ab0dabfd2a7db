"""Strips: one number, its interval and what others reach, on a short line."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from widemargin.contracts import Estimate
from widemargin.report.figures.frame import WIDTH
from widemargin.report.figures.scales import Scale, extent
from widemargin.report.figures.svg import Attributes, element, label, line, svg, tooltip

__all__ = ["draw_headline_strip", "draw_strip"]


def draw_strip(row: Estimate) -> Markup:
    """Draw a table row's strip, scaled to its own interval and its last reference."""
    if row.value is None:
        return Markup("")
    low = row.value if row.low is None else row.low
    high = row.value if row.high is None else row.high
    nearest = row.references[-1][1] if row.references else None
    shown = [row.value, low, high] + ([nearest] if nearest is not None else [])
    # A reference far away would squeeze the interval to a dot: it then stands at the edge.
    spread = max(high - low, abs(row.value) * 1e-3, 1e-12)
    limits = (low - 2 * spread, high + 2 * spread)
    x = Scale(*extent([min(max(value, limits[0]), limits[1]) for value in shown], 0.06), 4, 136)
    parts = [line(4, 9, 136, 9, "grid")]
    if nearest is not None:
        parts.append(line(x(nearest), 2, x(nearest), 16, "tickmark"))
    parts.append(line(x(low), 9, x(high), 9, "whisker s1"))
    parts.append(element("circle", {"cx": x(row.value), "cy": 9, "r": 3.5, "class": "point s1"}))
    attributes: Attributes = {"viewBox": "0 0 140 18", "class": "strip", "aria-hidden": "true"}
    return element("svg", attributes, *parts)


def draw_headline_strip(
    title: str,
    row: Estimate,
    names: Sequence[str],
    ends: tuple[float, float] | None = None,
) -> Markup:
    """Draw the headline's number above a line, and below it what others reach, by name."""
    if row.value is None:
        return Markup("")
    low = row.value if row.low is None else row.low
    high = row.value if row.high is None else row.high
    others = [
        (name, text, value)
        for name, (text, value) in zip(names, row.references, strict=True)
        if value is not None
    ]
    values = [row.value, low, high, *(value for _, _, value in others)]
    x = Scale(*(ends or extent(values, 0.04)), 4, WIDTH - 4)
    base = 34.0
    parts = [line(4, base, WIDTH - 4, base, "base")]
    for level, (name, text, value) in enumerate(sorted(others, key=lambda other: other[2])):
        at = x(value)
        foot = base + 16 + 15 * level
        parts.append(line(at, base, at, foot - 9, "tickmark"))
        right = at < WIDTH * 0.55
        words = f"{name} {text}"
        parts.append(
            label(at + (3 if right else -3), foot, words, "tick", "start" if right else "end")
        )
    parts.append(line(x(low), base, x(high), base, "whisker thick s1"))
    dot: Attributes = {"cx": x(row.value), "cy": base, "r": 5, "class": "point s1"}
    parts.append(element("circle", dot, tooltip(f"{row.text} ({row.interval})")))
    anchor = "start" if x(row.value) < 90 else "end" if x(row.value) > WIDTH - 90 else "middle"
    parts.append(label(x(row.value), base - 14, f"{row.text} ({row.interval})", "own", anchor))
    return svg(WIDTH, base + 22 + 15 * max(len(others) - 1, 0), title, row.text, parts)
