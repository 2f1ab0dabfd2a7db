"""WM008: a suspiciously perfect score.

What it means
-------------
The primary metric is at least 0.999 (where it is an error: accuracy or R2 is). Real problems are
seldom that easy. Often the features hold the answer: a column that is written after the label is
known, an identifier whose order follows the label, or copies of one item on both sides of a split.
Where one column of a table tells the answer by itself, it is named.

What to do
----------
Look at what pushes the decisions in the report. Remove columns that are not known yet when the
prediction is wanted, and declare groups of items that belong together. Some problems are that
easy; then the dummy's value or the linear baseline's tells it.
"""

from __future__ import annotations

from typing import Final

from widemargin.evaluation.checks.context import CheckContext, Finding
from widemargin.evaluation.metrics import METRICS

CODE: Final = "WM008"
TITLE: Final = "a suspiciously perfect score"

_PERFECT = 0.999
_NAMED = 5


def check(context: CheckContext) -> Finding | None:
    """Look whether the score is as good as perfect."""
    metric, value = context.primary, context.interval.value
    if not metric.greater_is_better:
        name = "r2" if context.predictions.task == "regression" else "accuracy"
        metric = next(metric for metric in METRICS if metric.name == name)
        value = metric.compute(context.predictions)
    if not value >= _PERFECT:
        return None
    told = context.telltales()
    if told:
        more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        why = (
            f"One column alone tells the answer: {', '.join(told[:_NAMED])}{more}. Leave it out "
            "where it is written once the answer is known."
        )
    else:
        why = (
            "Look for a feature that gives the answer away, and for copies of one item on both "
            "sides of a split."
        )
    return Finding(
        CODE,
        TITLE,
        "warning",
        f"{metric.title} {metric.format(value)} is suspiciously good. {why}",
    )
