r"""What the pieces of linear blocks add to the margin of a sum of kernels.

A linear kernel has weights of its features also inside a sum. Block b adds
:math:`f_b(x) = \sum_i \beta_i w_b \langle x_b, x_{ib} \rangle / (|x_b| |x_{ib}|)
= \langle c_b, x_b \rangle / |x_b|` to the decision, which splits exactly into the block's pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from widemargin.contracts import Dataset, Share
from widemargin.explanation.linear import linear_terms, term_coef, term_scales
from widemargin.explanation.margin import folds, listed, sample
from widemargin.svm.fitted import FittedKernel, FittedSum, FittedTerm
from widemargin.svm.machine import Machine

__all__ = ["block_pieces", "counted_terms"]


def block_pieces(
    features: Any,
    machine: Machine,
    dataset: Dataset,
    *,
    positive: int = 1,
    scale: float = 1.0,
    random_state: int = 0,
) -> list[dict[str, Any]]:
    """List the strongest pieces of each linear block, as `mean_pieces` does of a linear machine.

    Parameters
    ----------
    features : transformer
        Fitted; only `widemargin.encoders.JoinedEncoders` knows whose pieces are whose.
    machine : Machine
        Trained on its rows.
    dataset : Dataset
        Rows to average over; at most 2,000 of them are drawn.
    positive : int, default=1
        The class that a contribution above 0 speaks for.
    scale : float, default=1.0
        The target's unit of a regression machine.
    random_state : int, default=0
        Seed.

    Returns
    -------
    list of dict
        ``block``, and ``pieces`` as `mean_pieces` lists them. Empty where no block of a sum is
        linear, beyond two classes, and where encoders do not say what their features mean.
    """
    blocks = {name: (own, encoder) for name, own, encoder in getattr(features, "blocks", ())}
    if machine.kernel is None or machine.dual_coef is None or machine.n_classes > 2:
        return []
    sign = -1.0 if machine.n_classes == 2 and positive == 0 else 1.0
    found = []
    for weight, term in linear_terms(machine.kernel):
        columns, encoder = blocks.get(term.block, ((), None))
        if not hasattr(encoder, "explain"):
            continue
        drawn = sample(dataset, random_state)
        X = {column: drawn.X[column] for column in columns}
        explained = encoder.explain(X, sign * scale * weight * term_coef(machine, term))
        shares = [
            [Share(share.piece, float(share.contribution * own)) for share in row]
            for row, own in zip(explained, term_scales(term, encoder.transform(X)), strict=True)
        ]
        if pieces := listed(shares, fold=folds(dataset)):
            found.append({"block": str(term.block), "pieces": pieces})
    return found


def counted_terms(kernel: FittedKernel) -> Iterator[FittedTerm]:
    """Go through the kernels that count: all but summands of weight 0."""
    if isinstance(kernel, FittedSum):
        for weight, one in zip(kernel.weights, kernel.summands, strict=True):
            if weight:
                yield from counted_terms(one)
    else:
        yield from kernel.terms()
