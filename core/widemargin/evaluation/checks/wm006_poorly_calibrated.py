"""WM006: poorly calibrated probabilities.

What it means
-------------
Of the items that get a probability of about 0.8, about 80% should come true. The expected
calibration error (Naeini and others 2015; Guo and others 2017) averages the distance between
what was promised and what came true over ten bins; here it is above 0.05. On fewer than 1000 items
chance alone gives such distances, and it has to be above twice what chance gives at most: of n
items, 0.8 times the root of 10 / n.

What to do
----------
Look at the calibration curve in the report. Until it is mended, decide by the margin or by a
threshold chosen on held-out items, and do not read the probabilities as chances. More items per
class calibrate better; so does a sample with the same shares of the classes as in use.
"""

from __future__ import annotations

import math
from typing import Final

from widemargin.evaluation.calibration import expected_calibration_error
from widemargin.evaluation.checks.context import CheckContext, Finding

CODE: Final = "WM006"
TITLE: Final = "poorly calibrated probabilities"

_LIMIT = 0.05
_ENOUGH = 1000
_BINS = 10


def check(context: CheckContext) -> Finding | None:
    """Compare the expected calibration error with its limit."""
    n = context.predictions.n_items
    # A share of n / 10 items is off by 0.4 times the root of 10 / n on average, or less.
    limit = _LIMIT if n >= _ENOUGH else max(_LIMIT, 0.8 * math.sqrt(_BINS / max(n, 1)))
    error = expected_calibration_error(context.predictions)
    if not error > limit:
        return None
    return Finding(
        CODE,
        TITLE,
        "warning",
        f"The probabilities are off by {100 * error:.1f} percentage points on average (expected "
        f"calibration error {error:.3f}; up to {_LIMIT} is good). Decide by the margin or by a "
        "threshold, and do not read the probabilities as chances.",
    )
