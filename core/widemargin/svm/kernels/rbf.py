r"""The radial basis function kernel, :math:`k(x, y) = \exp(-\gamma \lVert x - y \rVert^2)`.

Universal on compact sets (Steinwart 2001, "On the influence of the kernel on the consistency of
support vector machines", JMLR 2:67-93).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import Kernel, KernelParameters
from widemargin.svm.kernels.pairwise import exponential, squared_distances

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RBF"]


def _value(quantity: NDArray[Any], parameters: KernelParameters, out: NDArray[Any]) -> NDArray[Any]:
    return exponential(quantity, parameters.gamma, out)


RBF = Kernel(
    name="rbf",
    summary="exp(-gamma |x - y|^2)",
    pairwise=squared_distances,
    value=_value,
    parameters=("gamma",),
    is_bounded=True,
)
