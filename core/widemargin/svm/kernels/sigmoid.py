r"""The sigmoid kernel, :math:`k(x, y) = \tanh(\gamma\, x^\top y + c_0)`.

Not positive semi-definite for every choice of its parameters (Lin & Lin 2003, "A study on sigmoid
kernels for SVM and the training of non-PSD kernels by SMO-type methods").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel, KernelParameters
from widemargin.svm.kernels.linear import products

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SIGMOID"]


def _gram(X: Any, Y: Any, parameters: KernelParameters) -> NDArray[np.float64]:
    import numpy as np

    gram = products(X, Y)
    gram *= parameters.gamma
    gram += parameters.coef0
    return np.tanh(gram, out=gram)


SIGMOID = Kernel(
    name="sigmoid",
    summary="tanh(gamma x.y + coef0)",
    gram=_gram,
    parameters=("gamma", "coef0"),
)
