r"""The linear kernel, :math:`k(x, y) = x^\top y`."""

from __future__ import annotations

from widemargin.contracts import Kernel
from widemargin.svm.kernels.pairwise import products

__all__ = ["LINEAR"]

LINEAR = Kernel(name="linear", summary="x.y", pairwise=products)
