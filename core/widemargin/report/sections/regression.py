"""Numbers predicted beside the true ones, and what is left over."""

from __future__ import annotations

from widemargin.contracts import Block, Histogram, ReportSection, Scatter, Series
from widemargin.evaluation.regression import median_ae
from widemargin.evaluation.tally import Tally
from widemargin.report.artefacts import Artefacts
from widemargin.report.figures.scales import extent
from widemargin.report.wordings import number

__all__ = ["build_regression"]


def build_regression(run: Artefacts) -> ReportSection | None:
    """Draw predicted against true, and the residuals."""
    import numpy as np

    predictions = run.predictions
    if predictions is None or predictions.classes:
        return None
    true, predicted = predictions.y_true, predictions.y_pred
    residual = predicted - true
    unit = f" ({run.units})" if run.units else ""
    both = extent([*true.tolist(), *predicted.tolist()])
    far = float(np.abs(residual).max()) or 1.0
    edges = np.linspace(-far, far, 32)
    counts, _ = np.histogram(residual, bins=edges, weights=run.shares)
    half = float(median_ae(Tally(predictions, run.shares[np.newaxis]))[0])
    names = [str(name) for name in predictions.ids]
    flat = Series(name="no error", x=list(extent(predicted.tolist())), y=[0, 0], style="reference")
    blocks: list[Block] = [
        Scatter(
            title="Predicted and true",
            x_label=f"true{unit}",
            y_label=f"predicted{unit}",
            series=[
                Series(name="held out", x=true.tolist(), y=predicted.tolist(), labels=names),
                Series(name="perfect", x=both, y=both, style="reference"),
            ],
            x_range=both,
            y_range=both,
        ),
        Scatter(
            title="Errors along the predictions",
            x_label=f"predicted{unit}",
            y_label=f"predicted less true{unit}",
            series=[
                Series(name="held out", x=predicted.tolist(), y=residual.tolist(), labels=names),
                flat,
            ],
            note="A slope or a funnel here means that the errors depend on the size.",
        ),
        Histogram(
            title="How large the errors are",
            x_label=f"predicted less true{unit}",
            y_label=run.use_case.wording.items,
            edges=edges.tolist(),
            counts=[("held out", [float(n) for n in counts])],
            vertical=[(0.0, "no error")],
            note=(
                f"Half of the errors are smaller than {f'{number(half, 3)} {run.units}'.rstrip()}."
                f"{run.weighting}"
            ),
        ),
    ]
    return ReportSection(
        title="Predicted and true",
        intro=f"Each point was predicted by a model that had not seen it.{_again(run)}",
        blocks=blocks,
    )


def _again(run: Artefacts) -> str:
    if run.repeats < 2:
        return ""
    item = run.use_case.wording.item
    return f" Each {item} stands there {run.repeats} times, once for each repeat; counts are means."
