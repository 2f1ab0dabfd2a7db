"""What differences mean, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from widemargin.comparison import Comparison, Pair, Row
from widemargin.contracts import Metric
from widemargin.contracts.metric import amount
from widemargin.evaluation import PairedTest
from widemargin.evaluation.draws import FEW, LEAST
from widemargin.report.page import NOTHING
from widemargin.report.wordings import MINUS, full, listing, number

__all__ = [
    "CONDITIONAL",
    "advantage",
    "against_best",
    "behind",
    "chance",
    "difference",
    "drawing",
    "gains",
    "interval",
    "intervals",
    "method",
    "signed",
    "summary",
    "title",
    "told",
    "untold",
    "value",
    "verdict",
    "verdicts",
]

NONE = NOTHING
_NAMES = 72
"""How many letters of names a title may have."""
CONDITIONAL = (
    "No model is trained anew, so that this is about these models, and not about how much other "
    "training items would change them."
)


def value(metric: Metric, row: Row, *, of: int = 0) -> str:
    """Write a metric's value, or an end of its interval (1 and 2)."""
    return full(metric, row.metrics[metric.name][of]) if metric.name in row.metrics else NONE


def interval(metric: Metric, row: Row) -> str:
    """Write a metric's interval; a dash where it has none."""
    if not math.isfinite(row.metrics.get(metric.name, (math.nan,) * 3)[1]):
        return NONE
    return f"{value(metric, row, of=1)} to {value(metric, row, of=2)}"


def intervals(found: Comparison) -> str:
    """Say how the rows' intervals are made."""
    made = {(row.measured.get("intervals") or {}).get("by", "bootstrap") for row in found.done}
    ways = []
    if "bootstrap" in made:
        ways.append("resampling the held-out predictions")
    if "jackknife" in made:
        ways.append(
            f"leaving out each of fewer than {FEW} held-out items or groups once (the jackknife)"
        )
    said = [f"come from {listing(ways, 'or')}"] if ways else []
    if "" in made:
        said.append(
            f"of fewer than {LEAST} held-out items or groups are there only where nothing is wrong"
        )
    return f"{found.confidence:.0%} intervals, which {' and '.join(said)}."


def difference(metric: Metric, by: float, units: str = "") -> str:
    """Write a difference of two values: percentages differ by points.

    Examples
    --------
    >>> f1 = Metric(name="f1", title="F1", summary="", task="classification",
    ...             compute=lambda p: 1.0)
    >>> difference(f1, -0.00412)
    '−0.0041'
    """
    if not math.isfinite(by):
        return NONE
    if metric.unit == "%":
        text = f"{100 * by:.2f}"
    elif metric.unit == "target":
        text = f"{amount(by, 3)} {units}".rstrip()
    else:
        text = f"{by:.4f}"
    # A difference that is written as nothing has no sign.
    text = text.removeprefix("-") if not any(digit in text for digit in "123456789") else text
    return text.replace("-", MINUS)


def signed(metric: Metric, by: float) -> str:
    """Write a difference with its sign, also where it is above 0."""
    text = difference(metric, by)
    return f"+{text}" if by > 0 and any(digit in text for digit in "123456789") else text


def chance(p: float) -> str:
    """Write a p-value.

    Examples
    --------
    >>> chance(0.0312), chance(0.00001), chance(1.0)
    ('0.031', '< 0.001', '1')
    """
    if not math.isfinite(p):
        return NONE
    return "< 0.001" if p < 0.001 else number(p, 2)


def drawing(test: PairedTest) -> str:
    """Say how a difference of the same items was tested, or why it was not.

    Examples
    --------
    >>> drawing(PairedTest(0.1, float("nan"), float("nan"), float("nan"), 2, "items"))
    'of which fewer than 3 cannot tell how much they differ (no interval, no p)'
    """
    if test.by == "bootstrap":
        return "drawn anew with replacement (bootstrap)"
    if test.by == "jackknife":
        return (
            "each left out once, and compared with Student's distribution (jackknife), fewer than "
            f"{FEW} being too few to draw anew"
        )
    if test.n_paired < LEAST:
        return f"of which fewer than {LEAST} cannot tell how much they differ (no interval, no p)"
    return f"which cannot tell how much they differ (no interval, no p): {_why_untold(test)}"


def untold(tests: Sequence[PairedTest]) -> str:
    """Say why some tests of the same items have no p; empty where all have, or none has."""
    reasons = [_why_untold(one) for one in tests if not one.by and math.isfinite(one.difference)]
    if not reasons or not any(one.by for one in tests):
        return ""
    return f" Where there is no p, {'; or '.join(dict.fromkeys(reasons))}."


def _why_untold(test: PairedTest) -> str:
    if test.quantile:
        return "too few lie beyond the quantile that the metric rests on, or all differ alike"
    return "all differ alike, or the metric is undefined without some of them"


def title(found: Comparison) -> str:
    """Name what is compared: what its file says, or encoders, kernels, use cases and so on."""
    if found.title:
        return found.title
    told = {
        axis: list(dict.fromkeys(row.values[axis] for row in found.rows if axis in row.values))
        for axis in found.axes
    }
    if len(found.use_cases) == 1:
        kinds = listing([f"{axis}s" for axis in found.axes])
        return _naming(f"{kinds} on {found.use_cases[0]}", told)
    kinds = listing([f"{len(own)} {axis}{'s' * (len(own) != 1)}" for axis, own in told.items()])
    # A run's name is long, and says less than what it solves.
    return _naming(kinds, {"run": list(found.use_cases)} if "run" in told else told)


def _naming(kinds: str, told: Mapping[str, list[str]]) -> str:
    """Add what is compared, unless that is too long for a heading."""
    names = " by ".join(listing(own) for own in told.values())
    return f"{kinds}: {names}" if len(names) <= _NAMES else kinds


def advantage(metric: Metric, pair: Pair) -> tuple[float, float, float]:
    """Return by how much the better of two is better, with its interval; above 0 is better."""
    test = pair.test
    if metric.greater_is_better:
        return test.difference, test.low, test.high
    return -test.difference, -test.high, -test.low


def against_best(found: Comparison, row: Row) -> tuple[str, str]:
    """Write how far a row is behind the best, and the p of that; a dash where it was not tested."""
    if row is found.best_for(row) or row.primary is None:
        return "", ""
    pair = found.against_best(row)
    if pair is None:
        return NONE, NONE
    return difference(row.primary, behind(found, row)), chance(pair.p)


def behind(found: Comparison, row: Row) -> float:
    """Return by how much a row is better than the best: below 0 is worse, nan is untested."""
    pair = found.against_best(row)
    if pair is None or row.primary is None:
        return math.nan
    return advantage(row.primary, pair)[0] * (1 if pair.better == row.name else -1)


def verdict(found: Comparison, pair: Pair) -> str:
    """Say of two cells which is better, by how much, and whether that is clear."""
    row = next(row for row in found.done if row.name == pair.better)
    assert row.primary is not None
    return told(
        row.primary,
        pair,
        confidence=row.confidence,
        units=row.units,
        n_pairs=found.n_tested(row),
    )


def told(
    metric: Metric, pair: Pair, *, confidence: float, units: str = "", n_pairs: int = 1
) -> str:
    """Say `verdict` of a pair that may be of no table."""
    by, low, high = advantage(metric, pair)
    share = number(100 * confidence, 3)
    if low == high == 0:
        each = "resample of the items" if pair.test.of == "items" else "fold"
        return f"{pair.better} and {pair.worse} score the same on every {each}."
    points = " points" if metric.unit == "%" else ""
    said = difference(metric, by, units)
    begin = f"{pair.better} is better than {pair.worse} by {said}{points}"
    if not math.isfinite(pair.p):
        return f"{begin}, and the {pair.test.of} cannot tell whether that is more than chance."
    ends = f"{difference(metric, low)} to {difference(metric, high)}"
    end = "a clear difference" if pair.is_clear else "no clear difference"
    if not pair.is_clear and pair.test.p < 1 - confidence:
        # Its own interval leaves out 0, which would else contradict the end of the sentence.
        end = f"no clear difference once all {n_pairs} pairs are counted"
    return f"{begin} ({share}% {ends}, p {chance(pair.p)}): {end}."


def verdicts(found: Comparison) -> list[str]:
    """Say of each other cell how it compares with the best that it was tested against."""
    return [
        verdict(found, pair)
        for best, *others in found.families()
        for row in others
        if (pair := found.pair(best.name, row.name)) is not None
    ]


def summary(found: Comparison) -> str:
    """Say the main thing in a few sentences."""
    if not found.done:
        return "No cell has finished."
    if found.is_ranked:
        parts = _of_family(found, found.done)
        if found.unpaired:
            said = "Some pairs were not tested" if found.pairs else "No paired test was made"
            parts.append(f"{said}: {found.unpaired}.")
        return " ".join(parts)
    parts = [part for family in found.families() for part in _of_family(found, family)]
    return " ".join([*gains(found), *parts, APART])


APART = "What was measured on different items is set side by side, and never tested or ranked."


def _of_family(found: Comparison, family: Sequence[Row]) -> list[str]:
    best, *others = family
    if best.primary is None:
        return []
    of = "" if found.is_ranked else f" of {listing([row.name for row in family])}"
    said = f"{best.name} has the best {best.primary.title}{of}, {value(best.primary, best)}."
    parts = [said]
    clear: list[str] = []
    open_: list[str] = []
    for row in others:
        pair = found.pair(best.name, row.name)
        if pair is not None:
            (clear if pair.is_clear and pair.better == best.name else open_).append(row.name)
    if clear:
        parts.append(f"It is clearly better than {listing(clear)}.")
    if open_:
        parts.append(f"There is no clear difference to {listing(open_)}.")
    return parts


def gains(found: Comparison) -> list[str]:
    """Say which cells clearly gain over the linear baseline, a sentence each kind."""
    clear: list[str] = []
    open_: list[str] = []
    worse: list[str] = []
    untold: list[str] = []
    for row in found.done:
        gain, low, high = row.gain("linear", row.primary) if row.primary else (math.nan,) * 3
        if math.isfinite(gain) and not math.isfinite(low):
            untold.append(row.name)
        if math.isfinite(low):
            (clear if low > 0 else worse if high < 0 else open_).append(row.name)
    linear = "the linear baseline on the same features and folds"
    parts = []
    if clear:
        parts.append(f"A clear gain over {linear}: {listing(clear)}.")
    if open_:
        parts.append(f"No clear difference to {'it' if parts else linear}: {listing(open_)}.")
    if worse:
        parts.append(f"Clearly worse than {'it' if parts else linear}: {listing(worse)}.")
    if untold:
        than = "it" if parts else linear
        parts.append(f"No telling from chance the difference to {than}: {listing(untold)}.")
    return parts


def method(found: Comparison) -> str:
    """Say how differences were tested."""
    if found.is_ranked and not found.pairs:
        return f"No paired test: {found.unpaired}."
    told: dict[str, dict[str, None]] = {}
    for family in found.families():
        told.setdefault(_method(found, family), {})[family[0].use_case] = None
    parts = [
        said if len(told) == 1 else f"Of {listing([*cases])}: {said}"
        for said, cases in told.items()
    ]
    if found.unpaired:
        parts.append(f"Not tested: {found.unpaired}.")
    return " ".join([*parts, *([] if found.is_ranked else [APART])])


def _method(found: Comparison, family: Sequence[Row]) -> str:
    best, *others = family
    tests = [pair.test for row in others if (pair := found.pair(best.name, row.name))]
    # Where some pairs cannot tell, one that can says how.
    test = next((one for one in tests if one.by), tests[0])
    count = found.n_tested(best)
    several = f" after Holm's correction for {count} pairs" if count > 1 else ""
    own = "; intervals are each pair's own" if count > 1 and test.by else ""
    if test.of == "items":
        each = f". p is{several}" if several and test.by else ""
        if test.by == "bootstrap":
            each = f". p{several} is twice the share of draws in which the better one is not better"
        return (
            f"Differences are those of the same {test.n_paired:,} held-out items or groups, "
            f"{drawing(test)}{each}{own}.{untold(tests)} {CONDITIONAL}"
        )
    return (
        f"Differences are means over the same {best.n_folds} held-out parts. p{several}, by "
        f"the corrected resampled t-test (Nadeau and Bengio, 2003){own}."
    )
