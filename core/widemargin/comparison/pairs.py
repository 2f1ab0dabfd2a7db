"""Pairs of cells: which differ on the folds, or the items, that both were measured on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
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
        The test's p after Holm's correction over all pairs of its use case; nan where it cannot
        tell.
    is_clear : bool
        Whether that is below one less the confidence.
    """

    better: str
    worse: str
    test: PairedTest
    p: float
    is_clear: bool


def paired(
    judged: Sequence[tuple[Metric, Mapping[str, RunRecord]]],
) -> tuple[tuple[Pair, ...], list[str]]:
    """Test all pairs of one use case's runs that are judged alike, and correct them together.

    As `choose_test` says: on folds, or on items where folds say nothing.

    Parameters
    ----------
    judged : sequence of (Metric, mapping of str to RunRecord)
        Runs by the cells' names, with what they are judged by, each metric once.

    Returns
    -------
    tuple of Pair
        All pairs that held out the same rows, by Holm's correction over all of them.
    list of str
        For each metric, why others are no pairs; empty where all are.
    """
    families = [_Family.of(metric, runs) for metric, runs in judged]
    n_pairs = sum(family.n_pairs for family in families)
    made: list[Pair] = []
    least: list[float] = []
    for family in families:
        own = family.test(n_pairs)
        made += own
        least += [family.least] * len(own)
    corrected = holm([pair.test.p for pair in made])
    return tuple(
        replace(pair, p=p, is_clear=p < below)
        for pair, p, below in zip(made, corrected, least, strict=True)
    ), [family.unpaired for family in families]


@dataclass
class _Family:
    """Runs that are judged by one metric, apart by the rows that they held out."""

    metric: Metric
    runs: Mapping[str, RunRecord]
    alike: Sequence[Mapping[str, HeldOut]]
    unpaired: str

    @classmethod
    def of(cls, metric: Metric, runs: Mapping[str, RunRecord]) -> _Family:
        """Read what runs held out."""
        if len(runs) < 2:
            return cls(metric, runs, (), "fewer than two cells have finished")
        parts: dict[str, HeldOut] = {}
        for name, run in runs.items():
            part = read_held_out(run)
            if part is None:
                return cls(metric, runs, (), f"the predictions of {name} cannot be read")
            parts[name] = part
        first, *others = parts
        told = ((name, mismatch(parts[first], parts[name])) for name in others)
        unpaired = next((f"{first} and {name} {why}" for name, why in told if why), "")
        alike: dict[tuple[str, str], dict[str, HeldOut]] = {}
        for name, part in parts.items():
            alike.setdefault((part.rows, part.truth), {})[name] = part
        return cls(metric, runs, tuple(alike.values()), unpaired)

    @property
    def n_pairs(self) -> int:
        """How many pairs it has."""
        return sum(math.comb(len(parts), 2) for parts in self.alike)

    @property
    def least(self) -> float:
        """Below which p a difference is clear."""
        return float(1 - next(iter(self.runs.values())).metrics["confidence"])

    def test(self, n_pairs: int) -> list[Pair]:
        """Test its pairs, of which with those of other families there are so many."""
        made: list[Pair] = []
        for parts in self.alike:
            names = list(parts)
            test, why = choose_test(
                [self.runs[name] for name in names], list(parts.values()), n_pairs
            )
            if test is None:
                self.unpaired = self.unpaired or why
                continue
            made += [
                judge(names[k], names[m], test(k, m, [self.metric])[self.metric.name], self.metric)
                for k, m in itertools.combinations(range(len(names)), 2)
            ]
        return made


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
