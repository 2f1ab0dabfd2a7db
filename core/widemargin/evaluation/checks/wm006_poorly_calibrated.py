"""WM006: poorly calibrated probabilities.

What it means
-------------
Of the items that get a probability of about 0.8, about 80% should come true. The expected
calibration error (Naeini and others 2015; Guo and others 2017) averages the distance between
what was promised and what came true over ten bins; here it is above 0.05, and above twice what
chance alone gives so many independent items: in a bin of n with the probability p, the root of
2 p (1 - p) / (pi n).

What to do
----------
Look at the calibration curve in the report. Until it is mended, decide by the margin or by a
threshold chosen on held-out items, and do not read the probabilities as chances. More items per
class calibrate better; so does a sample with the same shares of the classes as in use.
"""

from __future__ import annotations

import math
from typing import Final

from widemargin.evaluation.calibration import calibration_curve, expected_calibration_error
from widemargin.evaluation.checks.context import CheckContext, Finding

CODE: Final = "WM006"
TITLE: Final = "poorly calibrated probabilities"

_LIMIT = 0.05


def check(context: CheckContext) -> Finding | None:
    """Compare the expected calibration error with its limit, and with what chance gives."""
    curve = calibration_curve(context.predictions)
    weight = sum(one.weight for one in curve)
    chance = sum(
        one.weight
        / weight
        * math.sqrt(2 * one.predicted * (1 - one.predicted) / math.pi)
        / math.sqrt(max(one.n_independent, 1.0))
        for one in curve
    )
    limit = max(_LIMIT, 2 * chance)
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
