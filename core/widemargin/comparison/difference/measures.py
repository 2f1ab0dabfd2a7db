"""Measures: the metrics and costs of two runs, and whether metrics differ by more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from widemargin.comparison.difference.items import Common
from widemargin.comparison.held_out import HeldOut, choose_test, drawing, mismatch
from widemargin.comparison.row import Estimated, whole_seconds
from widemargin.contracts import Metric, RunRecord
from widemargin.contracts.metric import finite
from widemargin.evaluation import PairedTest
from widemargin.evaluation.paired import paired_bootstraps
from widemargin.runs.costs import WORK

__all__ = ["Cost", "Measured", "PairedTests", "costs_of", "measure", "pair_metrics"]

On = Literal["folds", "items", "common items", ""]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One metric of two runs.

    Parameters
    ----------
    name : str
        The metric.
    first, second : (float, float, float)
        Value and interval in each run; nan where undefined, or where a run has no such metric.
    difference : float
        The second's value less the first's; nan where the two are not to be compared.
    test : PairedTest or None
        Of the second's score less the first's; None where nothing was tested.
    """

    name: str
    first: Estimated
    second: Estimated
    difference: float
    test: PairedTest | None = None

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON values; what is undefined is None."""
        ends = ("value", "low", "high")
        test = self.test
        return {
            "name": self.name,
            "first": dict(zip(ends, map(finite, self.first), strict=True)),
            "second": dict(zip(ends, map(finite, self.second), strict=True)),
            "difference": finite(self.difference),
            "test": test
            and {
                "difference": finite(test.difference),
                "low": finite(test.low),
                "high": finite(test.high),
                "p": finite(test.p),
                "of": test.of,
                "n_paired": test.n_paired,
            },
        }


@dataclass(frozen=True, kw_only=True)
class PairedTests:
    """How metrics were tested.

    Parameters
    ----------
    on : {"folds", "items", "common items", ""}
        What was paired: scores of the same folds, the items that both held out alike, or those of
        them that both predicted; nothing where it is empty.
    tests : mapping of str to PairedTest
        Of the second's score less the first's, by metric.
    why : str
        Why nothing was tested, or why folds were not.
    """

    on: On = ""
    tests: Mapping[str, PairedTest]
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What two runs took, or how large their models are.

    Parameters
    ----------
    name : str
        What is counted.
    unit : {"s", "bytes", ""}
        In what.
    first, second : float or None
        Both counts; None where a run does not say.
    """

    name: str
    unit: Literal["s", "bytes", ""]
    first: float | None
    second: float | None

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"name": self.name, "unit": self.unit, "first": self.first, "second": self.second}


def measure(
    runs: tuple[RunRecord, RunRecord], tested: PairedTests, *, comparable: bool
) -> tuple[Measured, ...]:
    """Put the metrics of two runs side by side, the primary ones first.

    Parameters
    ----------
    runs : (RunRecord, RunRecord)
        The runs.
    tested : PairedTests
        Paired tests.
    comparable : bool
        Whether a difference of the two says anything.
    """
    first, second = (run.metrics for run in runs)
    names = dict.fromkeys([first["primary"], second["primary"]])
    names |= dict.fromkeys([*first["metrics"], *second["metrics"]])
    found = []
    for name in names:
        one, other = (_estimated(said, name) for said in (first, second))
        found.append(
            Measured(
                name=name,
                first=one,
                second=other,
                difference=other[0] - one[0] if comparable else math.nan,
                test=tested.tests.get(name),
            )
        )
    return tuple(found)


def pair_metrics(
    runs: tuple[RunRecord, RunRecord],
    parts: tuple[HeldOut, HeldOut],
    common: Common,
    metrics: Sequence[Metric],
) -> PairedTests:
    """Test the second run's metrics against the first's.

    Where both held out the same rows in the same folds, as cells of a comparison are; else by
    drawing the items anew that both predicted, each with all that a run predicted of it: a run's
    own metrics are of as many models, and not of their mean.

    Parameters
    ----------
    runs : (RunRecord, RunRecord)
        The runs.
    parts : (HeldOut, HeldOut)
        What each held out.
    common : Common
        The items that both predicted.
    metrics : sequence of Metric
        What to compare.
    """
    first, second = (part.predictions for part in parts)
    for said, name in (("classes", "classes"), ("positive class", "positive"), ("costs", "costs")):
        if getattr(first, name) != getattr(second, name):
            return PairedTests(tests={}, why=f"the {said} of the two are not the same")
    why = ""
    if apart := mismatch(*parts):
        why = f"the two {apart}"
    else:
        test, why = choose_test(runs[::-1], parts[::-1])
        if test is not None:
            on_folds = test(0, 1, metrics)
            of = next(iter(on_folds.values())).of if on_folds else "folds"
            return PairedTests(on=of, tests=on_folds)
    if not len(common):
        return PairedTests(tests={}, why="no item that both predicted has the same label in both")
    one, other = common.held_out
    draws = drawing(runs[0], parts[0])
    draws |= {"groups": common.drawn[1], "other_groups": common.drawn[0]}
    tests = paired_bootstraps(
        other, one, metrics, confidence=runs[0].metrics["confidence"], **draws
    )
    return PairedTests(on="common items", tests=tests, why=why)


def costs_of(runs: tuple[RunRecord, RunRecord]) -> tuple[Cost, ...]:
    """List what two runs took, and how large their models are."""
    said = [run.manifest.get("costs") or {} for run in runs]
    seconds = [own.get("seconds") or {} for own in said]
    total = [whole_seconds(run) for run in runs]
    support = [run.metrics["support_vectors"]["count"] for run in runs]
    found = [
        Cost(name=work, unit="s", first=seconds[0].get(work), second=seconds[1].get(work))
        for work in WORK
    ]
    found.append(Cost(name="the whole run", unit="s", first=total[0], second=total[1]))
    memory, dimension = ([own.get(name) for own in said] for name in ("peak_memory", "dimension"))
    found.append(Cost(name="memory", unit="bytes", first=memory[0], second=memory[1]))
    found.append(Cost(name="numbers an item", unit="", first=dimension[0], second=dimension[1]))
    found.append(Cost(name="support vectors", unit="", first=support[0], second=support[1]))
    return tuple(one for one in found if one.first is not None or one.second is not None)


def _estimated(said: Mapping[str, Any], name: str) -> Estimated:
    own = said["metrics"].get(name) or {}
    value, low, high = (
        math.nan if own.get(end) is None else float(own[end]) for end in ("value", "low", "high")
    )
    return value, low, high
