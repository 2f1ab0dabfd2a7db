"""The table of a comparison: what each cell reached and cost, and which differences are clear."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from widemargin.comparison.jobs import Finished
from widemargin.comparison.pairs import Pair, paired
from widemargin.comparison.plan import Plan
from widemargin.contracts import Metric, RunRecord
from widemargin.contracts.metric import finite

__all__ = ["Comparison", "Estimated", "Row", "compare"]

Estimated = tuple[float, float, float]
"""A value with the ends of its interval; nan where undefined."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell's numbers.

    Parameters
    ----------
    name : str
        What tells it from the other cells.
    values : mapping of str to str
        Its value on each axis.
    identity : str
        Hash of all that its run depends on.
    run : RunRecord or None
        Its run; None where it failed.
    problem : str
        What the run said when it failed.
    metrics : mapping of str to (float, float, float)
        Value and interval of each metric, in the use case's order.
    """

    name: str
    values: Mapping[str, str]
    identity: str
    run: RunRecord | None
    problem: str
    metrics: Mapping[str, Estimated]

    @property
    def path(self) -> str:
        """Where its run lies in the folder of runs; empty where it failed."""
        return f"{self.run.path.parent.name}/{self.run.path.name}" if self.run else ""

    @property
    def dimension(self) -> int | None:
        """How many numbers an item becomes, in the final model."""
        return self.costs.get("dimension")

    @property
    def memory(self) -> int | None:
        """The most bytes that its process held at once."""
        return self.costs.get("peak_memory")

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds by kind of work, over all folds and the final model."""
        return self.costs.get("seconds") or {}

    @property
    def total(self) -> float | None:
        """Seconds of encoding, fitting and predicting together."""
        return sum(self.seconds.values()) if self.seconds else None

    @property
    def is_reused(self) -> bool:
        """Whether some vectors were there from earlier runs, so that encoding cost too little."""
        return bool(self.costs.get("items_kept"))

    @property
    def chosen(self) -> Mapping[str, Any]:
        """Kernel, C and gamma of the final model."""
        return self.run.metrics["chosen"] if self.run else {}

    @property
    def costs(self) -> Mapping[str, Any]:
        """What the run's manifest says of costs; empty where it says nothing."""
        return (self.run.manifest.get("costs") or {}) if self.run else {}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Cells side by side.

    Parameters
    ----------
    name : str
        Its folder.
    use_case : str
        The problem that all cells solve.
    axes : tuple of str
        What cells differ in.
    rows : tuple of Row
        The best first; those that failed last.
    n_cells : int
        How many are planned; more than rows where it was stopped.
    metrics : tuple of Metric
        All that were measured, the primary one first.
    confidence : float
        Coverage of the intervals.
    n_items, n_folds : int
        Items, and held-out parts over all repeats.
    units : str
        Units of a numeric target.
    pairs : tuple of Pair
        All pairs of cells.
    unpaired : str
        Why there are no pairs; empty where there are.
    """

    name: str
    use_case: str
    axes: tuple[str, ...]
    rows: tuple[Row, ...]
    n_cells: int
    metrics: tuple[Metric, ...]
    confidence: float
    n_items: int
    n_folds: int
    units: str
    pairs: tuple[Pair, ...]
    unpaired: str

    @property
    def done(self) -> tuple[Row, ...]:
        """The cells that have a run."""
        return tuple(row for row in self.rows if row.run)

    @property
    def failed(self) -> tuple[Row, ...]:
        """The cells that failed."""
        return tuple(row for row in self.rows if not row.run)

    def pair(self, one: str, other: str) -> Pair | None:
        """Find the pair of two cells, in either order."""
        for pair in self.pairs:
            if {pair.better, pair.worse} == {one, other}:
                return pair
        return None

    def to_data(self) -> dict[str, Any]:
        """Return all of it as JSON values; what is undefined is None."""
        return {
            "name": self.name,
            "use_case": self.use_case,
            "axes": list(self.axes),
            "primary": self.metrics[0].name if self.metrics else "",
            "confidence": self.confidence,
            "n_items": self.n_items,
            "n_folds": self.n_folds,
            "n_cells": self.n_cells,
            "cells": [_row_data(row) for row in self.rows],
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


def compare(plan: Plan, finished: Sequence[Finished], metrics: Mapping[str, Metric]) -> Comparison:
    """Put what cells reached side by side.

    Parameters
    ----------
    plan : Plan
        What is compared.
    finished : sequence of Finished
        Cells that came to an end.
    metrics : mapping of str to Metric
        The registered metrics.
    """
    runs = [one.run for one in finished if one.run]
    said = runs[0].metrics if runs else {}
    primary = said.get("primary", "")
    names = list(dict.fromkeys((primary, *said.get("metrics", ())))) if runs else []
    known = tuple(metrics[name] for name in names if name in metrics)
    rows = [_row(one, names) for one in finished]
    done = {row.name: row.run for row in rows if row.run}
    pairs, unpaired = paired(done, known[0]) if known else ((), "no cell has finished")
    return Comparison(
        name=plan.name,
        use_case=plan.use_case,
        axes=plan.axes,
        rows=tuple(sorted(rows, key=lambda row: _rank(row, known))),
        n_cells=len(plan.cells),
        metrics=known,
        confidence=said.get("confidence", 0.95),
        n_items=said.get("n_items", 0),
        n_folds=len(said.get("folds") or ()),
        units=said.get("units", ""),
        pairs=pairs,
        unpaired=unpaired,
    )


def _row(one: Finished, names: Sequence[str]) -> Row:
    measured = one.run.metrics["metrics"] if one.run else {}
    return Row(
        name=one.cell.name,
        values=one.cell.values,
        identity=one.identity,
        run=one.run,
        problem=one.problem,
        metrics={
            name: (
                _number(measured[name]["value"]),
                _number(measured[name]["low"]),
                _number(measured[name]["high"]),
            )
            for name in names
            if name in measured
        },
    )


def _rank(row: Row, metrics: Sequence[Metric]) -> tuple[bool, bool, float]:
    """Sort the best first, then what is undefined, then what failed."""
    value = row.metrics[metrics[0].name][0] if row.run and metrics else math.nan
    sign = -1 if metrics and metrics[0].greater_is_better else 1
    undefined = math.isnan(value)
    return row.run is None, undefined, 0.0 if undefined else sign * value


def _row_data(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        **row.values,
        "identity": row.identity,
        "run": row.path,
        "problem": row.problem,
        "metrics": {
            name: dict(zip(("value", "low", "high"), map(finite, own), strict=True))
            for name, own in row.metrics.items()
        },
        "dimension": row.dimension,
        "seconds": dict(row.seconds),
        "peak_memory": row.memory,
        "vectors_reused": row.is_reused,
        "chosen": dict(row.chosen),
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
