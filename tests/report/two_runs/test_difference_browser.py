"""The page of two runs in a real browser: no errors, no sideways scrolling, sorting."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from widemargin.comparison.difference import Difference
from widemargin.report.comparison.difference_files import difference_files

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
if BROWSER is None and not os.environ.get("CI"):
    pytest.skip("needs Debian's chromium", allow_module_level=True)


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_any_width_and_its_tables_sort(
    width: int, found: Difference, tmp_path: Path
) -> None:
    assert BROWSER is not None, "CI needs Debian's chromium: apt-get install chromium"
    for name, content in difference_files(found, tmp_path).items():
        (tmp_path / name).write_bytes(content)
    outer = tmp_path / "outer.html"
    outer.write_text(
        f"""<!doctype html><body><script>
        const look = (frame) => {{
          const page = frame.contentDocument;
          const said = document.body.dataset;
          const root = page.documentElement;
          said.over = root.scrollWidth - root.clientWidth;
          const table = page.querySelector("table.cells");
          const first = () => table.tBodies[0].rows[0].cells[0].textContent;
          said.before = first();
          table.querySelectorAll("thead th")[1].querySelector("button").click();
          said.lowest = first();
          table.querySelectorAll("thead th")[1].querySelector("button").click();
          said.highest = first();
        }};
        </script><iframe src="difference.html" width="{width}" height="800" onload="look(this)">
        </iframe></body>""",
        encoding="utf-8",
    )
    done = subprocess.run(
        [
            *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--v=0"),
            *("--virtual-time-budget=3000", "--allow-file-access-from-files", "--dump-dom"),
            outer.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert re.findall(r":CONSOLE[^\]]*\] (.*)", done.stderr) == []
    said = dict(re.findall(r'data-(over|before|lowest|highest)="([^"]*)"', done.stdout))
    assert said == {"over": "0", "before": "F1", "lowest": "Brier score", "highest": "Accuracy"}
