"""Encoders that learn nothing and whose every number has a name that people know."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Columns, Share
from widemargin.encoders.frozen import FrozenEncoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NamedEncoder"]


class NamedEncoder(FrozenEncoder):
    """Base of frozen encoders with named columns: a linear margin splits into them exactly."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The name of each number, in order."""

    @property
    def dimension(self) -> int:
        """How many numbers an item becomes."""
        return len(self.columns)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns."""
        return np.array(self.columns, dtype=object)

    def explain(
        self, X: Columns | Sequence[Any], coef: NDArray[np.float64]
    ) -> Sequence[Sequence[Share]]:
        """Split each row's product with `coef` into the columns that are not 0 in it."""
        names = self.columns
        rows = self.transform(X).astype(np.float64)
        return [
            [
                Share(f"{names[at]} = {row[at]:.3g}", float(row[at] * coef[at]))
                for at in np.flatnonzero(row)
            ]
            for row in rows
        ]
