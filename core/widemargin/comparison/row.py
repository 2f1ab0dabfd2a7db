"""One row of a comparison's table: what a cell reached and cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from widemargin.comparison.axes import value_name
from widemargin.comparison.kept import Finished
from widemargin.contracts import Metric, RunRecord
from widemargin.contracts.metric import finite

__all__ = ["Estimated", "Row", "row_data", "row_of", "whole_seconds"]

Estimated = tuple[float, float, float]
"""A value with the ends of its interval; nan where undefined."""

UNDEFINED: Estimated = (math.nan, math.nan, math.nan)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell's numbers.

    Parameters
    ----------
    name : str
        What tells it from the other cells.
    values : mapping of str to str
        Its value on each axis.
    use_case : str
        The problem that it solves.
    identity : str
        Hash of all that its run depends on; empty where that existed before.
    run : RunRecord or None
        Its run; None where it failed.
    path : str
        Where its run lies: in the folder of runs, or in full; empty where it failed.
    problem : str
        What the run said when it failed.
    primary : Metric or None
        What its use case is judged by.
    known : tuple of Metric
        What was measured of it, in the use case's order.
    metrics : mapping of str to (float, float, float)
        Value and interval of each of these.
    has_report : bool
        Whether the run's report is there.
    """

    name: str
    values: Mapping[str, str]
    use_case: str
    identity: str
    run: RunRecord | None
    path: str
    problem: str
    primary: Metric | None
    known: tuple[Metric, ...]
    metrics: Mapping[str, Estimated]
    has_report: bool = False

    @property
    def measured(self) -> Mapping[str, Any]:
        """What the run's ``metrics.json`` says; empty where it failed."""
        return self.run.metrics if self.run else {}

    @property
    def costs(self) -> Mapping[str, Any]:
        """What the run's manifest says of costs; empty where it says nothing."""
        return (self.run.manifest.get("costs") or {}) if self.run else {}

    @property
    def confidence(self) -> float:
        """Coverage of the intervals."""
        return float(self.measured.get("confidence", 0.95))

    @property
    def units(self) -> str:
        """Units of a numeric target."""
        return str(self.measured.get("units", ""))

    @property
    def n_items(self) -> int | None:
        """How many items there are."""
        return self.measured.get("n_items")

    @property
    def n_classes(self) -> int | None:
        """How many classes there are; None for a target of numbers."""
        return len(self.measured.get("classes") or ()) or None

    @property
    def n_folds(self) -> int:
        """Held-out parts over all repeats."""
        return len(self.measured.get("folds") or ())

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
        told = self.costs.get("seconds") or {}
        return {work: spent for work, spent in told.items() if spent is not None}

    @property
    def total(self) -> float | None:
        """Seconds of encoding, fitting and predicting together."""
        return sum(self.seconds.values()) if self.seconds else None

    @property
    def whole(self) -> float | None:
        """Seconds of the whole run; None where it took folds that were kept, and timed the rest."""
        return whole_seconds(self.run) if self.run else None

    @property
    def is_reused(self) -> bool:
        """Whether some vectors were there from earlier runs, so that encoding cost too little."""
        return bool(self.costs.get("items_kept"))

    @property
    def chosen(self) -> Mapping[str, Any]:
        """Kernel, C and gamma of the final model."""
        return self.measured.get("chosen") or {}

    @property
    def kernel(self) -> str:
        """The final model's kernel in a few words: a sum of kernels by how many they are."""
        told = str(self.chosen.get("kernel", ""))
        combined, _, blocks = told.partition(" of ")
        n_blocks = blocks.count("), ") + 1
        return f"{combined} of {n_blocks}" if blocks and n_blocks > 1 else told

    @property
    def support(self) -> float | None:
        """Share of the rows learned from that are support vectors."""
        return (self.measured.get("support_vectors") or {}).get("share")

    @property
    def encoder(self) -> str:
        """What turns items into vectors; empty where the use case leaves no choice."""
        features = (self.run.config.get("features") or {}) if self.run else {}
        told = features.get("encoder")
        several = told if isinstance(told, list) else [told] if told else []
        names = [
            str(one.get("as") or one.get("name")) if isinstance(one, dict) else value_name(one)
            for one in several
        ]
        return " + ".join(names) + (" (fine-tuned)" if features.get("train") is not None else "")

    def value(self, metric: Metric) -> Estimated:
        """Return a metric's value and interval; nan where it was not measured."""
        return self.metrics.get(metric.name, UNDEFINED)

    def gain(self, over: Literal["dummy", "linear"], metric: Metric) -> Estimated:
        """Return how much better than a baseline it is; above 0 is better, also for an error.

        The linear baseline is logistic regression, or ridge regression where the target is a
        number, on the same features and folds. The interval is that of the difference on the same
        items; nan where the run did not say one.
        """
        for name, own in (self.measured.get("baselines") or {}).items():
            if (name == "dummy") == (over == "dummy"):
                return _advantage(metric, self.value(metric)[0], own)
        return UNDEFINED


def whole_seconds(run: RunRecord) -> float | None:
    """Return the seconds of a whole run; None where it took kept folds, or does not say so."""
    if (run.manifest.get("costs") or {}).get("folds_kept", 1):
        return None
    return (run.manifest.get("timings") or {}).get("total")


def _advantage(metric: Metric, value: float, baseline: Mapping[str, Any]) -> Estimated:
    difference = value - _number((baseline.get("metrics") or {}).get(metric.name))
    gain = (baseline.get("gain") or {}).get(metric.name) or {}
    low, high = _number(gain.get("low")), _number(gain.get("high"))
    if metric.greater_is_better:
        return difference, low, high
    return -difference, -high, -low


def row_of(one: Finished, metrics: Mapping[str, Metric], home: Path) -> Row:
    """Read a cell's numbers from its run."""
    measured = one.run.metrics["metrics"] if one.run else {}
    primary = metrics.get(one.run.metrics["primary"]) if one.run else None
    known = [metrics[name] for name in measured if name in metrics]
    if primary:
        known = [primary, *(metric for metric in known if metric is not primary)]
    return Row(
        name=one.cell.name,
        values=one.cell.values,
        use_case=one.cell.use_case,
        identity=one.identity,
        run=one.run,
        path=_path(one.run, home) if one.run else "",
        problem=one.problem,
        primary=primary,
        known=tuple(known),
        metrics={
            metric.name: (
                _number(measured[metric.name]["value"]),
                _number(measured[metric.name]["low"]),
                _number(measured[metric.name]["high"]),
            )
            for metric in known
        },
        has_report=one.run is not None and (one.run.path / "report.html").is_file(),
    )


def _path(run: RunRecord, home: Path) -> str:
    path = run.path.absolute()
    if path.is_relative_to(home.absolute()):
        return path.relative_to(home.absolute()).as_posix()
    return str(path)


def row_data(row: Row) -> dict[str, Any]:
    """Return a row as JSON values; what is undefined is None."""
    return {
        "name": row.name,
        **row.values,
        "use_case": row.use_case,
        "identity": row.identity,
        "folder": row.path,
        "problem": row.problem,
        "n_items": row.n_items,
        "n_classes": row.n_classes,
        "n_folds": row.n_folds,
        "confidence": row.confidence,
        "primary": row.primary.name if row.primary else "",
        "metrics": {name: _ends(own) for name, own in row.metrics.items()},
        "gains": {
            over: _ends(row.gain(over, row.primary)) for over in ("dummy", "linear") if row.primary
        },
        "encoder_used": row.encoder,
        "dimension": row.dimension,
        "seconds": dict(row.seconds),
        "run_seconds": row.whole,
        "peak_memory": row.memory,
        "vectors_reused": row.is_reused,
        "chosen": dict(row.chosen),
        "support_vectors": row.support,
    }


def _ends(own: Estimated) -> dict[str, float | None]:
    return dict(zip(("value", "low", "high"), map(finite, own), strict=True))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
