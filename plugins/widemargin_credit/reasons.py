"""Reasons: what speaks most against an application, beside the mean one, in words and points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin import Items
from widemargin.data import parse_numbers
from widemargin.encoders import Population, Share
from widemargin_credit.deciding import Decider, Scale, applications_for, decider_of_run
from widemargin_credit.words import in_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reason", "reasons", "reasons_of"]

_MOST = 4
_LEAST_POINTS = 0.5
_NEARLY_ALL = 0.99


@dataclass(frozen=True)
class Reason:
    """One column that speaks against an application.

    Parameters
    ----------
    column : str
        The column.
    words : str
        Its value, and how that compares with other applications.
    points : float
        What it adds to the score against the mean application; below 0.
    """

    column: str
    words: str
    points: float

    def __str__(self) -> str:
        return f"{self.words} ({self.points:+.0f} points)"


def reasons(run: Any, applications: pd.DataFrame, most: int = _MOST) -> list[list[Reason]]:
    """Return what speaks most against each application.

    Parameters
    ----------
    run : Run
        What ``widemargin.load("credit")`` returned.
    applications : DataFrame
        Columns as the model was trained on.
    most : int, default=4
        Reasons an application; columns that take away less than half a point are none.

    Examples
    --------
    >>> run = widemargin.load("credit")                              # doctest: +SKIP
    >>> print(reasons(run, applications)[0][0])                      # doctest: +SKIP
    duration in month: 48, more than 94% of applications (-21 points)
    """
    decider = decider_of_run(run)
    applications = applications_for(decider, applications)
    return reasons_of(decider, applications, decider.scale(decider.sample()), most)


def reasons_of(
    decider: Decider, X: pd.DataFrame, scale: Scale, most: int = _MOST
) -> list[list[Reason]]:
    """Return what `reasons` does, of a decider."""
    items = Items(
        X=X,
        kinds=dict.fromkeys(decider.columns, "table"),
        ids=[str(row) for row in range(len(X))],
    )
    population = decider.population
    found = []
    for row, shares in enumerate(decider.explain(items)):
        against = sorted(
            (share for share in shares if share.contribution > 0),
            key=lambda share: -share.contribution,
        )
        told = [_reason(share, X, row, population, scale) for share in against[:most]]
        found.append([one for one in told if one.points <= -_LEAST_POINTS])
    return found


def _reason(
    share: Share,
    X: pd.DataFrame,
    row: int,
    population: Mapping[str, Population],
    scale: Scale,
) -> Reason:
    # A piece is "column = value", and a column's name may hold the sign.
    named = [name for name in map(str, X) if share.piece.startswith(f"{name} = ")]
    column = max(named, key=len, default="")
    points = scale.per_margin * share.contribution
    if column not in population:
        return Reason(column or share.piece, share.piece, points)
    value = X[column].iloc[row]
    return Reason(column, f"{in_words(column)}: {_compared(value, *population[column])}", points)


def _compared(value: Any, values: Sequence[Any], weights: Sequence[float]) -> str:
    if value is None or value != value:  # NaN
        return "missing"
    known = [v for v in values if v is not None]
    if known and all(isinstance(v, float) for v in known):
        number = float(parse_numbers([value], "sure")[0])
        below = sum(w for v, w in zip(values, weights, strict=True) if v is not None and v < number)
        above = sum(w for v, w in zip(values, weights, strict=True) if v is not None and v > number)
        if np.isnan(number):
            return f"{value}, which is no number"
        said = f"{number:,.6g}"
        if below >= above:
            return f"{said}, more than {min(below, _NEARLY_ALL):.0%} of applications"
        return f"{said}, less than {min(above, _NEARLY_ALL):.0%} of applications"
    share = dict(zip(map(str, values), weights, strict=True)).get(str(value))
    if share is None:
        return f"{value}, as hardly any application"
    return f"{value}, as {share:.0%} of applications"
