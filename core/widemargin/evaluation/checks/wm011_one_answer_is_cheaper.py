"""WM011: one answer for all is cheaper.

What it means
-------------
Mistakes cost what ``svm.costs`` says, and always answering one class, whatever the item, would have
cost no more than what the model decides: refusing everybody, say, or accepting everybody. Whoever
acts on the model's labels pays for having it. As a note: it may be so, since the interval of the
mean cost reaches that of the one answer. A model can rank items well all the same.

What to do
----------
Take the answer that is cheapest for all until there is a model that costs less; or use the ranking
for something else than these decisions. Check that the costs are right: where one mistake is far
dearer than the other, only a model that is nearly sure of some items can be worth its while. More
items and better features help, and so does a calibration that holds (WM006).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from widemargin.evaluation.checks.context import CheckContext, Finding

CODE: Final = "WM011"
TITLE: Final = "one answer for all is cheaper"

_METRIC = "mean_cost"
_SAME = 1e-9


def check(context: CheckContext) -> Finding | None:
    """Compare the mean cost with that of always answering the cheapest class."""
    told = context.predictions
    # Where the mean cost is the headline, the dummy is what it is compared with.
    if not told.costs or _METRIC not in context.intervals or context.primary.name == _METRIC:
        return None
    truth = np.asarray(told.y_true)
    lost = np.asarray(told.costs)[truth] * told.weight
    each = [lost[truth != code].sum() / told.weight.sum() for code in range(len(told.classes))]
    least, answer = min(each), told.classes[int(np.argmin(each))]
    own = context.intervals[_METRIC]
    if own.value > least - _SAME:
        cheaper = "less" if own.value > least + _SAME else "no more"
        return Finding(
            CODE,
            TITLE,
            "warning",
            f"the model's decisions cost {own.value:.3f} an item on average; answering {answer} "
            f"whatever the item would cost {cheaper}, {least:.3f}. Do not decide by this model at "
            "these costs (svm.costs).",
        )
    if own.high > least:
        return Finding(
            CODE,
            TITLE,
            "note",
            f"the model's decisions cost {own.value:.3f} an item on average ({own.low:.3f} to "
            f"{own.high:.3f}), not clearly less than answering {answer} whatever the item, which "
            f"costs {least:.3f}.",
        )
    return None
