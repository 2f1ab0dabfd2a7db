"""What `widemargin.evaluation` offers, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import widemargin.evaluation


def test_the_public_names_are_these() -> None:
    assert sorted(widemargin.evaluation.__all__) == [
        "Baseline",
        "CHECKS",
        "CalibrationBin",
        "CheckContext",
        "Finding",
        "Interval",
        "METRICS",
        "NearDuplicates",
        "OperatingPoint",
        "Searched",
        "baselines",
        "bootstrap_intervals",
        "calibration_curve",
        "expected_calibration_error",
        "fold_scores",
        "operating_points",
        "run_checks",
        "take",
    ]
    assert all(hasattr(widemargin.evaluation, name) for name in widemargin.evaluation.__all__)


def test_importing_the_metrics_imports_no_heavy_library() -> None:
    code = (
        "import sys; from widemargin.evaluation import METRICS; "
        "print(*sorted({'sklearn', 'pandas', 'scipy', 'pyarrow', 'matplotlib', 'torch'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
