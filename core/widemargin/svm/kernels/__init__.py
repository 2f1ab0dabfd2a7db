"""Kernels, one file each: formula, reference, and how the Gram matrix is computed."""

from widemargin.contracts import Kernel
from widemargin.svm.kernels.chi2 import CHI2
from widemargin.svm.kernels.cosine import COSINE
from widemargin.svm.kernels.custom import from_callable
from widemargin.svm.kernels.laplacian import LAPLACIAN
from widemargin.svm.kernels.linear import LINEAR
from widemargin.svm.kernels.poly import POLY
from widemargin.svm.kernels.rbf import RBF
from widemargin.svm.kernels.sigmoid import SIGMOID

__all__ = [
    "CHI2",
    "COSINE",
    "KERNELS",
    "LAPLACIAN",
    "LINEAR",
    "POLY",
    "RBF",
    "SIGMOID",
    "from_callable",
]

KERNELS: tuple[Kernel, ...] = (LINEAR, RBF, POLY, SIGMOID, LAPLACIAN, CHI2, COSINE)
"""The kernels that come with widemargin."""
