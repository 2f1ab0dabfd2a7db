"""The report's part for those who design peptides: what each residue adds to the decision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from widemargin import ReportSection
from widemargin.data import counted
from widemargin.evaluation import Bars, Block, Heatmap

if TYPE_CHECKING:
    from widemargin.encoders import Share
    from widemargin.evaluation import Study

__all__ = ["residue_sections"]

_SHOWN = 6
_AVERAGED = 1000
_WIDTH, _LONGEST = 25, 50
_RARE = 20


def residue_sections(study: Study) -> Sequence[ReportSection]:
    """Return what residues add, of the surest peptides and on average.

    Nothing where the margin does not divide into residues, as with an RBF kernel, and where there
    are more classes than two.
    """
    dataset = study.dataset
    if len(dataset.classes) != 2:
        return []
    rng = np.random.default_rng(study.seed)
    drawn = rng.permutation(study.learned)[:_AVERAGED]
    averaged = study.model.explain(dataset.take(np.sort(drawn)))
    if not any(share.letter is not None for shares in averaged for share in shares):
        return []
    positive = dataset.positive_class
    others = sorted(
        {share.piece for shares in averaged for share in shares if share.letter is None}
    )
    item = dataset.card.item
    intro = (
        f"A linear decision about k-mers is a sum over the k-mers of a {item}, and so over "
        "its residues: each one's part, mismatches included, is divided equally among them. "
        f"Above 0 speaks for {positive}. With the constant the parts add up to the margin"
    )
    intro += f", and with what is no residue's: {', '.join(others)}." if others else "."
    blocks: list[Block] = [_surest(study, name) for name in (positive, *_other(study))]
    if by_kind := _by_amino_acid(averaged, positive, item):
        blocks.append(by_kind)
    return [ReportSection(title="Residue by residue", intro=intro, blocks=blocks)]


def _other(study: Study) -> list[str]:
    return [name for name in study.dataset.classes if name != study.dataset.positive_class]


def _surest(study: Study, name: str) -> Heatmap:
    """Draw the residues of the peptides that were called so most surely when they were held out."""
    dataset = study.dataset
    sign = 1.0 if name == dataset.positive_class else -1.0
    decision = sign * np.asarray(study.predictions.decision)
    chosen: dict[int, None] = {}
    for at in np.argsort(-decision, kind="stable"):
        row = int(study.rows[at])
        if dataset.y[row] == name and len(chosen) < _SHOWN:
            chosen[row] = None
    taken = dataset.take(np.array(list(chosen), dtype=np.intp))
    names, values, texts = [], list[list[float]](), list[list[str]]()
    cut = False
    for own, shares in zip(taken.ids, study.model.explain(taken), strict=True):
        letters = [share for share in shares if share.letter is not None]
        cut |= len(letters) > _LONGEST
        for start in range(0, min(len(letters), _LONGEST), _WIDTH):
            line = letters[start : min(start + _WIDTH, _LONGEST)]
            gap = _WIDTH - len(line)
            names.append(f"{own}, from {start + 1}" if start else str(own))
            values.append([sign * share.contribution for share in line] + [math.nan] * gap)
            texts.append([share.piece[0] for share in line] + [""] * gap)
    note = f"The deeper, the more a residue speaks for {name}. Chosen by what models said that had "
    note += "not learned from them; divided is the saved model's decision."
    if cut:
        note += f" Of longer ones the first {_LONGEST} residues."
    which = f"{len(chosen)} that were" if len(chosen) > 1 else "one that was"
    return Heatmap(
        title=f"The {which} called {name} most surely",
        x_label=f"residue, {_WIDTH} a line",
        y_label=dataset.card.item,
        columns=[str(at + 1) for at in range(_WIDTH)],
        rows=names,
        values=values,
        texts=texts,
        bands=[(f"{start + 1} to {start + 5}", 5) for start in range(0, _WIDTH, 5)],
        note=note,
    )


def _by_amino_acid(explained: Sequence[Sequence[Share]], positive: str, item: str) -> Bars | None:
    """Draw what a residue of each kind adds, on average over its places."""
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for shares in explained:
        for share in shares:
            if share.letter is not None:
                kind = share.piece[0]
                sums[kind] = sums.get(kind, 0.0) + share.contribution
                counts[kind] = counts.get(kind, 0) + 1
    means = {kind: sums[kind] / counts[kind] for kind in sums if counts[kind] >= _RARE}
    order = sorted(means, key=lambda kind: -means[kind])
    if not order:
        return None
    return Bars(
        title="What a residue adds, by amino acid",
        x_label=f"mean contribution of one residue; above 0 speaks for {positive}",
        labels=order,
        values=[means[kind] for kind in order],
        details=[counted(counts[kind], "residue") for kind in order],
        note=f"Over {counted(len(explained), item)} that the model learned from; what a residue "
        "adds depends on its neighbours.",
    )
