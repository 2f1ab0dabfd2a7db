"""WM006: poorly calibrated probabilities.

What it means
-------------
Of the items that get a probability of about 0.8, about 80% should come true. The expected
calibration error (Naeini and others 2015; Guo and others 2017) averages the distance between
what was promised and what came true over ten bins; here it is above 0.05. It is judged from 1000
items on only, because on few items chance alone gives such distances.

What to do
----------
Look at the calibration curve in the report. Until it is mended, decide by the margin or by a
threshold chosen on held-out items, and do not read the probabilities as chances. More items per
class calibrate better; so does a sample with the same shares of the classes as in use.
"""

from __future__ import annotations

from typing import Final

from widemargin.evaluation.calibration import expected_calibration_error
from widemargin.evaluation.checks.context import CheckContext, Finding

CODE: Final = "WM006"
TITLE: Final = "poorly calibrated probabilities"

_LIMIT = 0.05
_ENOUGH = 1000


def check(context: CheckContext) -> Finding | None:
    """Compare the expected calibration error with its limit."""
    if len(context.predictions) < _ENOUGH:
        return None
    error = expected_calibration_error(context.predictions)
    if not error > _LIMIT:
        return None
    return Finding(
        CODE,
        TITLE,
        "warning",
        f"The probabilities are off by {100 * error:.1f} percentage points on average (expected "
        f"calibration error {error:.3f}; up to {_LIMIT} is good). Decide by the margin or by a "
        "threshold, and do not read the probabilities as chances.",
    )
