"""The frame of a figure: its size, its scales, its axes and its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from widemargin.contracts import Cell, Series
from widemargin.report.figures.scales import Scale, tick_texts
from widemargin.report.figures.svg import label, line

__all__ = ["Drawing", "Frame", "colour", "keys", "verticals"]

WIDTH = 440.0
"""Every figure is this wide in its own units; the style sheet scales it to the page."""

LEFT, RIGHT, TOP, BOTTOM = 50.0, 12.0, 30.0, 46.0
N_COLOURS = 6


@dataclass(frozen=True)
class Drawing:
    """A drawn figure: its SVG, the key beside its title, and its numbers.

    `key` holds (CSS class, mark, name), where the mark is line, reference, area, dot, spot or ring.
    """

    svg: Markup
    key: Sequence[tuple[str, str, str]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()


@dataclass(frozen=True)
class Frame:
    """A rectangle with two scales."""

    x: Scale
    y: Scale
    height: float

    @classmethod
    def over(
        cls,
        x_range: tuple[float, float],
        y_range: tuple[float, float],
        plot_height: float,
        x_log: bool = False,
        y_log: bool = False,
    ) -> Frame:
        """Build a frame of the usual margins around a plot of this height."""
        height = TOP + plot_height + BOTTOM
        return cls(
            Scale(*x_range, LEFT, WIDTH - RIGHT, x_log),
            Scale(*y_range, TOP + plot_height, TOP, y_log),
            height,
        )

    def axes(self, x_label: str, y_label: str) -> list[Markup]:
        """Draw hairlines at the ticks of y, ticks below x, and both labels, none of them turned."""
        parts = [label(0, 12, y_label, "axis", "start")]
        ticks = self.y.ticks(5)
        for tick, text in zip(ticks, tick_texts(ticks), strict=True):
            parts.append(line(LEFT, self.y(tick), WIDTH - RIGHT, self.y(tick), "grid"))
            parts.append(label(LEFT - 8, self.y(tick) + 4, text, "tick", "end"))
        bottom = self.y.start
        ticks = self.x.ticks(6)
        parts.append(line(LEFT, bottom, WIDTH - RIGHT, bottom, "base"))
        for tick, text in zip(ticks, tick_texts(ticks), strict=True):
            parts.append(line(self.x(tick), bottom, self.x(tick), bottom + 4, "base"))
            parts.append(label(self.x(tick), bottom + 18, text))
        parts.append(label(WIDTH - RIGHT, bottom + 38, x_label, "axis", "end"))
        return parts


def verticals(frame: Frame, marks: Sequence[tuple[float, str]]) -> list[Markup]:
    """Draw named vertical lines, each name on the side where it has room, one below the other."""
    parts = []
    middle = (LEFT + WIDTH - RIGHT) / 2
    for row, (value, name) in enumerate(marks):
        x = frame.x(value)
        parts.append(line(x, frame.y.end, x, frame.y.start, "mark"))
        at, anchor = (x + 5, "start") if x < middle else (x - 5, "end")
        parts.append(label(at, frame.y.end + 10 + 14 * row, name, "note", anchor))
    return parts


def colour(index: int) -> str:
    """Name the CSS class of the n-th colour."""
    return f"s{index % N_COLOURS + 1}"


def keys(series: Sequence[Series], mark: str) -> list[tuple[str, str, str]]:
    """Build the key; a single series needs none."""
    if len(series) < 2:
        return []
    found = []
    solid = 0
    for one in series:
        if one.style == "reference":
            found.append(("reference", "reference", one.name))
        else:
            found.append((colour(solid), mark, one.name))
            solid += 1
    return found
