"""How often intervals hold the truth, and how often equal models are found to differ.

    python tests/benchmarks/intervals.py            # coverage by metric and number of units
    python tests/benchmarks/intervals.py caught     # of what is caught at a share blocked
    python tests/benchmarks/intervals.py equal      # paired tests of two models that are alike
    python tests/benchmarks/intervals.py uneven     # both, with one group larger than the others

Items are invented from distributions whose truth is known, or taken from a sample of 400,000. A
line gives what the library says and, beside it, the plain percentile bootstrap at any number of
units: how many of 100 intervals of 95% hold the truth, and how wide they are in the middle. Each
figure is of 1,000 samples and has a standard deviation of 0.7; all seeds are fixed. A run takes
half an hour.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation import METRICS, Interval, bootstrap_intervals, draws
from widemargin.evaluation.gaps import gaps

Numbers: TypeAlias = NDArray[np.float64]
Units: TypeAlias = NDArray[np.intp]
Draw: TypeAlias = Callable[[np.random.Generator, Units], Predictions]

SAMPLES, RESAMPLES, ROWS_OF_A_GROUP = 1000, 1000, 10
BY_NAME = {metric.name: metric for metric in METRICS}


def two_classes(rng: np.random.Generator, units: Units, apart: float = 1.0) -> Predictions:
    """Draw items whose classes lie apart by so much; by group, 0.5 more or less."""
    n = len(units)
    y = (rng.random(n) < 0.4).astype(np.int64)
    decision = rng.normal(size=n) + (apart + _of_group(rng, units, 0.5)) * (2 * y - 1)
    p = expit(2 * apart * decision)
    return _classified(y, decision, np.column_stack([1 - p, p]))


def three_classes(rng: np.random.Generator, units: Units) -> Predictions:
    """Draw items of classes that are half, three tenths and a fifth of all."""
    n = len(units)
    y = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    score = rng.normal(size=(n, 3))
    score[np.arange(n), y] += 1.5 + _of_group(rng, units, 0.7)
    odds = np.exp(1.5 * score)
    p = odds / odds.sum(axis=1, keepdims=True)
    return _classified(y, p, p)


def numbers(rng: np.random.Generator, units: Units) -> Predictions:
    """Draw targets, and predictions with a normal error."""
    n = len(units)
    y, error = rng.normal(size=n), 0.5 * rng.normal(size=n)
    error = error * np.exp(_of_group(rng, units, 0.3)) + _of_group(rng, units, 0.2)
    return Predictions(
        y_true=y,
        y_pred=y + error,
        decision=y + error,
        probability=None,
        classes=(),
        positive=1,
        ids=np.arange(n).astype(np.str_),
        weight=np.ones(n),
    )


def _of_group(rng: np.random.Generator, units: Units, spread: float) -> Numbers:
    """Draw what the rows of a group have in common: nothing where each is its own."""
    if len(np.unique(units)) == len(units):
        return np.zeros(len(units))
    return np.asarray(spread * rng.normal(size=int(units.max()) + 1)[units])


def _classified(y: NDArray[Any], decision: Numbers, probability: Numbers) -> Predictions:
    n_classes = probability.shape[1]
    return Predictions(
        y_true=y,
        y_pred=probability.argmax(axis=1),
        decision=decision,
        probability=probability,
        classes=("a", "b", "c")[:n_classes],
        positive=1,
        ids=np.arange(len(y)).astype(np.str_),
        weight=np.ones(len(y)),
    )


CASES: tuple[tuple[str, Draw, str], ...] = (
    (
        "two classes",
        two_classes,
        "accuracy f1_macro mcc roc_auc average_precision log_loss brier",
    ),
    ("three classes", three_classes, "accuracy f1_macro balanced_accuracy roc_auc_ovr log_loss"),
    ("numbers", numbers, "mae rmse r2 median_ae"),
)


def main() -> None:
    """Print a table."""
    asked = sys.argv[1:]
    known = {"caught": caught, "equal": equal, "uneven": uneven}
    for line in known[asked[0]]() if asked else covered():
        print(line, flush=True)  # noqa: T201  # a table is the point


def covered() -> Iterator[str]:
    """Give coverage by metric and number of units."""
    for grouped in (False, True):
        for name, draw, metrics in CASES:
            own = [BY_NAME[metric] for metric in metrics.split()]
            for n_units in (5, 10, 20, 30, 50, 100, 200):
                units = np.repeat(np.arange(n_units), ROWS_OF_A_GROUP if grouped else 1)
                what = f"{name}, {n_units} {'groups' if grouped else 'rows'}"
                yield from coverage(what, draw, own, units)


def coverage(what: str, draw: Draw, metrics: Sequence[Metric], units: Units) -> Iterator[str]:
    """Give a line for each metric."""
    sizes = np.bincount(units)
    size = 400_000 // len(units)
    many = np.repeat(np.arange(size * len(sizes)), np.tile(sizes, size))
    population = draw(np.random.default_rng(99), many)
    samples = list(_samples(draw, units))
    ours = [_said(one, units, metrics) for one in samples]
    plain = [_plainly(_said, one, units, metrics) for one in samples]
    for metric in metrics:
        truth = metric.value(population)
        told = [_held([one[metric.name] for one in said], truth) for said in (ours, plain)]
        yield f"{what:24} {metric.name:18} {told[0]}   bootstrap {told[1]}"


def _samples(draw: Draw, units: Units) -> Iterator[Predictions]:
    rng = np.random.default_rng(len(units))
    for _ in range(SAMPLES):
        yield draw(rng, units)


def _said(one: Predictions, units: Units, metrics: Sequence[Metric]) -> dict[str, Interval]:
    return bootstrap_intervals(one, metrics, groups=units, resamples=RESAMPLES)


def _plainly(say: Callable[..., Any], *given: Any) -> Any:
    """Ask with the percentile bootstrap at any number of units."""
    kept, draws.FEW = draws.FEW, 0
    try:
        return say(*given)
    finally:
        draws.FEW = kept


def _held(said: Sequence[Interval], truth: float) -> str:
    known = [one for one in said if np.isfinite(one.low)]
    if not known:
        return f"{'none':>18}"
    share = np.mean([truth in one for one in known])
    width = np.median([one.width for one in known])
    none = len(said) - len(known)
    return f"{100 * share:5.1f} {width:6.3f}" + (f" none {none:4}" if none else " " * 10)


def caught() -> Iterator[str]:
    """Give coverage by how many negatives are to be expected beyond the limit."""
    for name, limit in (("caught_at_0.5", 0.005), ("caught_at_0.1", 0.001)):
        truth = float(norm.sf(norm.isf(limit) - 3.2))
        for beyond in (0.5, 1, 2, 3, 5, 10):
            negatives = round(beyond / limit)
            if negatives > 5000:
                continue
            y = np.repeat([0, 1], [negatives, max(30, negatives // 6)])
            rng, said = np.random.default_rng(0), []
            for _ in range(200):
                decision = rng.normal(size=len(y)) + 1.6 * (2 * y - 1)
                one = _classified(y, decision, np.column_stack([-decision, decision]))
                said.append(_without_its_rule(one, BY_NAME[name]))
            yield f"{name}, {beyond:4} of {negatives:5} negatives  {_held(said, truth)}"


def _without_its_rule(one: Predictions, metric: Metric) -> Interval:
    value, units = metric.value(one), np.arange(len(one))
    ((drawn,), _) = draws.drawn_values([(one, units)], [metric], resamples=300, random_state=0)
    return Interval(value, *draws.ends_of(drawn[metric.name], len(one), 0.95))


def equal() -> Iterator[str]:
    """Give how many of 100 pairs of equal models differ at a level of 5%."""
    for grouped in (False, True):
        for n_units in (3, 5, 10, 20, 30, 50, 100):
            units = np.repeat(np.arange(n_units), 40 if grouped else 1)
            yield from _differing(f"{n_units} {'groups' if grouped else 'rows'}", units)


def uneven() -> Iterator[str]:
    """Do so with one group of as many rows as all others, or three times as many."""
    for n_groups in (5, 10, 30):
        for times in (1, 3):
            sizes = [20 * (n_groups - 1) * times, *[20] * (n_groups - 1)]
            units = np.repeat(np.arange(n_groups), sizes)
            what = f"{n_groups} groups, one {times} times the others"
            yield from coverage(what, two_classes, [BY_NAME["accuracy"]], units)
            yield from _differing(what, units)


def _differing(what: str, units: Units) -> Iterator[str]:
    rng = np.random.default_rng(len(units))
    metrics = [BY_NAME[name] for name in ("accuracy", "roc_auc", "log_loss")]
    errors = [BY_NAME[name] for name in ("rmse", "median_ae")]
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(SAMPLES):
        one = two_classes(rng, units)
        other = _classified(one.y_true, *_as_good(rng, one.y_true, units))
        first = numbers(rng, units)
        error = numbers(rng, units)
        told = first.y_true + error.y_pred - error.y_true
        second = replace(first, y_pred=told, decision=told)
        for own, of in (((one, other), metrics), ((first, second), errors)):
            said = _p_of(*own, units, of)
            plain = _plainly(_p_of, *own, units, of)
            for name, p in said.items():
                found.setdefault(name, []).append((p, plain[name]))
    for name, pairs in found.items():
        known = [pair for pair in pairs if np.isfinite(pair).all()]
        if not known:
            continue
        shares = [f"{100 * np.mean([pair[k] < 0.05 for pair in known]):5.1f}" for k in (0, 1)]
        yield f"{what:36} {name:12} differ {shares[0]}   bootstrap {shares[1]}"


def _as_good(rng: np.random.Generator, y: NDArray[Any], units: Units) -> tuple[Numbers, Numbers]:
    decision = rng.normal(size=len(y)) + (1.0 + _of_group(rng, units, 0.5)) * (2 * y - 1)
    p = expit(2 * decision)
    return decision, np.column_stack([1 - p, p])


def _p_of(
    one: Predictions, other: Predictions, units: Units, metrics: Sequence[Metric]
) -> dict[str, float]:
    found = gaps(one, other, metrics, groups=units, resamples=500)
    return {name: gap.p for name, gap in found.items()}


if __name__ == "__main__":
    main()
