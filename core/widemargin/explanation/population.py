r"""What each column of a table adds to the margin against the rows that the model learned from.

A column's share is :math:`f(x) - \sum_v p_v f(x_{j=v})`: what the decision loses on average when
the column's value is drawn from the training rows', all others staying as they are (Strumbelj and
Kononenko 2014, "Explaining prediction models and individual predictions with feature
contributions", for one column at a time). Of a function that is a sum over columns it is the
column's part minus its mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Dataset, Items, Kind, Population, Share
from widemargin.explanation.cases import show_value
from widemargin.svm.machine import Machine

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["explain_by_population", "knows_population"]

_AT_ONCE = 20_000


def knows_population(features: Any, kinds: Mapping[str, Kind]) -> bool:
    """Say whether features know the values of every column that items of tables have."""
    return set(kinds.values()) == {"table"} and bool(_known(features))


def explain_by_population(
    features: Any,
    machine: Machine,
    items: Dataset | Items,
    sign: float,
    codes: NDArray[np.intp],
) -> list[list[Share]]:
    """Split items' margins into what each column adds against the training rows.

    Parameters
    ----------
    features : transformer
        Fitted; has ``population()``.
    machine : Machine
        Trained on its rows.
    items : Dataset or Items
        What to explain.
    sign : float
        What decisions are multiplied by.
    codes : ndarray of shape (n_items,)
        Of more than two classes, the one that each item is called.

    Returns
    -------
    list of list of Share
        For each item its columns, in the order of `population`.
    """
    population = _known(features)
    columns = {str(name): list(items.X[str(name)]) for name in items.X}
    size = 1 + sum(len(values) for values, _ in population.values())
    step = max(1, _AT_ONCE // size)
    n = len(items.ids)
    return [
        shares
        for start in range(0, n, step)
        for shares in _explain(
            features,
            machine,
            {name: own[start : start + step] for name, own in columns.items()},
            population,
            sign,
            codes[start : start + step],
        )
    ]


def _known(features: Any) -> Mapping[str, Population]:
    population = getattr(features, "population", None)
    return {} if population is None else population()


def _explain(
    features: Any,
    machine: Machine,
    columns: dict[str, list[Any]],
    population: Mapping[str, Population],
    sign: float,
    place: NDArray[np.intp],
) -> list[list[Share]]:
    import pandas as pd

    rows = pd.DataFrame({name: pd.Series(own, dtype=object) for name, own in columns.items()})
    decided = machine.decide(features.transform(_typed(rows, columns)))
    own = decided if decided.ndim == 1 else decided[np.arange(len(rows)), place]
    shares: list[list[Share]] = [[] for _ in range(len(rows))]
    for name, (values, weights) in population.items():
        changed = pd.concat([rows.assign(**{name: _constant(value, rows)}) for value in values])
        others = machine.decide(features.transform(_typed(changed, columns)))
        if others.ndim == 2:
            others = others[np.arange(len(others)), np.tile(place, len(values))]
        # Shares may sum to less than 1: values that hardly any row has are not told.
        mean = np.average(others.reshape(len(values), len(rows)), axis=0, weights=weights)
        for row, lost in enumerate((own - mean).tolist()):
            piece = f"{name} = {show_value(columns[name][row])}"
            shares[row].append(Share(piece, sign * lost))
    return shares


def _constant(value: Any, rows: Any) -> Any:
    import pandas as pd

    return pd.Series([value] * len(rows), index=rows.index, dtype=object)


def _typed(frame: Any, columns: Mapping[str, Sequence[Any]]) -> Any:
    """Give columns of numbers their type back; None is a missing one."""
    return frame.assign(
        **{
            name: frame[name].astype(np.float64)
            for name, own in columns.items()
            if all(value is None or isinstance(value, int | float | np.number) for value in own)
            and all(not isinstance(value, str) for value in frame[name])
        }
    )
