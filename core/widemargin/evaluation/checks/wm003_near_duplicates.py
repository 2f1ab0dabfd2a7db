"""WM003: near-duplicates would have inflated the score.

What it means
-------------
Some items are equal but for case, punctuation and digits. Had they been free to fall on both
sides of a split, the model would have been examined on items that it had been taught, and the
primary metric would have come out better by more than half the width of its interval. They were
kept together, so the numbers of this run do not suffer from it.

What to do
----------
Nothing for this run. Distrust numbers on the same data from elsewhere that do not say how
near-duplicates were treated, and do not switch the treatment off to match them.
"""

from __future__ import annotations

from typing import Final

from widemargin.evaluation.checks.context import CheckContext, Finding

CODE: Final = "WM003"
TITLE: Final = "near-duplicates would have inflated the score"


def check(context: CheckContext) -> Finding | None:
    """Compare the gain from crossing near-duplicates with half the interval."""
    found = context.near_duplicates
    if found is None:
        return None
    if not context.gain(found["crossing"], found["apart"]) > context.interval.width / 2:
        return None
    return Finding(
        CODE,
        TITLE,
        "note",
        f"With its {found['rows']} near-duplicates free to cross the splits, the same untuned "
        f"model would score {context.primary.title} {context.show(found['crossing'])} instead of "
        f"{context.show(found['apart'])}. They were kept together here; distrust numbers on this "
        "data that do not say so.",
    )
