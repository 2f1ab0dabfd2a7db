"""The files of two runs' difference: HTML, CSV of the disagreements, and JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from widemargin.comparison.difference import Difference
from widemargin.report.comparison.difference_page import render_difference

__all__ = ["difference_files"]

PAGE, TABLE = "difference.html", "disagreements.csv"


def difference_files(found: Difference, folder: Path) -> dict[str, bytes]:
    """Write the files of what differs between two runs.

    Parameters
    ----------
    found : Difference
        What is told.
    folder : Path
        Where the files will lie.

    Returns
    -------
    dict of str to bytes
        By their names in the folder; no table where items were not compared.
    """
    data = json.dumps(found.to_data(), indent=2, ensure_ascii=False, allow_nan=False)
    table = {TABLE: _csv(found).encode()} if found.agreement else {}
    page = render_difference(found, folder, TABLE if table else "")
    return {PAGE: page.encode(), **table, "difference.json": f"{data}\n".encode()}


def _csv(found: Difference) -> str:
    """Write one row an item on which they disagree, for numbers one an item."""
    assert found.agreement is not None
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    heads = ["id", "truth", "predicted_a", "predicted_b", "probability_a", "probability_b"]
    writer.writerow([*heads, "decision_a", "decision_b", "who", "text"])
    for one in found.agreement.items:
        writer.writerow(
            [
                one.id,
                one.truth,
                *one.predicted,
                *(one.probability or ("", "")),
                *(one.decision or ("", "")),
                one.kind,
                one.text,
            ]
        )
    return sink.getvalue()
