"""WM007: too few items for the folds.

What it means
-------------
There are fewer items of a class (for a numeric target: fewer items) than parts were asked for of
the outer or of the inner cross-validation, so fewer parts are made, and each number stands on
less.

What to do
----------
Use fewer parts, join rare classes, or collect more items.
"""

from __future__ import annotations

from typing import Final

from widemargin.evaluation.checks.context import CheckContext, Finding

CODE: Final = "WM007"
TITLE: Final = "too few items for the folds"


def check(context: CheckContext) -> Finding | None:
    """Count what each part of the outer and inner cross-validation can hold."""
    if context.class_counts:
        rarest = min(context.class_counts, key=lambda name: (context.class_counts[name], name))
        count, what = context.class_counts[rarest], f"Class {rarest!r}"
    else:
        count, what = context.n_samples, "The data set"
    # The inner parts share what the fullest outer part leaves.
    trained = count - -(-count // context.outer) if context.outer else count
    if count < context.outer:
        parts, setting, has = context.outer, "outer", f"{count} items"
    elif trained < context.inner:
        parts, setting, has = context.inner, "inner", f"{trained} items to train on"
    else:
        return None
    return Finding(
        CODE,
        TITLE,
        "warning",
        f"{what} has {has}, fewer than the {parts} parts asked for of the {setting} "
        f"cross-validation, so fewer were made. Lower evaluation.{setting}, join rare classes, or "
        "collect more items.",
    )
