"""The columns of a comparison's table, for the terminal, the page and Markdown alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from widemargin.comparison import Comparison, Row
from widemargin.comparison.axes import AXES
from widemargin.contracts import Metric
from widemargin.report.comparison import cost_words, words
from widemargin.report.wordings import count, number, percent
from widemargin.runs.costs import WORK

__all__ = ["Column", "Entry", "columns", "report_link", "sortable"]


@dataclass(frozen=True)
class Entry:
    """One cell of a table: what is read, what it is sorted by, and where it leads."""

    text: str
    sort: float | str = ""
    link: str = ""
    small: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    head : str
        Its head.
    entry : callable
        ``entry(row) -> Entry``.
    right : bool
        Whether it holds numbers.
    spare : int or None
        How soon a narrow terminal leaves it out, the highest first, 0 never; None where no
        terminal shows it.
    leads : bool
        Whether the first row, the best, stands out.
    on_page : bool
        Whether the page shows it, which has an interval under its value and says seconds in parts.
    is_name : bool
        Whether it is part of what a row is called.
    """

    head: str
    entry: Callable[[Row], Entry]
    right: bool = True
    spare: int | None = None
    leads: bool = False
    on_page: bool = True
    is_name: bool = False


def columns(found: Comparison, metric: Metric | None = None) -> list[Column]:
    """Choose a table's columns.

    Parameters
    ----------
    found : Comparison
        What is told.
    metric : Metric, optional
        What cells are judged by; by default each by its use case's own.
    """
    judged = {row.primary.title for row in found.done if row.primary}
    own = next(iter(judged)) if len(judged) == 1 else "value"
    return [
        *_names(found),
        *([_judged()] if metric is None and len(judged) > 1 else []),
        *_quality(found, metric, metric.title if metric else own),
        *_gains(found, metric),
        *(_tests(found) if metric is None and found.pairs else []),
        *(_sizes() if not found.is_ranked else []),
        Column(
            "numbers",
            lambda row: Entry(_count(row.dimension), row.dimension or ""),
            spare=4 if found.is_ranked else 7,
        ),
        *_model(found),
        *_costs(found),
    ]


def _names(found: Comparison) -> list[Column]:
    def of(axis: str, *, first: bool) -> Callable[[Row], Entry]:
        return lambda row: Entry(
            row.values.get(axis, words.NONE), link=report_link(row) if first else ""
        )

    return [
        Column(axis, of(axis, first=k == 0), right=False, spare=0, is_name=True)
        for k, axis in enumerate(found.axes)
    ]


def _sizes() -> list[Column]:
    return [
        Column("items", lambda row: Entry(_count(row.n_items), row.n_items or ""), spare=5),
        Column("classes", lambda row: Entry(_count(row.n_classes), row.n_classes or ""), spare=8),
    ]


def _judged() -> Column:
    return Column(
        "judged by",
        lambda row: Entry(row.primary.title if row.primary else words.NONE),
        right=False,
        spare=0,
    )


def _quality(found: Comparison, metric: Metric | None, head: str) -> list[Column]:
    def value(row: Row) -> Entry:
        by = metric or row.primary
        if by is None:
            return Entry(words.NONE)
        small = words.interval(by, row)
        return Entry(words.value(by, row), sortable(row.value(by)[0]), small=small, kind="value")

    def interval(row: Row) -> Entry:
        by = metric or row.primary
        if by is None:
            return Entry(words.NONE)
        return Entry(words.interval(by, row))

    return [
        Column(head, value, spare=0, leads=found.is_ranked),
        Column(f"{found.confidence:.0%} interval", interval, spare=2, on_page=False),
    ]


def _gains(found: Comparison, metric: Metric | None) -> list[Column]:
    def over(which: Literal["dummy", "linear"]) -> Callable[[Row], Entry]:
        def entry(row: Row) -> Entry:
            by = metric or row.primary
            if by is None:
                return Entry(words.NONE)
            gain, low, high = row.gain(which, by)
            text = words.signed(by, gain)
            # Beside gains of other metrics a percentage has to say what it counts.
            if by.unit == "%" and not found.is_ranked and math.isfinite(gain):
                text += " points"
            if not math.isfinite(low):
                return Entry(text, sortable(gain))
            small = f"{words.difference(by, low)} to {words.difference(by, high)}"
            kind = "up" if low > 0 else "down" if high < 0 else ""
            return Entry(text, sortable(gain), small=small, kind=kind)

        return entry

    ranked = found.is_ranked
    return [
        Column("over dummy", over("dummy"), spare=7 if ranked else 3),
        Column("over linear", over("linear"), spare=6 if ranked else 1),
    ]


def _tests(found: Comparison) -> list[Column]:
    def against(row: Row) -> Entry:
        by = 0.0 if row is found.best_for(row) else words.behind(found, row)
        return Entry(words.against_best(found, row)[0], sortable(by))

    def chance(row: Row) -> Entry:
        pair = found.against_best(row)
        told = words.against_best(found, row)[1]
        return Entry(told, "" if pair is None else sortable(pair.p))

    spare = 0 if found.is_ranked else 6
    return [
        Column("against best", against, spare=spare),
        Column("p", chance, spare=spare),
    ]


def _model(found: Comparison) -> list[Column]:
    def chosen(name: str) -> Callable[[Row], Entry]:
        def entry(row: Row) -> Entry:
            value = row.chosen.get(name)
            return Entry(words.NONE) if value is None else Entry(number(value, 3), value)

        return entry

    def kernel(row: Row) -> Entry:
        return Entry(row.kernel or words.NONE, kind="aside")

    def support(row: Row) -> Entry:
        if row.support is None:
            return Entry(words.NONE)
        return Entry(percent(row.support, 0), row.support)

    varied = set(found.axes) & set(AXES)
    return [
        *([Column("encoder", _encoder, right=False, spare=11)] if "encoder" not in varied else []),
        *([Column("kernel", kernel, right=False, spare=10)] if "kernel" not in varied else []),
        Column("C", chosen("C"), spare=10),
        Column("gamma", chosen("gamma"), spare=12),
        Column("support", support, spare=9),
    ]


def _encoder(row: Row) -> Entry:
    return Entry(row.encoder or words.NONE, kind="aside")


def _costs(found: Comparison) -> list[Column]:
    def seconds(work: str) -> Callable[[Row], Entry]:
        def entry(row: Row) -> Entry:
            spent = row.seconds.get(work)
            told = cost_words.took(spent, row if work == "encoding" else None)
            return Entry(told, "" if spent is None else spent)

        return entry

    def memory(row: Row) -> Entry:
        return Entry(cost_words.megabytes(row.memory), row.memory or "")

    def total(row: Row) -> Entry:
        return Entry(cost_words.took(row.total, row), "" if row.total is None else row.total)

    return [
        *(Column(f"{work}, s", seconds(work)) for work in WORK),
        Column("models, s", total, spare=0, on_page=False),
        Column("memory, MB", memory, spare=3 if found.is_ranked else 4),
    ]


def report_link(row: Row) -> str:
    """Lead from the comparison's folder to a run's report; nowhere where that is gone."""
    if not row.has_report:
        return ""
    path = Path(row.path)
    return f"{path.as_uri() if path.is_absolute() else f'../../{row.path}'}/report.html"


def sortable(value: float) -> float | str:
    """Return what a table sorts a number by; nothing for one that is undefined."""
    return value if math.isfinite(value) else ""


def _count(value: int | None) -> str:
    return words.NONE if value is None else count(value)
