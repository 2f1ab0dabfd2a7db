"""WM002: no better than the linear baseline.

What it means
-------------
Logistic regression (for a numeric target: ridge regression) was trained on the same features in
the same folds, with its own strength of regularisation searched, and the interval of the gain over
it was made by drawing the same items for both. As a note: that interval reaches 0, so the support
vector machine shows no clear gain. As a warning: all of it is below 0.

What to do
----------
A note is common with a linear kernel and needs no action: the two are close relatives. Where a
kernel was meant to help, search wider values of C and gamma or other features. After a warning,
look at C first (WM004), then at the scaling of the features.

Where the model is no better than the dummy either (WM001), the features may not hold the answer.
"""

from __future__ import annotations

from typing import Final

from widemargin.evaluation.checks.context import CheckContext, Finding
from widemargin.evaluation.flawless import perfected

CODE: Final = "WM002"
TITLE: Final = "no better than the linear baseline"


def check(context: CheckContext) -> Finding | None:
    """Compare both ends of the gain's interval with none."""
    names = ("logistic_regression", "ridge")
    linear, gain = context.baseline(*names), context.gain_over(*names)
    # Written so that an undefined gain yields no finding.
    if not gain.low <= 0:
        return None
    regression = context.predictions.task == "regression"
    rival = "ridge regression" if regression else "logistic regression"
    if gain.high < 0:
        return Finding(
            CODE,
            TITLE,
            "warning",
            f"{context.headline()} is worse than {context.show(linear)} of {rival} on the same "
            "features and folds. Search wider values of svm.C, or check how the features are "
            "scaled.",
        )
    said = (
        f"{context.headline()} shows no clear gain over {context.show(linear)} of {rival} on the "
        "same features and folds."
    )
    best = context.primary.value(perfected(context.predictions))
    if context.is_unclear:
        said += " These features may not hold the answer; try others."
    elif context.gain(context.interval.value, best) >= 0:
        said += " Nothing needs mending, and nothing is left to gain."
    else:
        said += " Nothing needs mending; another kernel or other features may gain more."
    return Finding(CODE, TITLE, "note", said)
