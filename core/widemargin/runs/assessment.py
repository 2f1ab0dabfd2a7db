"""Assessment: folds' predictions into metrics, intervals, baselines and findings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Dataset, Metric, Predictions, Split
from widemargin.contracts.metric import finite
from widemargin.data.telltales import telltales
from widemargin.data.walk_forward import blocks_in_time
from widemargin.encoders.text.known_words import known_words
from widemargin.evaluation import (
    CheckContext,
    Interval,
    NearDuplicates,
    Searched,
    baselines,
    bootstrap_intervals,
    fold_scores,
    paired_intervals,
    run_checks,
)
from widemargin.evaluation.draws import method_of, n_counting
from widemargin.runs.careless import Careless
from widemargin.runs.folds import FoldResult, concatenate
from widemargin.runs.loading import Loaded
from widemargin.runs.model import Model
from widemargin.runs.plan import Plan
from widemargin.runs.setup import Setup, codes_of
from widemargin.runs.training import Trained
from widemargin.svm.edges import rising_edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OutOfFold", "assess", "gather"]


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
    frozen : Predictions, optional
        Those of the same model with frozen encoders, where the run fine-tunes them.
    """

    rows: NDArray[np.intp]
    fold: NDArray[np.int64]
    repeat: NDArray[np.int64]
    predictions: Predictions
    baselines: Mapping[str, Predictions]
    frozen: Predictions | None = None


def gather(
    setup: Setup,
    dataset: Dataset,
    splits: Sequence[tuple[int, int, Split]],
    results: Sequence[FoldResult],
    model: Model | None = None,
) -> OutOfFold:
    """Put the folds' predictions together.

    What decided their labels is told of the saved model, and is about that of each fold's.
    """
    label_weights = setup.costs if model is None else model.label_weights
    rows = np.concatenate([split.test for _, _, split in splits])
    sizes = [len(split.test) for _, _, split in splits]
    part = np.repeat(np.arange(len(splits)), sizes)
    drawn = _drawn_together(setup, dataset, rows, part)
    weight = dataset.sample_weight
    truth = codes_of(dataset.y, setup.classes)[rows]

    def collect(prefix: str, label_weights: tuple[float, ...]) -> Predictions:
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
            costs=setup.costs,
            label_weights=label_weights,
            part=part,
            drawn=drawn,
        )

    return OutOfFold(
        rows=rows,
        fold=np.repeat([fold for _, fold, _ in splits], sizes),
        repeat=np.repeat([repeat for repeat, _, _ in splits], sizes),
        predictions=collect("", label_weights),
        baselines={
            baseline.name: collect(f"{baseline.name}.", setup.costs)
            for baseline in baselines(dataset.task)
        },
        frozen=None if setup.frozen is None else collect("frozen.", setup.costs),
    )


def assess(
    setup: Setup,
    loaded: Loaded,
    out: OutOfFold,
    trained: Trained,
    metrics: Sequence[Metric],
    careless: Careless,
    results: Sequence[FoldResult],
    plan: Plan,
) -> dict[str, Any]:
    """Return what ``metrics.json`` says; it holds no time and no id, so that it repeats exactly."""
    dataset, evaluation = loaded.dataset, setup.config.evaluation
    part = out.predictions.part
    assert part is not None
    drawing: dict[str, Any] = {
        "resamples": evaluation.resamples,
        "confidence": evaluation.confidence,
        "groups": out.predictions.drawn,
        "random_state": setup.config.seed,
    }
    intervals = bootstrap_intervals(out.predictions, metrics, **drawing)
    scores = {
        name: {metric.name: metric.value(predictions) for metric in metrics}
        for name, predictions in out.baselines.items()
    }
    gains = {
        name: paired_intervals(out.predictions, others, [setup.metric], **drawing)[
            setup.metric.name
        ]
        for name, others in out.baselines.items()
    }
    best = trained.search.best
    counts = {name: int((dataset.y == name).sum()) for name in setup.classes}
    duplicates: NearDuplicates | None = None
    crossing = careless.near_duplicates
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
            gains=gains,
            n_samples=len(dataset),
            outer=evaluation.outer if plan.kind == "folds" else 0,
            inner=0 if len(trained.inner) == 1 else evaluation.inner,
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
                rising=tuple(
                    edge.name for edge in rising_edges(trained.search.cells, trained.search.chosen)
                ),
            ),
            near_duplicates=duplicates,
            telltales=lambda: telltales(
                dataset.X[[name for name, kind in dataset.kinds.items() if kind == "table"]],
                dataset.y,
            ),
            known_words=known_words(trained.model.features, trained.part.X),
            units=dataset.card.units,
        )
    )
    folds = fold_scores(out.predictions, part, metrics)
    units = n_counting(out.predictions, out.predictions.drawn)
    titles = {baseline.name: baseline.title for baseline in baselines(dataset.task)}
    return {
        "task": dataset.task,
        "primary": setup.metric.name,
        "n_items": len(dataset),
        "classes": list(setup.classes),
        "costs": list(setup.costs),
        "label_weights": list(out.predictions.label_weights),
        "positive": setup.classes[setup.positive] if setup.is_binary else "",
        "units": dataset.card.units,
        "confidence": evaluation.confidence,
        "intervals": {"by": method_of(units), "of": units},
        "metrics": {name: _ends(interval) for name, interval in intervals.items()},
        "baselines": {
            name: {
                "title": titles[name] if name != "dummy" else _guess(titles[name], out),
                "metrics": {metric: finite(value) for metric, value in own.items()},
                "gain": {setup.metric.name: _ends(gains[name])},
            }
            for name, own in scores.items()
        },
        "folds": [
            {name: finite(values[at]) for name, values in folds.items()}
            for at in range(len(next(iter(folds.values()))))
        ],
        "n_folds": {
            "outer": len(set(out.fold.tolist())),
            "inner": len(trained.inner),
        },
        "split": plan.kind,
        "n_learned": len(trained.part),
        "near_duplicates": crossing,
        "careless": careless.protocols,
        "findings": [asdict(finding) for finding in findings],
        "chosen": {"kernel": setup.kernel_title, "C": best.C, "gamma": best.gamma},
        "support_vectors": {
            "count": len(trained.search.support),
            "share": len(trained.search.support) / len(trained.part),
        },
        "frozen": _beside_frozen(out, metrics, intervals, drawing),
    }


def _drawn_together(
    setup: Setup, dataset: Dataset, rows: NDArray[np.intp], part: NDArray[np.int64]
) -> NDArray[Any] | None:
    """Name the predictions that a resample draws together; None where each is drawn by itself.

    Those of one item or of one group are, and walking forward those of one stretch of time. With
    few items to learn from, which ones they were matters more than which ones are predicted, so
    that those of one outer part are.
    """
    evaluation = setup.config.evaluation
    if evaluation.shots is not None and len(set(part.tolist())) > 1:
        return part
    if setup.split.kind == "walk-forward" and dataset.times is not None:
        return blocks_in_time(dataset.times, dataset.label_times)[rows]
    if dataset.groups is not None:
        return dataset.groups[rows]
    return rows if evaluation.repeats > 1 else None


def _beside_frozen(
    out: OutOfFold,
    metrics: Sequence[Metric],
    intervals: Mapping[str, Interval],
    drawing: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Compare with the same model on frozen encoders; None where nothing was fine-tuned."""
    if out.frozen is None:
        return None
    frozen = bootstrap_intervals(out.frozen, metrics, **drawing)
    gains = paired_intervals(out.predictions, out.frozen, metrics, **drawing)
    return {
        name: {
            "tuned": _ends(intervals[name]),
            "frozen": _ends(frozen[name]),
            "gain": _ends(gains[name]),
        }
        for name in intervals
    }


def _ends(interval: Interval) -> dict[str, float | None]:
    return {
        "value": finite(interval.value),
        "low": finite(interval.low),
        "high": finite(interval.high),
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _guess(title: str, out: OutOfFold) -> str:
    """Name the baseline that knows nothing by what it did: parts may differ in their answer."""
    dummy = out.baselines["dummy"]
    if dummy.classes and len(set(dummy.y_pred.tolist())) > 1:
        return "the commonest class of each training part"
    return title
