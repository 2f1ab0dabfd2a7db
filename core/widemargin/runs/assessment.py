"""Assessment: folds' predictions into metrics, intervals, baselines and findings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Dataset, Metric, Predictions, Progress, Split
from widemargin.data.splits import make_splits
from widemargin.evaluation import (
    CheckContext,
    NearDuplicates,
    Searched,
    baselines,
    bootstrap_intervals,
    fold_scores,
    run_checks,
)
from widemargin.runs.folds import FoldResult, concatenate
from widemargin.runs.loading import Loaded
from widemargin.runs.model import encode
from widemargin.runs.training import Setup, Trained, codes_of, fit_transform, unit_of
from widemargin.svm.selection import refit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OutOfFold", "assess", "gather", "measure_crossing"]


@dataclass(frozen=True, kw_only=True)
class OutOfFold:
    """Every row's held-out prediction, repeat by repeat and fold by fold.

    Parameters
    ----------
    rows : ndarray of shape (n_predictions,)
        The row of the data set that each prediction is of.
    fold, repeat : ndarray of shape (n_predictions,)
        Where it was held out.
    predictions : Predictions
        The model's.
    baselines : mapping of str to Predictions
        The baselines', by name.
    """

    rows: NDArray[np.intp]
    fold: NDArray[np.int64]
    repeat: NDArray[np.int64]
    predictions: Predictions
    baselines: Mapping[str, Predictions]


def gather(
    setup: Setup,
    dataset: Dataset,
    splits: Sequence[tuple[int, int, Split]],
    results: Sequence[FoldResult],
) -> OutOfFold:
    """Put the folds' predictions together."""
    rows = np.concatenate([split.test for _, _, split in splits])
    sizes = [len(split.test) for _, _, split in splits]
    weight = dataset.sample_weight
    truth = codes_of(dataset.y, setup.classes)[rows]

    def collect(prefix: str) -> Predictions:
        prediction = concatenate(results, f"{prefix}prediction")
        decision = concatenate(results, f"{prefix}decision")
        assert prediction is not None
        assert decision is not None
        return Predictions(
            y_true=truth,
            y_pred=prediction,
            decision=decision,
            probability=concatenate(results, f"{prefix}probability"),
            classes=setup.classes,
            positive=setup.positive,
            ids=dataset.ids[rows],
            weight=np.ones(len(rows)) if weight is None else weight[rows],
        )

    return OutOfFold(
        rows=rows,
        fold=np.repeat([fold for _, fold, _ in splits], sizes),
        repeat=np.repeat([repeat for repeat, _, _ in splits], sizes),
        predictions=collect(""),
        baselines={
            baseline.name: collect(f"{baseline.name}.") for baseline in baselines(dataset.task)
        },
    )


def measure_crossing(
    setup: Setup, loaded: Loaded, trained: Trained, metrics: Sequence[Metric], progress: Progress
) -> dict[str, Any] | None:
    """Measure what the score would be if near-duplicates crossed the splits.

    Two plain cross-validations of one model at the chosen C and gamma, neither tuned: one of the
    items, and one of all rows as they were read.

    Returns
    -------
    dict or None
        None where there are no near-duplicates.
    """
    if not loaded.repeated:
        return None
    measured = {}
    folds = setup.config.evaluation.outer
    with progress.stage("near-duplicates crossing", total=2 * folds) as stage:
        for name, dataset in (("apart", loaded.dataset), ("crossing", loaded.whole)):
            splits = make_splits(
                dataset.y,
                setup.split,
                n_splits=folds,
                groups=dataset.groups,
                random_state=setup.config.seed,
            )
            embedded = None
            if setup.config.features.learns == "nothing":
                embedded = encode(trained.model.features, dataset.X)
            decisions = []
            for split in splits:
                decisions.append(_decide_untuned(setup, dataset, split, trained, embedded))
                stage.advance()
            measured[name] = _score_untuned(
                setup, dataset, splits, np.concatenate(decisions), metrics
            )
    return {
        "removed": loaded.repeated,
        "groups": loaded.repeated_items,
        "contradictory": loaded.contradictory,
        **measured,
    }


def _decide_untuned(
    setup: Setup, dataset: Dataset, split: Split, trained: Trained, embedded: Any
) -> NDArray[np.float64]:
    part = dataset.take(split.train)
    features = trained.model.features
    if embedded is not None:
        rows, others = embedded[split.train], embedded[split.test]
    else:
        features = setup.features(dataset.kinds)
        rows = fit_transform(features, part.X, part.y)
        others = encode(features, dataset.take(split.test).X)
    centre, scale = (0.0, 1.0) if setup.classes else unit_of(codes_of(part.y, ()))
    machine = refit(
        setup.rows(rows),
        setup.solver(part),
        expression=setup.expression,
        cell=trained.search.best,
        blocks=getattr(features, "blocks_", None),
    )
    return machine.decide(others) * scale + centre


def _score_untuned(
    setup: Setup,
    dataset: Dataset,
    splits: Sequence[Split],
    decision: NDArray[np.float64],
    metrics: Sequence[Metric],
) -> dict[str, float | None]:
    rows = np.concatenate([split.test for split in splits])
    predicted: NDArray[Any] = decision
    if setup.classes:
        predicted = (
            (decision > 0).astype(np.int64) if decision.ndim == 1 else decision.argmax(axis=1)
        )
    weight = dataset.sample_weight
    predictions = Predictions(
        y_true=codes_of(dataset.y, setup.classes)[rows],
        y_pred=predicted,
        decision=setup.orient(decision),
        probability=None,
        classes=setup.classes,
        positive=setup.positive,
        ids=dataset.ids[rows],
        weight=np.ones(len(rows)) if weight is None else weight[rows],
    )
    return {
        metric.name: _finite(metric.compute(predictions))
        for metric in metrics
        if metric.needs != "probability"
    }


def assess(
    setup: Setup,
    loaded: Loaded,
    out: OutOfFold,
    trained: Trained,
    metrics: Sequence[Metric],
    crossing: Mapping[str, Any] | None,
    results: Sequence[FoldResult],
) -> dict[str, Any]:
    """Return what ``metrics.json`` says; it holds no time and no id, so that it repeats exactly."""
    dataset, evaluation = loaded.dataset, setup.config.evaluation
    # Rows of one item, or of one group, are drawn together.
    groups = dataset.groups[out.rows] if dataset.groups is not None else out.rows
    intervals = bootstrap_intervals(
        out.predictions,
        metrics,
        resamples=evaluation.resamples,
        confidence=evaluation.confidence,
        groups=groups if evaluation.repeats > 1 or dataset.groups is not None else None,
        random_state=setup.config.seed,
    )
    scores = {
        name: {metric.name: float(metric.compute(predictions)) for metric in metrics}
        for name, predictions in out.baselines.items()
    }
    best = trained.search.best
    counts = {name: int((dataset.y == name).sum()) for name in setup.classes}
    duplicates: NearDuplicates | None = None
    if crossing is not None:
        duplicates = {
            "rows": crossing["removed"],
            "apart": _number(crossing["apart"].get(setup.metric.name)),
            "crossing": _number(crossing["crossing"].get(setup.metric.name)),
        }
    findings = run_checks(
        CheckContext(
            predictions=out.predictions,
            primary=setup.metric,
            intervals=intervals,
            baselines=scores,
            n_samples=len(dataset),
            outer=evaluation.outer,
            inner=evaluation.inner,
            class_counts=counts,
            searched=Searched(
                C=best.C,
                C_values=tuple(sorted({cell.C for cell in trained.search.cells})),
                # With blocks it is a factor of automatic widths, which no setting widens.
                gamma=None if setup.config.svm.blocks else best.gamma,
                gamma_values=tuple(
                    sorted({cell.gamma for cell in trained.search.cells if cell.gamma is not None})
                ),
                n_cells=len(trained.search.cells),
                n_stopped=sum(not cell.converged for cell in trained.search.cells),
                model_stopped=not trained.search.converged,
                folds_stopped=sum(not result.meta["converged"] for result in results),
            ),
            near_duplicates=duplicates,
            units=dataset.card.units,
        )
    )
    folds = fold_scores(out.predictions, out.repeat * evaluation.outer + out.fold, metrics)
    titles = {baseline.name: baseline.title for baseline in baselines(dataset.task)}
    return {
        "task": dataset.task,
        "primary": setup.metric.name,
        "n_items": len(dataset),
        "classes": list(setup.classes),
        "positive": setup.classes[setup.positive] if setup.is_binary else "",
        "units": dataset.card.units,
        "confidence": evaluation.confidence,
        "metrics": {
            name: {
                "value": _finite(interval.value),
                "low": _finite(interval.low),
                "high": _finite(interval.high),
            }
            for name, interval in intervals.items()
        },
        "baselines": {
            name: {
                "title": titles[name],
                "metrics": {metric: _finite(value) for metric, value in own.items()},
            }
            for name, own in scores.items()
        },
        "folds": [
            {name: _finite(values[at]) for name, values in folds.items()}
            for at in range(len(next(iter(folds.values()))))
        ],
        "n_folds": {
            "outer": len(set(out.fold.tolist())),
            "inner": len(trained.inner),
        },
        "near_duplicates": crossing,
        "findings": [asdict(finding) for finding in findings],
        "chosen": {"kernel": setup.kernel_title, "C": best.C, "gamma": best.gamma},
        "support_vectors": {
            "count": len(trained.search.support),
            "share": len(trained.search.support) / len(dataset),
        },
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
