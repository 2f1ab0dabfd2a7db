"""What importing `widemargin.evaluation` costs."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_metrics_imports_no_heavy_library() -> None:
    code = (
        "import sys; from widemargin.evaluation import METRICS; "
        "print(*sorted({'sklearn', 'pandas', 'scipy', 'pyarrow', 'matplotlib', 'torch'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
