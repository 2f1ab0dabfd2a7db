"""What a check reads and what it reports."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypedDict

from widemargin.contracts import Metric, Predictions
from widemargin.evaluation.intervals import Interval

if TYPE_CHECKING:
    from widemargin.encoders.text.known_words import KnownWords

__all__ = ["CheckContext", "Finding", "NearDuplicates", "Searched"]


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Parameters
    ----------
    code : str
        The check's code, as in ``"WM001"``.
    title : str
        What is found, in a few words.
    severity : {"warning", "note"}
        A warning says that a number may mislead; a note, what is good to know.
    message : str
        What was found, with its numbers, and what to do.
    """

    code: str
    title: str
    severity: Literal["warning", "note"]
    message: str


class NearDuplicates(TypedDict):
    """How many rows nearly repeat another, and the primary metric with and without them crossing.

    `apart` keeps them in one part of every split; `crossing` lets them cross. Both are of the
    same untuned model.
    """

    rows: int
    apart: float
    crossing: float


@dataclass(frozen=True, kw_only=True)
class Searched:
    """The settings that the inner search chose, and those it chose from.

    Parameters
    ----------
    C, gamma : float
        What was chosen; gamma is None where the kernel has none.
    C_values, gamma_values : tuple of float
        The values tried; one value means that nothing was searched.
    n_cells : int
        How many pairs of C and gamma the final search tried.
    n_stopped : int
        In how many of them a machine was stopped before it met the optimality conditions.
    model_stopped : bool
        Whether this happened to the final model.
    folds_stopped : int
        To how many of the machines that predicted the outer folds it happened.
    rising : tuple of str or None
        Which of C and gamma lies at an end that the score rises towards; None where only the
        values are known.
    """

    C: float
    C_values: tuple[float, ...]
    gamma: float | None = None
    gamma_values: tuple[float, ...] = ()
    n_cells: int = 0
    n_stopped: int = 0
    model_stopped: bool = False
    folds_stopped: int = 0
    rising: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """All that the checks read.

    Parameters
    ----------
    predictions : Predictions
        The model's out-of-fold predictions.
    primary : Metric
        The headline's metric.
    intervals : mapping of str to Interval
        The model's metrics by name; the primary one is among them.
    baselines : mapping of str to mapping of str to float
        The baselines' metrics: by the baseline's name, then by the metric's.
    gains : mapping of str to Interval
        By how much the model's primary metric is more than each baseline's on the same items.
    class_counts : mapping of str to int
        Items of each class; empty for regression.
    n_samples : int
        Items in all.
    outer, inner : int
        Parts of the outer and the inner cross-validation.
    searched : Searched or None
        What the inner search chose.
    near_duplicates : NearDuplicates or None
        None where there are none, or nobody looked.
    known_words : sequence of KnownWords
        What each encoder of word vectors knows of the training texts.
    telltales : callable
        Finds the columns that tell the answer by themselves, each with how well; that takes its
        time, and only a score that is too good asks for it.
    units : str
        Units of a numeric target.
    """

    predictions: Predictions
    primary: Metric
    intervals: Mapping[str, Interval]
    baselines: Mapping[str, Mapping[str, float]]
    n_samples: int
    outer: int
    inner: int
    gains: Mapping[str, Interval] = field(default_factory=dict)
    class_counts: Mapping[str, int] = field(default_factory=dict)
    searched: Searched | None = None
    near_duplicates: NearDuplicates | None = None
    known_words: Sequence[KnownWords] = ()
    telltales: Callable[[], Sequence[str]] = tuple
    units: str = ""

    @property
    def interval(self) -> Interval:
        """The primary metric with its interval."""
        return self.intervals[self.primary.name]

    def baseline(self, *names: str) -> float:
        """Return the primary metric of the first of these baselines that there is, else nan."""
        for name in names:
            if name in self.baselines:
                return self.baselines[name].get(self.primary.name, float("nan"))
        return float("nan")

    def gain_over(self, *names: str) -> Interval:
        """Return by how much the model is better than the first of these that there is.

        Its least is the gain itself where it has no interval; all is nan where there is no gain.
        """
        nan = math.nan
        found = next((self.gains[name] for name in names if name in self.gains), None)
        if found is None:
            return Interval(nan, nan, nan)
        least, most = found.low, found.high
        if not self.primary.greater_is_better:
            found, least, most = replace(found, value=-found.value), -most, -least
        return replace(found, low=found.value if math.isnan(least) else least, high=most)

    def gain(self, value: float, over: float) -> float:
        """Return by how much a value is better than another; below 0 where it is worse."""
        return value - over if self.primary.greater_is_better else over - value

    @property
    def is_unclear(self) -> bool:
        """Whether the worse end of the primary metric's interval is no better than the dummy."""
        # An undefined value compares with nothing.
        return self.gain(self.pessimistic, self.baseline("dummy")) <= 0

    @property
    def pessimistic(self) -> float:
        """The worse end of the primary metric's interval; its value where there is none."""
        end = self.interval.low if self.primary.greater_is_better else self.interval.high
        return self.interval.value if math.isnan(end) else end

    def show(self, value: float) -> str:
        """Write a value of the primary metric as people read it."""
        return self.primary.format(value, self.units)

    def headline(self) -> str:
        """Write the primary metric with its interval, where it has one."""
        interval = self.interval
        if math.isnan(interval.low):
            return f"{self.primary.title} {self.show(interval.value)}"
        ends = f"{self.show(interval.low)} to {self.show(interval.high)}"
        return f"{self.primary.title} {self.show(interval.value)} ({ends})"
