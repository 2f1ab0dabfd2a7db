"""What cells cost, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from widemargin.comparison import Comparison, Row
from widemargin.report.comparison.words import NONE
from widemargin.report.wordings import seconds

__all__ = ["costs", "megabytes", "reused", "took", "whole"]


def took(spent: float | None, row: Row | None = None) -> str:
    """Write seconds in a table; a star where vectors of earlier runs were taken."""
    if spent is None:
        return NONE
    places = next(k for k, most in ((3, 0.1), (2, 10), (1, 100), (0, math.inf)) if spent < most)
    text = f"{spent:,.{places}f}"
    return f"{text}*" if row is not None and row.is_reused else text


def megabytes(size: int | None) -> str:
    """Write a size in memory.

    Examples
    --------
    >>> megabytes(1_234_567_890), megabytes(None)
    ('1,235', '–')
    """
    return NONE if size is None else f"{size / 1e6:,.0f}"


def whole(found: Comparison) -> float | None:
    """Add up the seconds of whole runs; None where one does not say them."""
    spent = [row.whole for row in found.done]
    known = [one for one in spent if one is not None]
    return sum(known) if known and len(known) == len(spent) else None


def costs(found: Comparison) -> str:
    """Say what the seconds of the models leave out, and what the runs took with all of it."""
    said = "Seconds are of encoding, fitting and predicting, in all models of a run"
    if (spent := whole(found)) is None:
        return f"{said}, and not of reading, judging and writing."
    return f"{said}; whole runs, with reading, judging and writing, took {seconds(spent)} added up."


def reused(rows: Sequence[Row]) -> str:
    """Say what a star means; empty where none stands."""
    if not any(row.is_reused for row in rows):
        return ""
    return (
        "* Some vectors were in the embedding store from earlier runs, so that encoding took less "
        "time and memory than it would; --fresh encodes all again."
    )
