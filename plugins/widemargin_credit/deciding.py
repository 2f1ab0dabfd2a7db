"""What points, reasons and changes need of a model, whether a run is ending or was loaded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin import DataError, Items
from widemargin.data import plain_cells
from widemargin.encoders import Columns, Population, Share
from widemargin.evaluation import Judged, Study
from widemargin_credit.applications import BAD, GOOD, Applications

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "Decider",
    "Scale",
    "applications_for",
    "bad_of",
    "decider_of_run",
    "decider_of_study",
]

_CLASSES = (BAD, GOOD)
_SURE = 1e-9
_SAME = 1e-6


@dataclass(frozen=True)
class Scale:
    """Points: log-odds of good, and with them the margin, on a scale that people read.

    Parameters
    ----------
    base_score, base_odds, pdo : float
        Points where good is `base_odds` times as likely as bad, and points that double the odds.
    slope, offset : float
        Log-odds of bad are ``slope * decision + offset``.
    is_exact : bool
        Whether that holds of the calibration, as it does of a sigmoid, or is laid through it.

    Examples
    --------
    >>> scale = Scale(600.0, 50.0, 20.0, 1.0, 0.0, True)
    >>> round(float(scale.points(-math.log(50.0))), 9), round(float(scale.points(-math.log(100.0))))
    (600.0, 620)
    """

    base_score: float
    base_odds: float
    pdo: float
    slope: float
    offset: float
    is_exact: bool

    @property
    def per_margin(self) -> float:
        """Points that a decision higher by 1 takes away; as it speaks for bad, below 0."""
        return -self.pdo / math.log(2) * self.slope

    def points(self, decision: Any) -> Any:
        """Return the points of decisions."""
        odds = -(self.slope * np.asarray(decision) + self.offset)
        return self.base_score + self.pdo / math.log(2) * (odds - math.log(self.base_odds))

    def of_probability(self, bad: float) -> float:
        """Return the points at a probability of bad."""
        odds = math.log((1 - bad) / bad)
        return self.base_score + self.pdo / math.log(2) * (odds - math.log(self.base_odds))


@dataclass(frozen=True)
class Decider:
    """A model of applications.

    Parameters
    ----------
    features : transformer
        The fitted features.
    coef : ndarray of shape (n_features,) or None
        Weights, above 0 for bad; None unless the machine is linear.
    judge : callable
        ``judge(X) -> Judged``, where a decision above 0 speaks for bad.
    explain : callable
        ``explain(items)``: what each column adds to the decision against the population.
    loader : Applications
        The ``data`` section: what may change, what is protected, and the points.
    costs : tuple of (float, float)
        What it costs to accept a bad application, and to refuse a good one; without costs what
        bad and good weigh in the labels.
    columns : tuple of str
        The columns that the model reads.
    """

    features: Any
    coef: NDArray[np.float64] | None
    judge: Callable[[Columns], Judged]
    explain: Callable[[Items], Sequence[Sequence[Share]]]
    loader: Applications
    costs: tuple[float, float]
    columns: tuple[str, ...]

    @property
    def threshold(self) -> float:
        """The probability of bad from which on an application is refused."""
        bad, good = self.costs
        return good / (bad + good)

    @property
    def population(self) -> Mapping[str, Population]:
        """The values that training rows have in each column; nothing where it is not known."""
        own = getattr(self.features, "population", None)
        return {} if own is None else own()

    def sample(self) -> dict[str, NDArray[Any]]:
        """Return made-up applications of values that training rows have.

        Raises
        ------
        DataError
            Where the features do not know the population.
        """
        values = {name: own for name, (own, _) in self.population.items()}
        if not values:
            raise DataError(
                "these features do not know which values the training rows have; the encoder loan "
                "does."
            )
        size = max(map(len, values.values()))
        return {
            name: _column([own[at % len(own)] for at in range(size)])
            for name, own in values.items()
        }

    def refuses(self, X: Columns) -> NDArray[np.bool_]:
        """Return which applications are refused, by the model's own labels."""
        return np.asarray(self.judge(X).label == BAD)

    def scale(self, X: Columns) -> Scale:
        """Lay the scale of points by what the model says of some applications.

        Raises
        ------
        DataError
            Where all of them are alike to the model.
        """
        judged = self.judge(X)
        bad = bad_of(judged)
        inner = (bad > _SURE) & (bad < 1 - _SURE)
        decision = judged.decision[inner]
        if not inner.any() or np.ptp(decision) == 0:
            raise DataError("points need applications that the model tells apart.")
        odds = np.log(bad[inner] / (1 - bad[inner]))
        slope, offset = np.polyfit(decision, odds, 1)
        is_exact = bool(np.abs(slope * decision + offset - odds).max() < _SAME)
        own = self.loader
        return Scale(own.base_score, own.base_odds, own.pdo, float(slope), float(offset), is_exact)


def bad_of(judged: Judged) -> NDArray[np.float64]:
    """Return the calibrated probabilities of bad."""
    assert judged.probability is not None
    return judged.probability[:, 0]


def decider_of_study(study: Study) -> Decider:
    """Return the model of a run that is about to end."""
    assert isinstance(study.loader, Applications)
    coef = study.model.coef
    return Decider(
        features=study.model.features,
        coef=None if coef is None else coef[0],
        judge=study.judge,
        explain=study.model.explain,
        loader=study.loader,
        costs=_costs(study.predictions.label_weights),
        columns=tuple(study.dataset.kinds),
    )


def applications_for(decider: Decider, applications: pd.DataFrame) -> pd.DataFrame:
    """Return applications as the model reads them.

    Raises
    ------
    DataError
        Where they lack a column.
    """
    absent = [name for name in decider.columns if name not in applications]
    if absent:
        raise DataError(
            f"the applications have no column {absent[0]!r}. The model reads "
            f"{', '.join(decider.columns)}."
        )
    return plain_cells(applications, decider.loader.decimal_commas)


def decider_of_run(run: Any) -> Decider:
    """Return the model of a run that ``widemargin.load`` or ``widemargin.run`` returned.

    Raises
    ------
    DataError
        Where it is no run of ``credit``.
    """
    predictor = run.predictor
    model, loader = predictor.model, predictor.config.data
    if not isinstance(loader, Applications) or tuple(model.classes) != _CLASSES:
        raise DataError(f"{run.id} is no run of credit; load one, as in widemargin.load('credit').")

    def judge(X: Columns) -> Judged:
        outcome = model.predict(X)
        # A machine's decision speaks for the second class, good.
        label = np.array(_CLASSES)[outcome.prediction]
        return Judged(label, -outcome.decision, outcome.probability)

    def explain(items: Items) -> list[list[Share]]:
        told = predictor.predict(items.X, list(items.ids), explain=True)
        return [list(one.shares) for one in told]

    return Decider(
        features=model.features,
        coef=None if model.machine.coef is None else -model.machine.coef[0],
        judge=judge,
        explain=explain,
        loader=loader,
        costs=_costs(model.label_weights),
        columns=tuple(predictor.kinds),
    )


def _column(values: Sequence[Any]) -> NDArray[Any]:
    if all(value is None or isinstance(value, float) for value in values):
        return np.array([np.nan if value is None else value for value in values])
    return np.array(values, dtype=object)


def _costs(costs: Sequence[float]) -> tuple[float, float]:
    return (float(costs[0]), float(costs[1])) if len(costs) else (1.0, 1.0)
