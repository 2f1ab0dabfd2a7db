"""Folds on which a score says nothing, found before anything is fitted."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics._scorer import _BaseScorer  # there is no public name for what scorers are

from widemargin.errors import ParameterError
from widemargin.svm.calibration import Sigmoid, Temperature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.estimators.told import Told

__all__ = ["leave_undefined_out"]

# What scorers raise where a fold gives them too little.
_CANNOT = (ValueError, ArithmeticError)
# Scores that differ by so small a share of the greatest are equal.
_ROUNDING = 1e-9


def leave_undefined_out(told: Told, ask: Callable[[Any, Any, Any], float], stacklevel: int) -> None:
    """Find the folds that leave the score undefined whatever is decided, and leave them out.

    A score such as the area under the ROC curve needs rows of every class, and R2 needs two rows.
    Folds that lack these are tried with right, wrong and arbitrary decisions, each composition of
    classes once. Only scorers of scikit-learn's kind are: one's own function may count its calls.

    Parameters
    ----------
    told : Told
        What scorers ask.
    ask : callable
        The scorer.
    stacklevel : int
        Of the warning about folds that are left out, seen from here.

    Raises
    ------
    ParameterError
        Where no fold tells right decisions from wrong ones.
    """
    poor = {k: given for k, (_, rows) in enumerate(told.parts) if (given := _lack(told, rows))}
    if not poor or not isinstance(ask, _BaseScorer):
        return
    tried = _Tried(told, ask)
    # A scorer that cannot score all rows at once is wrong for another reason, and will give it.
    if not tried.is_telling(np.arange(len(told.target))):
        return
    n_folds, first = len(told.parts), min(poor)
    lacking = f"as fold {first + 1} holds out {poor[first]}"
    advice = (
        "Take folds that hold out every class, as cv=StratifiedKFold(5), or StratifiedGroupKFold "
        "for rows of groups, or a scorer that is defined without, as 'accuracy'."
        if hasattr(told, "classes_")
        else "Take larger folds, as cv=KFold(5), or a scorer that single rows define, as "
        "'neg_mean_absolute_error'."
    )
    if len(poor) == n_folds and not any(tried.is_telling(rows) for _, rows in told.parts):
        raise ParameterError(
            f"{_name(told)} tells right decisions from wrong ones on none of the {n_folds} folds, "
            f"{lacking}. {advice}",
            "cv",
        )
    told.undefined = frozenset(k for k in poor if not tried.is_defined(told.parts[k][1]))
    if told.undefined:
        first = min(told.undefined)
        warnings.warn(
            f"{type(told.search).__name__}: {_name(told)} is undefined on {len(told.undefined)} of "
            f"{n_folds} folds, as fold {first + 1} holds out {poor[first]}; the mean leaves them "
            f"out. {advice}",
            UndefinedMetricWarning,
            stacklevel=stacklevel,
        )


def _lack(told: Told, rows: NDArray[np.intp]) -> str:
    """Say what a fold's rows lack for some score; nothing where that is nothing."""
    present = np.unique(told.target[rows])
    count = f"{len(rows)} rows" if len(rows) > 1 else "a single row"
    if not hasattr(told, "classes_"):
        if len(present) > 1:
            return ""
        return count if len(rows) == 1 else f"{count} of one value"
    names = told.classes_.tolist()
    if len(present) == len(names):
        return ""
    if len(present) > 1:
        absent = np.setdiff1d(np.arange(len(names)), present)[0]
        return f"{count} without class {names[absent]!r}"
    only = names[present[0]]
    return f"{count}, of class {only!r}" if len(rows) == 1 else f"{count} of class {only!r} alone"


class _Tried:
    """Scores of folds for decisions that nobody has made, each composition of classes once."""

    def __init__(self, told: Told, ask: Callable[[Any, Any, Any], float]) -> None:
        self.told, self.ask = told, ask
        n_classes = len(told.classes_) if hasattr(told, "classes_") else 0
        self.decisions = _decisions(told.target, n_classes)
        self.calibration = Sigmoid(-1.0, 0.0) if n_classes == 2 else Temperature(1.0)
        self.known: dict[bytes, list[float]] = {}

    def is_defined(self, rows: NDArray[np.intp]) -> bool:
        return bool(np.isfinite(self._scores(rows)).any())

    def is_telling(self, rows: NDArray[np.intp]) -> bool:
        scores = np.array([one for one in self._scores(rows) if np.isfinite(one)])
        if not len(scores):
            return False
        return bool(np.ptp(scores) > _ROUNDING * np.abs(scores).max())

    def _scores(self, rows: NDArray[np.intp]) -> list[float]:
        values, counts = np.unique(self.told.target[rows], return_counts=True)
        key = counts.tobytes() + (values.tobytes() if hasattr(self.told, "classes_") else b"")
        if key not in self.known:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.known[key] = [self._score(rows, one) for one in self.decisions]
        return self.known[key]

    def _score(self, rows: NDArray[np.intp], decisions: NDArray[np.float64]) -> float:
        told = self.told
        told.decisions, told.own, told.calibration = decisions[rows], slice(None), self.calibration
        try:
            return float(self.ask(told, told.X[rows], told.y[rows]))
        except _CANNOT:
            return float("nan")


def _decisions(target: NDArray[Any], n_classes: int) -> list[NDArray[np.float64]]:
    """Return decisions of all rows: right, wrong and arbitrary ones."""
    rng = np.random.default_rng(0)
    if not n_classes:
        # Upwards, so that scores of logarithms bear them.
        away = 1 + np.abs(target)
        return [target, target + away, target + away * rng.random(len(target))]
    if n_classes == 2:
        right = 2.0 * target - 1
        return [right, -right, rng.normal(size=len(target))]
    right = np.eye(n_classes)[target]
    return [right, np.roll(right, 1, axis=1), rng.normal(size=right.shape)]


def _name(told: Told) -> str:
    scoring = told.search.scoring
    return "scoring='r2', the default," if scoring is None else f"scoring={scoring!r}"
