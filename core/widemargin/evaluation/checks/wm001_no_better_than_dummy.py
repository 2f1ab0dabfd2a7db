"""WM001: no better than the dummy.

What it means
-------------
The dummy looks at no feature: it always answers one class, the commonest, or the mean of the
training targets. The interval of the model's primary metric reaches the dummy's value, so these
items do not show that the model has learnt anything. An accuracy of 87% is no feat where 87% of the
items are of one class.

What to do
----------
Check that labels and items belong together and that the features hold what decides the label.
Choose a metric that the dummy cannot win by the commonest class alone, as MCC or ROC AUC. With few
items, add more.
"""

from __future__ import annotations

from typing import Final

from widemargin.evaluation.checks.context import CheckContext, Finding

CODE: Final = "WM001"
TITLE: Final = "no better than the dummy"


def check(context: CheckContext) -> Finding | None:
    """Compare the worse end of the interval with the dummy."""
    if not context.is_unclear:
        return None
    dummy = context.show(context.baseline("dummy"))
    guess = "the mean" if context.predictions.task == "regression" else "one class"
    return Finding(
        CODE,
        TITLE,
        "warning",
        f"{context.headline()} is not clearly better than {dummy}, which always answering {guess} "
        "gives. Check that the labels are right and that the features hold "
        "what decides them, or add items.",
    )
