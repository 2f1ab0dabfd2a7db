"""What differences mean, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from widemargin.comparison import Comparison, Pair, Row
from widemargin.contracts import Metric
from widemargin.contracts.metric import amount
from widemargin.report.page import NOTHING
from widemargin.report.wordings import MINUS, full, listing, number

__all__ = [
    "advantage",
    "against_best",
    "chance",
    "difference",
    "interval",
    "megabytes",
    "method",
    "reused",
    "settings",
    "summary",
    "title",
    "took",
    "value",
    "verdict",
    "verdicts",
]

NONE = NOTHING


def value(metric: Metric, row: Row, *, of: int = 0) -> str:
    """Write a metric's value, or an end of its interval (1 and 2)."""
    return full(metric, row.metrics[metric.name][of]) if metric.name in row.metrics else NONE


def interval(metric: Metric, row: Row) -> str:
    """Write a metric's interval; a dash where it has none."""
    if not math.isfinite(row.metrics.get(metric.name, (math.nan,) * 3)[1]):
        return NONE
    return f"{value(metric, row, of=1)} to {value(metric, row, of=2)}"


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


def took(seconds: float | None, row: Row | None = None) -> str:
    """Write seconds in a table; a star where vectors of earlier runs were taken."""
    if seconds is None:
        return NONE
    places = next(k for k, most in ((3, 0.1), (2, 10), (1, 100), (0, math.inf)) if seconds < most)
    text = f"{seconds:,.{places}f}"
    return f"{text}*" if row is not None and row.is_reused else text


def megabytes(size: int | None) -> str:
    """Write a size in memory.

    Examples
    --------
    >>> megabytes(1_234_567_890), megabytes(None)
    ('1,235', '–')
    """
    return NONE if size is None else f"{size / 1e6:,.0f}"


def settings(row: Row) -> str:
    """Write which kernel, C and gamma were chosen."""
    chosen = row.chosen
    if not chosen:
        return NONE
    gamma = "" if chosen["gamma"] is None else f", gamma {number(chosen['gamma'], 3)}"
    return f"{chosen['kernel']}, C {number(chosen['C'], 3)}{gamma}"


def title(found: Comparison) -> str:
    """Name what is compared: encoders, kernels, or both."""
    return f"{listing([f'{axis}s' for axis in found.axes])} on {found.use_case}"


def advantage(found: Comparison, pair: Pair) -> tuple[float, float, float]:
    """Return by how much the better of two is better, with its interval; above 0 is better."""
    test = pair.test
    if found.metrics[0].greater_is_better:
        return test.difference, test.low, test.high
    return -test.difference, -test.high, -test.low


def against_best(found: Comparison, row: Row) -> tuple[str, str]:
    """Write how far a row is behind the first one, and the p of that."""
    if not found.done or row is found.done[0]:
        return "", ""
    pair = found.pair(found.done[0].name, row.name)
    if pair is None:
        return NONE, NONE
    sign = 1 if pair.better == row.name else -1
    return difference(found.metrics[0], sign * advantage(found, pair)[0]), chance(pair.p)


def verdict(found: Comparison, pair: Pair) -> str:
    """Say of two cells which is better, by how much, and whether that is clear."""
    metric = found.metrics[0]
    by, low, high = advantage(found, pair)
    share = number(100 * found.confidence, 3)
    if low == high == 0:
        each = "resample of the items" if pair.test.of == "items" else "fold"
        return f"{pair.better} and {pair.worse} score the same on every {each}."
    points = " points" if metric.unit == "%" else ""
    said = difference(metric, by, found.units)
    begin = f"{pair.better} is better than {pair.worse} by {said}{points}"
    if not math.isfinite(pair.p):
        return f"{begin}, and the {pair.test.of} cannot tell whether that is more than chance."
    ends = f"{difference(metric, low)} to {difference(metric, high)}"
    end = "a clear difference" if pair.is_clear else "no clear difference"
    if not pair.is_clear and pair.test.p < 1 - found.confidence:
        # Its own interval leaves out 0, which would else contradict the end of the sentence.
        end = f"no clear difference once all {len(found.pairs)} pairs are counted"
    return f"{begin} ({share}% {ends}, p {chance(pair.p)}): {end}."


def verdicts(found: Comparison) -> list[str]:
    """Say of each other cell how it compares with the first."""
    if not found.done:
        return []
    best = found.done[0].name
    pairs = [found.pair(best, row.name) for row in found.done[1:]]
    return [verdict(found, pair) for pair in pairs if pair is not None]


def summary(found: Comparison) -> str:
    """Say the main thing in a sentence or two."""
    if not found.done:
        return "No cell has finished."
    metric, best = found.metrics[0], found.done[0]
    parts = [f"{best.name} has the best {metric.title}, {value(metric, best)}."]
    clear: list[str] = []
    open_: list[str] = []
    for row in found.done[1:]:
        pair = found.pair(best.name, row.name)
        if pair is not None:
            (clear if pair.is_clear and pair.better == best.name else open_).append(row.name)
    if clear:
        parts.append(f"It is clearly better than {listing(clear)}.")
    if open_:
        parts.append(f"There is no clear difference to {listing(open_)}.")
    if found.unpaired:
        parts.append(f"No paired test was made: {found.unpaired}.")
    return " ".join(parts)


def method(found: Comparison) -> str:
    """Say how differences were tested."""
    if not found.pairs:
        return f"No paired test: {found.unpaired}."
    count, test = len(found.pairs), found.pairs[0].test
    several = f" after Holm's correction for {count} pairs" if count > 1 else ""
    own = "; intervals are each pair's own" if count > 1 else ""
    if test.of == "items":
        return (
            f"Differences are those of the same {test.n_paired:,} held-out items or groups, which "
            f"are drawn anew with replacement (bootstrap). p{several} is twice the share of draws "
            f"in which the better one is not better{own}. No model is trained anew, so that this "
            "is about these models, and not about how much other training items would change them."
        )
    return (
        f"Differences are means over the same {found.n_folds} held-out parts. p{several}, by the "
        f"corrected resampled t-test (Nadeau and Bengio, 2003){own}."
    )


def reused(rows: Sequence[Row]) -> str:
    """Say what a star means; empty where none stands."""
    if not any(row.is_reused for row in rows):
        return ""
    return (
        "* Some vectors were in the embedding store from earlier runs, so that encoding took less "
        "time and memory than it would; --fresh encodes all again."
    )
