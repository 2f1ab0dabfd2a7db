"""Kernels, one file each: formula, reference, Gram matrix."""

from widemargin.contracts import Kernel
from widemargin.svm.kernels.linear import LINEAR
from widemargin.svm.kernels.poly import POLY
from widemargin.svm.kernels.rbf import RBF
from widemargin.svm.kernels.sigmoid import SIGMOID

__all__ = ["KERNELS", "LINEAR", "POLY", "RBF", "SIGMOID"]

KERNELS: tuple[Kernel, ...] = (LINEAR, RBF, POLY, SIGMOID)
"""The kernels that come with widemargin."""
