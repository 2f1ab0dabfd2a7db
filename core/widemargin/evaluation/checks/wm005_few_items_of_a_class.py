"""WM005: few items of a class.

What it means
-------------
A class has fewer than 50 items. One item more or less recognised moves its recall by over two
percentage points, so every metric that looks at this class is rough, and its interval wide.

What to do
----------
Read the interval and not the value. Collect more items of the class, or join it with another one.
"""

from __future__ import annotations

from typing import Final

from widemargin.contracts.counting import counted
from widemargin.evaluation.checks.context import CheckContext, Finding

CODE: Final = "WM005"
TITLE: Final = "few items of a class"

_ENOUGH = 50
_NAMED = 5


def check(context: CheckContext) -> Finding | None:
    """Count the items of each class."""
    few = {name: count for name, count in context.class_counts.items() if count < _ENOUGH}
    if not few:
        return None
    rarest = sorted(few, key=lambda name: (few[name], name))
    named = ", ".join(f"{name!r} has {few[name]}" for name in rarest[:_NAMED])
    rest = counted(len(few) - _NAMED, "more class", "have", "more classes")
    more = f", and {rest} few" if len(few) > _NAMED else ""
    return Finding(
        CODE,
        TITLE,
        "warning",
        f"Of {len(context.class_counts)} classes {named}{more}; below {_ENOUGH} items the numbers "
        "are rough. Read the intervals, collect more items, or join classes.",
    )
