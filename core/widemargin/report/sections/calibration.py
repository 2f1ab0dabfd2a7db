"""Whether a stated probability of 80% comes true in 80 of 100 cases."""

from __future__ import annotations

import math

from widemargin.contracts import Histogram, Lines, ReportSection, Series
from widemargin.report.artefacts import Artefacts
from widemargin.report.wordings import count, percent

__all__ = ["build_calibration"]

N_BINS = 10


def build_calibration(run: Artefacts) -> ReportSection | None:
    """Draw the reliability curve with 95% Wilson intervals, and how many items stand behind it."""
    import numpy as np

    predictions = run.predictions
    if predictions is None or predictions.probability is None:
        return None
    rows = np.arange(len(predictions))
    if predictions.is_binary:
        stated = predictions.probability[:, predictions.positive]
        true = predictions.y_true == predictions.positive
        what, happens = f"probability of {run.positive}", f"share that is {run.positive}"
    else:
        stated = predictions.probability[rows, predictions.y_pred]
        true = predictions.y_true == predictions.y_pred
        what, happens = "probability of the predicted class", "share that is right"
    edges = np.linspace(0, 1, N_BINS + 1)
    bins = np.clip(np.digitize(stated, edges[1:-1]), 0, N_BINS - 1)
    x, y, low, high, labels = [], [], [], [], []
    off = 0.0
    for k in range(N_BINS):
        here = bins == k
        n = int(here.sum())
        if n == 0:
            continue
        mean, share = float(stated[here].mean()), float(true[here].mean())
        first, last = _wilson(share, n)
        off += abs(mean - share) * n / len(stated)
        x.append(mean)
        y.append(share)
        low.append(first)
        high.append(last)
        labels.append(f"{count(n)} {run.use_case.wording.items}")
    counts = np.bincount(bins, minlength=N_BINS)
    items = run.use_case.wording.items
    return ReportSection(
        title="Calibration",
        intro=f"Does a {what} of 80% come true in 80 of 100 cases?",
        blocks=[
            Lines(
                title="Stated and true",
                x_label=what,
                y_label=happens,
                series=[
                    Series(name="measured", x=x, y=y, low=low, high=high, labels=labels),
                    Series(name="perfect", x=[0, 1], y=[0, 1], style="reference"),
                ],
                x_range=(0.0, 1.0),
                y_range=(0.0, 1.0),
                markers=True,
                note=(
                    f"On average a stated probability is {percent(off)} off. Upright bars are 95% "
                    "Wilson intervals; they are wide where few items stand behind a point."
                ),
            ),
            Histogram(
                title=f"How many {items} stand behind each point",
                x_label=what,
                y_label=f"{items} (logarithmic)",
                edges=edges.tolist(),
                counts=[(items, [float(n) for n in counts])],
                y_log=True,
            ),
        ],
    )


def _wilson(share: float, n: int) -> tuple[float, float]:
    """Compute the 95% interval of a share (Wilson, 1927)."""
    z = 1.959964
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)
