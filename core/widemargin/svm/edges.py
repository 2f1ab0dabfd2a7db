"""Edges of a grid: where a better C or gamma may lie beyond what was tried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from widemargin.svm.grid import beyond
from widemargin.svm.roads import NEGLIGIBLE

if TYPE_CHECKING:
    from widemargin.svm.selection import GridCell

__all__ = ["Edge", "rising_edges"]


class Edge(NamedTuple):
    """An end of what was tried that was chosen.

    Attributes
    ----------
    name : str
        C or gamma.
    value : float
        The end.
    further : tuple of float
        What to try: the value before it, itself, and some beyond.
    """

    name: str
    value: float
    further: tuple[float, ...]

    @property
    def end(self) -> str:
        """Which end it is."""
        return "largest" if self.value > self.further[0] else "smallest"


def rising_edges(cells: Sequence[GridCell], chosen: int) -> list[Edge]:
    """Return the ends that were chosen and that the score rises towards.

    Where it is level there, as where all values of C give the same machine, or where no score can
    be better (1, or an error of 0), nothing is to be won beyond.

    Parameters
    ----------
    cells : sequence of GridCell
        All that were tried.
    chosen : int
        Which one was.

    Examples
    --------
    >>> from widemargin.svm.selection import GridCell
    >>> def cells(*means):
    ...     return [GridCell(10.0**k, None, (), mean, 0.0) for k, mean in enumerate(means)]
    >>> rising_edges(cells(0.5, 0.7), 1)
    [Edge(name='C', value=10.0, further=(1.0, 10.0, 100.0, 1000.0))]
    >>> rising_edges(cells(0.7, 0.7), 0), rising_edges(cells(0.5, 1.0), 1)
    ([], [])
    """
    best = cells[chosen]
    means = [cell.mean for cell in cells if math.isfinite(cell.mean)]
    if not means or _is_perfect(best.mean, means):
        return []
    least = NEGLIGIBLE * (max(means) - min(means))
    found = []
    for name in ("C", "gamma"):
        value = getattr(best, name)
        further = () if value is None else beyond(value, (getattr(one, name) for one in cells))
        if not further:
            continue
        before = max(cell.mean for cell in cells if getattr(cell, name) == further[0])
        if best.mean - before > least:
            found.append(Edge(name, value, further))
    return found


def _is_perfect(mean: float, means: Sequence[float]) -> bool:
    # Errors count below 0 here, so that greater is better for all.
    return math.isclose(mean, 0.0 if max(means) <= 0 else 1.0, abs_tol=1e-9)
