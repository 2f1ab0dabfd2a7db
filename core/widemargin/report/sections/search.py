"""How C and gamma were chosen, and what near-duplicates would have done to the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from widemargin.contracts import Block, Cell, Heatmap, Lines, ReportSection, Series, Table, Text
from widemargin.contracts.counting import agreeing, counted
from widemargin.report.artefacts import Artefacts
from widemargin.report.wordings import brief, capital, full, listing, number

__all__ = ["build_careless", "build_near_duplicates", "build_search", "gamma_name"]

Json = Mapping[str, Any]


def build_search(run: Artefacts) -> ReportSection | None:
    """Draw the final search over C and gamma, and list what each outer part chose."""
    cells: list[Json] = list(run.search.get("cells") or [])
    outer: list[Json] = list(run.search.get("outer") or [])
    if not cells and not outer:
        return None
    scoring = capital(run.title(str(run.search.get("scoring", ""))))
    blocks: list[Block] = []
    if len(cells) > 1:
        chosen = cells[run.search["chosen"]] if run.search.get("chosen") is not None else None
        gammas = {cell.get("gamma") for cell in cells}
        inner = (run.metrics.get("n_folds") or {}).get("inner")
        judged = "on one held-out part" if inner == 1 else "mean of the inner folds"
        if len(gammas) == 1:
            blocks.append(_line(cells, chosen, scoring, judged))
        else:
            blocks.append(_grid(cells, chosen, scoring, gamma_name(run), judged))
    if outer:
        blocks.append(_choices(outer, scoring, gamma_name(run)))
    return ReportSection(
        title="The search",
        intro=(
            "C is the price of a margin violation: small values smooth, large values fit closely. "
            "It is chosen inside each training part, so that held-out items never help to choose."
        ),
        blocks=blocks,
    )


def gamma_name(run: Artefacts) -> str:
    """Say what the search's gamma is: with several blocks, a factor of each one's own."""
    several = (run.record.config.get("svm") or {}).get("blocks")
    return "factor of the gammas" if several else "gamma"


def build_near_duplicates(run: Artefacts) -> ReportSection | None:
    """Say how many near-duplicates there were and what they would have done to the score."""
    found: Json = run.metrics.get("near_duplicates") or {}
    if not found.get("removed"):
        return None
    n, groups = int(found["removed"]), found.get("groups")
    among = f", in {counted(groups, 'group')}," if groups else ""
    text = (
        f"{run.items(n)}{among} {agreeing(n, 'equal')} another but for case, punctuation and "
        "digits. One of each stays, so that no copy of a training item is ever used for judging."
    )
    if otherwise := found.get("contradictory"):
        text += f" {counted(otherwise, 'row', 'have')} another label than the one that stayed."
    apart, crossing = found.get("apart") or {}, found.get("crossing") or {}
    columns = ["metric", "copies kept apart", "copies crossing"]
    names = [name for name in apart if name in crossing]
    said = [
        f"{run.title(name)} {brief(run.metric(name), crossing[name], run.units)} instead of "
        f"{brief(run.metric(name), apart[name], run.units)}"
        for name in names[:2]
    ]
    if said:
        text += (
            f" Copies on both sides of a split would have shown {listing(said)} "
            "(one cross-validation at the chosen C, untuned)."
        )
    rows: list[list[Cell]] = [
        [
            capital(run.title(name)),
            full(run.metric(name), apart[name], run.units),
            full(run.metric(name), crossing[name], run.units),
        ]
        for name in names
    ]
    blocks: list[Block] = [Text(text=text)]
    if len(rows) > 2:
        blocks.append(Table(columns=columns, rows=rows))
    return ReportSection(title="Near-duplicates", blocks=blocks)


def build_careless(run: Artefacts) -> ReportSection | None:
    """Show what protocols that leak would have claimed."""
    found: Sequence[Json] = run.metrics.get("careless") or []
    if not found:
        return None
    names = list(found[0].get("honest") or {})[:4]
    heads = [capital(run.title(name)) for name in names]
    rows: list[list[Cell]] = [
        ["as it should be", *(full(run.metric(name), found[0]["honest"][name]) for name in names)]
    ]
    for one in found:
        own = one.get("careless") or {}
        rows.append([str(one["title"]), *(full(run.metric(name), own.get(name)) for name in names)])
    return ReportSection(
        title="What carelessness would have claimed",
        intro=(
            "The same model at the chosen C and gamma, untuned, under protocols that let something "
            "of the held-out items leak. The numbers of this report are those of the honest one, "
            "tuned inside each part. A leak that brings nothing here may bring much on other data; "
            "small differences may be noise."
        ),
        blocks=[Table(columns=["protocol", *heads], rows=rows)],
    )


def _line(cells: Sequence[Json], chosen: Json | None, scoring: str, judged: str) -> Lines:
    ordered = sorted(cells, key=lambda cell: float(cell["C"]))
    mean = [_float(cell.get("mean")) for cell in ordered]
    spread = [_float(cell.get("std"), 0.0) for cell in ordered]
    spreads = "Upright bars are one standard deviation of the folds each way."
    marks = [(float(chosen["C"]), f"chosen: C = {number(chosen['C'], 3)}")] if chosen else []
    return Lines(
        title=f"{scoring} over C",
        x_label="C (logarithmic)",
        y_label=f"{scoring}, {judged}",
        series=[
            Series(
                name=scoring,
                x=[float(cell["C"]) for cell in ordered],
                y=mean,
                low=[m - s for m, s in zip(mean, spread, strict=True)],
                high=[m + s for m, s in zip(mean, spread, strict=True)],
            )
        ],
        x_log=True,
        markers=True,
        vertical=marks,
        note=spreads if any(spread) else "",
    )


def _grid(
    cells: Sequence[Json], chosen: Json | None, scoring: str, gamma: str, judged: str
) -> Heatmap:
    prices = sorted({float(cell["C"]) for cell in cells})
    # A nan would equal nothing, itself included.
    widths = sorted({_float(cell.get("gamma"), 0.0) for cell in cells}, reverse=True)
    nothing = float("nan")
    values = [[nothing] * len(prices) for _ in widths]
    notes = [f"{capital(judged)}; the outlined cell was chosen."]
    if len(cells) < len(prices) * len(widths):
        notes.append("Empty cells were not tried, since two steps along C had brought nothing.")
    if loose := sum(not cell.get("converged", True) for cell in cells):
        which = "machines that were" if loose > 1 else "a machine that was"
        notes.append(
            f"{counted(loose, 'cell', 'have')} {which} stopped before meeting the optimality "
            "conditions."
        )
    for cell in cells:
        row, column = widths.index(_float(cell.get("gamma"), 0.0)), prices.index(float(cell["C"]))
        values[row][column] = _float(cell.get("mean"))
    marked = None
    if chosen:
        marked = widths.index(_float(chosen.get("gamma"), 0.0)), prices.index(float(chosen["C"]))
    texts = [[_short(value) for value in row] for row in values]
    return Heatmap(
        title=f"{scoring} over C and {gamma}",
        x_label="C",
        y_label=gamma,
        columns=[number(price, 2) for price in prices],
        rows=[number(width, 2) for width in widths],
        values=values,
        texts=texts,
        marked=marked,
        note=" ".join(notes),
    )


def _short(value: float) -> str:
    if value != value:
        return ""
    return f"{value:.3f}".replace("0.", ".", 1) if 0 <= value < 1 else number(value, 3)


def _choices(outer: Sequence[Json], scoring: str, gamma: str) -> Table:
    has_gamma = any(one.get("gamma") is not None for one in outer)
    repeated = len({one.get("repeat") for one in outer}) > 1
    columns = [*(["repeat"] if repeated else []), "part", "C"]
    columns += [*([gamma] if has_gamma else []), f"{scoring} inside"]
    rows: list[list[Cell]] = []
    for one in outer:
        row: list[Cell] = [int(one.get("repeat", 0)) + 1] if repeated else []
        row += [int(one.get("fold", 0)) + 1, one.get("C")]
        row += [one.get("gamma")] if has_gamma else []
        row.append(None if one.get("score") is None else round(float(one["score"]), 4))
        rows.append(row)
    return Table(
        title="What each outer part chose",
        columns=columns,
        rows=rows,
        note="Choices that agree mean that the search is stable.",
    )


def _float(value: Any, default: float = float("nan")) -> float:
    return default if value is None else float(value)
