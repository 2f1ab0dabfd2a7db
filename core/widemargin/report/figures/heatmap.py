"""Grids of values."""

from __future__ import annotations

import math

from markupsafe import Markup

from widemargin.contracts import Cell, Heatmap
from widemargin.contracts.counting import counted
from widemargin.report.figures.bars import CHARACTER, shortened
from widemargin.report.figures.frame import WIDTH, Drawing
from widemargin.report.figures.svg import Attributes, element, label, svg, tooltip
from widemargin.report.wordings import number

__all__ = ["draw_heatmap"]

TOP, RIGHT, LOWEST, DARKEST = 30.0, 4.0, 0.04, 0.62


def draw_heatmap(block: Heatmap) -> Drawing:
    """Draw a grid: the larger the value, the deeper the colour.

    The deepest colour still carries dark text, so that every cell can be read.
    """
    n_rows, n_columns = len(block.rows), max(len(block.columns), 1)
    longest = min(max((len(name) for name in block.rows), default=1), 20)
    left = longest * CHARACTER + 12
    width = (WIDTH - left - RIGHT) / n_columns
    height = min(max(width * 0.62, 16.0 if block.bands else 24.0), 58.0)
    turned = not block.bands and any(len(name) * CHARACTER > width - 4 for name in block.columns)
    finite = [value for row in block.values for value in row if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    parts: list[Markup] = [label(0, 12, f"{block.y_label} ↓", "axis", "start")]
    for r, name in enumerate(block.rows):
        middle = TOP + height * (r + 0.5) + 4
        parts.append(label(left - 8, middle, shortened(name, 20), "tick", "end"))
        for c, column in enumerate(block.columns):
            value = block.values[r][c]
            text = block.texts[r][c] if block.texts else number(value, 3)
            share = (value - low) / (high - low) if high > low else 0.5
            depth = LOWEST + (DARKEST - LOWEST) * share if math.isfinite(value) else 0.0
            x, y = left + width * c, TOP + height * r
            gap = min(2.0, width / 8)
            shape: Attributes = {
                "x": round(x + gap / 2, 2),
                "y": y + 1,
                "width": round(width - gap, 2),
                "height": height - 2,
            }
            kinds = "cell chosen" if block.marked == (r, c) else "cell"
            cell: Attributes = {**shape, "class": kinds, "fill-opacity": f"{depth:.2f}"}
            hover = tooltip(f"{name}, {column}: {text}")
            inside = [element("rect", cell)]
            if len(text) * CHARACTER <= width:
                kind = "celltext chosen" if block.marked == (r, c) else "celltext"
                inside.append(label(x + width / 2, y + height / 2 + 4, text, kind))
            parts.append(element("g", {}, *inside, hover))
    bottom = TOP + height * n_rows
    if block.bands:
        parts += _bands(block, left, width, bottom)
    else:
        parts += _columns(block, left, width, bottom, turned)
    tall = max((len(shortened(name, 20)) for name in block.columns), default=1) * CHARACTER
    depth_below = (tall * 0.75 + 34) if turned else 44.0
    parts.append(
        label(WIDTH - RIGHT, bottom + depth_below - 6, f"{block.x_label} →", "axis", "end")
    )
    down, across = counted(n_rows, "row"), counted(n_columns, "column")
    summary = f"{block.y_label} in {down}, {block.x_label} in {across}."
    rows: list[list[Cell]] = [
        [name, *(block.texts[r] if block.texts else (float(value) for value in block.values[r]))]
        for r, name in enumerate(block.rows)
    ]
    drawn = svg(WIDTH, bottom + depth_below, block.title, summary, parts)
    return Drawing(drawn, columns=[block.y_label, *block.columns], rows=rows)


def _bands(block: Heatmap, left: float, width: float, bottom: float) -> list[Markup]:
    """Name groups of columns, each under a line as wide as the group."""
    parts = []
    start = left
    for name, size in block.bands:
        end = start + width * size
        line: Attributes = {
            "x1": round(start + 1, 2),
            "x2": round(end - 1, 2),
            "y1": bottom + 4,
            "y2": bottom + 4,
            "class": "tickmark",
        }
        room = max(int((end - start) / CHARACTER), 1)
        parts += [
            element("line", line, tooltip(name)),
            label((start + end) / 2, bottom + 18, shortened(name, room)),
        ]
        start = end
    return parts


def _columns(
    block: Heatmap, left: float, width: float, bottom: float, turned: bool
) -> list[Markup]:
    parts = []
    for c, name in enumerate(block.columns):
        x = left + width * (c + 0.5)
        if turned:
            place: Attributes = {
                "transform": f"translate({x + 4:.1f} {bottom + 14:.1f}) rotate(-45)"
            }
            parts.append(element("text", {**place, "class": "tick end"}, shortened(name, 20)))
        else:
            parts.append(label(x, bottom + 16, shortened(name, 20)))
    return parts
