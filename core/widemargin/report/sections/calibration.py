"""Whether a stated probability of 80% comes true in 80 of 100 cases."""

from __future__ import annotations

import math

from widemargin.contracts import Histogram, Lines, ReportSection, Series
from widemargin.evaluation import calibration_curve, expected_calibration_error
from widemargin.report.artefacts import Artefacts
from widemargin.report.wordings import capital, percent

__all__ = ["build_calibration"]

N_BINS = 10


def build_calibration(run: Artefacts) -> ReportSection | None:
    """Draw the reliability curve with 95% Wilson intervals, and how many items stand behind it."""
    predictions = run.predictions
    if predictions is None or predictions.probability is None:
        return None
    if predictions.is_binary:
        what, happens = f"probability of {run.positive}", f"share that is {run.positive}"
    else:
        what, happens = "probability of the most probable class", "share that is of it"
    items = run.use_case.wording.items
    curve = calibration_curve(predictions, N_BINS)
    intervals = [_wilson(part.observed, part.n_independent) for part in curve]
    counts = [0.0] * N_BINS
    for part in curve:
        counts[part.place] = part.n_items
    off = expected_calibration_error(predictions, N_BINS)
    measured = Series(
        name="measured",
        x=[part.predicted for part in curve],
        y=[part.observed for part in curve],
        low=[low for low, _ in intervals],
        high=[high for _, high in intervals],
        labels=[run.items(part.n_items) for part in curve],
    )
    return ReportSection(
        title="Calibration",
        intro=f"Does a {what} of 80% come true in 80 of 100 cases?",
        blocks=[
            Lines(
                title="Stated and true",
                x_label=what,
                y_label=happens,
                series=[
                    measured,
                    Series(name="perfect", x=[0, 1], y=[0, 1], style="reference"),
                ],
                x_range=(0.0, 1.0),
                y_range=(0.0, 1.0),
                markers=True,
                note=(
                    f"On average a stated probability is {percent(off)} off. Upright bars are 95% "
                    f"Wilson intervals; they are wide where few {items} stand behind a point."
                    f"{_drawn(run)}"
                ),
            ),
            Histogram(
                title=f"How many {items} stand behind each point",
                x_label=what,
                y_label=f"{items} (logarithmic)",
                edges=[k / N_BINS for k in range(N_BINS + 1)],
                counts=[(items, counts)],
                y_log=True,
            ),
        ],
    )


def _drawn(run: Artefacts) -> str:
    """Say what counts once in the intervals, where it is not the prediction."""
    predictions, wording = run.predictions, run.use_case.wording
    if predictions is None or predictions.drawn is None:
        return ""
    if len(set(predictions.drawn.tolist())) < predictions.n_items:
        return (
            f" {capital(wording.items)} that are drawn together count for less than as many others."
        )
    return f" Each {wording.item} counts once there, however often it was predicted."


def _wilson(share: float, n: float) -> tuple[float, float]:
    """Compute the 95% interval of a share (Wilson, 1927)."""
    z = 1.959964
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)
