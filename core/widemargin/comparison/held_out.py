"""What runs held out: read from their predictions, so that only what is alike is paired."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Metric, Predictions, RunRecord
from widemargin.data import merge_groups
from widemargin.evaluation import PairedTest, corrected_t_test
from widemargin.evaluation.paired import few_shot_overlap, paired_bootstraps
from widemargin.runs.predictions import predictions_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "HeldOut",
    "PairTest",
    "choose_test",
    "drawing",
    "mismatch",
    "read_held_out",
    "together",
    "units_of_items",
]

PairTest = Callable[[int, int, Sequence[Metric]], dict[str, PairedTest]]
"""``test(k, m, metrics)``: of the k-th run's scores less the m-th's, by the metric's name."""


@dataclass(frozen=True)
class HeldOut:
    """Which rows each fold held out, what they truly are, and what was predicted of them.

    Parameters
    ----------
    repeat, fold : ndarray of shape (n_samples,)
        The held-out part that each row is of.
    group : ndarray of shape (n_samples,) or None
        Which rows belong together; None where the data have no groups.
    predictions : Predictions
        By repeat, fold and id.
    rows, truth : str
        Hashes of which rows are held out where, and of their labels and weights.
    """

    repeat: NDArray[Any]
    fold: NDArray[Any]
    group: NDArray[Any] | None
    predictions: Predictions
    rows: str
    truth: str

    @property
    def n_repeats(self) -> int:
        """How often each row is held out."""
        return len(np.unique(self.repeat))

    @property
    def n_folds(self) -> int:
        """The held-out parts of all repeats."""
        return len(np.unique(np.stack([self.repeat, self.fold]), axis=1).T)


def read_held_out(run: RunRecord) -> HeldOut | None:
    """Read what a run held out; None where its predictions cannot be read."""
    import pandas as pd

    try:
        table = pd.read_parquet(run.path / "predictions.parquet")
        table = table.sort_values(["repeat", "fold", "id"], kind="stable")
        predictions = predictions_of(table, run.metrics)
        rows, truth = _hash(table[["repeat", "fold", "id"]]), _hash(table[["y_true", "weight"]])
    except (OSError, ValueError, KeyError, TypeError):  # torn, or without a column
        return None
    if predictions is None:
        return None
    return HeldOut(
        repeat=table["repeat"].to_numpy(),
        fold=table["fold"].to_numpy(),
        group=table["group"].to_numpy() if "group" in table else None,
        predictions=predictions,
        rows=rows,
        truth=truth,
    )


def mismatch(one: HeldOut, other: HeldOut) -> str:
    """Say why the folds of two runs are no pairs; empty where they are."""
    if one.rows != other.rows:
        return "held out other rows, so that their folds are no pairs"
    if one.truth != other.truth:
        return "had other labels or weights for the same rows, so that their folds are no pairs"
    return ""


def choose_test(
    runs: Sequence[RunRecord], parts: Sequence[HeldOut], n_pairs: int = 1
) -> tuple[PairTest | None, str]:
    """Choose how runs that held out the same rows are compared.

    On folds by the corrected resampled t-test of their scores. Where there is one held-out part,
    as of a split that was published, or where each is one item or one group, of which most metrics
    say nothing, by drawing the items anew.

    Parameters
    ----------
    runs : sequence of RunRecord
        What is compared; the first says the confidence.
    parts : sequence of HeldOut
        What they held out, which no `mismatch` tells apart.
    n_pairs : int
        How many tests Holm's correction is for.

    Returns
    -------
    PairTest or None
        The test; None where there is none.
    str
        Why there is none; empty where there is one.
    """
    confidence = runs[0].metrics["confidence"]
    # Training parts that grow from fold to fold are not of the test's equal sizes.
    alike = not {run.metrics.get("split") for run in runs} & {"leave-one-out", "walk-forward"}
    if parts[0].n_folds == 1 or not alike:
        draws = drawing(runs[0], parts[0], n_pairs)

        def on_items(k: int, m: int, metrics: Sequence[Metric]) -> dict[str, PairedTest]:
            one, other = parts[k].predictions, parts[m].predictions
            return paired_bootstraps(one, other, metrics, confidence=confidence, **draws)

        return on_items, ""
    if any(len(run.metrics.get("folds") or ()) != parts[0].n_folds for run in runs):
        return None, "the folds' scores are not all there"
    overlap = max(_overlap(run, part) for run, part in zip(runs, parts, strict=True))

    def on_folds(k: int, m: int, metrics: Sequence[Metric]) -> dict[str, PairedTest]:
        return {
            metric.name: corrected_t_test(
                *(_scores(runs[at], metric.name) for at in (k, m)),
                overlap=overlap,
                confidence=confidence,
            )
            for metric in metrics
        }

    return on_folds, ""


def drawing(run: RunRecord, part: HeldOut, n_pairs: int = 1) -> dict[str, Any]:
    """Say how items are drawn: as for the run's own intervals, and often enough for all pairs."""
    evaluation = _evaluation(run)
    # The smallest p is 2 / (resamples + 1), and Holm's correction multiplies it.
    enough = math.ceil(4 * n_pairs / (1 - run.metrics["confidence"]))
    return {
        "resamples": max(int(evaluation.get("resamples") or 1000), enough),
        "groups": together(run, part),
        "random_state": int(run.manifest.get("seed") or 0),
    }


def together(run: RunRecord, part: HeldOut) -> NDArray[Any] | None:
    """Say which rows are no evidence of their own, as those of a group or a stretch of time."""
    drawn = part.predictions.drawn
    if drawn is None and run.metrics.get("split") == "walk-forward":
        return part.fold  # runs of before there was the column
    return drawn


def units_of_items(
    runs: Sequence[RunRecord], parts: Sequence[HeldOut], rows: Sequence[NDArray[Any]]
) -> NDArray[Any] | None:
    """Say which items that runs of other splits predicted are no evidence of their own.

    Those of one group, and of one stretch of time where a run walked forward, by the longest
    stretches. Held-out parts that a run draws as one, as with few items to learn from, are of its
    own models and not of the items: parts of two splits share items all over.

    Parameters
    ----------
    runs : sequence of RunRecord
        The runs.
    parts : sequence of HeldOut
        What they held out.
    rows : sequence of ndarray
        Where each item stands in each of them.

    Returns
    -------
    ndarray or None
        The unit of each item; None where each stands for itself.
    """
    stretches: list[NDArray[Any]] = []
    groups: list[NDArray[Any]] = []
    for run, part, at in zip(runs, parts, rows, strict=True):
        if run.metrics.get("split") == "walk-forward" and (own := together(run, part)) is not None:
            stretches.append(own[at])
        if part.group is not None:
            groups.append(part.group[at])
    if stretches:
        return min(stretches, key=lambda own: len(np.unique(own)))
    return merge_groups(*groups) if groups else None


def _hash(table: pd.DataFrame) -> str:
    return hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()


def _scores(run: RunRecord, name: str) -> list[float]:
    values = [fold.get(name) for fold in run.metrics.get("folds") or ()]
    return [math.nan if value is None else float(value) for value in values]


def _overlap(run: RunRecord, part: HeldOut) -> float:
    """Return how much folds resemble each other, as `corrected_t_test` takes it."""
    first = part.repeat == part.repeat[0]
    n_splits = len(np.unique(part.fold[first]))
    shots = _evaluation(run).get("shots")
    if shots:
        sizes = np.unique(part.predictions.y_true[first], return_counts=True)[1]
        return few_shot_overlap(sizes.tolist(), shots, n_splits=n_splits, n_repeats=part.n_repeats)
    # Each row is held out by one of a repeat's folds.
    return 1 / (n_splits - 1)


def _evaluation(run: RunRecord) -> Mapping[str, Any]:
    return run.config.get("evaluation") or {}
