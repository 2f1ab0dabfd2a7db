"""Relatives across a published split: what is held out and resembles what was learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin import ReportSection, Table
from widemargin.encoders import Residues

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from widemargin.evaluation import Study

__all__ = ["closest", "relative_sections"]

_CHUNK = 1024
_BANDS = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.7), (0.7, 1.01))
_RELATED = 0.4


def closest(sequences: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """Return how alike each sequence is to the one among others that is most like it.

    Likeness is the number of different runs of three residues that two sequences share, by the
    number that either has (Jaccard).

    Parameters
    ----------
    sequences, others : sequence of str
        Proteins.

    Returns
    -------
    ndarray of shape (n_sequences,)
        Between 0 and 1; 0 where there are no others.

    Examples
    --------
    >>> closest(["MKTAY"], ["GGGGG", "MKTAF"]).round(2).tolist()
    [0.5]
    """
    best = np.zeros(len(sequences))
    own, known = _runs(sequences), _runs(others)
    n_own, n_known = np.diff(own.indptr), np.diff(known.indptr)
    for start in range(0, len(others), _CHUNK):
        columns = known[start : start + _CHUNK].toarray().T
        for first in range(0, len(sequences), _CHUNK):
            rows = slice(first, first + _CHUNK)
            common = own[rows].toarray() @ columns
            either = n_own[rows, None] + n_known[None, start : start + _CHUNK] - common
            likeness = (common / np.maximum(1, either)).max(axis=1)
            best[rows] = np.maximum(best[rows], likeness)
    return best


def _runs(sequences: Sequence[str]) -> csr_array:
    """Return which runs of three residues each sequence has, of shape (n_sequences, 8000)."""
    from scipy.sparse import csr_array

    residues = Residues(sequences)
    first, second, third = (residues.codes[at : len(residues.codes) - 2 + at] for at in range(3))
    whole = np.maximum(np.maximum(first, second), third) < 20
    runs = np.unique((residues.row[:-2] * 8000 + first * 400 + second * 20 + third)[whole])
    shape = (len(sequences), 8000)
    ones = np.ones(len(runs), np.float32)
    return csr_array((ones, (runs // 8000, runs % 8000)), shape=shape)


def relative_sections(study: Study) -> Sequence[ReportSection]:
    """Return how often held-out proteins are right by how alike they are to learned ones.

    Nothing where the split was not published: then no group is on both sides.
    """
    dataset, predictions = study.dataset, study.predictions
    if dataset.parts is None or predictions.task != "classification":
        return []
    sequences = _sequences(dataset)
    if not sequences:
        return []
    with study.progress.stage("relatives across the split"):
        likeness = closest(
            [sequences[row] for row in study.rows], [sequences[row] for row in study.learned]
        )
    right = predictions.y_true == predictions.y_pred
    rows: list[tuple[str, int, str, str]] = []
    for low, high in (*_BANDS, (0.0, _RELATED)):
        own = (likeness >= low) & (likeness < high)
        name = f"below {high:g}" if low == 0 else f"{low:g} and more"
        if low > 0 and high <= 1:
            name = f"{low:g} to {high:g}"
        if own.any():
            score = _macro_f1(predictions.y_true[own], predictions.y_pred[own])
            rows.append((name, int(own.sum()), f"{right[own].mean():.1%}", f"{score:.3f}"))
    related = likeness >= _RELATED
    if not related.any():
        return []
    share = related.mean()
    return [
        ReportSection(
            title="Relatives across the split",
            intro=f"The split is taken as it was published, and {related.sum():,} of "
            f"{len(related):,} held-out proteins ({share:.1%}) have at least {_RELATED:g} of their "
            "runs of three residues in common with one that the model learned from; "
            f"{(likeness > 1 - 1e-9).sum():,} have all. Without them {right[~related].mean():.1%} "
            f"are called rightly in place of {right.mean():.1%}.",
            blocks=[
                Table(
                    columns=("runs in common", "proteins", "right", "macro F1"),
                    rows=rows,
                    note="Runs of three residues that two proteins share, by those that either "
                    "has. Macro F1 is over the classes that the line's proteins are of.",
                )
            ],
        )
    ]


def _sequences(dataset: Any) -> list[str]:
    columns = [name for name, kind in dataset.kinds.items() if kind == "sequence"]
    return [str(one) for one in dataset.X[columns[0]]] if len(columns) == 1 else []


def _macro_f1(true: NDArray[Any], told: NDArray[Any]) -> float:
    scores = []
    for code in np.unique(true):
        hits = int(((true == code) & (told == code)).sum())
        scores.append(2 * hits / int((true == code).sum() + (told == code).sum()))
    return float(np.mean(scores))
