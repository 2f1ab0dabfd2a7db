"""How well the scores rank: ROC, precision and recall, and where the threshold falls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widemargin.contracts import Block, Histogram, Lines, Predictions, ReportSection, Series
from widemargin.report.artefacts import Artefacts
from widemargin.report.wordings import MINUS, brief, capital, number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["build_ranking", "build_scores", "ranking"]

UNIT = (0.0, 1.0)
MOST_CLASSES = 6
"""One-vs-rest curves of more classes than this cannot be told apart."""


def build_ranking(run: Artefacts) -> ReportSection | None:
    """Draw the ROC and the precision-recall curve, one-vs-rest where there are a few classes."""
    import numpy as np

    predictions = run.predictions
    if predictions is None or not 2 <= len(predictions.classes) <= MOST_CLASSES:
        return None
    roc, recall = [], []
    codes = [predictions.positive] if predictions.is_binary else range(len(predictions.classes))
    for code in codes:
        truth = predictions.y_true == code
        if truth.all() or not truth.any():
            continue
        false, true, precision = ranking(truth, _score(predictions, code))
        name = "this model" if predictions.is_binary else predictions.classes[code]
        roc.append(Series(name=name, x=false.tolist(), y=true.tolist()))
        recall.append(Series(name=name, x=true[1:].tolist(), y=precision[1:].tolist()))
    if not roc:
        return None
    chance = Series(name="chance", x=[0, 1], y=[0, 1], style="reference")
    base = float(np.mean(predictions.y_true == predictions.positive))
    level = Series(name="chance", x=[0, 1], y=[base, base], style="reference")
    binary = predictions.is_binary
    one = f"{run.positive}" if binary else "the class"
    intro = (
        f"If {run.use_case.wording.items} are put in order of their score, how far up does "
        f"{one} stand?"
    )
    blocks: list[Block] = [
        Lines(
            title="ROC curve",
            x_label=f"share of others taken for {one}",
            y_label=f"share of {one} found",
            series=[*roc, chance],
            x_range=UNIT,
            y_range=UNIT,
            note=_area(run, "roc_auc"),
        ),
        Lines(
            title="Precision and recall",
            x_label=f"share of {one} found (recall)",
            y_label="share of calls that are right (precision)",
            series=[*recall, *([level] if binary else [])],
            x_range=UNIT,
            y_range=UNIT,
            note=_area(run, "average_precision"),
        ),
    ]
    return ReportSection(title="Ranking", blocks=blocks, intro=intro)


def build_scores(run: Artefacts) -> ReportSection | None:
    """Draw how the scores of each class are spread, and the threshold between them."""
    import numpy as np

    predictions = run.predictions
    if predictions is None or not predictions.is_binary or predictions.decision.ndim != 1:
        return None
    scores = predictions.decision
    low, high = np.quantile(scores, [0.001, 0.999])
    edges = np.linspace(low, high, 41) if high > low else np.array([low - 0.5, low + 0.5])
    order = [1 - predictions.positive, predictions.positive]
    counts = []
    for code in order:
        within = np.clip(scores[predictions.y_true == code], edges[0], edges[-1])
        found, _ = np.histogram(within, bins=edges)
        counts.append((predictions.classes[code], [float(n) for n in found]))
    at = _threshold(run, predictions)
    items = run.use_case.wording.items
    marks = [] if at is None else [(at, "threshold")]
    note = "Counts are on a logarithmic scale, so that the few in the wrong place can be seen. "
    note += "Scores beyond the ends are counted in the outermost bars."
    intro = (
        "A score is the signed distance from the middle of the margin: 0 is the middle, "
        f"{MINUS}1 and 1 its edges. Above the threshold {items} are called {run.positive}."
    )
    return ReportSection(
        title="Scores",
        intro=intro,
        blocks=[
            Histogram(
                title="Scores by true class",
                x_label="score",
                y_label=f"{items} (logarithmic)",
                edges=edges.tolist(),
                counts=counts,
                vertical=marks,
                y_log=True,
                note=f"The threshold lies at {number(at, 2)}. {note}" if at is not None else note,
            )
        ],
    )


def ranking(
    truth: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Compute the points of the ROC and precision-recall curves.

    Parameters
    ----------
    truth : ndarray of shape (n_samples,)
        Whether each row is of the class.
    scores : ndarray of shape (n_samples,)
        Higher speaks for the class; equal scores are one point.

    Returns
    -------
    false, true, precision : ndarrays of shape (n_points,)
        False positive rate, recall and precision, from the highest score down, after a first
        point where nothing is called.

    Examples
    --------
    >>> import numpy as np
    >>> false, true, precision = ranking(np.array([True, False, True]), np.array([3.0, 2.0, 1.0]))
    >>> false.tolist(), true.tolist()
    ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    truth, scores = truth[order], scores[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(truth)[last]
    misses = last + 1 - hits
    false = np.append(0.0, misses / max(int(misses[-1]), 1))
    true = np.append(0.0, hits / max(int(hits[-1]), 1))
    precision = np.append(1.0, hits / (last + 1))
    return false, true, precision


def _score(predictions: Predictions, code: int) -> NDArray[np.float64]:
    if predictions.decision.ndim == 2:
        return predictions.decision[:, code]
    return predictions.decision if code == predictions.positive else -predictions.decision


def _threshold(run: Artefacts, predictions: Predictions) -> float | None:
    """Find the score at which labels change: the median over the folds, which differ a little."""
    import numpy as np

    found = []
    for fold in np.unique(run.folds):
        here = run.folds == fold
        called = predictions.y_pred[here] == predictions.positive
        scores = predictions.decision[here]
        if called.any() and not called.all():
            found.append((scores[called].min() + scores[~called].max()) / 2)
    return float(np.median(found)) if found else None


def _area(run: Artefacts, name: str) -> str:
    value = (run.metrics.get("metrics") or {}).get(name, {}).get("value")
    return (
        f"{capital(run.title(name))}: {brief(run.metric(name), value)}."
        if value is not None
        else ""
    )
