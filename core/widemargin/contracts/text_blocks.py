"""Blocks that are read: paragraphs, tables and items in their own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "Cell",
    "Code",
    "Estimate",
    "Estimates",
    "Facts",
    "Quote",
    "Quotes",
    "Table",
    "Text",
]

Cell = str | float | int | None


@dataclass(frozen=True, kw_only=True)
class Text:
    """A paragraph.

    Parameters
    ----------
    text : str
        Plain text.
    """

    text: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; numbers are right-aligned, and columns can be sorted.

    Parameters
    ----------
    columns : sequence of str
        The heads.
    rows : sequence of sequence of str, float, int or None
        One cell a column.
    title, note : str
        What stands above and below it.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Code:
    """Lines to be copied as they are, such as a config or a command.

    Parameters
    ----------
    text : str
        The lines.
    title : str
        What stands above them.
    """

    text: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Names and what they are: a definition list.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Name and value.
    title, note : str
        What stands above and below.
    """

    pairs: Sequence[tuple[str, str]]
    title: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One measured number with its interval, beside what others reach.

    Parameters
    ----------
    name : str
        What was measured.
    text, interval : str
        The number and its interval as they are read.
    value, low, high : float or None
        The same as they are drawn; None where undefined.
    references : sequence of (str, float or None)
        What the others reach: as read, and as drawn.
    summary : str
        One line: what it measures.
    """

    name: str
    text: str
    value: float | None
    low: float | None = None
    high: float | None = None
    interval: str = ""
    references: Sequence[tuple[str, float | None]] = ()
    summary: str = ""


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """A table of estimates.

    Parameters
    ----------
    rows : sequence of Estimate
        One number a row.
    references : sequence of str
        Heads of the columns of the others' numbers.
    title, note : str
        What stands above and below.
    """

    rows: Sequence[Estimate]
    references: Sequence[str] = ()
    title: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """One item in its own words.

    Parameters
    ----------
    text : str or None
        The item; None where it has no words, as a picture.
    name : str
        Its id.
    kind : str
        What readers can filter a list of quotes by.
    facts : sequence of (str, str)
        What stands above the text.
    shares : sequence of (str, float)
        Pieces with their signed contributions, marked in the text and listed below it.
    """

    text: str | None
    name: str = ""
    kind: str = ""
    facts: Sequence[tuple[str, str]] = ()
    shares: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True, kw_only=True)
class Quotes:
    """Items in their own words.

    Parameters
    ----------
    quotes : sequence of Quote
        The items.
    title, note : str
        What stands above and below.
    """

    quotes: Sequence[Quote]
    title: str = ""
    note: str = ""
