"""What every metric must do, as checks that plugin authors call from their own tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation import take
from widemargin.testing.fixture import ConformanceError, named, violation

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "check_metric",
    "check_metric_counts_weights",
    "check_metric_prefers_the_truth",
    "metric_checks",
]

_N = 60


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
    remedy = "return a float that grows with the quality, or say greater_is_better=False."
    truth = _compute(metric, _predictions(metric, 0.0), rule, remedy)
    guessed = _compute(metric, _predictions(metric, 1.0), rule, remedy)
    if not np.isfinite([truth, guessed]).all():
        raise _broken(metric, rule, f"{truth} of the truth, {guessed} of guesses.", remedy)
    if not (truth > guessed if metric.greater_is_better else truth < guessed):
        found = f"{truth:.4g} of the truth, and {guessed:.4g} of guesses."
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
    remedy = "weigh every sum by `predictions.weight`."
    told = _predictions(metric, 0.5)
    usual = _compute(metric, told, rule, remedy)
    turned = _compute(metric, take(told, np.arange(_N)[::-1]), rule, remedy)
    if not np.isclose(usual, turned, rtol=1e-9):
        found = f"{usual:.6g}, and {turned:.6g} in another order."
        raise _broken(metric, rule, found, "let no row depend on those before it.")
    twice = np.arange(_N) % 3 == 0
    weighted = _compute(metric, replace(told, weight=1.0 + twice), rule, remedy)
    rows = np.sort(np.concatenate([np.arange(_N), np.flatnonzero(twice)]))
    repeated = _compute(metric, take(told, rows), rule, remedy)
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


def _compute(metric: Metric, told: Predictions, rule: str, remedy: str) -> float:
    try:
        return float(metric.compute(told))
    except Exception as error:
        package = str(getattr(metric.compute, "__module__", "")).partition(".")[0]
        raise _broken(metric, rule, f"{named(error, {package})}.", remedy) from error


def _broken(metric: Metric, rule: str, found: str, remedy: str) -> ConformanceError:
    return violation(f"metric {metric.name!r}", rule, found, remedy)
