"""Writing SVG: one element at a time, escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

__all__ = ["Attributes", "element", "label", "line", "path", "svg", "tooltip"]

Attributes = Mapping[str, str | float]


def element(name: str, attributes: Attributes, *children: Markup | str) -> Markup:
    """Write one element; plain text among the children is escaped.

    Examples
    --------
    >>> print(element("text", {"x": 1.25, "class": "tick"}, "a < b"))
    <text x="1.2" class="tick">a &lt; b</text>
    """
    written = "".join(f' {key}="{escape(_value(value))}"' for key, value in attributes.items())
    inside = "".join(str(escape(child)) for child in children)
    # Every part was escaped above.
    return Markup(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")  # noqa: S704


def svg(width: float, height: float, title: str, summary: str, parts: Iterable[Markup]) -> Markup:
    """Write a whole figure, which a screen reader speaks of as one image."""
    attributes = {
        "viewBox": f"0 0 {_value(width)} {_value(height)}",
        "role": "img",
        "aria-label": f"{title}. {summary}".strip(),
        "class": "plot",
    }
    return element("svg", attributes, *parts)


def tooltip(text: str) -> Markup:
    """Write what shows while the pointer rests on a mark."""
    return element("title", {}, text)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """Write a straight line of a CSS class."""
    return element("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": kind})


def label(x: float, y: float, text: str, kind: str = "tick", anchor: str = "middle") -> Markup:
    """Write a text of a CSS class; `anchor` is start, middle or end."""
    classes = kind if anchor == "start" else f"{kind} {anchor}"
    return element("text", {"x": x, "y": y, "class": classes}, text)


def path(points: Iterable[tuple[float, float]], kind: str, closed: bool = False) -> Markup:
    """Write a line through points, of a CSS class."""
    steps = [f"{_value(x)} {_value(y)}" for x, y in points]
    drawn = "M" + "L".join(steps) + ("Z" if closed else "")
    return element("path", {"d": drawn, "class": kind})


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return value
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text
