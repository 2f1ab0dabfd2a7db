"""Pairs of cells: which differ on the folds, or the items, that both were measured on."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Metric, Predictions, RunRecord
from widemargin.evaluation import PairedTest, corrected_t_test, holm
from widemargin.evaluation.paired import few_shot_overlap, paired_bootstrap
from widemargin.runs.predictions import predictions_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Pair", "paired"]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two cells on the same folds, or on the same items.

    Parameters
    ----------
    better, worse : str
        Names of the cells, by the primary metric: the mean over the folds, or that of all items.
    test : PairedTest
        Of the better's score less the worse's, which is below 0 for an error.
    p : float
        The test's p after Holm's correction over all pairs; nan where it cannot tell.
    is_clear : bool
        Whether that is below one less the confidence.
    """

    better: str
    worse: str
    test: PairedTest
    p: float
    is_clear: bool


def paired(runs: Mapping[str, RunRecord], primary: Metric) -> tuple[tuple[Pair, ...], str]:
    """Test all pairs of runs.

    On folds by the corrected resampled t-test of their scores. Where there is one held-out part,
    as of a split that was published, or where each is one item or one group, of which most metrics
    say nothing, by drawing the items anew.

    Parameters
    ----------
    runs : mapping of str to RunRecord
        By the cells' names.
    primary : Metric
        What they are judged by.

    Returns
    -------
    tuple of Pair
        All pairs, tested the same way; none where runs cannot be paired.
    str
        Why they cannot; empty where they can.
    """
    names, done = list(runs), list(runs.values())
    if len(done) < 2:
        return (), "fewer than two cells have finished"
    parts: list[_HeldOut] = []
    for name, run in runs.items():
        part = _held_out(run)
        if part is None:
            return (), f"the predictions of {name} cannot be read"
        parts.append(part)
        if why := _mismatch(parts[0], part):
            return (), f"{names[0]} and {name} {why}"
    confidence = done[0].metrics["confidence"]
    n_pairs = math.comb(len(done), 2)
    test: Callable[[int, int], PairedTest]
    # Training parts that grow from fold to fold are not of the test's equal sizes.
    alike = done[0].metrics.get("split") not in ("leave-one-out", "walk-forward")
    if parts[0].n_folds > 1 and alike:
        scores = [_scores(run, primary.name) for run in done]
        if any(len(own) != parts[0].n_folds for own in scores):
            return (), "the folds' scores are not all there"
        overlap = _overlap(done[0], parts[0])

        def test(k: int, m: int) -> PairedTest:
            return corrected_t_test(scores[k], scores[m], overlap=overlap, confidence=confidence)

    else:
        drawing = _drawing(done[0], parts[0], n_pairs)

        def test(k: int, m: int) -> PairedTest:
            one, other = parts[k].predictions, parts[m].predictions
            return paired_bootstrap(one, other, primary, confidence=confidence, **drawing)

    tested: list[tuple[str, str, PairedTest]] = []
    for k, m in itertools.combinations(range(len(done)), 2):
        found = test(k, m)
        better, worse = names[k], names[m]
        if found.difference and (found.difference > 0) != primary.greater_is_better:
            better, worse = worse, better
            found = replace(found, difference=-found.difference, low=-found.high, high=-found.low)
        tested.append((better, worse, found))
    corrected = holm([one.p for _, _, one in tested])
    return tuple(
        Pair(better=better, worse=worse, test=one, p=p, is_clear=p < 1 - confidence)
        for (better, worse, one), p in zip(tested, corrected, strict=True)
    ), ""


@dataclass(frozen=True)
class _HeldOut:
    """Which rows each fold held out, what they truly are, and what was predicted of them."""

    repeat: NDArray[Any]
    fold: NDArray[Any]
    group: NDArray[Any] | None
    predictions: Predictions
    rows: str
    truth: str

    @property
    def n_repeats(self) -> int:
        return len(np.unique(self.repeat))

    @property
    def n_folds(self) -> int:
        return len(np.unique(np.stack([self.repeat, self.fold]), axis=1).T)


def _held_out(run: RunRecord) -> _HeldOut | None:
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
    return _HeldOut(
        repeat=table["repeat"].to_numpy(),
        fold=table["fold"].to_numpy(),
        group=table["group"].to_numpy() if "group" in table else None,
        predictions=predictions,
        rows=rows,
        truth=truth,
    )


def _hash(table: pd.DataFrame) -> str:
    return hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()


def _mismatch(one: _HeldOut, other: _HeldOut) -> str:
    if one.rows != other.rows:
        return "held out other rows, so that their folds are no pairs"
    if one.truth != other.truth:
        return "had other labels or weights for the same rows, so that their folds are no pairs"
    return ""


def _scores(run: RunRecord, name: str) -> list[float]:
    values = [fold.get(name) for fold in run.metrics.get("folds") or ()]
    return [math.nan if value is None else float(value) for value in values]


def _overlap(run: RunRecord, part: _HeldOut) -> float:
    """Return how much folds resemble each other, as `corrected_t_test` takes it."""
    first = part.repeat == part.repeat[0]
    n_splits = len(np.unique(part.fold[first]))
    shots = _evaluation(run).get("shots")
    if shots:
        sizes = np.unique(part.predictions.y_true[first], return_counts=True)[1]
        return few_shot_overlap(sizes.tolist(), shots, n_splits=n_splits, n_repeats=part.n_repeats)
    # Each row is held out by one of a repeat's folds.
    return 1 / (n_splits - 1)


def _drawing(run: RunRecord, part: _HeldOut, n_pairs: int) -> dict[str, Any]:
    """Say how items are drawn: as for the run's own intervals, and often enough for all pairs."""
    evaluation = _evaluation(run)
    # The smallest p is 2 / (resamples + 1), and Holm's correction multiplies it.
    enough = math.ceil(4 * n_pairs / (1 - run.metrics["confidence"]))
    # Folds of leave-one-out are the items, or the groups.
    groups = part.fold if part.n_folds > 1 else part.group
    return {
        "resamples": max(int(evaluation.get("resamples") or 1000), enough),
        "groups": groups,
        "random_state": int(run.manifest.get("seed") or 0),
    }


def _evaluation(run: RunRecord) -> Mapping[str, Any]:
    return run.config.get("evaluation") or {}
