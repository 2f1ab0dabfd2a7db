"""The table of a comparison: what each cell reached and cost, and which differences are clear."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from widemargin.comparison.kept import Finished
from widemargin.comparison.pairs import Pair, paired
from widemargin.comparison.plan import Plan
from widemargin.comparison.row import Row, row_data, row_of
from widemargin.contracts import Metric, RunRecord
from widemargin.contracts.metric import finite

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Cells side by side.

    Parameters
    ----------
    name : str
        Its folder.
    title : str
        What its file heads it with; empty where nothing was said.
    use_cases : tuple of str
        The problems that cells solve.
    axes : tuple of str
        What cells differ in.
    rows : tuple of Row
        The best first where all are measured alike, else in the order given; those that failed
        last.
    is_ranked : bool
        Whether all that is done is of the same data and judged by the same metric, so that there is
        a best.
    n_cells : int
        How many are planned; more than rows where it was stopped.
    metrics : tuple of Metric
        All that were measured of any cell, each use case's primary one first.
    pairs : tuple of Pair
        All pairs of cells that held out the same rows.
    unpaired : str
        Why others of one use case are no pairs; empty where all are.
    """

    name: str
    use_cases: tuple[str, ...]
    axes: tuple[str, ...]
    rows: tuple[Row, ...]
    n_cells: int
    metrics: tuple[Metric, ...]
    pairs: tuple[Pair, ...]
    unpaired: str
    is_ranked: bool = True
    title: str = ""

    @property
    def done(self) -> tuple[Row, ...]:
        """The cells that have a run."""
        return tuple(row for row in self.rows if row.run)

    @property
    def failed(self) -> tuple[Row, ...]:
        """The cells that failed."""
        return tuple(row for row in self.rows if not row.run)

    @property
    def confidence(self) -> float:
        """Coverage of the intervals, of the first cell's where they differ."""
        return self.done[0].confidence if self.done else 0.95

    def pair(self, one: str, other: str) -> Pair | None:
        """Find the pair of two cells, in either order."""
        for pair in self.pairs:
            if {pair.better, pair.worse} == {one, other}:
                return pair
        return None

    def best_for(self, row: Row) -> Row:
        """Return the best that a cell with a run is set against: of all, where there is one."""
        return (self.done if self.is_ranked else self.family(row))[0]

    def against_best(self, row: Row) -> Pair | None:
        """Find the pair of a cell and the best; None where it is that, or was not tested so."""
        return self.pair(self.best_for(row).name, row.name) if row.run else None

    def family(self, row: Row) -> tuple[Row, ...]:
        """Return the cells that a cell was tested against, itself included, the best first."""
        own = [one for one in self.done if one is row or self.pair(one.name, row.name)]
        return tuple(sorted(own, key=_rank))

    def families(self) -> list[tuple[Row, ...]]:
        """Return the cells that were tested against each other, each once."""
        found: dict[tuple[str, ...], tuple[Row, ...]] = {}
        for row in self.done:
            own = self.family(row)
            if len(own) > 1:
                found.setdefault(tuple(one.name for one in own), own)
        return list(found.values())

    def n_tested(self, row: Row) -> int:
        """Count the pairs of a cell's use case, which were corrected together."""
        own = {one.name for one in self.done if one.use_case == row.use_case}
        return sum(pair.better in own for pair in self.pairs)

    def to_data(self) -> dict[str, Any]:
        """Return all of it as JSON values; what is undefined is None."""
        return {
            "name": self.name,
            "title": self.title,
            "use_cases": list(self.use_cases),
            "axes": list(self.axes),
            "ranked": self.is_ranked,
            "n_cells": self.n_cells,
            "cells": [row_data(row) for row in self.rows],
            "pairs": [
                {
                    "better": pair.better,
                    "worse": pair.worse,
                    "difference": finite(pair.test.difference),
                    "low": finite(pair.test.low),
                    "high": finite(pair.test.high),
                    "p": finite(pair.test.p),
                    "p_holm": finite(pair.p),
                    "clear": pair.is_clear,
                    "of": pair.test.of,
                    "n_paired": pair.test.n_paired,
                }
                for pair in self.pairs
            ],
            "unpaired": self.unpaired,
        }


def compare(
    plan: Plan, finished: Sequence[Finished], metrics: Mapping[str, Metric], home: Path
) -> Comparison:
    """Put what cells reached side by side.

    Parameters
    ----------
    plan : Plan
        What is compared.
    finished : sequence of Finished
        Cells that came to an end.
    metrics : mapping of str to Metric
        The registered metrics.
    home : Path
        The folder of runs, which paths begin at.
    """
    rows = [row_of(one, metrics, home) for one in finished]
    done = [row for row in rows if row.run and row.primary]
    ranked = len({_measured(row) for row in done}) <= 1 and len(plan.use_cases) == 1
    # The pairs of one use case are corrected together, also where its cells are judged apart.
    cases: dict[str, dict[str, dict[str, RunRecord]]] = {}
    for row in done:
        assert row.run is not None
        assert row.primary is not None
        judged = cases.setdefault(row.use_case, {}).setdefault(row.primary.name, {})
        judged[row.name] = row.run
    pairs: list[Pair] = []
    unpaired: list[str] = []
    for own in cases.values():
        made, told = paired([(metrics[name], runs) for name, runs in own.items()])
        pairs += made
        unpaired += [
            why
            for why, runs in zip(told, own.values(), strict=True)
            if why and (len(runs) > 1 or ranked)
        ]
    return Comparison(
        name=plan.name,
        title=plan.title,
        use_cases=plan.use_cases,
        axes=plan.axes,
        rows=tuple(sorted(rows, key=_rank if ranked else lambda row: row.run is None)),
        n_cells=len(plan.cells),
        metrics=_all_metrics(done),
        pairs=tuple(pairs),
        unpaired="; ".join(unpaired) if done else "no cell has finished",
        is_ranked=ranked,
    )


def _measured(row: Row) -> tuple[object, ...]:
    """Say what a cell was measured on, and by what."""
    assert row.run is not None
    data = row.run.manifest.get("data_sha256")
    return row.use_case, data, row.primary.name if row.primary else ""


def _all_metrics(done: Sequence[Row]) -> tuple[Metric, ...]:
    """List what was measured: all primary metrics, then the others, each where it came first."""
    primary = {row.primary.name: row.primary for row in done if row.primary}
    others = {metric.name: metric for row in done for metric in row.known}
    return tuple({**primary, **others}.values())


def _rank(row: Row) -> tuple[bool, bool, float]:
    """Sort the best first, then what is undefined, then what failed."""
    value = row.metrics[row.primary.name][0] if row.run and row.primary else math.nan
    sign = -1 if row.primary and row.primary.greater_is_better else 1
    undefined = math.isnan(value)
    return row.run is None, undefined, 0.0 if undefined else sign * value
