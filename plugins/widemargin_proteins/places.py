"""The report's part for cell biologists: what is taken for what, and what marks each place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from widemargin import ReportSection, Table
from widemargin.data import agreeing, counted
from widemargin.evaluation import Block, Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin import Predictions
    from widemargin.evaluation import Study

__all__ = ["SEVERAL", "mark_sections", "place_sections"]

SEVERAL = {
    "cytoplasm and nucleus": ("cytoplasm", "nucleus"),
    "cytoplasm and membrane": ("cytoplasm", "membrane"),
    "cytoskeleton": ("cytoplasm",),
    "centrosome": ("cytoplasm", "cytoskeleton"),
}
"""Classes of proteins that work in several places, and the classes that they share one with."""

_PAIRS = 15
_MARKS = 6
_FEWEST = 20


def place_sections(predictions: Predictions) -> Sequence[ReportSection]:
    """Return which places are taken for which, and how many mistakes are half right."""
    if predictions.task != "classification" or len(predictions.classes) < 3:
        return []
    names = predictions.classes
    wrong = predictions.y_true != predictions.y_pred
    if not wrong.any():
        return []
    shares = predictions.shares
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (predictions.y_true[wrong], predictions.y_pred[wrong]), shares[wrong])
    of = np.bincount(predictions.y_true, shares, len(names))
    n_wrong = float(counts.sum())
    order = np.argsort(-counts, axis=None, kind="stable")[:_PAIRS]
    rows = [
        (
            names[true],
            names[told],
            max(1, round(counts[true, told])),
            f"{counts[true, told] / of[true]:.0%}",
            f"{counts[true, told] / n_wrong:.1%}",
            _relation(names[true], names[told]),
        )
        for true, told in zip(*np.unravel_index(order, counts.shape), strict=True)
        if counts[true, told]
    ]
    blocks: list[Block] = []
    if any(name in SEVERAL for name in names):
        half = sum(
            float(counts[true, told])
            for true, one in enumerate(names)
            for told, other in enumerate(names)
            if _relation(one, other)
        )
        n = predictions.n_items
        blocks.append(
            Text(
                text="Some classes are proteins that work in several places. Of "
                f"{counted(max(1, round(n_wrong)), 'mistake')} {round(half):,} "
                f"{agreeing(round(half), 'name')} a class that shares a place with the right one. "
                "Counting those, a place of the protein is named for "
                f"{1 - (n_wrong - half) / n:.1%}."
            )
        )
    blocks.append(
        Table(
            title="The most frequent mistakes",
            columns=("works in", "taken for", "proteins", "of its class", "of mistakes", ""),
            rows=rows,
        )
    )
    return [ReportSection(title="What is taken for what", blocks=blocks)]


def _relation(one: str, other: str) -> str:
    """Say whether two classes share a place."""
    if one == other:
        return ""
    first, second = {one, *SEVERAL.get(one, ())}, {other, *SEVERAL.get(other, ())}
    return "share a place" if first & second else ""


def mark_sections(study: Study) -> Sequence[ReportSection]:
    """Return which named features set the proteins of each place apart."""
    dataset = study.dataset
    if dataset.task != "classification":
        return []
    blocks = getattr(study.model.features, "blocks_", {})
    names = study.model.features.get_feature_names_out()
    # A pair of residues or a covariance at a lag says little to a reader.
    told = [name for name in ("residues", "windows", "signals") if name in blocks]
    if not told:
        return []
    learned = dataset.take(study.learned)
    features = study.model.features.transform(learned.X)
    columns = np.concatenate([np.arange(blocks[name].start, blocks[name].stop) for name in told])
    own_columns = features[:, columns]
    # With one sparse block, all are.
    dense = own_columns.toarray() if hasattr(own_columns, "toarray") else own_columns
    values = np.asarray(dense, dtype=np.float64)
    block_of = np.concatenate([[name] * (blocks[name].stop - blocks[name].start) for name in told])
    own_names = [str(names[column]) for column in columns]
    rows = []
    for place in dataset.classes:
        own = learned.y == place
        if own.sum() < _FEWEST or (~own).sum() < _FEWEST:
            continue
        effect = _effects(values, own)
        rows += [
            (place, own_names[at], str(block_of[at]), round(float(effect[at]), 2))
            for at in _first_of_each_family(effect, own_names)
        ]
    if not rows:
        return []
    return [
        ReportSection(
            title="What marks each place",
            intro=f"The {_MARKS} features in which the proteins of a place differ most from all "
            "others: the difference of means in standard deviations, over the proteins that the "
            "model learned from. The machine weighs all features together; these are the ones that "
            "can be read.",
            blocks=[
                Table(
                    columns=("place", "feature", "block", "difference"),
                    rows=rows,
                    note="Each family of features is named once a place, by its largest "
                    "difference. The ends of membrane stretches are in residues, and hydropathy is "
                    "Kyte and Doolittle's.",
                )
            ],
        )
    ]


def _effects(values: NDArray[np.float64], own: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the differences of means, each by the mean deviation within the two groups."""
    one, other = values[own], values[~own]
    spread = np.sqrt((one.var(axis=0) + other.var(axis=0)) / 2)
    difference: NDArray[np.float64] = one.mean(axis=0) - other.mean(axis=0)
    known = spread > 1e-9
    difference[known] /= spread[known]
    return np.where(known, difference, 0.0)


def _first_of_each_family(effect: NDArray[np.float64], names: Sequence[str]) -> list[int]:
    """Return the largest effects, one of each family of columns that measure much the same."""
    chosen: dict[str, int] = {}
    for at in np.argsort(-np.abs(effect), kind="stable"):
        family = re.split(r" in | over | at | / |:", names[at])[0]
        chosen.setdefault(family, int(at))
        if len(chosen) == _MARKS:
            break
    return list(chosen.values())
