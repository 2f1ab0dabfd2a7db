"""The files of a comparison: HTML, CSV, Markdown and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence

from widemargin.comparison import Comparison, Row
from widemargin.comparison.kept import FILE
from widemargin.contracts import UseCase
from widemargin.report.comparison import cost_words, words
from widemargin.report.comparison.columns import Entry, columns
from widemargin.report.comparison.page import render_comparison
from widemargin.runs.costs import WORK

__all__ = ["comparison_files"]


def comparison_files(found: Comparison, use_cases: Mapping[str, UseCase]) -> dict[str, bytes]:
    """Write a comparison's files.

    Parameters
    ----------
    found : Comparison
        What is told.
    use_cases : mapping of str to UseCase
        The problems by name, for their words.

    Returns
    -------
    dict of str to bytes
        By their names in the comparison's folder.
    """
    data = json.dumps(found.to_data(), indent=2, ensure_ascii=False, allow_nan=False)
    return {
        "comparison.html": render_comparison(found, use_cases).encode(),
        "comparison.csv": _csv(found).encode(),
        "comparison.md": _markdown(found).encode(),
        FILE: f"{data}\n".encode(),
    }


def _csv(found: Comparison) -> str:
    """Write one row a cell, all numbers in full; an empty field is what is undefined."""
    sink = io.StringIO()
    rows = [_fields(found, row) for row in found.rows]
    writer = csv.DictWriter(sink, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue()


def _fields(found: Comparison, row: Row) -> dict[str, object]:
    primary = row.primary
    fields: dict[str, object] = {axis: row.values.get(axis) for axis in found.axes}
    fields |= {
        "use_case": row.use_case,
        "items": row.n_items,
        "classes": row.n_classes,
        "primary": primary.name if primary else "",
        **_ends("primary_value", row.value(primary) if primary else None),
        **_ends("gain_over_dummy", row.gain("dummy", primary) if primary else None),
        **_ends("gain_over_linear", row.gain("linear", primary) if primary else None),
    }
    pair = found.against_best(row)
    fields |= {
        "against_best": words.behind(found, row),
        "p_holm": pair.p if pair else None,
    }
    fields |= {
        "encoder_used": row.encoder,
        "dimension": row.dimension,
        **{f"chosen_{name}": row.chosen.get(name) for name in ("kernel", "C", "gamma")},
        "support_vectors": row.support,
        **{f"{work}_seconds": row.seconds.get(work) for work in WORK},
        "run_seconds": row.whole,
        "peak_memory_bytes": row.memory,
        "vectors_reused": int(row.is_reused) if row.run else "",
    }
    for metric in found.metrics:
        fields |= _ends(metric.name, row.value(metric))
    fields |= {"folder": row.path, "problem": " ".join(row.problem.split())}
    return {
        name: "" if one is None or one != one else one  # nan is not itself
        for name, one in fields.items()
    }


def _ends(name: str, own: Sequence[float] | None) -> dict[str, object]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), own or (math.nan,) * 3, strict=True))


def _markdown(found: Comparison) -> str:
    """Write the table as a README takes it, with what the differences mean below it."""
    shown = columns(found)
    others = found.metrics[1:] if found.is_ranked else ()
    heads = [column.head for column in shown] + [metric.title for metric in others]
    right = [column.right for column in shown] + [True] * len(others)
    rows = [
        [_with_interval(column.entry(row)) for column in shown]
        + [words.value(metric, row) for metric in others]
        for row in found.done
    ]
    title = words.title(found)
    lines = [
        f"# {title[:1].upper()}{title[1:]}",
        "",
        words.summary(found),
        "",
        _line(heads),
        _line(["--:" if one else "---" for one in right]),
        *map(_line, rows),
        "",
        *(f"- {said}" for said in words.verdicts(found)),
        *(f"- {row.name} failed: {' '.join(row.problem.split())}" for row in found.failed),
        "",
        words.method(found),
        "",
        cost_words.costs(found),
    ]
    if star := cost_words.reused(found.rows):
        lines += ["", star.replace("*", r"\*", 1)]
    return "\n".join(lines) + "\n"


def _with_interval(entry: Entry) -> str:
    """Write a gain with its interval; that of a value has a column of its own."""
    return f"{entry.text} ({entry.small})" if entry.small and entry.kind != "value" else entry.text


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
