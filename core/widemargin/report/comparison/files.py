"""The files of a comparison: HTML, CSV, Markdown and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence

from widemargin.comparison import Comparison, Row
from widemargin.comparison.jobs import FILE
from widemargin.contracts import UseCase
from widemargin.report.comparison import words
from widemargin.report.comparison.page import render_comparison
from widemargin.runs.costs import WORK

__all__ = ["comparison_files"]


def comparison_files(found: Comparison, use_case: UseCase) -> dict[str, bytes]:
    """Write a comparison's files.

    Parameters
    ----------
    found : Comparison
        What is told.
    use_case : UseCase
        The problem, for its words.

    Returns
    -------
    dict of str to bytes
        By their names in the comparison's folder.
    """
    data = json.dumps(found.to_data(), indent=2, ensure_ascii=False, allow_nan=False)
    return {
        "comparison.html": render_comparison(found, use_case).encode(),
        "comparison.csv": _csv(found).encode(),
        "comparison.md": _markdown(found).encode(),
        FILE: f"{data}\n".encode(),
    }


def _csv(found: Comparison) -> str:
    """Write one row a cell, all numbers in full; an empty field is what is undefined."""
    names = [metric.name for metric in found.metrics]
    heads = [f"{name}{end}" for name in names for end in ("", "_low", "_high")]
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(
        [*found.axes, *heads, "against_best", "p_holm", "dimension"]
        + [f"{work}_seconds" for work in WORK]
        + ["peak_memory_bytes", "vectors_reused", "kernel", "C", "gamma", "run", "problem"]
    )
    for row in found.rows:
        numbers = [end for name in names for end in row.metrics.get(name, (math.nan,) * 3)]
        costs: list[object] = [row.seconds.get(work) for work in WORK]
        writer.writerow(
            [
                *row.values.values(),
                *("" if math.isnan(one) else one for one in numbers),
                *_tested(found, row),
                *(_blank(one) for one in (row.dimension, *costs, row.memory)),
                int(row.is_reused) if row.run else "",
                *(_blank(row.chosen.get(name)) for name in ("kernel", "C", "gamma")),
                row.path,
                " ".join(row.problem.split()),
            ]
        )
    return sink.getvalue()


def _tested(found: Comparison, row: Row) -> Sequence[object]:
    best = found.done[0].name if found.done else ""
    pair = found.pair(best, row.name) if row.name != best else None
    if pair is None:
        return "", ""
    sign = 1 if pair.better == row.name else -1
    return sign * pair.test.difference, "" if math.isnan(pair.p) else pair.p


def _blank(value: object) -> object:
    return "" if value is None else value


def _markdown(found: Comparison) -> str:
    """Write the table as a README takes it, with what the differences mean below it."""
    if not found.metrics:
        heads, rows = [*found.axes], [[*row.values.values()] for row in found.rows]
    else:
        first, *others = found.metrics
        heads = [*found.axes, first.title, f"{found.confidence:.0%} interval"]
        heads += [metric.title for metric in others]
        heads += ["against the best", "p", "numbers", "seconds", "memory (MB)"]
        rows = [
            [
                *row.values.values(),
                words.value(first, row),
                words.interval(first, row),
                *(words.value(metric, row) for metric in others),
                *words.against_best(found, row),
                words.NONE if row.dimension is None else f"{row.dimension:,}",
                words.took(row.total, row),
                words.megabytes(row.memory),
            ]
            for row in found.done
        ]
    n_names = len(found.axes)
    lines = [
        f"# {words.title(found)[:1].upper()}{words.title(found)[1:]}",
        "",
        words.summary(found),
        "",
        _line(heads),
        _line(["---" if k < n_names else "--:" for k in range(len(heads))]),
        *map(_line, rows),
        "",
        *(f"- {said}" for said in words.verdicts(found)),
        *(f"- {row.name} failed: {' '.join(row.problem.split())}" for row in found.failed),
        "",
        words.method(found),
    ]
    if star := words.reused(found.rows):
        lines += ["", star.replace("*", r"\*", 1)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
