r"""The polynomial kernel, :math:`k(x, y) = (\gamma\, x^\top y + c_0)^d`.

The feature space of all monomials up to degree d (Poggio 1975, "On optimal nonlinear associative
recall", doi:10.1007/BF02281970; as a kernel in Cortes & Vapnik 1995, doi:10.1007/BF00994018).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel, KernelParameters
from widemargin.svm.kernels.pairwise import products

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["POLY"]


def _value(quantity: NDArray[Any], parameters: KernelParameters, out: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    # The search refuses what is not finite, in words.
    with np.errstate(over="ignore", invalid="ignore"):
        np.multiply(quantity, float(parameters.gamma), out=out)
        out += parameters.coef0
        # Row by row, so that what is multiplied stays in cache; `power` takes ten times as long.
        for row in out:
            base = row.copy()
            row[...] = 1
            for _ in range(parameters.degree):
                row *= base
    return out


POLY = Kernel(
    name="poly",
    summary="(gamma x.y + coef0)^degree",
    pairwise=products,
    value=_value,
    parameters=("gamma", "degree", "coef0"),
)
