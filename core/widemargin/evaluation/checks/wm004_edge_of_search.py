"""WM004: the choice lies at the edge of the search.

What it means
-------------
The inner search chose the smallest or the largest of the values of C or gamma that it was given.
A better one may lie beyond.

What to do
----------
Search values beyond that edge, as the message proposes. Where the scores along the edge are level
(see the search's heat map in the report), nothing is lost and the choice may stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from widemargin.evaluation.checks.context import CheckContext, Finding
from widemargin.svm.grid import beyond

CODE: Final = "WM004"
TITLE: Final = "the choice lies at the edge of the search"


def check(context: CheckContext) -> Finding | None:
    """Look whether C or gamma is the least or the greatest value tried."""
    searched = context.searched
    if searched is None:
        return None
    found = [_edge("C", searched.C, searched.C_values)]
    if searched.gamma is not None:
        found.append(_edge("gamma", searched.gamma, searched.gamma_values))
    message = " ".join(filter(None, found))
    return Finding(CODE, TITLE, "note", message) if message else None


def _edge(name: str, chosen: float, tried: Sequence[float]) -> str:
    proposed = beyond(chosen, tried)
    if not proposed:
        return ""
    end = "largest" if chosen > proposed[0] else "smallest"
    further = ",".join(f"{value:.6g}" for value in proposed)
    return (
        f"{name} = {chosen:.6g} is the {end} of the values searched ({min(tried):.6g} to "
        f"{max(tried):.6g}), and a better one may lie beyond: --set svm.{name}=[{further}]."
    )
