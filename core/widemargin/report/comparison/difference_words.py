"""What differs between two runs, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from widemargin.comparison.difference import DataDifference, Difference, Differing, Measured
from widemargin.comparison.difference.measures import Cost
from widemargin.contracts import Metric
from widemargin.contracts.counting import counted
from widemargin.contracts.metric import amount
from widemargin.report.comparison.cost_words import megabytes, took
from widemargin.report.comparison.words import (
    CONDITIONAL,
    NONE,
    chance,
    difference,
    drawing,
    signed,
    told,
    untold,
)
from widemargin.report.wordings import MINUS, capital, count, full, number

__all__ = [
    "about_data",
    "about_items",
    "about_model",
    "about_settings",
    "about_versions",
    "cost",
    "label",
    "method",
    "metric_row",
    "reused",
    "setting_row",
    "title",
    "verdict",
    "when",
]

_FEW = 5


def title(found: Difference) -> str:
    """Name the two runs."""
    one, other = found.first.use_case, found.second.use_case
    return f"two runs of {one}" if one == other else f"a run of {one} and one of {other}"


def when(created: str) -> str:
    """Write when a run was made.

    Examples
    --------
    >>> when("2026-03-04T05:06:07+00:00")
    '2026-03-04 05:06'
    """
    return created[:16].replace("T", " ")


def verdict(found: Difference) -> str:
    """Say which run is better by the primary metric, or why that is not said."""
    name = found.first.metrics["primary"]
    if found.verdict is None:
        return f"No paired test was made: {found.tested.why or f'{name} is not known here'}."
    metric = found.known[name]
    said = told(
        metric,
        found.verdict,
        confidence=found.first.metrics["confidence"],
        units=found.first.metrics["units"],
    )
    return f"{capital(metric.title)}: {said}"


def method(found: Difference) -> str:
    """Say how metrics were tested; empty where none was."""
    if not found.tested.tests:
        return ""
    tests = list(found.tested.tests.values())
    # Where some metrics' items cannot tell, one whose can says how.
    test = next((one for one in tests if one.by), tests[0])
    if found.tested.on == "folds":
        said = (
            f"Tested on the same {test.n_paired} held-out parts, by the corrected resampled t-test "
            "(Nadeau and Bengio, 2003). Verdict and intervals are of the mean difference over "
            "these parts; the values of A and B are of all items."
        )
    else:
        both = "both held out" if found.tested.on == "items" else "both predicted"
        units = counted(test.n_paired, "item")
        if found.agreement and test.n_paired < found.agreement.n_items:
            units = f"{counted(test.n_paired, 'group')} of items"
        not_folds = f" (not by folds: {found.tested.why})" if found.tested.why else ""
        begin = "Tested on" if test.by else "Not tested:"
        said = f"{begin} the {units} that {both}, {drawing(test)}{not_folds}.{untold(tests)}"
        said += f" {CONDITIONAL}"
        if found.tested.on == "common items" and max(found.n_times) > 1:
            said += " An item that a run held out several times counts with all its predictions."
    if len(tests) > 1:
        said += " Each p is its metric's own."
    return said


def about_settings(found: Difference) -> str:
    """Say how many settings differ."""
    if not found.settings:
        return "All settings are the same."
    said = counted(len(found.settings), "setting", "differ")
    usual = any(any(one.defaults) for one in found.settings)
    return f"{said}; * marks the use case's own." if usual else f"{said}."


def about_model(found: Difference) -> str:
    """Say what the search chose otherwise; empty where it chose the same."""
    chosen = [
        f"{one.name} {one.first or NONE} in A and {one.second or NONE} in B" for one in found.model
    ]
    return f"Chosen: {'; '.join(chosen)}." if chosen else ""


def about_versions(found: Difference) -> str:
    """Say whether the two were made by the same programs."""
    same = "Versions, engine, threads, sources and weights are the same, as far as the runs say."
    return same if not found.versions else "What the runs were made with differs:"


def about_data(found: Difference) -> list[str]:
    """Say in what the data differ, a sentence each."""
    data = found.data
    one, other = (count(n) for n in data.n_items)
    if data.is_same:
        said = [f"The same data, {one} items (fingerprint {data.fingerprints[0][:12]})."]
        return said + _about_rows(data)
    if not all(data.fingerprints):
        name = " and ".join(
            run for run, own in zip("AB", data.fingerprints, strict=True) if not own
        )
        said = [f"Whether the data are the same is not known: {name} has no fingerprint."]
    else:
        marks = " and ".join(own[:12] for own in data.fingerprints)
        said = [f"The data differ: {one} items in A, {other} in B (fingerprints {marks})."]
    said += _about_rows(data)
    for name, own in (
        ("A", [one.name for one in data.columns if not one.second]),
        ("B", [one.name for one in data.columns if not one.first]),
    ):
        if own:
            said.append(f"{counted(len(own), 'column')} in {name} only: {_some(own)}.")
    said += [
        f"Column {one.name} is {one.first} in A and {one.second} in B."
        for one in data.columns
        if all(one.values)
    ]
    if len(said) == 1 and data.is_known and not data.card:
        said.append(
            "Items, labels and columns are the same: what differs are cells, groups, times or "
            "weights, or how they are read."
        )
    return said


def _about_rows(data: DataDifference) -> list[str]:
    said: list[str] = []
    if not data.is_known:
        return said
    for name, ids in (("A", data.only_first), ("B", data.only_second)):
        if ids:
            said.append(f"{counted(len(ids), 'item')} predicted in {name} only: {_some(ids)}.")
    if data.relabelled:
        named = [f"{name} ({label}, {other})" for name, label, other in data.relabelled]
        said.append(f"{counted(len(named), 'item')} with another label or weight: {_some(named)}.")
    if data.reworded:
        said.append(
            f"{counted(len(data.reworded), 'item')} with other contents, of "
            f"{count(data.n_texts)} that both runs show: {_some(data.reworded)}."
        )
    return said


def about_items(found: Difference) -> list[str]:
    """Say how far the two agree on single items, a sentence each."""
    own = found.agreement
    if own is None:
        why = found.unmatched or "no item that both predicted has the same label in both"
        return [f"Items are not compared: {why}."]
    begin = f"Of {count(own.n_items)} items that both predicted, "
    test = "McNemar's exact p" if found.is_of_classes else "sign test, exact p"
    p = f"{test} {chance(own.p)}"
    if own.n_units < own.n_items:
        p += f", counting {count(own.n_units)} groups of items as one each"
    if found.is_of_classes:
        said = (
            f"{begin}both are right on {count(own.both)}, only A on {count(own.only_first)}, "
            f"only B on {count(own.only_second)}, neither on {count(own.neither)} ({p})."
        )
    else:
        units = found.first.metrics["units"]
        said = (
            f"{begin}A is nearer on {count(own.only_first)}, B on {count(own.only_second)}, and "
            f"they are as near on {count(own.both)} ({p}). Their predictions are "
            f"{f'{amount(own.mean_apart, 3)} {units}'.rstrip()} apart on average."
        )
    lines = [said]
    if max(found.n_times) > 1:
        lines.append("An item that was held out several times counts once here, by its mean.")
    if own.is_weighted:
        lines.append("Items count as one each here, whatever their weights.")
    return lines


def metric_row(found: Difference, one: Measured) -> tuple[str, ...]:
    """Write a metric: its name, A, its interval, B, its interval, B less A, and the paired test.

    The test is its difference, the interval of that, and p.
    """
    metric = found.known.get(one.name)
    tested = (NONE, NONE, NONE)
    if (test := one.test) is not None:
        ends = f"{_by(metric, test.low)} to {_by(metric, test.high)}"
        ends = ends if math.isfinite(test.low) else NONE
        tested = (_by(metric, test.difference, with_sign=True), ends, chance(test.p))
    return (
        capital(metric.title) if metric else one.name,
        *_estimate(metric, one.first),
        *_estimate(metric, one.second),
        _by(metric, one.difference, with_sign=True),
        *tested,
    )


def reused(found: Difference) -> str:
    """Say that encoding may have cost too little; empty where it has not."""
    if not found.is_reused:
        return ""
    return "Some vectors were kept from earlier runs, so that encoding took less than it would."


def setting_row(one: Differing) -> tuple[str, str, str]:
    """Write a setting: its path, A's value and B's; a dash where a run has none."""
    first, second = (
        f"{value or NONE}{' *' if is_default else ''}"
        for value, is_default in zip(one.values, one.defaults, strict=True)
    )
    return one.name, first, second


def cost(one: Cost) -> tuple[str, str, str, str]:
    """Write a cost: name, A, B, and how many times as much B took."""

    def written(value: float | None) -> str:
        if value is None:
            return NONE
        if one.unit == "bytes":
            return megabytes(int(value))
        return took(value) if one.unit == "s" else count(value)

    name = one.name + {"s": ", s", "bytes": ", MB", "": ""}[one.unit]
    times = NONE
    if one.first and one.second is not None:
        times = f"{number(one.second / one.first, 3)}"
    return name, written(one.first), written(one.second), times


def label(value: str | float, probability: float | None = None) -> str:
    """Write a label or a number, with how probable it is called."""
    text = value if isinstance(value, str) else amount(value, 4).replace("-", MINUS)
    return text if probability is None else f"{text} {probability:.2f}"


def _estimate(metric: Metric | None, own: Sequence[float]) -> tuple[str, str]:
    value, low, high = (
        NONE if not math.isfinite(one) else full(metric, one) if metric else number(one)
        for one in own
    )
    return value, NONE if NONE in (low, high) else f"{low} to {high}"


def _by(metric: Metric | None, value: float, *, with_sign: bool = False) -> str:
    if metric is None or not math.isfinite(value):
        return number(value) if math.isfinite(value) else NONE
    return signed(metric, value) if with_sign else difference(metric, value)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {count(more)} more" if more > 0 else "")
