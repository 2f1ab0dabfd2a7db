"""What every metric must do, as checks that plugin authors call from their own tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation import take
from widemargin.testing.blame import ConformanceError, blame, packages_of, place_of, violation

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "check_metric",
    "check_metric_counts_weights",
    "check_metric_prefers_the_truth",
    "metric_checks",
]

_N = 60
_LENT = (
    "`compute` is given one `Predictions`; call a library's function within one of yours, as in "
    "f1_score(told.y_true, told.y_pred, sample_weight=told.weight)."
)
"""The remedy where a library's own function is registered, which takes other arguments."""


def metric_checks() -> list[Callable[[Metric], None]]:
    """Return all checks, so that tests can be parametrised over them.

    Examples
    --------
    >>> [check.__name__ for check in metric_checks()][0]
    'check_metric_prefers_the_truth'
    """
    return [check_metric_prefers_the_truth, check_metric_counts_weights]


def check_metric(metric: Metric) -> None:
    """Try every check on a metric.

    Parameters
    ----------
    metric : Metric
        What is checked.

    Raises
    ------
    ConformanceError
        Where any fails; it names every rule that is broken, each once.

    Examples
    --------
    >>> from widemargin.evaluation import METRICS
    >>> check_metric(next(metric for metric in METRICS if metric.name == "f1"))
    """
    told: dict[str, None] = {}
    for check in metric_checks():
        try:
            check(metric)
        except ConformanceError as error:
            told[str(error)] = None
    if told:
        raise ConformanceError("\n".join(told))


def check_metric_prefers_the_truth(metric: Metric) -> None:
    """Check that the truth is judged better than guesses, in the direction that is declared.

    Parameters
    ----------
    metric : Metric
        What is checked.

    Raises
    ------
    ConformanceError
        Where it is not, or where a value is no finite number.
    """
    rule = "The truth must be judged better than guesses, in the direction that is declared."
    truth, guessed = (_compute(metric, _predictions(metric, noise)) for noise in (0.0, 1.0))
    if not (truth > guessed if metric.greater_is_better else truth < guessed):
        found = f"{truth:.4g} of the truth, and {guessed:.4g} of guesses."
        remedy = "compare y_true with y_pred, decision or probability: the truth has no mistake."
        if truth != guessed:
            says, other = metric.greater_is_better, not metric.greater_is_better
            remedy = (
                f"declare greater_is_better={other} in the Metric, which says {says}; or turn the "
                "sign of what `compute` returns."
            )
        raise _broken(metric, rule, found, remedy)


def check_metric_counts_weights(metric: Metric) -> None:
    """Check that rows count by their weights, and their order not at all.

    Parameters
    ----------
    metric : Metric
        What is checked.

    Raises
    ------
    ConformanceError
        Where a row of weight 2 counts otherwise than the same row twice, or the order counts.
    """
    rule = "Rows must count by their weights, and their order not at all."
    remedy = (
        "weigh every sum and mean by `predictions.weight`, as in np.average(right, "
        "weights=predictions.weight)."
    )
    told = _predictions(metric, 0.5)
    usual = _compute(metric, told)
    if (again := _compute(metric, told)) != usual:
        found = f"{usual:.6g}, and {again:.6g} of the same predictions."
        raise _broken(metric, rule, found, "give whatever draws at random a fixed seed.")
    turned = _compute(metric, take(told, np.arange(_N)[::-1]))
    if not np.isclose(usual, turned, rtol=1e-9):
        found = f"{usual:.6g}, and {turned:.6g} in another order."
        raise _broken(metric, rule, found, "let no row depend on those before it.")
    twice = np.arange(_N) % 3 == 0
    weighted = _compute(metric, replace(told, weight=1.0 + twice))
    rows = np.sort(np.concatenate([np.arange(_N), np.flatnonzero(twice)]))
    repeated = _compute(metric, take(told, rows))
    if not np.isclose(weighted, repeated, rtol=1e-9):
        found = f"{weighted:.6g} with weights of 2, and {repeated:.6g} with those rows twice."
        raise _broken(metric, rule, found, remedy)


def _predictions(metric: Metric, noise: float) -> Predictions:
    """Return predictions: the truth without noise, guesses where it is 1."""
    random = np.random.default_rng(5)
    drawn = random.random(_N) < noise
    ids = np.array([f"row {row}" for row in range(_N)])
    if metric.task == "regression":
        y = random.normal(10.0, 3.0, _N)
        guess = np.where(drawn, random.normal(10.0, 3.0, _N), y)
        return _told(y, guess, guess, None, (), ids)
    k = 3 if metric.n_classes == "more" else 2
    code = np.arange(_N) % k
    guess = np.where(drawn, random.integers(0, k, _N), code)
    likely = np.full((_N, k), 0.1 / (k - 1)) + random.random((_N, k)) * 0.02
    likely[np.arange(_N), guess] = 0.9
    likely /= likely.sum(axis=1, keepdims=True)
    decision = np.log(likely)
    if k == 2:
        decision = decision[:, 1] - decision[:, 0]
    return _told(code, guess, decision, likely, ("no", "yes", "perhaps")[:k], ids)


def _told(
    y: NDArray[Any],
    guess: NDArray[Any],
    decision: NDArray[np.float64],
    likely: NDArray[np.float64] | None,
    classes: tuple[str, ...],
    ids: NDArray[np.str_],
) -> Predictions:
    return Predictions(
        y_true=y,
        y_pred=guess,
        decision=decision,
        probability=likely,
        classes=classes,
        positive=1,
        ids=ids,
        weight=np.ones(len(y)),
    )


def _compute(metric: Metric, told: Predictions) -> float:
    """Return a metric's value of predictions of which it is defined."""
    rule = "`compute` must return a finite number for predictions such as any run makes."
    remedy = "return one float; nan is for what is undefined, such as a ranking of one class."
    try:
        made: Any = metric.compute(told)
    except Exception as error:
        packages = packages_of(metric.compute)
        of = f"{len(told.classes)} classes" if told.classes else "a numeric target"
        promise = f"`compute` returns a float for predictions of {of}"
        blamed = blame(error, packages, remedy, promise)
        where = blamed.where or place_of(packages, metric.compute)
        subject = f"metric {metric.name!r}"
        told_to = blamed.remedy if where or not isinstance(error, TypeError) else _LENT
        raise violation(subject, rule, blamed.found, told_to, where) from error
    if not isinstance(made, float | int | np.number) or not np.isfinite(made):
        what = getattr(made, "dtype", None) or type(made).__name__
        shape = getattr(made, "shape", ())
        found = f"an array of shape {shape}." if shape else f"{made!r}, of type {what}."
        raise _broken(metric, rule, found, remedy)
    least, most = metric.bounds
    if not least <= made <= most:
        raise _broken(
            metric,
            "A value must lie within the metric's `bounds`, which its intervals are kept to.",
            f"{float(made):.6g}, and bounds of {least:g} and {most:g}.",
            "declare the least and the most that it can be, or return no more.",
        )
    return float(made)


def _broken(metric: Metric, rule: str, found: str, remedy: str) -> ConformanceError:
    where = place_of(packages_of(metric.compute), metric.compute)
    return violation(f"metric {metric.name!r}", rule, found, remedy, where)
