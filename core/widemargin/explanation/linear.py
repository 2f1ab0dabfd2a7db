"""Linear summands of a kernel: their weights of features, and the lengths of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from widemargin.svm.blocks import inverse_lengths
from widemargin.svm.fitted import FittedKernel, FittedSum, FittedTerm
from widemargin.svm.machine import Machine

__all__ = ["linear_terms", "term_coef", "term_scales"]


def linear_terms(kernel: FittedKernel, weight: float = 1.0) -> Iterator[tuple[float, FittedTerm]]:
    """Go through the linear summands, each with its weight in the whole."""
    if isinstance(kernel, FittedSum):
        for own, one in zip(kernel.weights, kernel.summands, strict=True):
            yield from linear_terms(one, weight * own)
    elif isinstance(kernel, FittedTerm) and kernel.kernel.name == "linear" and weight:
        yield weight, kernel


def term_coef(machine: Machine, term: FittedTerm) -> Any:
    """Return the weights of a linear term's columns in the one function that there is."""
    assert machine.dual_coef is not None
    vectors = term.take(machine.vectors)
    return np.ravel((machine.dual_coef * term_scales(term, vectors)) @ vectors)


def term_scales(term: FittedTerm, rows: Any) -> Any:
    """Return one over each row's length where the term is normalised, else 1."""
    if not term.normalised:
        return np.ones(rows.shape[0])
    squares = rows.multiply(rows) if hasattr(rows, "tocsr") else rows * rows
    return inverse_lengths(np.asarray(squares.sum(axis=1), dtype=np.float64).ravel())
