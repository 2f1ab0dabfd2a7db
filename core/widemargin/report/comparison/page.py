"""The page of a comparison: one HTML file, to be read, sorted and clicked through."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from widemargin.comparison import Comparison, Row
from widemargin.contracts import Metric, UseCase
from widemargin.report.comparison import words
from widemargin.report.figures.costs import CostPoint, draw_costs
from widemargin.report.page import render_page
from widemargin.report.wordings import capital, count, date, number
from widemargin.runs.costs import WORK

__all__ = ["render_comparison"]


@dataclass(frozen=True)
class Entry:
    """One cell of a table: what is read, what it is sorted by, and where it leads."""

    text: str
    sort: float | str = ""
    link: str = ""
    small: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Choice:
    """Figures of one metric, of which the reader chooses."""

    name: str
    figures: Sequence[tuple[str, Markup, str]]


def render_comparison(found: Comparison, use_case: UseCase) -> str:
    """Render a comparison.

    Parameters
    ----------
    found : Comparison
        What is told.
    use_case : UseCase
        The problem, for its words.

    Returns
    -------
    str
        HTML that refers to nothing outside itself, but for links to the runs' reports.
    """
    return render_page(
        "comparison.html.j2",
        {
            "found": found,
            "title": capital(words.title(found)),
            "summary": words.summary(found),
            "facts": _facts(found, use_case),
            "verdicts": words.verdicts(found),
            "method": words.method(found),
            "star": words.reused(found.rows),
            "failed": found.failed,
            "heads": _heads(found),
            "table": [_entries(found, row) for row in found.done],
            "choices": [_choice(found, metric) for metric in found.metrics],
            "metric_heads": [
                (" and ".join(found.axes), False),
                *((capital(metric.title), True) for metric in found.metrics),
            ],
            "metrics": [_measured(found, row) for row in found.done],
            "pair_heads": [("", False), *((row.name, True) for row in found.done)],
            "pairs": [_paired(found, row) for row in found.done] if found.pairs else [],
        },
    )


def _facts(found: Comparison, use_case: UseCase) -> list[tuple[str, str]]:
    facts = []
    if found.done:
        run = found.done[0].run
        assert run is not None
        facts = [
            (use_case.wording.items.capitalize(), count(found.n_items)),
            ("Held-out parts", count(found.n_folds)),
            ("Threads", str(run.manifest.get("threads", words.NONE))),
            ("Made", date(str(run.manifest.get("created", "")))),
        ]
    done = f"{len(found.done)} of {found.n_cells}"
    return [("Finished", done if len(found.done) < found.n_cells else "all"), *facts]


def _heads(found: Comparison) -> list[tuple[str, bool]]:
    """Name the columns of the main table, and say which hold numbers."""
    if not found.metrics:
        return []
    return [
        *((axis, False) for axis in found.axes),
        (capital(found.metrics[0].title), True),
        (f"{found.confidence:.0%} interval", True),
        ("against the best", True),
        ("p", True),
        ("numbers", True),
        *((f"{work}, s", True) for work in WORK),
        ("memory, MB", True),
        ("settings", False),
    ]


def _entries(found: Comparison, row: Row) -> list[Entry]:
    metric = found.metrics[0]
    first, *others = row.values.values()
    measured = row.metrics[metric.name]
    behind, p = words.against_best(found, row)
    pair = found.pair(found.done[0].name, row.name)
    by = 0.0
    if pair is not None:
        by = words.advantage(found, pair)[0] * (1 if pair.better == row.name else -1)
    costs = [row.seconds.get(work) for work in WORK]
    return [
        Entry(first, link=_report(row)),
        *(Entry(one) for one in others),
        Entry(words.value(metric, row), _sort(measured[0]), kind="value"),
        Entry(words.interval(metric, row), _sort(measured[1]), kind="aside"),
        Entry(behind, _sort(by)),
        Entry(p, "" if pair is None else _sort(pair.p)),
        Entry(words.NONE if row.dimension is None else count(row.dimension), row.dimension or ""),
        *(
            Entry(words.took(one, row if work == "encoding" else None), "" if one is None else one)
            for work, one in zip(WORK, costs, strict=True)
        ),
        Entry(words.megabytes(row.memory), row.memory or ""),
        Entry(words.settings(row), kind="aside"),
    ]


def _choice(found: Comparison, metric: Metric) -> Choice:
    """Draw one metric over seconds and over memory."""
    # One colour for each value of the first axis.
    colours = list(dict.fromkeys(row.values[found.axes[0]] for row in found.rows))

    def points(costs: Sequence[float], unit: str) -> list[CostPoint]:
        drawn = []
        for row, cost in zip(found.done, costs, strict=True):
            value, low, high = row.metrics.get(metric.name, (math.nan,) * 3)
            text = f"{row.name}: {words.value(metric, row)} ({words.interval(metric, row)})"
            drawn.append(
                CostPoint(
                    name=row.name,
                    cost=cost,
                    value=value,
                    low=low,
                    high=high,
                    text=f"{text}, {number(cost, 3)} {unit}",
                    link=_report(row),
                    index=colours.index(row.values[found.axes[0]]),
                    hollow=row.is_reused,
                )
            )
        return drawn

    better = "higher is better" if metric.greater_is_better else "lower is better"
    y_label = f"{metric.title}, {better}"
    seconds = [math.nan if row.total is None else row.total for row in found.done]
    memory = [math.nan if row.memory is None else row.memory / 1e6 for row in found.done]
    figures = [
        (title, draw_costs(title, x_label, y_label, points(costs, unit)).svg, note)
        for title, x_label, costs, unit, note in (
            ("Against time", "seconds of encoding, fitting and predicting", seconds, "s", ""),
            ("Against memory", "most memory held, MB", memory, "MB", ""),
        )
    ]
    return Choice(capital(metric.title), figures)


def _measured(found: Comparison, row: Row) -> list[Entry]:
    return [
        Entry(row.name, link=_report(row)),
        *(
            Entry(
                words.value(metric, row),
                _sort(row.metrics.get(metric.name, (math.nan,))[0]),
                small=words.interval(metric, row),
            )
            for metric in found.metrics
        ),
    ]


def _paired(found: Comparison, row: Row) -> list[Entry]:
    """Say of one cell how much better it is than each other."""
    entries = [Entry(row.name)]
    for other in found.done:
        pair = found.pair(row.name, other.name) if other is not row else None
        if pair is None:
            entries.append(Entry("", kind="self"))
            continue
        by = words.advantage(found, pair)[0] * (1 if pair.better == row.name else -1)
        text = words.difference(found.metrics[0], by)
        text = f"+{text}" if by > 0 else text
        kind = ("up" if by > 0 else "down") if pair.is_clear else ""
        entries.append(Entry(text, _sort(by), small=f"p {words.chance(pair.p)}", kind=kind))
    return entries


def _report(row: Row) -> str:
    """Lead from the comparison's folder to a run's report."""
    return f"../../{row.path}/report.html" if row.run else ""


def _sort(value: float) -> float | str:
    return value if math.isfinite(value) else ""
