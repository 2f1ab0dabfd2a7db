"""In which way a machine's margins are explained, if at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from widemargin.contracts import Kind
from widemargin.explanation.letters import divides_into_letters
from widemargin.explanation.population import knows_population
from widemargin.svm.fitted import FittedSum
from widemargin.svm.machine import Machine

__all__ = ["Way", "divides_into_blocks", "way_of"]

Way = Literal["letters", "population", "weights", "loss", "blocks", "none"]
"""``letters`` and ``blocks`` add up to the margin with a constant, and ``weights`` do where a
machine has one function. ``population`` sets columns against training rows, and ``loss`` says what
the margin loses without a piece."""


def way_of(features: Any, machine: Machine, kinds: Mapping[str, Kind]) -> Way:
    """Say how `explain_items` explains items with columns of these kinds.

    Parameters
    ----------
    features : transformer
        Fitted.
    machine : Machine
        Trained on its rows.
    kinds : mapping of str to Kind
        Of the items' columns.
    """
    found = set(kinds.values())
    if found == {"sequence"} and divides_into_letters(features, machine):
        return "letters"
    if knows_population(features, kinds):
        return "population"
    if machine.coef is not None and hasattr(features, "explain"):
        return "weights"
    if found & {"text", "table"}:
        return "loss"
    return "blocks" if divides_into_blocks(machine) else "none"


def divides_into_blocks(machine: Machine) -> bool:
    """Whether what each block of features adds, with a constant, is the margin.

    One against one, it is none: the margin counts the duels that a class wins, each of which has
    parts of its own.
    """
    duels = machine.n_classes > 2 and machine.scheme == "one-vs-one"
    return isinstance(machine.kernel, FittedSum) and not duels
