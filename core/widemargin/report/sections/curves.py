"""How well the scores rank: ROC, precision and recall, and where the threshold falls."""

from __future__ import annotations

import math

from widemargin.contracts import Block, Histogram, Lines, ReportSection, Series
from widemargin.evaluation.classification import roc_auc
from widemargin.evaluation.tally import Tally
from widemargin.report.artefacts import Artefacts
from widemargin.report.wordings import brief, capital

__all__ = ["build_ranking", "build_scores"]

UNIT = (0.0, 1.0)
LEAST_FALSE, NEAR_PERFECT = 0.001, 0.98
"""Where the logarithmic axis begins, and the area under the curve above which there is one."""

BEYOND = " Shares below 0.001 are drawn at the left end."
MOST_CLASSES = 6
"""One-vs-rest curves of more classes than this cannot be told apart."""


def build_ranking(run: Artefacts) -> ReportSection | None:
    """Draw the ROC and the precision-recall curve, one-vs-rest where there are a few classes."""
    import numpy as np

    predictions = run.predictions
    if predictions is None or not 2 <= len(predictions.classes) <= MOST_CLASSES:
        return None
    binary = predictions.is_binary
    tally = Tally(predictions, predictions.weight[np.newaxis])
    names = ["this model"] if binary else predictions.classes
    roc, recall = [], []
    for name, climb in zip(names, tally.climbs, strict=True):
        positive, negative = climb.positive[0], climb.negative[0]
        if not positive[-1] or not negative[-1]:
            continue
        false, true = negative / negative[-1], positive / positive[-1]
        passed = positive + negative
        precision = positive[passed > 0] / passed[passed > 0]
        roc.append(Series(name=name, x=[0.0, *false.tolist()], y=[0.0, *true.tolist()]))
        recall.append(Series(name=name, x=true[passed > 0].tolist(), y=precision.tolist()))
    if not roc:
        return None
    # A very good curve hugs the corner; only a logarithmic axis opens it.
    near = float(roc_auc(tally)[0]) > NEAR_PERFECT
    diagonal = np.geomspace(LEAST_FALSE, 1, 40).tolist() if near else [0.0, 1.0]
    chance = Series(name="chance", x=diagonal, y=diagonal, style="reference")
    is_positive = predictions.y_true == predictions.positive
    base = float(np.average(is_positive, weights=predictions.weight))
    level = Series(name="chance", x=[0, 1], y=[base, base], style="reference")
    one = f"{run.positive}" if binary else "the class"
    intro = (
        f"If {run.use_case.wording.items} are put in order of how probable {one} is, how far up "
        f"does {one} stand?"
    )
    blocks: list[Block] = [
        Lines(
            title="ROC curve",
            x_label=f"share of others taken for {one}{' (logarithmic)' if near else ''}",
            y_label=f"share of {one} found",
            series=[*roc, chance],
            x_range=(LEAST_FALSE, 1.0) if near else UNIT,
            y_range=UNIT,
            x_log=near,
            note=(_area(run, "roc_auc") + _within(run) + (BEYOND if near else "")).strip(),
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
    if predictions is None or not predictions.is_binary or predictions.probability is None:
        return None
    # A probability of 1 has no finite odds; a millionth from it is as far as any picture needs.
    sure = np.clip(predictions.probability[:, predictions.positive], 1e-6, 1 - 1e-6)
    scores = np.log(sure / (1 - sure))
    weights = predictions.label_weights or (1.0, 1.0)
    turn = math.log(weights[1 - predictions.positive] / weights[predictions.positive])
    low, high = np.quantile(scores - turn, [0.001, 0.999])
    low, high = min(low, 0.0), max(high, 0.0)
    step = (high - low) / 40 or 1.0
    # No bar lies on both sides of where the call changes.
    first = math.floor(low / step)
    edges = turn + step * np.arange(first, max(math.ceil(high / step), first + 1) + 1)
    order = [1 - predictions.positive, predictions.positive]
    counts = []
    for code in order:
        here = predictions.y_true == code
        within = np.clip(scores[here], edges[0], edges[-1])
        found, _ = np.histogram(within, bins=edges, weights=run.shares[here])
        counts.append((predictions.classes[code], [float(n) for n in found]))
    items = run.use_case.wording.items
    other = predictions.classes[1 - predictions.positive]
    note = "Counts are on a logarithmic scale, so that the few in the wrong place can be seen. "
    note += "Scores beyond the ends are counted in the outermost bars."
    intro = (
        f"A score is the log-odds: the logarithm of how much likelier {run.positive} is than "
        f"{other}; 0 is even. "
    )
    if predictions.label_weights:
        by = "what mistakes cost" if predictions.costs else "what the classes weigh"
        intro += f"By {by}, {items} are called {run.positive} above {turn:.2f}."
    else:
        intro += f"Above 0 {items} are called {run.positive}."
    return ReportSection(
        title="Scores",
        intro=intro,
        blocks=[
            Histogram(
                title="Scores by true class",
                x_label=f"log-odds of {run.positive}",
                y_label=f"{items} (logarithmic)",
                edges=edges.tolist(),
                counts=counts,
                vertical=[(turn, "the call changes" if predictions.label_weights else "even")],
                y_log=True,
                note=note + run.weighting,
            )
        ],
    )


def _within(run: Artefacts) -> str:
    """Say that the number ranks within the parts, where the curve takes all together."""
    predictions = run.predictions
    if predictions is None or predictions.part is None or not predictions.is_binary:
        return ""
    if len(set(predictions.part.tolist())) < 2:
        return ""
    return " It ranks within each held-out part; the curve takes all parts together."


def _area(run: Artefacts, name: str) -> str:
    value = (run.metrics.get("metrics") or {}).get(name, {}).get("value")
    return (
        f"{capital(run.title(name))}: {brief(run.metric(name), value)}."
        if value is not None
        else ""
    )
