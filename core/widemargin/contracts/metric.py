"""Metrics: one number that says how good predictions are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from widemargin.contracts.dataset import Task
from widemargin.contracts.places import where_defined
from widemargin.contracts.predictions import Predictions
from widemargin.errors import PluginError

__all__ = ["Metric", "amount", "finite"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number that says how good predictions are.

    Parameters
    ----------
    name : str
        What configs and files call it, as in ``"roc_auc"``.
    title : str
        What people read, as in ``"ROC AUC"``.
    summary : str
        One line: what it measures.
    task : {"classification", "regression"}
        Which task it belongs to.
    compute : callable
        ``compute(predictions) -> float``; honours ``predictions.weight``; nan where undefined.
    needs : {"prediction", "decision", "probability"}
        What it reads. A metric of decisions can steer the inner search before calibration.
    n_classes : {"any", "two", "more"}
        How many classes it is for: any number, exactly two, or more than two.
    greater_is_better : bool
        False for errors.
    unit : {"", "%", "target"}
        How it is shown: as it is, as a percentage (the value is a fraction), or in the target's
        own units.
    bounds : tuple of float
        The least and the most that it can be, infinite where there is no end; intervals stay
        within.
    quantile : float or None
        Where it rests on a quantile, the share that lies beyond: 0.5 for a median. Of the items or,
        where `n_classes` is "two", of the negatives: 0.001 for what is caught where 0.1% of them
        are blocked. Its interval is resampled however few the items are.

    Raises
    ------
    ValueError
        Where `quantile` is no share between 0 and 1.
    """

    name: str
    title: str
    summary: str
    task: Task
    compute: Callable[[Predictions], float]
    needs: Literal["prediction", "decision", "probability"] = "prediction"
    n_classes: Literal["any", "two", "more"] = "any"
    greater_is_better: bool = True
    unit: Literal["", "%", "target"] = ""
    bounds: tuple[float, float] = (-math.inf, math.inf)
    quantile: float | None = None

    def __post_init__(self) -> None:
        if self.quantile is not None and not 0 < self.quantile < 1:
            raise ValueError(
                f"metric {self.name!r}: `quantile` must be above 0 and below 1, as 0.5 for a "
                f"median; got {self.quantile!r}"
            )

    def fits(self, task: Task, n_classes: int) -> bool:
        """Say whether it is for this task and so many classes (0 for regression)."""
        right_number = {"any": True, "two": n_classes == 2, "more": n_classes > 2}
        return self.task == task and right_number[self.n_classes]

    def value(self, predictions: Predictions) -> float:
        """Compute it.

        Raises
        ------
        PluginError
            Where `compute` returns no number.
        """
        made: object = self.compute(predictions)
        try:
            return float(made)  # type: ignore[arg-type]  # what it may be is what is found out
        except (TypeError, ValueError):
            what = getattr(made, "shape", None)
            found = f"an array of shape {what}" if what else f"{made!r}"
            raise PluginError(
                f"the metric {self.name!r} returned {found}; `compute` must return a float.",
                where_defined(self.compute),
            ) from None

    def format(self, value: float, units: str = "") -> str:
        """Write a value as people read it.

        Examples
        --------
        >>> Metric(name="a", title="A", summary="", task="classification",
        ...        compute=lambda p: 1.0, unit="%").format(0.98765)
        '98.77%'
        """
        if value != value:
            return "undefined"
        if self.unit == "%":
            return f"{100 * value:.2f}%"
        if self.unit == "target":
            return f"{amount(value)} {units}".rstrip()
        return f"{value:.4f}"


def amount(value: float, digits: int = 4) -> str:
    """Write a number with at least so many significant digits, its thousands set apart.

    Examples
    --------
    >>> amount(67718.4), amount(1159420.0, 6), amount(12.3456), amount(3.0), amount(2.5e9)
    ('67,718', '1,159,420', '12.35', '3', '2.5e+09')
    """
    if not math.isfinite(value) or (value and not 1e-4 <= abs(value) < 1e9):
        return f"{value:.{digits}g}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def finite(value: float) -> float | None:
    """Return a number as JSON has it: None for one that is undefined.

    Examples
    --------
    >>> finite(0.5), finite(math.nan)
    (0.5, None)
    """
    return float(value) if math.isfinite(value) else None
