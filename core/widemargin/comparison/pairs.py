"""Pairs of cells: which differ on the folds, or the items, that both were measured on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from widemargin.comparison.held_out import HeldOut, choose_test, mismatch, read_held_out
from widemargin.contracts import Metric, RunRecord
from widemargin.evaluation import PairedTest, holm

__all__ = ["Pair", "judge", "paired"]


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

    As `choose_test` says: on folds, or on items where folds say nothing.

    Parameters
    ----------
    runs : mapping of str to RunRecord
        By the cells' names.
    primary : Metric
        What they are judged by.

    Returns
    -------
    tuple of Pair
        All pairs that held out the same rows, corrected together.
    str
        Why others are no pairs; empty where all are.
    """
    if len(runs) < 2:
        return (), "fewer than two cells have finished"
    parts: dict[str, HeldOut] = {}
    for name, run in runs.items():
        part = read_held_out(run)
        if part is None:
            return (), f"the predictions of {name} cannot be read"
        parts[name] = part
    first, *others = parts
    told = ((name, mismatch(parts[first], parts[name])) for name in others)
    unpaired = next((f"{first} and {name} {why}" for name, why in told if why), "")
    alike: dict[tuple[str, str], list[str]] = {}
    for name, part in parts.items():
        alike.setdefault((part.rows, part.truth), []).append(name)
    n_pairs = sum(math.comb(len(names), 2) for names in alike.values())
    made: list[Pair] = []
    for names in alike.values():
        done, own = [runs[name] for name in names], [parts[name] for name in names]
        test, why = choose_test(done, own, n_pairs)
        if test is None:
            unpaired = unpaired or why
            continue
        made += [
            judge(names[k], names[m], test(k, m, [primary])[primary.name], primary)
            for k, m in itertools.combinations(range(len(names)), 2)
        ]
    corrected = holm([pair.test.p for pair in made])
    least = 1 - runs[first].metrics["confidence"]
    return tuple(
        replace(pair, p=p, is_clear=p < least) for pair, p in zip(made, corrected, strict=True)
    ), unpaired


def judge(one: str, other: str, test: PairedTest, metric: Metric, *, least: float = 0.0) -> Pair:
    """Say which of two is better.

    Parameters
    ----------
    one, other : str
        Their names.
    test : PairedTest
        Of the one's score less the other's.
    metric : Metric
        What they are judged by.
    least : float
        Below which p the difference is clear.
    """
    if test.difference and (test.difference > 0) != metric.greater_is_better:
        one, other = other, one
        test = replace(test, difference=-test.difference, low=-test.high, high=-test.low)
    return Pair(better=one, worse=other, test=test, p=test.p, is_clear=test.p < least)
