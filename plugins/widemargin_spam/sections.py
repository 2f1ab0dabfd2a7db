"""The report's part for those who run a mail server."""

from __future__ import annotations

from collections.abc import Sequence

from widemargin import Predictions, ReportSection, Table
from widemargin.evaluation import operating_points

__all__ = ["mail_server_section"]

_BLOCKED = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02)


def mail_server_section(predictions: Predictions) -> Sequence[ReportSection]:
    """Return how much spam is caught for each share of wanted mail that may be blocked."""
    points = operating_points(predictions, blocked=_BLOCKED)
    if not points:
        return []
    rows = [
        (
            f"{100 * limit:.1f}%",
            f"{100 * point.blocked:.2f}%",
            f"{100 * point.caught:.1f}%",
            round(point.threshold, 2),
        )
        for limit, point in zip(_BLOCKED, points, strict=True)
    ]
    caught, kept = (
        predictions.classes[code] for code in (predictions.positive, 1 - predictions.positive)
    )
    table = Table(
        columns=(f"{kept} blocked, at most", f"{kept} blocked", f"{caught} caught", "margin above"),
        rows=rows,
        note="A message is blocked where its margin, which widemargin predict prints, lies above "
        "the last column. That value is pooled from the held-out parts' models, whose margins "
        "differ a little in scale from the saved one's: try it on mail of your own.",
    )
    return [
        ReportSection(
            title="What a mail server would see",
            intro=f"How much {caught} is caught when only so much {kept} may be lost.",
            blocks=[table],
        )
    ]
