"""Evaluation: metrics, intervals, baselines, and checks of whether the numbers may be believed.

The blocks that a use case's own part of the report is made of (`Table`, `Lines`, `Bars` and the
others) are found here too.

Importing this needs numpy and no heavier library.

Examples
--------
>>> from widemargin.evaluation import METRICS
>>> next(metric.title for metric in METRICS if metric.name == "caught_at_0.1")
'caught at 0.1% blocked'
"""

from widemargin.contracts import (
    Bars,
    Block,
    Cell,
    Code,
    Estimate,
    Estimates,
    Facts,
    Heatmap,
    Histogram,
    Judged,
    Lines,
    Map,
    Picture,
    Pictures,
    Quote,
    Quotes,
    Refitted,
    RunRecord,
    Scatter,
    Series,
    Study,
    Table,
    Text,
)
from widemargin.evaluation.baselines import Baseline, baselines
from widemargin.evaluation.calibration import (
    CalibrationBin,
    calibration_curve,
    expected_calibration_error,
)
from widemargin.evaluation.checks import (
    CHECKS,
    CheckContext,
    Finding,
    NearDuplicates,
    Searched,
    run_checks,
)
from widemargin.evaluation.folds import fold_scores, take
from widemargin.evaluation.intervals import Interval, bootstrap_intervals, paired_intervals
from widemargin.evaluation.metrics import METRICS
from widemargin.evaluation.operating import OperatingPoint, operating_points
from widemargin.evaluation.paired import PairedTest, corrected_t_test, holm

__all__ = [
    "CHECKS",
    "METRICS",
    "Bars",
    "Baseline",
    "Block",
    "CalibrationBin",
    "Cell",
    "CheckContext",
    "Code",
    "Estimate",
    "Estimates",
    "Facts",
    "Finding",
    "Heatmap",
    "Histogram",
    "Interval",
    "Judged",
    "Lines",
    "Map",
    "NearDuplicates",
    "OperatingPoint",
    "PairedTest",
    "Picture",
    "Pictures",
    "Quote",
    "Quotes",
    "Refitted",
    "RunRecord",
    "Scatter",
    "Searched",
    "Series",
    "Study",
    "Table",
    "Text",
    "baselines",
    "bootstrap_intervals",
    "calibration_curve",
    "corrected_t_test",
    "expected_calibration_error",
    "fold_scores",
    "holm",
    "operating_points",
    "paired_intervals",
    "run_checks",
    "take",
]
