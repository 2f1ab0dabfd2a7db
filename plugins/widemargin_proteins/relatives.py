"""Relatives across a split: what is held out and resembles what was learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin import ReportSection, Table
from widemargin.data import agreeing, counted
from widemargin_proteins.kmers import closest, kmer_sets
from widemargin_proteins.sequences import LIKENESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin import Predictions
    from widemargin.evaluation import Study

__all__ = ["relative_sections"]

_BANDS = ((0.0, 0.2), (0.2, LIKENESS), (LIKENESS, 0.7), (0.7, 1.01))


def relative_sections(study: Study) -> Sequence[ReportSection]:
    """Return how often held-out proteins are right by how alike they are to learned ones.

    Each is compared with what the model that was asked had learned from, of whatever split.
    """
    dataset, predictions = study.dataset, study.predictions
    sequences = _sequences(dataset)
    if predictions.task != "classification" or not sequences:
        return []
    with study.progress.stage("relatives across the split"):
        likeness = _likeness(study, sequences)
    right = predictions.y_true == predictions.y_pred
    related = likeness >= LIKENESS
    rows: list[tuple[str, int, str, str]] = []
    # The last line is all that are no relatives, where the lines above do not say it already.
    for low, high in (*_BANDS, *([(0.0, LIKENESS)] if related.any() else [])):
        own = (likeness >= low) & (likeness < high)
        name = f"below {high:g}" if low == 0 else f"{low:g} and more"
        if low > 0 and high <= 1:
            name = f"{low:g} to {high:g}"
        if own.any():
            score = _macro_f1(predictions.y_true[own], predictions.y_pred[own])
            n = max(1, round(predictions.shares[own].sum()))
            rows.append((name, n, f"{right[own].mean():.1%}", f"{score:.3f}"))
    return [
        ReportSection(
            title="Relatives across the split",
            intro=f"{_how_split(dataset)} {_said(predictions, likeness, right)}",
            blocks=[
                Table(
                    columns=("3-mers in common", "proteins", "right", "macro F1"),
                    rows=rows,
                    note="3-mers that a held-out protein shares with the one most like it of those "
                    "that its model learned from, by those that either has. Macro F1 is over the "
                    "classes that the line's proteins are of.",
                )
            ],
        )
    ]


def _likeness(study: Study, sequences: Sequence[str]) -> NDArray[np.float64]:
    """Return how alike each prediction's protein is to the most like that was learned from."""
    sets = kmer_sets(sequences)
    # Predictions stand part by part.
    return np.concatenate([closest(sets[one.test], sets[one.train]) for one in study.splits])


def _how_split(dataset: Any) -> str:
    if dataset.parts is not None:
        return "The split is taken as it was published."
    if dataset.groups is not None:
        return "No group is on both sides of a split."
    return "Nothing is grouped, so that relatives may be on both sides of a split."


def _said(predictions: Predictions, likeness: NDArray[np.float64], right: NDArray[np.bool_]) -> str:
    """Say how many held-out proteins have a relative, and what is right without them."""
    related = likeness >= LIKENESS
    # A protein may have relatives to learn from in one repeat and none in another.
    shares = predictions.shares
    share, share_of_all = shares[related].sum(), shares[likeness > 1 - 1e-9].sum()
    of = counted(predictions.n_items, "held-out protein")
    if not related.any():
        return (
            f"None of the {of} has {LIKENESS:g} of its 3-mers in common with one that its model "
            "learned from."
        )
    n, n_all = max(1, round(share)), round(share_of_all)
    said = (
        f"{n:,} of {of} ({share / predictions.n_items:.1%}) {agreeing(n, 'have')} at least "
        f"{LIKENESS:g} of their 3-mers in common with one that their model learned from; "
        f"{n_all:,} {agreeing(n_all, 'have')} all."
    )
    if not related.all():
        said += f" Without them {right[~related].mean():.1%} are called rightly in place of "
        said += f"{right.mean():.1%}."
    return said


def _sequences(dataset: Any) -> list[str]:
    columns = [name for name, kind in dataset.kinds.items() if kind == "sequence"]
    return [str(one) for one in dataset.X[columns[0]]] if len(columns) == 1 else []


def _macro_f1(true: NDArray[Any], told: NDArray[Any]) -> float:
    scores = []
    for code in np.unique(true):
        hits = int(((true == code) & (told == code)).sum())
        scores.append(2 * hits / int((true == code).sum() + (told == code).sum()))
    return float(np.mean(scores))
