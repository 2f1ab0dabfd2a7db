"""Differences: what differs between two runs that are there already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from widemargin.comparison.difference.data import (
    DataDifference,
    describe_data,
    other_items,
    with_items,
)
from widemargin.comparison.difference.items import (
    Agreement,
    Common,
    Disagreement,
    agreement,
    common_items,
)
from widemargin.comparison.difference.kept import kept_texts, longest
from widemargin.comparison.difference.measures import (
    Cost,
    Measured,
    PairedTests,
    costs_of,
    measure,
    pair_metrics,
)
from widemargin.comparison.difference.settings import (
    Differing,
    differing,
    differing_settings,
    differing_versions,
)
from widemargin.comparison.held_out import HeldOut, read_held_out
from widemargin.comparison.pairs import Pair, judge
from widemargin.contracts import Metric, RunRecord
from widemargin.errors import InputError
from widemargin.registry import Registry

__all__ = [
    "Agreement",
    "Cost",
    "DataDifference",
    "Difference",
    "Differing",
    "Disagreement",
    "Measured",
    "PairedTests",
    "find_difference",
]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs between two runs, A and B.

    Parameters
    ----------
    first, second : RunRecord
        A and B.
    settings, versions, model : tuple of Differing
        What differs of the configs, of all that was installed, and of what the search chose.
    data : DataDifference
        In what the data differ.
    known : mapping of str to Metric
        The registered metrics among those measured.
    measured : tuple of Measured
        Each metric of the two, the primary one of A first.
    tested : PairedTests
        How metrics were tested.
    verdict : Pair or None
        Which run is better by the primary metric; None where that was not tested.
    agreement : Agreement or None
        How far the two agree on the items that both predicted.
    unmatched : str
        Why items were not matched; empty where they were.
    n_times : (int, int)
        How often each run held out an item.
    costs : tuple of Cost
        What they took.
    """

    first: RunRecord
    second: RunRecord
    settings: tuple[Differing, ...]
    versions: tuple[Differing, ...]
    model: tuple[Differing, ...]
    data: DataDifference
    known: dict[str, Metric]
    measured: tuple[Measured, ...]
    tested: PairedTests
    verdict: Pair | None
    agreement: Agreement | None
    unmatched: str
    n_times: tuple[int, int]
    costs: tuple[Cost, ...]

    @property
    def name(self) -> str:
        """The folder that it is kept in."""
        first, second = (run.path.resolve().name for run in (self.first, self.second))
        # What a run's files say of themselves is no path.
        return re.sub(r"[^\w.-]", "-", f"{self.first.use_case}-{first}-and-{second}")

    @property
    def is_of_classes(self) -> bool:
        """Whether both predict classes."""
        return bool(self.first.metrics["classes"]) and bool(self.second.metrics["classes"])

    @property
    def is_reused(self) -> bool:
        """Whether a run took vectors of earlier ones, so that encoding cost too little."""
        runs = (self.first, self.second)
        return any((run.manifest.get("costs") or {}).get("items_kept") for run in runs)

    def to_data(self) -> dict[str, Any]:
        """Return all of it as JSON values; what is undefined is None."""
        return {
            "name": self.name,
            "first": _told(self.first),
            "second": _told(self.second),
            "settings": [one.to_data() for one in self.settings],
            "data": self.data.to_data(),
            "versions": [one.to_data() for one in self.versions],
            "model": [one.to_data() for one in self.model],
            "primary": self.first.metrics["primary"],
            "confidence": self.first.metrics["confidence"],
            "metrics": [one.to_data() for one in self.measured],
            "tested_on": self.tested.on,
            "untested": self.tested.why,
            "clear": self.verdict.is_clear if self.verdict else None,
            "items": self.agreement and self.agreement.to_data(),
            "unmatched": self.unmatched,
            "costs": [one.to_data() for one in self.costs],
            "vectors_reused": self.is_reused,
        }


def find_difference(first: RunRecord, second: RunRecord, registry: Registry) -> Difference:
    """Tell what differs between two runs.

    Parameters
    ----------
    first, second : RunRecord
        A and B.
    registry : Registry
        What is installed: metrics, and the defaults of use cases.

    Returns
    -------
    Difference
        What cannot be compared, as the metrics of a classification and a regression, is left out
        and named.

    Raises
    ------
    InputError
        Where both are the same run.
    """
    if first.path.resolve() == second.path.resolve():
        raise InputError(
            f"Both name the run {first.use_case}/{first.id}; give two runs, as `widemargin runs` "
            "lists them."
        )
    runs = first, second
    texts = kept_texts(first.path), kept_texts(second.path)
    data = describe_data(runs)
    matched = _match(runs, data, texts)
    known = {
        name: registry.metrics[name]
        for name in (*first.metrics["metrics"], *second.metrics["metrics"])
        if name in registry.metrics
    }
    unmatched = matched if isinstance(matched, str) else ""
    tested = PairedTests(tests={}, why=unmatched)
    common = found = None
    if not isinstance(matched, str):
        parts, common = matched
        shared = [
            metric
            for name, metric in known.items()
            if all(name in run.metrics["metrics"] for run in runs)
        ]
        tested = pair_metrics(runs, parts, common, shared)
        data = with_items(data, common, texts)
        if len(common):
            found = agreement(common, longest(*texts))
    comparable = _is_comparable(runs) and (common is not None or data.is_same)
    return Difference(
        first=first,
        second=second,
        settings=differing_settings(first, second, registry),
        versions=differing_versions(first, second),
        model=differing(*(_chosen(run) for run in runs)),
        data=data,
        known=known,
        measured=measure(runs, tested, comparable=comparable),
        tested=tested,
        verdict=_verdict(runs, tested, known),
        agreement=found,
        unmatched=unmatched,
        n_times=common.n_times if common is not None else (1, 1),
        costs=costs_of(runs),
    )


def _match(
    runs: tuple[RunRecord, RunRecord],
    data: DataDifference,
    texts: tuple[Mapping[str, str], Mapping[str, str]],
) -> tuple[tuple[HeldOut, HeldOut], Common] | str:
    """Match the items of two runs, or say why that cannot be."""
    first, second = runs
    tasks = [run.metrics["task"] for run in runs]
    if tasks[0] != tasks[1]:
        return f"A is a {tasks[0]} and B a {tasks[1]}"
    if first.use_case != second.use_case and not data.is_same:
        return f"A is a run of {first.use_case} and B one of {second.use_case}"
    parts = []
    for name, run in (("A", first), ("B", second)):
        if (part := read_held_out(run)) is None:
            place = run.path / "predictions.parquet"
            state = "cannot be read" if place.exists() else "are not there"
            return f"the predictions of {name} {state} ({place})"
        parts.append(part)
    one, other = parts
    common, why = common_items(runs, (one, other))
    if common is None:
        return why
    return other_items(data, common, texts) or ((one, other), common)


def _is_comparable(runs: tuple[RunRecord, RunRecord]) -> bool:
    """Say whether metrics of one name measure the same in two runs."""
    first, second = (run.metrics for run in runs)
    same = ("task", "classes", "positive", "units")
    return all(first.get(name) == second.get(name) for name in same)


def _verdict(
    runs: tuple[RunRecord, RunRecord], tested: PairedTests, known: dict[str, Metric]
) -> Pair | None:
    primary = runs[0].metrics["primary"]
    test = tested.tests.get(primary)
    if test is None:
        return None
    return judge("B", "A", test, known[primary], least=1 - runs[0].metrics["confidence"])


def _chosen(run: RunRecord) -> dict[str, str]:
    chosen = run.metrics["chosen"]
    return {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in chosen.items()
        if isinstance(value, int | float | str)
    }


def _told(run: RunRecord) -> dict[str, Any]:
    return {
        "use_case": run.use_case,
        "id": run.id,
        "path": str(run.path),
        "created": run.manifest["created"],
    }
