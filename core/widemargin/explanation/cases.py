"""Items as people read them, and support vectors as cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Columns, Dataset, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["show_item", "show_value", "support_cases"]

_EXAMPLES = 6


def show_item(X: Columns, kinds: Mapping[str, Kind], row: int, limit: int = 600) -> str:
    """Write one item in words.

    Examples
    --------
    >>> show_item({"text": ["win cash now"]}, {"text": "text"}, 0)
    'win cash now'
    >>> show_item({"rooms": [3.0], "town": ["Bonn"]}, {"rooms": "table", "town": "table"}, 0)
    'rooms 3, town Bonn'
    >>> show_item({"photo": [np.zeros((28, 30, 3), np.uint8)]}, {"photo": "image"}, 0)
    '28 x 30 pixels'
    """
    parts: list[str] = []
    letters = 0
    for column, kind in kinds.items():
        # Of thousands of columns most would be cut off again.
        if letters > limit:
            break
        values = X[column]
        value = values.iloc[row] if hasattr(values, "iloc") else values[row]
        if kind in ("text", "sequence"):
            parts.append(str(value))
        elif kind == "image" and isinstance(value, np.ndarray):
            parts.append(f"{' x '.join(map(str, value.shape[:2]))} pixels")
        elif kind in ("image", "audio"):
            parts.append(show_value(value))
        else:
            parts.append(f"{column} {show_value(value)}")
        letters += len(parts[-1])
    text = (" / " if set(kinds.values()) == {"text"} else ", ").join(parts)
    if len(text) <= limit:
        return text
    # Of what was not written out nobody knows the length.
    length = f" ({len(text):,} letters)" if len(parts) == len(kinds) else ""
    return f"{text[:limit]} …{length}"


def show_value(value: Any) -> str:
    """Write a cell of a table in words.

    Examples
    --------
    >>> show_value(3.0), show_value("Bonn"), show_value(None), show_value(np.zeros((300, 5)))
    ('3', 'Bonn', 'missing', '300 x 5 numbers')
    """
    if isinstance(value, np.ndarray):
        return f"{' x '.join(map(str, value.shape))} numbers"
    if isinstance(value, Path):
        return f"{value.parent.name}/{value.name}" if value.parent.name else value.name
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if value is None or value != value:  # NaN
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def support_cases(
    dataset: Dataset,
    support: NDArray[np.intp],
    weights: NDArray[np.float64],
    bound: float | None = None,
) -> dict[str, Any]:
    """Describe support vectors: how many, and the weightiest of each class as examples.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    support : ndarray of shape (n_support,)
        Their rows in `dataset`.
    weights : ndarray of shape (n_support,)
        How much each counts.
    bound : float, optional
        The largest weight that there can be, C, where weights are multipliers.
    """
    order = np.argsort(-weights, kind="stable")
    examples: list[dict[str, Any]] = []
    for name in dataset.classes or ("",):
        own = [at for at in order if not name or dataset.y[support[at]] == name][:_EXAMPLES]
        examples.extend(
            {
                "id": str(dataset.ids[support[at]]),
                "text": show_item(dataset.X, dataset.kinds, int(support[at])),
                "label": name or f"{dataset.y[support[at]]:.6g}",
                "weight": float(weights[at]),
            }
            for at in own
        )
    at_bound = None if bound is None else int((weights >= bound * (1 - 1e-6)).sum())
    return {"count": len(support), "at_bound": at_bound, "examples": examples}
