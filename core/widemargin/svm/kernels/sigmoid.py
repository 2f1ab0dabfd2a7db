r"""The sigmoid kernel, :math:`k(x, y) = \tanh(\gamma\, x^\top y + c_0)`.

Not positive semi-definite for every choice of its parameters (Lin & Lin 2003, "A study on sigmoid
kernels for SVM and the training of non-PSD kernels by SMO-type methods").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel, KernelParameters
from widemargin.svm.kernels.pairwise import products

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIGMOID"]


def _value(quantity: NDArray[Any], parameters: KernelParameters, out: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    # The search refuses what is not finite, in words.
    with np.errstate(over="ignore", invalid="ignore"):
        np.multiply(quantity, float(parameters.gamma), out=out)
        out += parameters.coef0
        np.tanh(out, out=out)
    return out


SIGMOID = Kernel(
    name="sigmoid",
    summary="tanh(gamma x.y + coef0)",
    pairwise=products,
    value=_value,
    parameters=("gamma", "coef0"),
)
