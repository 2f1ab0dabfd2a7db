"""Predictions as a run's ``predictions.parquet`` holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Predictions

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["predictions_of"]


def predictions_of(frame: pd.DataFrame, metrics: Mapping[str, Any]) -> Predictions | None:
    """Read a run's predictions.

    Parameters
    ----------
    frame : DataFrame
        Rows of ``predictions.parquet``.
    metrics : mapping
        What ``metrics.json`` says of classes.

    Returns
    -------
    Predictions or None
        In the frame's order; None where it has no row.

    Raises
    ------
    KeyError, ValueError
        Where it is none that a run writes.
    """
    if frame.empty:
        return None
    classes = tuple(metrics.get("classes") or ())
    if classes:
        code = {name: k for k, name in enumerate(classes)}
        y_true, y_pred = (_coded(frame[column], code) for column in ("y_true", "y_pred"))
    else:
        y_true = frame["y_true"].to_numpy(dtype=np.float64)
        y_pred = frame["y_pred"].to_numpy(dtype=np.float64)
    decision: NDArray[np.float64]
    if "decision" in frame:
        decision = frame["decision"].to_numpy(dtype=np.float64)
    elif all(f"decision: {name}" in frame for name in classes) and classes:
        columns = [f"decision: {name}" for name in classes]
        decision = frame[columns].to_numpy(dtype=np.float64)
    else:
        decision = y_pred.astype(np.float64)
    probability = None
    if classes and all(f"probability: {name}" in frame for name in classes):
        columns = [f"probability: {name}" for name in classes]
        probability = frame[columns].to_numpy(dtype=np.float64)
    positive = metrics.get("positive")
    # Runs of before there was the column were unweighted.
    weight = np.ones(len(frame))
    if "weight" in frame:
        weight = frame["weight"].to_numpy(dtype=np.float64)
    return Predictions(
        y_true=y_true,
        y_pred=y_pred,
        decision=decision,
        probability=probability,
        classes=classes,
        positive=classes.index(positive) if positive in classes else 1,
        ids=frame["id"].to_numpy().astype(np.str_),
        weight=weight,
        costs=tuple(metrics.get("costs") or ()),
        label_weights=tuple(metrics.get("label_weights") or metrics.get("costs") or ()),
        part=_parts(frame),
        drawn=_drawn(frame),
    )


def _coded(labels: pd.Series, code: Mapping[str, int]) -> NDArray[np.int64]:
    """Write labels as the places of their classes."""
    coded = labels.astype(str).map(code)
    if coded.isna().any():
        raise ValueError("a label is none of the run's classes")
    return np.asarray(coded.to_numpy(dtype=np.int64))


def _parts(frame: pd.DataFrame) -> NDArray[np.int64] | None:
    """Give each held-out part of all repeats a number."""
    if not {"repeat", "fold"} <= set(frame):
        return None
    fold = frame["fold"].to_numpy(dtype=np.int64)
    return np.asarray(frame["repeat"].to_numpy(dtype=np.int64) * (fold.max() + 1) + fold)


def _drawn(frame: pd.DataFrame) -> NDArray[Any] | None:
    """Read what intervals draw as one; of runs without the column, groups, or else items."""
    for column in ("drawn", "group"):
        if column in frame:
            return np.asarray(frame[column].to_numpy(dtype=np.int64))
    ids = frame["id"].to_numpy().astype(np.str_)
    places = np.unique(ids, return_inverse=True)[1].reshape(-1)
    return places if len(set(places.tolist())) < len(places) else None
