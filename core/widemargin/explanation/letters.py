r"""What each letter of a sequence adds to its margin.

Counts of runs of letters, and shares of letters, are sums over the letters of the sequence, so that
a linear function of them divides exactly: each run's part equally among its letters. Inside a sum
of kernels that holds of the linear blocks; what every other block adds stands beside the letters
under the block's name. With the machine's constant all parts add up to the margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Dataset, Items, Share
from widemargin.explanation.linear import term_coef, term_scales
from widemargin.svm.fitted import FittedSum, FittedTerm
from widemargin.svm.machine import Machine

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["divides_into_letters", "explain_letters"]


def divides_into_letters(features: Any, machine: Machine) -> bool:
    """Whether a margin is the sum of what letters add, or at least one block's part is."""
    encoders = {name: encoder for name, _, encoder in getattr(features, "blocks", ())}
    if machine.coef is not None:
        named = list(encoders)
    elif machine.n_classes <= 2:
        named = [str(term.block) for _, term in _summands(machine) if _is_linear(term)]
    else:
        named = []
    return any(hasattr(encoders.get(name), "explain_letters") for name in named)


def explain_letters(
    features: Any,
    machine: Machine,
    items: Dataset | Items,
    *,
    positive: int = 1,
    scale: float = 1.0,
    codes: NDArray[np.intp],
) -> list[list[Share]]:
    """Split margins of sequences into their letters, in order, and what is no letter's.

    Parameters are those of `explain_items`.

    Returns
    -------
    list of list of Share
        For each item its letters, then what blocks add that do not divide.

    Raises
    ------
    ValueError
        Where `divides_into_letters` says no.
    """
    if not divides_into_letters(features, machine):
        raise ValueError("no part of this machine's margin divides into letters")
    sign = scale * (-1.0 if machine.n_classes == 2 and positive == 0 else 1.0)
    rows = features.transform(items.X)
    if machine.coef is None:
        found = _of_summands(features, machine, items, rows)
    elif machine.n_classes <= 2:
        found = _of_blocks(features, items.X, rows, machine.coef[0])
    else:
        # Weights differ from class to class; each item is explained for the one it is called.
        decided = codes.tolist()
        every = {
            code: _of_blocks(features, items.X, rows, machine.class_coef(code))
            for code in set(decided)
        }
        found = [every[code][row] for row, code in enumerate(decided)]
    return [_added(own, sign) for own in found]


def _of_blocks(features: Any, X: Any, rows: Any, coef: Any) -> list[list[Share]]:
    """Split rows' products with the weights of all features."""
    parts = []
    for (name, columns, encoder), scale in zip(features.blocks, features.scales_, strict=True):
        place = features.blocks_[name]
        if hasattr(encoder, "explain_letters"):
            own = {column: X[column] for column in columns}
            parts.append(encoder.explain_letters(own, scale * coef[place]))
        else:
            total = np.ravel(rows[:, place] @ coef[place])
            parts.append([[Share(name, float(value))] for value in total])
    return [list(chain(*own)) for own in zip(*parts, strict=True)]


def _of_summands(
    features: Any, machine: Machine, items: Dataset | Items, rows: Any
) -> list[list[Share]]:
    """Split rows' products into the letters of linear summands, and the other summands."""
    encoders = {name: (columns, encoder) for name, columns, encoder in features.blocks}
    scales = dict(zip(encoders, features.scales_, strict=True))
    parts: list[Sequence[Sequence[Share]]] = []
    for (weight, term), (name, values) in zip(_summands(machine), machine.parts(rows), strict=True):
        columns, encoder = encoders.get(str(getattr(term, "block", None)), ((), None))
        if weight and _is_linear(term) and hasattr(encoder, "explain_letters"):
            X = {column: items.X[column] for column in columns}
            coef = weight * scales[str(term.block)] * term_coef(machine, term)
            lengths = term_scales(term, term.take(rows)).tolist()
            parts.append(
                [
                    [Share(one.piece, one.contribution * own, one.letter) for one in shares]
                    for shares, own in zip(encoder.explain_letters(X, coef), lengths, strict=True)
                ]
            )
        else:
            parts.append([[Share(name, float(value))] for value in values[:, 0]])
    return [list(chain(*own)) for own in zip(*parts, strict=True)]


def _summands(machine: Machine) -> list[tuple[float, Any]]:
    kernel = machine.kernel
    if isinstance(kernel, FittedSum):
        return list(zip(kernel.weights, kernel.summands, strict=True))
    return [] if kernel is None else [(1.0, kernel)]


def _is_linear(term: Any) -> bool:
    return isinstance(term, FittedTerm) and term.kernel.name == "linear"


def _added(shares: Sequence[Share], sign: float) -> list[Share]:
    """Add what several blocks say of a letter; letters come first."""
    total: dict[tuple[int | None, str], float] = {}
    for share in shares:
        key = (share.letter, share.piece)
        total[key] = total.get(key, 0.0) + sign * share.contribution
    letters = [Share(piece, value, at) for (at, piece), value in total.items() if at is not None]
    others = [Share(piece, value) for (at, piece), value in total.items() if at is None]
    return [*letters, *others]
