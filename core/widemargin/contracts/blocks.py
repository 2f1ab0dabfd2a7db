"""Report blocks: typed tables, figures and text; rendering them is the report's business.

Every text in a block is plain text; the report escapes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from widemargin.contracts.figure_blocks import Bars, Heatmap, Histogram, Lines, Map, Scatter
from widemargin.contracts.picture_blocks import Pictures
from widemargin.contracts.text_blocks import Code, Estimates, Facts, Quotes, Table, Text

__all__ = ["Block", "ReportSection"]

Block = (
    Text
    | Code
    | Facts
    | Table
    | Estimates
    | Quotes
    | Lines
    | Scatter
    | Bars
    | Histogram
    | Heatmap
    | Map
    | Pictures
)


@dataclass(frozen=True, kw_only=True)
class ReportSection:
    """A headed part of a report.

    Parameters
    ----------
    title : str
        The heading.
    blocks : sequence of Block
        Tables, figures and text, in order.
    intro : str
        What stands below the heading.
    advanced : bool
        Whether it starts folded.
    """

    title: str
    blocks: Sequence[Block]
    intro: str = ""
    advanced: bool = False
