"""WM009: machines stopped before the optimum.

What it means
-------------
A solver stopped before its machine met the optimality conditions. In cells of the search that were
not chosen this only blurs the comparison. Where it happened to the model, or to the machines that
predicted the outer folds, another solver, or the same one given longer, would return other numbers.

What to do
----------
Choose a smaller C, which makes the problem easier, and bring the features to one scale. Where only
the largest values of C are concerned and a smaller one was chosen, nothing is lost.
"""

from __future__ import annotations

from typing import Final

from widemargin.contracts.counting import counted
from widemargin.evaluation.checks.context import CheckContext, Finding

CODE: Final = "WM009"
TITLE: Final = "machines stopped before the optimum"


def check(context: CheckContext) -> Finding | None:
    """Count the machines that did not meet the optimality conditions, by what rests on them."""
    searched = context.searched
    if searched is None:
        return None
    where = []
    if searched.model_stopped:
        where.append("for the final model")
    if count := searched.folds_stopped:
        where.append(f"for the models of {counted(count, 'outer fold')}")
    rests = bool(where)
    if searched.n_stopped:
        where.append(f"in {searched.n_stopped} of {searched.n_cells} cells of the last search")
    if not where:
        return None
    places = where[0] if len(where) == 1 else f"{', '.join(where[:-1])} and {where[-1]}"
    effect = (
        "The numbers may be others at the optimum: choose a smaller svm.C, or bring the features "
        "to one scale."
        if rests
        else "No chosen model is among them; smaller values of svm.C leave them out."
    )
    return Finding(
        CODE,
        TITLE,
        "warning" if rests else "note",
        f"A solver stopped before it met the optimality conditions {places}. {effect}",
    )
