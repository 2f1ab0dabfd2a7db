"""Training: features, inner search, refit and calibration on one set of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import (
    Dataset,
    Predictions,
    Progress,
    Split,
)
from widemargin.evaluation import take
from widemargin.runs.model import Model, encode, judge
from widemargin.runs.plan import inner_splits
from widemargin.runs.rows import as_rows
from widemargin.runs.setup import Setup, codes_of, unit_of
from widemargin.svm.quantities import Quantities
from widemargin.svm.selection import GridCell, PartRows, Scorer, Search, refit, select

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = ["Embedded", "Trained", "embed", "fit_transform", "refit_at", "train"]

_FEW = 10


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model with what was found on the way.

    `part` are the training rows, `rows` their features, and `inner` the inner folds.
    """

    model: Model
    part: Dataset
    search: Search
    rows: Any
    inner: list[Split]


@dataclass(frozen=True)
class Embedded:
    """All items' features, where they learn nothing.

    Parameters
    ----------
    features : transformer
        What made them.
    rows : ndarray or CSR of shape (n_items, n_features)
        The features.
    quantities : Quantities, optional
        What kernels compute of them, shared by all folds; None where there is one outer part.
    """

    features: Any
    rows: Any
    quantities: Quantities | None


def embed(setup: Setup, dataset: Dataset, *, share: bool) -> Embedded:
    """Compute all items' features, which learn nothing, once for the whole run.

    With `share`, folds share what kernels compute of them too.
    """
    features = setup.features(dataset.kinds)
    with setup.spent("encoding"):
        rows = fit_transform(features, dataset.X, dataset.y)
    return Embedded(features, rows, Quantities(setup.rows(rows)) if share else None)


def train(
    setup: Setup,
    part: Dataset,
    *,
    embedded: Embedded | None = None,
    taken: NDArray[np.intp] | None = None,
    progress: Progress,
) -> Trained:
    """Fit features to a part's rows, choose C and gamma on inner folds, refit and calibrate.

    Parameters
    ----------
    setup : Setup
        Config and names.
    part : Dataset
        Training rows.
    embedded : Embedded, optional
        All items' features, where they learn nothing and were computed once for the whole run.
    taken : ndarray of shape (n_samples,), optional
        Which of these the part is; by default all.
    progress : Progress
        Told of every fit.
    """
    config = setup.config
    inner = inner_splits(config, setup.split, part, one_part=setup.one_part)
    fold_rows = within = None
    if embedded is not None:
        features = embedded.features
        taken = np.arange(len(part)) if taken is None else taken
        rows = embedded.rows[taken]
        within = None if embedded.quantities is None else embedded.quantities.on(taken)
    else:
        features = setup.features(part.kinds)
        with setup.spent("encoding"):
            rows = fit_transform(features, part.X, part.y)
            if config.features.learns == "y":
                fold_rows = [_refit(setup, part, split) for split in inner]
    codes = codes_of(part.y, setup.classes)
    centre, scale = (0.0, 1.0) if setup.classes else unit_of(codes)
    held_out = np.concatenate([split.test for split in inner])
    if setup.classes and np.bincount(codes[held_out], minlength=len(setup.classes)).min() < _FEW:
        setup.progress.note(
            f"Fewer than {_FEW} held-out {part.card.item}s of a class choose C and make the "
            "probabilities, so that both, and the labels, are rough. More items help."
        )
    with setup.spent("fitting"):
        search = select(
            setup.rows(rows),
            setup.solver(part),
            expression=setup.expression,
            C=config.svm.C,
            parts=[(split.train, split.test) for split in inner],
            scorer=_scorer(setup, part, codes, inner, held_out, centre, scale),
            blocks=getattr(features, "blocks_", None),
            part_rows=fold_rows,
            within=within,
            rule=config.svm.rule,
            progress=progress,
        )
        # Each row is held out once at most.
        order = np.argsort(held_out)
        judged = part.take(held_out[order])
        calibration = setup.calibrate(judged, codes[held_out[order]], search.held_out[order])
        model = Model(
            features=features,
            machine=search.machine,
            calibration=calibration,
            classes=setup.classes,
            centre=centre,
            scale=scale,
            label_weights=setup.label_weights(judged, calibration),
        )
    return Trained(model=model, part=part, search=search, rows=rows, inner=inner)


def fit_transform(features: Any, X: Any, y: Any) -> Any:
    """Fit a transformer and return its rows: dense float64 or CSR."""
    rows = (
        features.fit_transform(X, y)
        if hasattr(features, "fit_transform")
        else features.fit(X, y).transform(X)
    )
    return as_rows(features, rows, len(X))


def refit_at(setup: Setup, part: Dataset, rows: Any, features: Any, cell: GridCell) -> Model:
    """Fit the machine to a part's features at a C and gamma that are chosen; not calibrated.

    Parameters
    ----------
    setup : Setup
        Config and names.
    part : Dataset
        Training rows.
    rows : ndarray or CSR of shape (n_samples, n_features)
        Their features.
    features : transformer
        What made them.
    cell : GridCell
        C and gamma.
    """
    centre, scale = (0.0, 1.0) if setup.classes else unit_of(codes_of(part.y, ()))
    machine = refit(
        setup.rows(rows),
        setup.solver(part),
        expression=setup.expression,
        cell=cell,
        blocks=getattr(features, "blocks_", None),
    )
    return Model(
        features=features,
        machine=machine,
        calibration=None,
        classes=setup.classes,
        centre=centre,
        scale=scale,
        label_weights=setup.costs,
    )


def _refit(setup: Setup, part: Dataset, split: Split) -> PartRows:
    """Fit features that learn y on one inner training part."""
    features = setup.features(part.kinds)
    rows = fit_transform(features, part.X.iloc[split.train], part.y[split.train])
    others = encode(features, part.X.iloc[split.test])
    return setup.rows(rows), setup.rows(others), getattr(features, "blocks_", None)


def _scorer(
    setup: Setup,
    part: Dataset,
    codes: NDArray[Any],
    inner: Sequence[Split],
    held_out: NDArray[np.intp],
    centre: float,
    scale: float,
) -> Scorer:
    """Return what the inner search maximises: the primary metric of each fold's held-out rows.

    A cell is judged as its model would be: its decisions are calibrated, and probabilities and
    costs make the prediction.
    """
    metric = setup.metric
    sign = 1.0 if metric.greater_is_better else -1.0
    # Folds hold out each row once; a single held-out part, some rows.
    order = np.argsort(held_out)
    judged = part.take(held_out[order])
    truth = codes[held_out[order]]
    places = [np.searchsorted(held_out[order], split.test) for split in inner]
    weight = np.ones(len(judged)) if judged.sample_weight is None else judged.sample_weight

    def score(decided: NDArray[np.float64]) -> list[float]:
        decision = decided[order]
        calibration = setup.calibrate(judged, truth, decision)
        label_weights = setup.label_weights(judged, calibration)
        outcome = judge(decision, calibration, centre, scale, label_weights)
        told = Predictions(
            y_true=truth,
            y_pred=outcome.prediction,
            decision=setup.orient(outcome.decision),
            probability=outcome.probability,
            classes=setup.classes,
            positive=setup.positive,
            ids=judged.ids,
            weight=weight,
            costs=setup.costs,
        )
        return [sign * metric.value(take(told, own)) for own in places]

    return score
