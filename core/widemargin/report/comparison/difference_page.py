"""The page of two runs: one HTML file, made of the same blocks as a run's report."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from widemargin.comparison.difference import Difference, Differing, Disagreement
from widemargin.comparison.difference.kept import kept_pictures
from widemargin.contracts import Block, Picture, Pictures, ReportSection, RunRecord, Table
from widemargin.contracts import Text as Paragraph
from widemargin.report.comparison import difference_words as words
from widemargin.report.page import NOTHING, parts_of, render_page
from widemargin.report.wordings import capital, count

__all__ = ["render_difference"]

_SHOWN = 200
_PICTURES = 60
_LETTERS = 300


@dataclass(frozen=True)
class Entry:
    """One cell of a table: as read, as sorted where it is a number, and what is below it."""

    text: str
    sort: float = math.nan
    small: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A table that can be sorted; each head says whether its column holds numbers."""

    title: str
    heads: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[Entry]]
    note: str


def render_difference(found: Difference, folder: Path, disagreements: str) -> str:
    """Render what differs between two runs.

    Parameters
    ----------
    found : Difference
        What is told.
    folder : Path
        Where the page will lie, from which it leads to both reports.
    disagreements : str
        Name of the file beside it that lists all disagreements; empty where there is none.

    Returns
    -------
    str
        HTML that refers to nothing outside itself, but for links to the runs' reports.
    """
    sections = [
        _items(found),
        _settings(found),
        _data(found),
        _versions(found),
        _costs(found),
    ]
    return render_page(
        "difference.html.j2",
        {
            "title": capital(words.title(found)),
            "summary": words.verdict(found),
            "runs": [_run("A", found.first, folder), _run("B", found.second, folder)],
            "numbers": _numbers(found),
            "listing": _listing(found, disagreements),
            "parts": parts_of(sections),
            "name": found.name,
            "disagreements": disagreements,
        },
    )


def _run(name: str, run: RunRecord, folder: Path) -> tuple[str, str, str, str]:
    """Say of a run its name, its id, when it was made, and where its report lies."""
    report = run.path / "report.html"
    link = ""
    if report.is_file():
        try:
            link = quote(Path(os.path.relpath(report.resolve(), folder.resolve())).as_posix())
        except ValueError:  # on another drive
            link = report.resolve().as_uri()
    return name, f"{run.use_case}/{run.id}", words.when(run.manifest["created"]), link


def _numbers(found: Difference) -> Listing:
    """Write the metrics, a row each: A, B, their difference, and the test of it."""
    heads = ["A", "B", "B \u2212 A"]
    heads += ["tested difference", "p"] if found.tested.tests else []
    rows = []
    for one in found.measured:
        name, first, ends, second, other_ends, by, tested, tested_ends, p = words.metric_row(
            found, one
        )
        clear = found.verdict is not None and found.verdict.is_clear
        is_primary = one.name == found.first.metrics["primary"]
        row = [
            Entry(name),
            Entry(first, one.first[0], _under(ends)),
            Entry(second, one.second[0], _under(other_ends)),
            Entry(by, one.difference),
        ]
        if found.tested.tests:
            by_test = one.test.difference if one.test else math.nan
            kind = "value" if clear and is_primary else ""
            row.append(Entry(tested, by_test, _under(tested_ends), kind))
            row.append(Entry(p, one.test.p if one.test else math.nan))
        rows.append(row)
    share = f"{found.first.metrics['confidence']:.0%}"
    note = f"Small figures are {share} intervals. {words.method(found)}".rstrip()
    numeric = [(head, True) for head in heads]
    return Listing(title="", heads=[("metric", False), *numeric], rows=rows, note=note)


def _under(ends: str) -> str:
    return "" if ends == NOTHING else ends


def _items(found: Difference) -> ReportSection:
    own = found.agreement
    intro = " ".join(words.about_items(found))
    if own is None:
        return ReportSection(title="Items", intro=intro, blocks=[])
    blocks: list[Block] = []
    if found.is_of_classes:
        blocks.append(
            Table(
                columns=["", "B right", "B wrong"],
                rows=[
                    ("A right", own.both, own.only_first),
                    ("A wrong", own.only_second, own.neither),
                ],
            )
        )
    blocks += _sheet(found, own.items)
    return ReportSection(title="Items", intro=intro, blocks=blocks)


def _listing(found: Difference, disagreements: str) -> Listing | None:
    """List the items on which the two disagree, or differ most."""
    items = found.agreement.items if found.agreement else ()
    if not items:
        return None
    shown = items[:_SHOWN]
    has_text = any(one.text for one in shown)
    heads = [("item", False), ("truth", not found.is_of_classes)]
    for name in "AB":
        heads += [(name, False), ("its p", True)] if found.is_of_classes else [(name, True)]
    heads += [("who", False)]
    heads += [("in its own words, where a run kept it", False)] if has_text else []
    rows = []
    for one in shown:
        row = [Entry(one.id, kind="id"), _entry(one.truth)]
        for k, value in enumerate(one.predicted):
            row.append(_entry(value))
            if found.is_of_classes:
                chance = one.probability[k] if one.probability else math.nan
                row.append(Entry(f"{chance:.3f}" if one.probability else NOTHING, chance))
        row.append(Entry(one.kind))
        if has_text:
            cut = len(one.text) > _LETTERS
            text = f"{one.text[:_LETTERS]} \u2026" if cut else one.text
            row.append(Entry(text, kind="words"))
        rows.append(row)
    note = "The most decided first" if found.is_of_classes else "The largest difference first"
    if len(items) > _SHOWN:
        note += f"; {count(_SHOWN)} of {count(len(items))}, all of which {disagreements} has"
    title = "Where they disagree" if found.is_of_classes else "Where they differ most"
    return Listing(title=title, heads=heads, rows=rows, note=f"{note}.")


def _entry(value: str | float) -> Entry:
    return Entry(words.label(value), value if isinstance(value, float) else math.nan)


def _sheet(found: Difference, items: Sequence[Disagreement]) -> list[Block]:
    """Show the items of which a run's map has a picture."""
    known = {**kept_pictures(found.second.path), **kept_pictures(found.first.path)}
    pictures = [
        Picture(
            image=known[one.id],
            name=one.id,
            caption=[
                words.label(one.truth),
                f"A {words.label(one.predicted[0])}",
                f"B {words.label(one.predicted[1])}",
            ],
        )
        for one in items
        if one.id in known
    ]
    if not pictures:
        return []
    note = f"{count(len(pictures[:_PICTURES]))} of {count(len(items))}, with their labels first."
    return [Pictures(pictures=pictures[:_PICTURES], title="Pictures that a run kept", note=note)]


def _settings(found: Difference) -> ReportSection:
    rows = [words.setting_row(one) for one in found.settings]
    blocks: list[Block] = [Table(columns=["setting", "A", "B"], rows=rows)] if rows else []
    blocks += _both("", found.model, title="What the search chose")
    return ReportSection(title="Settings", intro=words.about_settings(found), blocks=blocks)


def _data(found: Difference) -> ReportSection:
    said, *more = words.about_data(found)
    blocks: list[Block] = [Paragraph(text=one) for one in more]
    blocks += _both("field of the card", found.data.card)
    return ReportSection(title="Data", intro=said, blocks=blocks)


def _versions(found: Difference) -> ReportSection:
    return ReportSection(
        title="Versions",
        intro=words.about_versions(found),
        blocks=_both("what", found.versions),
    )


def _costs(found: Difference) -> ReportSection:
    rows = [words.cost(one) for one in found.costs]
    table = Table(columns=["", "A", "B", "B / A"], rows=rows, note=words.reused(found))
    return ReportSection(title="Costs", blocks=[table])


def _both(head: str, differing: Sequence[Differing], title: str = "") -> list[Block]:
    rows = [(one.name, *(value or NOTHING for value in one.values)) for one in differing]
    return [Table(columns=[head, "A", "B"], rows=rows, title=title)] if rows else []
