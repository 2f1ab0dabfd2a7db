"""Rows of features: what a transformer made, as all that follows takes it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from widemargin.contracts.counting import counted
from widemargin.contracts.places import plugin_packages, where_defined
from widemargin.errors import PluginError

__all__ = ["as_rows"]


def as_rows(features: Any, made: Any, n_items: int) -> Any:
    """Return what a transformer made of so many items as dense float64 or CSR.

    Raises
    ------
    PluginError
        Where it is no matrix of finite numbers with a row an item.
    """
    rows = made
    if hasattr(made, "tocsr"):
        rows = made.tocsr()
        if not rows.has_canonical_format:
            rows = rows.copy()
            rows.sum_duplicates()
    else:
        with suppress(TypeError, ValueError):
            rows = np.asarray(made, dtype=np.float64)
    found = _misshapen(rows, made, n_items)
    if found:
        owner = type(features)
        raise PluginError(
            f"the features {owner.__name__} returned {found}; `transform` must return a matrix of "
            "finite numbers, dense or sparse, with a row for each item.",
            where_defined(owner) if owner.__module__.partition(".")[0] in plugin_packages() else "",
        )
    return rows


def _misshapen(rows: Any, made: Any, n_items: int) -> str:
    """Say why rows are no matrix of finite numbers; nothing where they are."""
    values = rows.data if hasattr(rows, "tocsr") else rows
    if made is None:
        return "None"
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        kind = getattr(made, "dtype", None)
        return f"values of type {kind}" if kind is not None else f"a {type(made).__name__}"
    if rows.ndim != 2:
        return f"an array of shape {rows.shape}"
    if rows.shape[0] != n_items:
        return f"{counted(rows.shape[0], 'row')} for {counted(n_items, 'item')}"
    if not np.isfinite(values).all():
        return f"{counted(int((~np.isfinite(values)).sum()), 'value')} of nan or infinity"
    return ""
