"""What ``widemargin compare RUN_A RUN_B`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from widemargin.cli.console import Column, Console

if TYPE_CHECKING:
    from widemargin.comparison.difference import Difference, Differing

__all__ = ["show"]

_ITEMS, _LINES, _LETTERS = 8, 8, 72


def show(console: Console, found: Difference, folder: Path) -> None:
    """Print what differs between two runs for people: the verdict first, then why it may be.

    Parameters
    ----------
    console : Console
        Where to; its JSON is all of it.
    found : Difference
        What is told.
    folder : Path
        Where the page lies.
    """
    from rich.text import Text

    from widemargin.report.comparison import difference_words as words
    from widemargin.report.comparison.difference_files import PAGE

    console.emit({**found.to_data(), "path": str(folder)})
    console.print()
    console.print(Text(words.title(found), style="bold"))
    for name, run in (("A", found.first), ("B", found.second)):
        console.say(f"{name}  {run.use_case}/{run.id}  {words.when(run.manifest['created'])}")
    console.print()
    console.print(words.verdict(found))
    if method := words.method(found):
        console.print(Text(method, style="dim"))
    console.print()
    _numbers(console, found)
    settings = [words.setting_row(one) for one in found.settings]
    said = [one for one in (words.about_settings(found), words.about_model(found)) if one]
    _part(console, "Settings", said, "setting", settings)
    _part(console, "Data", words.about_data(found), "card", _rows(found.data.card))
    _items(console, found)
    _part(console, "Versions", [words.about_versions(found)], "what", _rows(found.versions))
    console.print()
    columns = [Column("Costs"), *(Column(head, right=True) for head in ("A", "B", "B / A"))]
    console.table(columns, [words.cost(one) for one in found.costs])
    if star := words.reused(found):
        console.print(Text(star, style="dim"))
    console.print()
    console.say(f"Page  {folder / PAGE}")


def _numbers(console: Console, found: Difference) -> None:
    from widemargin.report.comparison import difference_words as words

    confidence = f"{found.first.metrics['confidence']:.0%}"
    heads = [Column("metric"), *(Column(head, right=True) for head in ("A", "B", "B \u2212 A"))]
    kept = [0, 1, 3, 5]
    if found.tested.tests:
        heads.append(Column(f"{confidence} interval", right=True, spare=1))
        heads.append(Column("p", right=True))
        kept += [7, 8]
    rows = [words.metric_row(found, one) for one in found.measured]
    console.table(heads, [[row[k] for k in kept] for row in rows])


def _items(console: Console, found: Difference) -> None:
    from rich.text import Text

    from widemargin.report.comparison import difference_words as words

    _part(console, "Items", words.about_items(found), "", [])
    items = found.agreement.items if found.agreement else ()
    if not items:
        return
    shown = items[:_ITEMS]
    columns = [
        Column("item"),
        *(Column(head, right=not found.is_of_classes) for head in ("truth", "A", "B")),
        Column("who", spare=2),
        Column("text", spare=1, below=True),
    ]
    rows = []
    for one in shown:
        said = [
            words.label(value, one.probability[k] if one.probability else None)
            for k, value in enumerate(one.predicted)
        ]
        rows.append((_short(one.id), words.label(one.truth), *said, one.kind, _short(one.text)))
    if not any(one.text for one in shown):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    console.table(columns, rows)
    if more := len(items) - len(shown):
        console.print(Text(f"and {more:,} more in disagreements.csv", style="dim"))


def _rows(differing: Sequence[Differing]) -> list[tuple[str, ...]]:
    from widemargin.report.comparison.words import NONE

    return [(one.name, *(value or NONE for value in one.values)) for one in differing]


def _part(
    console: Console, name: str, lines: Sequence[str], head: str, rows: Sequence[Sequence[str]]
) -> None:
    """Print a headed part: sentences, and a table of what differs, below each other if it is wide.

    ``head`` is what the table's first column is called.
    """
    from rich.text import Text

    first, *others = lines
    console.print()
    console.print(Text.assemble((name, "bold"), "  ", first))
    for line in others:
        console.print(Text(line))
    shown = rows[:_LINES]
    widths = [max(len(row[k]) for row in shown) for k in range(3)] if shown else []
    if sum(widths) + 4 <= console.out.width:
        if shown:
            console.table([Column(head), Column("A"), Column("B")], shown)
    else:
        for setting, *values in shown:
            console.print(Text(setting))
            for run, value in zip("AB", values, strict=True):
                console.say(f"  {run}  {_short(value, 2 * _LETTERS)}")
    if more := len(rows) - len(shown):
        console.print(Text(f"and {more:,} more on the page", style="dim"))


def _short(text: str, letters: int = _LETTERS) -> str:
    # What an item says is not what a terminal should do.
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= letters else f"{line[:letters]} \u2026"
