"""Splits: which rows train and which are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Split", "SplitRule"]


@dataclass(frozen=True)
class Split:
    """Row indices of one training part and the part held out from it."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class SplitRule:
    """How a use case divides its rows.

    Parameters
    ----------
    kind : {"stratified", "shuffled", "walk-forward"}
        ``stratified`` keeps the share of each class (of each tenth of the range, for a number)
        in every part; ``shuffled`` does not. Groups are kept whole by both. ``walk-forward`` holds
        out later items and learns from those whose labels were known before; it goes by the data
        set's ``times`` and ``label_times``, for the inner parts too.
    near_duplicates : bool
        Whether rows whose text is equal but for case, punctuation and digits are one item.
    """

    kind: Literal["stratified", "shuffled", "walk-forward"] = "stratified"
    near_duplicates: bool = True
