"""The parts of an HTML page: blocks as the templates take them, and what is put in."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from widemargin.contracts import Block, Cell, Estimates, Quote, ReportSection, Table
from widemargin.report.figures import Drawing, Figure, draw, draw_strip
from widemargin.report.wordings import MINUS, count, number

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["NOTHING", "Part", "parts_of", "render_page"]

NOTHING = "\u2013"
"""The dash in a cell that has no value."""
_SHORT, _LONG = 16, 20
"""Letters up to which a cell stays in one line, and from which on it keeps a width."""


@dataclass(frozen=True)
class View:
    """A block as the template takes it: its kind, itself, and its drawing."""

    kind: str
    block: Block
    drawing: Drawing | None = None


@dataclass(frozen=True)
class Part:
    """A section as the template takes it; a row of views stands side by side."""

    anchor: str
    section: ReportSection
    rows: Sequence[Sequence[View]]


def render_page(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template; the page gets the style and the script, and may run no other.

    Parameters
    ----------
    template : str
        Its name.
    values : mapping of str to value
        What it speaks of; `draw_strip` and the other filters are there besides.
    """
    style, script = _asset("style.css"), _asset("script.js")
    return (
        _environment()
        .get_template(template)
        .render(
            **values,
            # Our own files, which hold no text of a run.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
    )


def parts_of(sections: Sequence[ReportSection]) -> list[Part]:
    """Give each section an anchor of its own, and put its figures side by side."""
    parts: list[Part] = []
    taken: set[str] = {"top", "findings", "contents"}
    for section in sections:
        stem = re.sub(r"[^a-z0-9]+", "-", section.title.casefold()).strip("-") or "section"
        anchor, again = stem, 2
        while anchor in taken:
            anchor, again = f"{stem}-{again}", again + 1
        taken.add(anchor)
        parts.append(Part(anchor, section, _rows([_view(block) for block in section.blocks])))
    return parts


def _view(block: Block) -> View:
    if isinstance(block, Figure):
        return View("figure", block, draw(block))
    return View(type(block).__name__.casefold(), block)


def _rows(views: Sequence[View]) -> list[list[View]]:
    """Put figures, and the small tables that follow one, side by side."""
    rows: list[list[View]] = []
    for view in views:
        beside = view.kind == "figure" or (
            view.kind == "table" and isinstance(view.block, Table) and len(view.block.columns) <= 5
        )
        if beside and rows and rows[-1][0].kind == "figure":
            rows[-1].append(view)
        else:
            rows.append([view])
    return rows


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("widemargin.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        cell=_cell,
        kind=_kind,
        places=_places,
        numeric=_numeric_columns,
        marked=_marked,
        strip=_strips,
        signed=_signed,
        data_url=_data_url,
    )
    return environment


def _data_url(image: bytes) -> str:
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def _cell(value: Cell, places: int | None = None) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return count(value)
    if places is None or not math.isfinite(value):
        return number(value)
    return f"{value:,.{places}f}".replace("-", MINUS)


def _kind(value: Cell, right: bool) -> str:
    """Say what a table's cell holds: a number, or a text that is short, long or neither."""
    if right:
        return "n"
    letters = len(value) if isinstance(value, str) else 0
    return "short" if letters <= _SHORT else "long" if letters > _LONG else "text"


def _places(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[int | None]:
    """Choose the decimals of each column; None where its numbers are of too different sizes."""
    found: list[int | None] = []
    for k in range(len(columns)):
        values = [row[k] for row in rows]
        sizes = [abs(v) for v in values if isinstance(v, float) and v and math.isfinite(v)]
        alike = bool(sizes) and max(sizes) <= 100 * min(sizes)
        written = [number(v).partition(".")[2] for v in values if isinstance(v, float)]
        found.append(min(max(map(len, written)), 4) if alike else None)
    return found


def _numeric_columns(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[bool]:
    """Say of each column whether it holds numbers; a percentage is one."""

    def is_number(value: Cell) -> bool:
        return not isinstance(value, str) or re.fullmatch(rf"[{MINUS}\d.,e]+%?", value) is not None

    return [
        any(row[k] is not None for row in rows) and all(is_number(row[k]) for row in rows)
        for k in range(len(columns))
    ]


def _strips(block: Estimates) -> list[Markup]:
    return [draw_strip(row) for row in block.rows]


def _signed(value: float) -> str:
    return f"+{number(value, 2)}" if value > 0 else number(value, 2)


def _marked(quote: Quote) -> list[tuple[str, str]]:
    """Split a quote's text into runs, each with the side that it speaks for: up, down or none."""
    text = quote.text or ""
    if letters := _letters(text, quote.shares):
        numbered = groupby(enumerate(text, 1), lambda one: letters.get(one[0], ""))
        return [("".join(own for _, own in run), side) for side, run in numbered]
    sides = {piece.casefold(): "up" if push > 0 else "down" for piece, push in quote.shares}
    # The longest first, so that "call now" wins over "call".
    wanted = sorted((piece for piece in sides if piece.strip()), key=len, reverse=True)
    if not wanted:
        return [(text, "")]
    runs: list[tuple[str, str]] = []
    at = 0
    for found in re.finditer("|".join(map(_whole, wanted)), text, re.IGNORECASE):
        runs.append((text[at : found.start()], ""))
        runs.append((found[0], sides.get(found[0].casefold(), "")))
        at = found.end()
    runs.append((text[at:], ""))
    return [run for run in runs if run[0]]


def _letters(text: str, shares: Sequence[tuple[str, float]]) -> dict[int, str]:
    """Return the sides of a sequence's letters where that is what the pieces are, as in K12."""
    sides = {}
    for piece, push in shares:
        if re.fullmatch(r"\D\d+", piece):
            at = int(piece[1:])
            if text[at - 1 : at].upper() == piece[0]:
                sides[at] = "up" if push > 0 else "down"
    # A message may say B4; only in a sequence do letters stand where the pieces say.
    return sides if re.fullmatch(r"\S+", text) else {}


def _whole(piece: str) -> str:
    """Match a piece as a whole word where it begins or ends with a letter or digit."""
    before = r"(?<!\w)" if piece[0].isalnum() else ""
    after = r"(?!\w)" if piece[-1].isalnum() else ""
    return before + re.escape(piece) + after


@cache
def _asset(name: str) -> str:
    return resources.files("widemargin.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
