"""Training: features, inner search, refit and calibration on one set of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import (
    Dataset,
    Kernel,
    Metric,
    Predictions,
    Progress,
    Split,
    SplitRule,
)
from widemargin.data.splits import make_splits
from widemargin.errors import ConfigError, Problem
from widemargin.evaluation import take
from widemargin.runs.model import Model, as_rows, encode, judge
from widemargin.svm.calibration import Calibration, fit_calibration
from widemargin.svm.selection import Scorer, Search, select

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.config import RunConfig

__all__ = ["Setup", "Trained", "codes_of", "fit_transform", "train", "unit_of"]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What training needs besides the rows.

    Parameters
    ----------
    config : RunConfig
        The resolved config.
    kernel : Kernel
        The kernel that it names.
    metric : Metric
        What the inner search maximises.
    split : SplitRule
        How rows are divided.
    classes : tuple of str
        All class names in sorted order; empty for regression.
    positive : int
        Code of the positive class of a binary task; 1 otherwise.
    """

    config: RunConfig
    kernel: Kernel
    metric: Metric
    split: SplitRule
    classes: tuple[str, ...]
    positive: int

    @property
    def is_binary(self) -> bool:
        """Whether there are exactly two classes."""
        return len(self.classes) == 2

    def orient(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn a machine's decision so that above 0 speaks for the positive class.

        Decisions of several folds are ranked together as they are: each is in units of its own
        machine's margin. Log-odds were tried instead, and rank worse (on spam, 74% caught at 0.1%
        blocked against 84%), since each fold's calibration differs most where items are surest.
        """
        return -decision if self.is_binary and self.positive == 0 else decision

    def calibrate(
        self, part: Dataset, codes: NDArray[Any], held_out: NDArray[np.float64]
    ) -> Calibration | None:
        """Fit probabilities to held-out decisions; None for regression.

        Class weights count here too: they say what a mistake costs, and without them the
        calibration would undo what they did to the margin.
        """
        return fit_calibration(held_out, codes, self.weights(part)) if self.classes else None

    def weights(self, part: Dataset) -> NDArray[np.float64] | None:
        """Return each row's factor of C, or None where all are 1."""
        chosen = self.config.svm.class_weight
        if chosen == "none" or not self.classes:
            return part.sample_weight
        if isinstance(chosen, dict):
            unknown = sorted(set(chosen) - set(self.classes))
            if unknown:
                allowed = ", ".join(self.classes)
                message = f"{unknown[0]!r} is no class; the classes are {allowed}."
                raise ConfigError([Problem(message, "svm.class_weight")])
            by_class = np.array([chosen.get(name, 1.0) for name in self.classes])
        else:
            counts = np.array([(part.y == name).sum() for name in self.classes])
            by_class = len(part) / (len(self.classes) * counts)
        weights: NDArray[np.float64] = by_class[codes_of(part.y, self.classes)]
        return weights if part.sample_weight is None else weights * part.sample_weight


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model with what was found on the way.

    `rows` are the training rows' features, and `inner` the inner folds.
    """

    model: Model
    search: Search
    rows: Any
    inner: list[Split]


def codes_of(y: NDArray[Any], classes: Sequence[str]) -> NDArray[Any]:
    """Return class codes, or the numbers themselves where there are no classes."""
    if not classes:
        return y.astype(np.float64)
    place = {name: code for code, name in enumerate(classes)}
    return np.array([place[str(name)] for name in y], dtype=np.int64)


def unit_of(target: NDArray[np.float64]) -> tuple[float, float]:
    """Return a target's mean and standard deviation; 1 where all its training values are equal."""
    return float(target.mean()), float(target.std()) or 1.0


def train(
    setup: Setup,
    part: Dataset,
    *,
    embedded: Any = None,
    features: Any = None,
    progress: Progress,
) -> Trained:
    """Fit features to a part's rows, choose C and gamma on inner folds, refit and calibrate.

    Parameters
    ----------
    setup : Setup
        Config and names.
    part : Dataset
        Training rows.
    embedded : matrix of shape (n_samples, n_features), optional
        The rows' features, where they learn nothing and were computed once for the whole run.
    features : transformer, optional
        The transformer that made `embedded`.
    progress : Progress
        Told of every fit.
    """
    config = setup.config
    inner = make_splits(
        part.y,
        setup.split,
        n_splits=config.evaluation.inner,
        groups=part.groups,
        random_state=config.seed,
    )
    fold_rows = None
    if embedded is None:
        features = config.features.build(part.kinds)
        embedded = fit_transform(features, part.X, part.y)
        if config.features.learns == "y":
            fold_rows = [_refit(setup, part, split) for split in inner]
    codes = codes_of(part.y, setup.classes)
    weights = setup.weights(part)
    centre, scale = (0.0, 1.0) if setup.classes else unit_of(codes)

    search = select(
        embedded,
        codes if setup.classes else (codes - centre) / scale,
        n_classes=len(setup.classes),
        settings=config.svm,
        kernel=setup.kernel,
        splits=inner,
        scorer=_scorer(setup, part, codes, inner, centre, scale),
        sample_weight=weights,
        fold_rows=fold_rows,
        random_state=config.seed,
        progress=progress,
    )
    model = Model(
        features=features,
        machine=search.machine,
        calibration=setup.calibrate(part, codes, search.held_out),
        classes=setup.classes,
        centre=centre,
        scale=scale,
    )
    return Trained(model=model, search=search, rows=embedded, inner=inner)


def fit_transform(features: Any, X: Any, y: Any) -> Any:
    """Fit a transformer and return its rows: dense float64 or CSR."""
    rows = (
        features.fit_transform(X, y)
        if hasattr(features, "fit_transform")
        else features.fit(X, y).transform(X)
    )
    return as_rows(rows)


def _refit(setup: Setup, part: Dataset, split: Split) -> tuple[Any, Any]:
    """Fit features that learn y on one inner training part."""
    features = setup.config.features.build(part.kinds)
    rows = fit_transform(features, part.X.iloc[split.train], part.y[split.train])
    return rows, encode(features, part.X.iloc[split.test])


def _scorer(
    setup: Setup,
    part: Dataset,
    codes: NDArray[Any],
    inner: Sequence[Split],
    centre: float,
    scale: float,
) -> Scorer:
    """Return what the inner search maximises: the primary metric of each fold's held-out rows.

    A cell is judged as its model would be: its decisions are calibrated, and the most probable
    class is the prediction.
    """
    metric = setup.metric
    sign = 1.0 if metric.greater_is_better else -1.0
    weight = np.ones(len(part)) if part.sample_weight is None else part.sample_weight

    def score(decision: NDArray[np.float64]) -> list[float]:
        calibration = setup.calibrate(part, codes, decision)
        outcome = judge(decision, calibration, centre, scale)
        told = Predictions(
            y_true=codes,
            y_pred=outcome.prediction,
            decision=setup.orient(outcome.decision),
            probability=outcome.probability,
            classes=setup.classes,
            positive=setup.positive,
            ids=part.ids,
            weight=weight,
        )
        return [sign * float(metric.compute(take(told, split.test))) for split in inner]

    return score
