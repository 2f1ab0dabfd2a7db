"""What each piece of an item adds to its margin.

A linear margin splits into pieces exactly, by the encoder's own account. For any other machine a
piece's share is what the decision loses when the piece is taken away (occlusion: Zeiler & Fergus
2014, "Visualizing and understanding convolutional networks"). The margin of a sum of kernels also
splits exactly into what each block of features adds, unless it counts duels of several classes;
items that have no words or columns to take away are explained by that. Columns of a table are set
against the training rows' values where the encoders know these (`population.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Columns, Dataset, Items, Share, n_rows
from widemargin.explanation.cases import show_value
from widemargin.explanation.letters import explain_letters
from widemargin.explanation.population import explain_by_population
from widemargin.explanation.ways import way_of
from widemargin.svm.fitted import FittedSum
from widemargin.svm.machine import Machine

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["block_shares", "explain_items", "folds", "listed", "mean_pieces", "sample"]

_SAMPLE = 2000
_LISTED = 20
# Taking away more words than this, one at a time, would make one prediction slow.
_LONGEST = 400


def explain_items(
    features: Any,
    machine: Machine,
    items: Dataset | Items,
    *,
    positive: int = 1,
    scale: float = 1.0,
    codes: NDArray[np.intp] | None = None,
) -> list[list[Share]]:
    """Split items' margins into pieces.

    Parameters
    ----------
    features : transformer
        Fitted.
    machine : Machine
        Trained on its rows.
    items : Dataset or Items
        What to explain.
    positive : int, default=1
        The class that a contribution above 0 speaks for, of two; of more classes it is that of
        `codes`.
    scale : float, default=1.0
        The target's unit of a regression machine.
    codes : ndarray of shape (n_items,), optional
        Of more than two classes, the one that each item is called; by default that of its largest
        decision, which is another one where costs decide.

    Returns
    -------
    list of list of Share
        For each item, its pieces in order of appearance. Of a sequence these are its letters where
        the margin divides into them. Of a table whose encoders know the population, each column's
        is what its value adds against the training rows' values.
    """
    if len(items.ids) == 0:
        return []
    if machine.n_classes <= 2:
        codes = np.zeros(len(items.ids), np.intp)
    elif codes is None:
        codes = np.asarray(machine.decide(features.transform(items.X)).argmax(axis=1))
    way = way_of(features, machine, items.kinds)
    if way == "letters":
        return explain_letters(
            features, machine, items, positive=positive, scale=scale, codes=codes
        )
    sign = scale * (-1.0 if machine.n_classes == 2 and positive == 0 else 1.0)
    if way == "population":
        return explain_by_population(features, machine, items, sign, codes)
    if way == "weights":
        return _weigh(features, machine, items, sign, codes)
    if way == "none":
        return [[] for _ in codes]
    explain = _occlude if way == "loss" else _split
    return [
        explain(features, machine, items, row, sign, int(code)) for row, code in enumerate(codes)
    ]


def _weigh(
    features: Any,
    machine: Machine,
    items: Dataset | Items,
    sign: float,
    codes: NDArray[np.intp],
) -> list[list[Share]]:
    """Split linear margins by the encoders' own account."""
    if machine.n_classes <= 2:
        assert machine.coef is not None
        shares: list[list[Share]] = features.explain(items.X, sign * machine.coef[0])
        return shares
    return [
        features.explain(_row(items.X, row), machine.class_coef(int(code)))[0]
        for row, code in enumerate(codes)
    ]


def mean_pieces(
    features: Any,
    machine: Machine,
    dataset: Dataset,
    *,
    positive: int = 1,
    scale: float = 1.0,
    random_state: int = 0,
) -> list[dict[str, Any]]:
    """List the pieces that push most each way, by their mean contribution where they occur.

    Parameters
    ----------
    dataset : Dataset
        Rows to average over; at most 2,000 of them are drawn.

    Returns
    -------
    list of dict
        ``piece``, ``contribution`` and ``items``, how many of the rows have it; the 20 strongest
        each way. Empty where the machine is not linear or has more than two classes.
    """
    if machine.coef is None or machine.n_classes > 2 or not hasattr(features, "explain"):
        return []
    drawn = sample(dataset, random_state)
    sign = -1.0 if machine.n_classes == 2 and positive == 0 else 1.0
    # Of sequences the runs of letters: a letter's place in one tells nothing of others.
    explained = features.explain(drawn.X, sign * scale * machine.coef[0])
    return listed(explained, fold=folds(dataset))


def sample(dataset: Dataset, random_state: int) -> Dataset:
    """Draw at most 2,000 rows, in their order."""
    if len(dataset) <= _SAMPLE:
        return dataset
    drawn = np.random.default_rng(random_state).choice(len(dataset), _SAMPLE, replace=False)
    return dataset.take(np.sort(drawn).astype(np.intp))


def folds(dataset: Dataset) -> bool:
    """Whether pieces are one in small letters and in capitals, as words are."""
    return "text" in dataset.kinds.values()


def listed(explained: Sequence[Sequence[Share]], *, fold: bool = True) -> list[dict[str, Any]]:
    """List the pieces that push most each way, given those of every row.

    Parameters
    ----------
    explained : sequence of sequence of Share
        The pieces of each row.
    fold : bool, default=True
        Whether case, and punctuation at the ends, make no other piece.

    Returns
    -------
    list of dict
        As `mean_pieces`.
    """
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for shares in explained:
        for piece, contribution in _by_piece(shares, fold).items():
            sums[piece] = sums.get(piece, 0.0) + contribution
            counts[piece] = counts.get(piece, 0) + 1
    # A piece of a single item tells of that item, not of the domain.
    rare = max(2, len(explained) // 400)
    means = {piece: sums[piece] / count for piece, count in counts.items() if count >= rare}
    # A mean over more items is surer; the root of their number is how much.
    order = sorted(means, key=lambda piece: (-means[piece] * counts[piece] ** 0.5, piece))
    top = [piece for piece in order[:_LISTED] if means[piece] > 0]
    bottom = [piece for piece in order[::-1][:_LISTED] if means[piece] < 0]
    return [
        {"piece": piece, "contribution": means[piece], "items": counts[piece]}
        for piece in [*top, *bottom[::-1]]
    ]


def block_shares(machine: Machine, rows: Any, *, random_state: int = 0) -> list[dict[str, Any]]:
    r"""Say how much of the margin each block of features makes up.

    A block's share is the mean over rows of :math:`|f_b(x)| / \sum_c |f_c(x)|`, where
    :math:`f_b(x) = \sum_i \beta_i w_b k_b(x, x_i)` is what the block adds to the decision; beyond
    two classes both sums go over all functions.

    Parameters
    ----------
    machine : Machine
        Trained.
    rows : ndarray or CSR of shape (n_samples, n_features)
        Rows to average over; at most 2,000 of them are drawn.
    random_state : int, default=0
        Seed.

    Returns
    -------
    list of dict
        ``block``, ``weight`` and ``share``, the largest share first. Empty where the kernel is no
        sum.
    """
    kernel = machine.kernel
    if not isinstance(kernel, FittedSum) or len(kernel.summands) < 2:
        return []
    n = rows.shape[0]
    if n > _SAMPLE:
        drawn = np.random.default_rng(random_state).choice(n, _SAMPLE, replace=False)
        rows = rows[np.sort(drawn)]
    sizes = np.array([np.abs(part).sum(axis=1) for _, part in machine.parts(rows)])
    total = sizes.sum(axis=0)
    shares = (sizes / np.where(total > 0, total, 1.0)).sum(axis=1) / max((total > 0).sum(), 1)
    found = [
        {"block": name, "weight": weight, "share": float(share)}
        for name, weight, share in zip(kernel.names, kernel.weights, shares, strict=True)
    ]
    return sorted(found, key=lambda one: -float(one["share"]))


def _split(
    features: Any, machine: Machine, items: Dataset | Items, row: int, sign: float, code: int
) -> list[Share]:
    """Split one item's margin into what each block adds."""
    rows = features.transform(_row(items.X, row))
    parts = machine.parts(rows)
    if machine.n_classes > 2:
        parts = [(name, machine.for_class(part, code)[:, None]) for name, part in parts]
    return [Share(name, sign * float(part[0, 0])) for name, part in parts]


def _by_piece(shares: Sequence[Share], fold: bool) -> dict[str, float]:
    """Sum one item's shares by piece, case and punctuation at the ends aside where that is said."""
    summed: dict[str, float] = {}
    for share in shares:
        piece = share.piece
        # A value of a table's column is as it is, brackets and all.
        if fold and " = " not in piece:
            piece = piece.casefold().strip(".,;:!?\"'()[]") or piece
        summed[piece] = summed.get(piece, 0.0) + share.contribution
    return summed


def _occlude(
    features: Any, machine: Machine, items: Dataset | Items, row: int, sign: float, code: int
) -> list[Share]:
    own = _row(items.X, row)
    variants: list[tuple[str, dict[str, list[Any]]]] = []
    for column, kind in items.kinds.items():
        value = own[column][0]
        if kind == "text":
            words = str(value).split()[:_LONGEST]
            for word in dict.fromkeys(words):
                rest = " ".join(other for other in str(value).split() if other != word)
                variants.append((word, {**own, column: [rest]}))
        elif kind == "table":
            missing = np.nan if isinstance(value, int | float | np.number) else None
            variants.append((f"{column} = {show_value(value)}", {**own, column: [missing]}))
    if not variants:
        return []
    stacked = {
        column: [own[column][0], *(variant[column][0] for _, variant in variants)] for column in own
    }
    if not (hasattr(features, "explain") and set(items.kinds.values()) == {"text"}):
        # Our encoders of texts do without pandas, which takes long to import.
        stacked = _frame(stacked)
    # A transformer of scikit-learn's may refuse a missing value, or hand it on. Then nothing can be
    # taken away, and there are no shares.
    try:
        rows = features.transform(stacked)
    except ValueError:
        return []
    decided = machine.decide(rows)
    if not np.isfinite(decided).all():
        return []
    if decided.ndim == 2:
        decided = decided[:, code]
    lost = sign * (decided[0] - decided[1:])
    return [Share(piece, float(share)) for (piece, _), share in zip(variants, lost, strict=True)]


def _frame(columns: dict[str, list[Any]]) -> Any:
    import pandas as pd

    return pd.DataFrame(columns)


def _row(X: Columns, row: int) -> dict[str, list[Any]]:
    assert row < n_rows(X)
    if hasattr(X, "iloc"):
        # In one piece: an expression profile has thousands of columns.
        taken: dict[Any, list[Any]] = X.iloc[[row]].to_dict("list")
        return {str(column): values for column, values in taken.items()}
    return {str(column): [list(X[column])[row]] for column in X}
