"""widemargin: embeddings in front, a support vector machine behind, one command per problem.

Everything public is a name of this module or of `widemargin.data`, `widemargin.encoders`,
`widemargin.svm`, `widemargin.evaluation` and `widemargin.testing`. Names are loaded when they
are first used, so that importing widemargin is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from widemargin.api import load, run
    from widemargin.contracts import (
        Asset,
        AssetFile,
        Command,
        Dataset,
        DatasetCard,
        DatasetLoader,
        EncoderSpec,
        FeatureSection,
        Items,
        Kernel,
        Metric,
        Package,
        Predictions,
        ReportSection,
        Section,
        SplitRule,
        Table,
        UseCase,
        Wording,
    )
    from widemargin.errors import DataError, WidemarginError
    from widemargin.hookspecs import hookimpl

__version__ = "0.1.0"

__all__ = [
    "Asset",
    "AssetFile",
    "Command",
    "DataError",
    "Dataset",
    "DatasetCard",
    "DatasetLoader",
    "EncoderSpec",
    "FeatureSection",
    "Items",
    "Kernel",
    "Metric",
    "Package",
    "Predictions",
    "ReportSection",
    "Section",
    "SplitRule",
    "Table",
    "UseCase",
    "WidemarginError",
    "Wording",
    "__version__",
    "hookimpl",
    "load",
    "run",
]

_HOMES = {
    "load": "api",
    "run": "api",
    "DataError": "errors",
    "WidemarginError": "errors",
    "hookimpl": "hookspecs",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'widemargin' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"widemargin.{_HOMES.get(name, 'contracts')}"), name)


def __dir__() -> list[str]:
    return __all__
