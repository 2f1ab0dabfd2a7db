"""WM004: the choice lies at the edge of the search.

What it means
-------------
The inner search chose the smallest or the largest of the values of C or gamma that it was given,
and the score rises towards it. A better one may lie beyond. Where the scores along the edge are
level, or none could be better, nothing is lost, and nothing is said.

What to do
----------
Search values beyond that edge, as the message proposes. The search's heat map in the report shows
how steeply the score rises there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from widemargin.evaluation.checks.context import CheckContext, Finding
from widemargin.svm.grid import beyond

CODE: Final = "WM004"
TITLE: Final = "the choice lies at the edge of the search"


def check(context: CheckContext) -> Finding | None:
    """Look whether C or gamma is the least or the greatest value tried, and the score rises."""
    searched = context.searched
    if searched is None:
        return None
    found = [("C", searched.C, searched.C_values)]
    if searched.gamma is not None:
        found.append(("gamma", searched.gamma, searched.gamma_values))
    told = [
        _edge(name, chosen, tried)
        for name, chosen, tried in found
        if searched.rising is None or name in searched.rising
    ]
    message = " ".join(filter(None, told))
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
