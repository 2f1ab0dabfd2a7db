"""Support vector machines: kernels, engines, estimators, model selection, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import KernelParameters
from widemargin.svm.kernels import KERNELS

if TYPE_CHECKING:
    from widemargin.svm.calibration import Calibration, fit_calibration
    from widemargin.svm.estimators import SVC, SVR, OneClassSVM, SVMSearch
    from widemargin.svm.expression import Product, Sum, Term
    from widemargin.svm.machine import Machine
    from widemargin.svm.selection import GridCell, Search

__all__ = [
    "KERNELS",
    "SVC",
    "SVR",
    "Calibration",
    "GridCell",
    "KernelParameters",
    "Machine",
    "OneClassSVM",
    "Product",
    "SVMSearch",
    "Search",
    "Sum",
    "Term",
    "fit_calibration",
]

_HOMES = {
    "SVC": "estimators",
    "SVR": "estimators",
    "OneClassSVM": "estimators",
    "Product": "expression",
    "SVMSearch": "estimators",
    "Sum": "expression",
    "Term": "expression",
    "Calibration": "calibration",
    "fit_calibration": "calibration",
    "GridCell": "selection",
    "Search": "selection",
    "Machine": "machine",
}


# Estimators need scikit-learn, which takes a second to import and which predicting does without.
def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"widemargin.svm.{_HOMES[name]}"), name)
