"""Figures: blocks become inline SVG that reads without a script."""

from __future__ import annotations

from widemargin.contracts import Bars, Heatmap, Histogram, Lines, Map, Scatter
from widemargin.report.figures.bars import draw_bars, draw_histogram
from widemargin.report.figures.frame import Drawing
from widemargin.report.figures.heatmap import draw_heatmap
from widemargin.report.figures.lines import draw_lines, draw_scatter
from widemargin.report.figures.maps import draw_map
from widemargin.report.figures.strip import draw_headline_strip, draw_strip

__all__ = ["Drawing", "Figure", "draw", "draw_headline_strip", "draw_strip"]

Figure = Lines | Scatter | Bars | Histogram | Heatmap | Map


def draw(block: Figure) -> Drawing:
    """Draw a figure.

    Parameters
    ----------
    block : Lines, Scatter, Bars, Histogram, Heatmap or Map
        What to draw.

    Returns
    -------
    Drawing
        SVG, key and the numbers behind it.

    Examples
    --------
    >>> drawing = draw(Bars(title="Words", x_label="push", labels=["free"], values=[0.3]))
    >>> str(drawing.svg)[:35]
    '<svg viewBox="0 0 440 72" role="img'
    """
    match block:
        case Lines():
            return draw_lines(block)
        case Scatter():
            return draw_scatter(block)
        case Bars():
            return draw_bars(block)
        case Histogram():
            return draw_histogram(block)
        case Heatmap():
            return draw_heatmap(block)
        case Map():
            return draw_map(block)
