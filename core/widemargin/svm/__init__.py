"""Support vector machines: kernels, engines, estimators, model selection, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import KernelParameters
from widemargin.svm.kernels import KERNELS

if TYPE_CHECKING:
    from widemargin.svm.calibration import Calibration, fit_calibration
    from widemargin.svm.estimators import (
        SVC,
        SVR,
        IndefiniteKernelWarning,
        OneClassSVM,
        SearchEdgeWarning,
        SVCSearch,
        SVRSearch,
    )
    from widemargin.svm.expression import Product, Sum, Term
    from widemargin.svm.machine import Machine

__all__ = [
    "KERNELS",
    "SVC",
    "SVR",
    "Calibration",
    "IndefiniteKernelWarning",
    "KernelParameters",
    "Machine",
    "OneClassSVM",
    "Product",
    "SVCSearch",
    "SVRSearch",
    "SearchEdgeWarning",
    "Sum",
    "Term",
    "fit_calibration",
]

_HOMES = {
    "SVC": "estimators",
    "SVR": "estimators",
    "OneClassSVM": "estimators",
    "Product": "expression",
    "SVCSearch": "estimators",
    "SVRSearch": "estimators",
    "SearchEdgeWarning": "estimators",
    "IndefiniteKernelWarning": "estimators",
    "Sum": "expression",
    "Term": "expression",
    "Calibration": "calibration",
    "fit_calibration": "calibration",
    "Machine": "machine",
}


# Estimators need scikit-learn, which takes a second to import and which predicting does without.
def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"widemargin.svm.{_HOMES[name]}"), name)
