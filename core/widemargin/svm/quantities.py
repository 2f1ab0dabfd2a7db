"""What kernels compute of pairs of rows before any parameter, once for all training parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.svm.blocks import take_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.contracts import Kernel

__all__ = ["Quantities", "Within"]


class Quantities:
    """What kernels compute of pairs of rows, once for all the parts that are trained on.

    Only for features that learn nothing: a part's rows must not have seen the others.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        All rows.

    Examples
    --------
    >>> from widemargin.svm.kernels import LINEAR
    >>> whole = Quantities(np.array([[1.0], [2.0], [3.0]]))
    >>> whole.on(np.array([0, 2])).take(LINEAR, None, None)
    array([[1., 3.],
           [3., 9.]])
    """

    def __init__(self, X: Any) -> None:
        self.X = X
        self._kept: dict[tuple[str, tuple[int, int] | None], NDArray[Any]] = {}

    def on(self, rows: NDArray[np.intp]) -> Within:
        """Return those of some rows."""
        return Within(self, rows)

    def whole(
        self, kernel: Kernel, block: str | None, columns: tuple[int, int] | None
    ) -> NDArray[Any]:
        """Return a kernel's quantity of all rows; the first call computes it."""
        key = kernel.name, columns
        if key not in self._kept:
            own = take_block(self.X, columns, None, kernel, block)
            self._kept[key] = np.ascontiguousarray(kernel.pairwise(own, own))
        return self._kept[key]


class Within:
    """Quantities of some rows, taken from those of all."""

    def __init__(self, quantities: Quantities, rows: NDArray[np.intp]) -> None:
        self._quantities, self._rows = quantities, rows

    def take(
        self, kernel: Kernel, block: str | None, columns: tuple[int, int] | None
    ) -> NDArray[Any]:
        """Return a kernel's quantity of the rows, a copy."""
        whole = self._quantities.whole(kernel, block, columns)
        taken: NDArray[Any] = whole[np.ix_(self._rows, self._rows)]
        return taken
