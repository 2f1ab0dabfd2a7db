"""WM002: no better than the linear baseline.

What it means
-------------
Logistic regression (for a numeric target: ridge regression) was trained on the same features in
the same folds, with its own strength of regularisation searched. As a note: its value lies in the
model's interval, so the support vector machine shows no clear gain over it. As a warning: its
value is better than the whole interval.

What to do
----------
A note is common with a linear kernel and needs no action: the two are close relatives. Where a
kernel was meant to help, search wider values of C and gamma or other features. After a warning,
look at C first (WM004), then at the scaling of the features.
"""

from __future__ import annotations

from typing import Final

from widemargin.evaluation.checks.context import CheckContext, Finding
from widemargin.evaluation.flawless import perfected

CODE: Final = "WM002"
TITLE: Final = "no better than the linear baseline"


def check(context: CheckContext) -> Finding | None:
    """Compare both ends of the interval with the linear baseline."""
    linear = context.baseline("logistic_regression", "ridge")
    if not context.gain(context.pessimistic, linear) <= 0:
        return None
    regression = context.predictions.task == "regression"
    rival = "ridge regression" if regression else "logistic regression"
    if context.gain(linear, context.optimistic) > 0:
        return Finding(
            CODE,
            TITLE,
            "warning",
            f"{context.headline()} is worse than {context.show(linear)} of {rival} on the same "
            "features and folds. Search wider values of svm.C, or check how the features are "
            "scaled.",
        )
    best = context.primary.value(perfected(context.predictions))
    return Finding(
        CODE,
        TITLE,
        "note",
        f"{context.headline()} shows no clear gain over {context.show(linear)} of {rival} on the "
        "same features and folds. Nothing needs mending"
        + (
            ", and nothing is left to gain."
            if context.gain(context.interval.value, best) >= 0
            else "; another kernel or other features may gain more."
        ),
    )
