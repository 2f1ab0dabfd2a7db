r"""The polynomial kernel, :math:`k(x, y) = (\gamma\, x^\top y + c_0)^d`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel, KernelParameters
from widemargin.svm.kernels.linear import products

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["POLY"]


def _gram(X: Any, Y: Any, parameters: KernelParameters) -> NDArray[np.float64]:
    import numpy as np

    gram = products(X, Y)
    gram *= parameters.gamma
    gram += parameters.coef0
    # The search refuses what is not finite, in words.
    with np.errstate(over="ignore"):
        return gram**parameters.degree


POLY = Kernel(
    name="poly",
    summary="(gamma x.y + coef0)^degree",
    gram=_gram,
    parameters=("gamma", "degree", "coef0"),
)
