"""What is taken for what, class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widemargin.contracts import Block, Cell, Heatmap, Predictions, ReportSection, Table
from widemargin.contracts.counting import counted
from widemargin.report.artefacts import Artefacts
from widemargin.report.wordings import count, percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["build_confusion"]

MOST_DRAWN = 30
"""A grid of more classes than this cannot be read; the table still lists every class."""


def build_confusion(run: Artefacts) -> ReportSection | None:
    """Draw the confusion matrix and list precision, recall and F1 of each class."""
    predictions = run.predictions
    if predictions is None or not predictions.classes:
        return None
    classes = list(predictions.classes)
    counts = _counts(run)
    blocks: list[Block] = []
    if len(classes) <= MOST_DRAWN:
        of_row = counts / counts.sum(axis=1, keepdims=True).clip(min=1e-12)
        wide = len(classes) > 8
        texts = [[count(n) if n or not wide else "" for n in row] for row in counts]
        blocks.append(
            Heatmap(
                title="Confusion matrix",
                x_label="predicted",
                y_label="true",
                columns=classes,
                rows=classes,
                values=of_row.tolist(),
                texts=texts,
                note=(
                    f"Numbers are counts{run.averaged}; the colour is the share of the row."
                    f"{run.weighting}"
                ),
            )
        )
    rows: list[list[Cell]] = []
    for k, name in enumerate(classes):
        true, called, hits = counts[k].sum(), counts[:, k].sum(), counts[k, k]
        precision = float(hits / called) if called else None
        recall = float(hits / true) if true else None
        f1 = float(2 * hits / (true + called)) if true + called else None
        figures = [None if one is None else round(one, 4) for one in (precision, recall, f1)]
        rows.append([name, *figures, round(true)])
    blocks.append(
        Table(
            title="Class by class",
            columns=["class", "precision", "recall", "F1", run.use_case.wording.items],
            rows=rows,
        )
    )
    right = float(counts.trace() / counts.sum())
    intro = f"{percent(right)} of {_held_out(run, predictions)} predicted rightly{run.averaged}."
    return ReportSection(title="Right and wrong", intro=intro, blocks=blocks)


def _held_out(run: Artefacts, predictions: Predictions) -> str:
    wording = run.use_case.wording
    of = f"held-out {wording.item}", f"held-out {wording.items}"
    return counted(predictions.n_items, of[0], "are", of[1])


def _counts(run: Artefacts) -> NDArray[np.float64]:
    import numpy as np

    assert run.predictions is not None
    n = len(run.predictions.classes)
    places = run.predictions.y_true * n + run.predictions.y_pred
    return np.asarray(np.bincount(places, run.shares, n * n).reshape(n, n), dtype=np.float64)
