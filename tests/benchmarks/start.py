"""Print how long short commands take, each in a fresh process, as the median of five.

The peer is starting Python and importing scikit-learn's svm, which any script of one's own would
have to do.

    python tests/benchmarks/start.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from statistics import median

import widemargin

_MAIL = b"Subject: Win\n\nFree cash, call now\n"
BUDGETS = {"widemargin --help": 0.4, "import widemargin": 0.3}


def main() -> None:
    """Time every command and print a table."""
    with tempfile.TemporaryDirectory() as runs:
        for name in ("texts", "spam"):
            widemargin.run(name, data=_fixture(name), runs=runs)
        commands = {
            "import widemargin": ["-c", "import widemargin"],
            "widemargin --help": ["-m", "widemargin", "--help"],
            "widemargin predict": ["-m", "widemargin", "predict", "texts", "good", "--runs", runs],
            "widemargin filter": ["-m", "widemargin", "filter", "spam", "--runs", runs],
            "import sklearn.svm (peer)": ["-c", "import sklearn.svm"],
        }
        seconds = {name: _time(words) for name, words in commands.items()}
    peer = seconds["import sklearn.svm (peer)"]
    print(f"{'':28}{'seconds':>9}{'budget':>9}{'peer / this':>13}")  # noqa: T201  # a table is the point
    for name, taken in seconds.items():
        budget = f"{BUDGETS[name]:.1f}" if name in BUDGETS else ""
        print(f"{name:28}{taken:9.2f}{budget:>9}{peer / taken:13.1f}")  # noqa: T201  # as above


def _fixture(name: str) -> dict[str, str]:
    from widemargin.registry import discover

    return dict(discover().use_case(name).fixture)


def _time(words: list[str]) -> float:
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, capture_output=True, input=_MAIL)
        taken.append(time.perf_counter() - start)
    return median(taken)


if __name__ == "__main__":
    main()
