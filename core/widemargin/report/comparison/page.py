"""The page of a comparison: one HTML file, to be read, sorted and clicked through."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from widemargin.comparison import Comparison, Row
from widemargin.contracts import Metric, UseCase
from widemargin.report.comparison import cost_words, words
from widemargin.report.comparison.columns import Entry, columns, report_link, sortable
from widemargin.report.figures.costs import CostPoint, draw_costs
from widemargin.report.page import render_page
from widemargin.report.wordings import capital, count, date, number, seconds

__all__ = ["render_comparison"]

Heads = Sequence[tuple[str, bool]]


FEW = 3
"""Up to so many rows stand upright, a column each: they fit every width, and leave less blank."""


@dataclass(frozen=True)
class Choice:
    """The table and the figures of one metric, of which the reader chooses."""

    name: str
    heads: Heads
    table: Sequence[Sequence[Entry]]
    figures: Sequence[tuple[str, Markup]]


@dataclass(frozen=True)
class Family:
    """Cells that were tested against each other, pair by pair."""

    name: str
    heads: Heads
    table: Sequence[Sequence[Entry]]


def render_comparison(found: Comparison, use_cases: Mapping[str, UseCase]) -> str:
    """Render a comparison.

    Parameters
    ----------
    found : Comparison
        What is told.
    use_cases : mapping of str to UseCase
        The problems by name, for their words; those that are not installed are left out.

    Returns
    -------
    str
        HTML that refers to nothing outside itself, but for links to the runs' reports.
    """
    families = found.families()
    # Of two cells a sentence says it all.
    shown = [own for own in families if len(own) > 2]
    return render_page(
        "comparison.html.j2",
        {
            "found": found,
            "title": capital(words.title(found)),
            "summary": words.summary(found),
            "facts": _facts(found, use_cases),
            "verdicts": words.verdicts(found),
            "method": words.method(found),
            "intervals": words.intervals(found),
            "costs": cost_words.costs(found),
            "star": cost_words.reused(found.rows),
            "few": len(found.done) <= FEW,
            "failed": found.failed,
            "choices": _choices(found),
            "metric_heads": [
                (" and ".join(found.axes), False),
                *((capital(metric.title), True) for metric in found.metrics),
            ],
            "metrics": [_measured(found, row) for row in found.done],
            "families": [_family(found, own, len(families)) for own in shown],
        },
    )


def _facts(found: Comparison, use_cases: Mapping[str, UseCase]) -> list[tuple[str, str]]:
    done = f"{count(len(found.done))} of {count(found.n_cells)} finished"
    if len(found.done) == found.n_cells:
        done = f"{count(found.n_cells)}, all finished"
    facts = [("Runs", done)]
    if not found.done:
        return facts
    first = found.done[0]
    assert first.run is not None
    if found.is_ranked:
        case = use_cases.get(first.use_case)
        items = case.wording.items.capitalize() if case else "Items"
        facts += [
            (items, count(first.n_items or 0)),
            ("Held-out parts", count(first.n_folds)),
        ]
    if (spent := cost_words.whole(found)) is not None:
        facts.append(("Runs took, added up", seconds(spent)))
    made = sorted(str(row.run.manifest.get("created", "")) for row in found.done if row.run)
    threads = {str(row.run.manifest.get("threads", words.NONE)) for row in found.done if row.run}
    return [*facts, ("Threads of each", " or ".join(sorted(threads))), ("Made", date(made[-1]))]


def _choices(found: Comparison) -> list[Choice]:
    """Make one table a metric: first what each is judged by, then what several cells measured."""
    if not found.done:
        return []
    judged = {row.primary.name for row in found.done if row.primary}
    shown: list[Metric | None] = [None]
    for metric in found.metrics:
        n_cells = sum(metric.name in row.metrics for row in found.done)
        if n_cells > 1 and judged != {metric.name}:
            shown.append(metric)
    return [_choice(found, metric) for metric in shown]


def _choice(found: Comparison, metric: Metric | None) -> Choice:
    rows = [row for row in found.done if metric is None or metric.name in row.metrics]
    shown = [column for column in columns(found, metric) if column.on_page]
    judged = {row.primary.name: row.primary for row in rows if row.primary}
    one = metric or (next(iter(judged.values())) if len(judged) == 1 else None)
    table = [[column.entry(row) for column in shown] for row in rows]
    heads = [(column.head, column.right) for column in shown]
    if len(found.done) <= FEW:
        # A row's whole name heads its column.
        kept = [k for k, column in enumerate(shown) if not column.is_name]
        heads = [("", False), *(heads[k] for k in kept)]
        table = [
            [Entry(row.name, link=report_link(row)), *(own[k] for k in kept)]
            for row, own in zip(rows, table, strict=True)
        ]
    return Choice(
        name=capital(one.title) if one else "Each by its own metric",
        heads=heads,
        table=table,
        figures=_figures(found, one, rows) if one else [],
    )


def _figures(found: Comparison, metric: Metric, rows: Sequence[Row]) -> list[tuple[str, Markup]]:
    """Draw one metric over seconds and over memory."""
    # One colour for each value of the first axis.
    colours = list(dict.fromkeys(row.values.get(found.axes[0], "") for row in found.rows))

    def points(costs: Sequence[float], unit: str) -> list[CostPoint]:
        drawn = []
        for row, cost in zip(rows, costs, strict=True):
            value, low, high = row.value(metric)
            text = f"{row.name}: {words.value(metric, row)} ({words.interval(metric, row)})"
            drawn.append(
                CostPoint(
                    name=row.name,
                    cost=cost,
                    value=value,
                    low=low,
                    high=high,
                    text=f"{text}, {number(cost, 3)} {unit}",
                    link=report_link(row),
                    index=colours.index(row.values.get(found.axes[0], "")),
                    hollow=row.is_reused,
                )
            )
        return drawn

    better = "higher is better" if metric.greater_is_better else "lower is better"
    y_label = f"{metric.title}, {better}"
    time = [math.nan if row.total is None else row.total for row in rows]
    memory = [math.nan if row.memory is None else row.memory / 1e6 for row in rows]
    return [
        (title, draw_costs(title, x_label, y_label, points(costs, unit)).svg)
        for title, x_label, costs, unit in (
            ("Against time", "seconds of encoding, fitting and predicting", time, "s"),
            ("Against memory", "most memory held, MB", memory, "MB"),
        )
    ]


def _measured(found: Comparison, row: Row) -> list[Entry]:
    return [
        Entry(row.name, link=report_link(row)),
        *(
            Entry(
                words.value(metric, row),
                sortable(row.value(metric)[0]),
                small=words.interval(metric, row) if metric.name in row.metrics else "",
            )
            for metric in found.metrics
        ),
    ]


def _family(found: Comparison, rows: Sequence[Row], n_families: int) -> Family:
    return Family(
        name=f"{rows[0].use_case}: " if n_families > 1 or not found.is_ranked else "",
        heads=[("", False), *((row.name, True) for row in rows)],
        table=[_paired(found, row, rows) for row in rows],
    )


def _paired(found: Comparison, row: Row, family: Sequence[Row]) -> list[Entry]:
    """Say of one cell how much better it is than each other."""
    entries = [Entry(row.name)]
    for other in family:
        pair = found.pair(row.name, other.name) if other is not row else None
        if pair is None or row.primary is None:
            entries.append(Entry("", kind="self"))
            continue
        by = words.advantage(row.primary, pair)[0] * (1 if pair.better == row.name else -1)
        kind = ("up" if by > 0 else "down") if pair.is_clear else ""
        text, small = words.signed(row.primary, by), f"p {words.chance(pair.p)}"
        entries.append(Entry(text, sortable(by), small=small, kind=kind))
    return entries
