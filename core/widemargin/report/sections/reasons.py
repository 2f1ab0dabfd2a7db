"""What moves the score: blocks of features, pieces of items, mistakes, and support vectors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from widemargin.contracts import Bars, Block, Quote, Quotes, ReportSection
from widemargin.contracts.counting import agreeing, counted
from widemargin.report.artefacts import Artefacts
from widemargin.report.wordings import count, number, percent

__all__ = ["build_blocks", "build_mistakes", "build_pieces", "build_support_vectors"]

Json = Mapping[str, Any]
EACH_WAY, N_MISTAKES, LONGEST = 20, 10, 600


def build_blocks(run: Artefacts) -> ReportSection | None:
    """Draw how much of the margin each block of features makes up."""
    blocks: list[Json] = list(run.explanation.get("blocks") or [])
    if not blocks:
        return None
    shares = [float(block["share"]) for block in blocks]
    return ReportSection(
        title="Which features decide",
        intro=(
            "Each block of features has a kernel of its own, and the decision is the sum of what "
            "the blocks say, each times its weight."
        ),
        blocks=[
            Bars(
                title="Share of the margin",
                x_label="mean share of what the blocks add to the decision, signs aside",
                labels=[
                    f"{block['block']} (weight {number(block['weight'], 3)})" for block in blocks
                ],
                values=shares,
                details=[percent(share) for share in shares],
                x_range=(0.0, max(*shares, 1e-9)),
            )
        ],
    )


def build_pieces(run: Artefacts) -> ReportSection | None:
    """Draw what pushes each way, as two sets of bars on one scale; for blocks, two for each."""
    pieces: list[Json] = list(run.explanation.get("pieces") or [])
    of_blocks: list[Json] = list(run.explanation.get("block_pieces") or [])
    note = str(run.explanation.get("note") or "")
    title = f"The {run.use_case.wording.pieces} that decide"
    if pieces:
        return ReportSection(title=title, intro=note, blocks=_both_ways(run, pieces))
    if not of_blocks:
        # The note says why there are none.
        return ReportSection(title=title, intro=note, blocks=[]) if note else None
    blocks: list[Block] = []
    for one in of_blocks:
        blocks += _both_ways(run, one["pieces"], f", in block {one['block']}")
    said = [_of_block(run, str(one["block"])) for one in of_blocks]
    return ReportSection(title=title, intro=" ".join([*said, note]).strip(), blocks=blocks)


def _of_block(run: Artefacts, name: str) -> str:
    """Say how much of the margin a linear block makes up, where that is known."""
    shares = {str(one["block"]): one["share"] for one in run.explanation.get("blocks") or []}
    weights = f"Block {name} is linear, so that its {run.use_case.wording.pieces} have weights"
    if name not in shares:
        return f"{weights}."
    return f"{weights}; it makes up {percent(shares[name])} of the margin, signs aside."


def _both_ways(run: Artefacts, pieces: Sequence[Json], where: str = "") -> list[Block]:
    piece_name = run.use_case.wording.piece
    down = sorted((p for p in pieces if p["contribution"] < 0), key=lambda p: p["contribution"])
    up = sorted((p for p in pieces if p["contribution"] > 0), key=lambda p: -p["contribution"])
    most = max(abs(float(piece["contribution"])) for piece in pieces) or 1.0
    lower, higher = _sides(run)
    blocks: list[Block] = []
    for towards, side, x_range in (
        (f"Towards {lower}{where}", down[:EACH_WAY], (-most, 0.0)),
        (f"Towards {higher}{where}", up[:EACH_WAY], (0.0, most)),
    ):
        if side:
            blocks.append(
                Bars(
                    title=towards,
                    x_label=f"mean contribution where the {piece_name} occurs",
                    labels=[str(piece["piece"]) for piece in side],
                    values=[float(piece["contribution"]) for piece in side],
                    details=[_occurs(run, piece) for piece in side],
                    x_range=x_range,
                )
            )
    return blocks


def build_mistakes(run: Artefacts) -> ReportSection | None:
    """Quote the worst mistakes, with what misled the model."""
    mistakes: list[Json] = list(run.explanation.get("mistakes") or [])[:N_MISTAKES]
    if not mistakes or "Mistakes" in run.sheets:
        return None
    wording = run.use_case.wording
    marked = any(one.get("shares") for one in mistakes)
    lower, higher = _sides(run)
    kinds = set((run.dataset.get("kinds") or {}).values())
    note = (
        f"Below each are the {wording.pieces} that weighed most, with what each adds: above 0 "
        f"speaks for {higher}, below 0 for {lower}."
        if kinds == {"table"}
        else f"Underlined are the {wording.pieces} that weighed most: solid towards {higher}, "
        f"dotted towards {lower}."
    )
    return ReportSection(
        title="The worst mistakes",
        intro=_mistakes_intro(run, len(mistakes)),
        blocks=[
            Quotes(quotes=[_mistake(run, one) for one in mistakes], note=note if marked else "")
        ],
    )


def build_support_vectors(run: Artefacts) -> ReportSection | None:
    """Quote support vectors of the largest weight."""
    support: Json = run.explanation.get("support_vectors") or {}
    examples: list[Json] = list(support.get("examples") or [])
    if not examples or "Support vectors" in run.sheets:
        return None
    wording = run.use_case.wording
    of = support.get("count")
    held = "boundary" if run.classes else "curve"
    said = f"The model rests on {run.items(of)}, its support vectors. " if of else ""
    if support.get("at_bound") is not None and of:
        n = int(support["at_bound"])
        said += (
            f"{count(n)} of them {agreeing(n, 'lie')} beyond the margin's edge and "
            f"{agreeing(n, 'pull')} with full weight. "
        )
    quotes = [
        Quote(
            text=_cut(run.written(one)),
            name=str(one.get("id", "")),
            kind=run.label(one.get("label")),
            facts=[
                ("label", run.label(one.get("label"))),
                ("weight", number(one.get("weight"), 3)),
            ],
        )
        for one in examples
    ]
    blocks: list[Block] = [Quotes(quotes=quotes)]
    return ReportSection(
        title=f"The {wording.items} that hold the {held}",
        intro=f"{said}Without these examples the {held} would lie elsewhere.",
        blocks=blocks,
        advanced=True,
    )


def _mistake(run: Artefacts, one: Json) -> Quote:
    shares = [(str(s["piece"]), float(s["contribution"])) for s in one.get("shares") or []]
    if run.classes:
        true, predicted = str(one.get("true")), str(one.get("predicted"))
        facts = [("true", true), ("predicted", predicted)]
        if one.get("probability") is not None:
            facts.append(("probability", percent(one["probability"])))
        if len(run.classes) == 2 and one.get("decision") is not None:
            facts.append(("margin", number(one["decision"], 3)))
        kind = f"{true} taken for {predicted}"
    else:
        true_value, predicted_value = float(one["true"]), float(one["predicted"])
        over = predicted_value > true_value
        kind = "too high" if over else "too low"
        facts = [
            ("true", f"{number(true_value)} {run.units}".rstrip()),
            ("predicted", f"{number(predicted_value)} {run.units}".rstrip()),
            ("off by", number(predicted_value - true_value, 3)),
        ]
    return Quote(
        text=_cut(run.written(one)),
        name=str(one.get("id", "")),
        kind=kind,
        facts=facts,
        shares=shares,
    )


def _mistakes_intro(run: Artefacts, shown: int) -> str:
    wording = run.use_case.wording
    predictions = run.predictions
    if not run.classes or predictions is None:
        which = f"{shown} {wording.items} that were" if shown > 1 else f"{wording.item} that was"
        return f"The {which} predicted worst, out of fold."
    wrong = max(1, round(run.shares[predictions.y_true != predictions.y_pred].sum()))
    several = f"held-out {wording.items}"
    said = counted(wrong, f"held-out {wording.item}", "were", several)
    if wrong == 1:
        doubt = " It may be labelled wrongly." if wording.labelled else ""
        return f"{said} called wrongly{run.averaged}.{doubt}"
    these = f"these {shown}" if shown > 1 else "this one"
    doubt = " Some may be labelled wrongly." if wording.labelled else ""
    weighed = ""
    if predictions.label_weights:
        by = "what mistakes cost" if predictions.costs else "what the classes weigh"
        weighed = f", by probabilities times {by}"
    return f"{said} called wrongly{run.averaged}; {these} most confidently so{weighed}.{doubt}"


def _occurs(run: Artefacts, piece: Json) -> str:
    return "" if piece.get("items") is None else run.items(piece["items"])


def _sides(run: Artefacts) -> tuple[str, str]:
    if run.positive and len(run.classes) == 2:
        return next(name for name in run.classes if name != run.positive), run.positive
    if run.classes:
        return "other classes", "the class"
    return "lower values", "higher values"


def _cut(text: str | None) -> str | None:
    if text is None:
        return None
    # What tells the length of the whole stands at the end of an excerpt.
    excerpt = re.search(r" …( \([0-9,]+ letters\))?$", text)
    if excerpt is None:
        told, own = f" ({count(len(text))} letters)", text
    else:
        told, own = excerpt[1] or "", text[: excerpt.start()]
    return text if len(own) <= LONGEST else f"{own[:LONGEST].rstrip()} …{told}"
