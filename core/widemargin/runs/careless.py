"""What careless protocols would have claimed: one model, cross-validated rightly and wrongly."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Dataset, Metric, Predictions, Progress, Split, SplitRule
from widemargin.contracts.metric import finite
from widemargin.contracts.places import told
from widemargin.data.assets import data_home
from widemargin.data.splits import make_splits
from widemargin.runs.loading import Loaded
from widemargin.runs.model import encode
from widemargin.runs.setup import Setup, codes_of
from widemargin.runs.training import Trained, fit_transform, refit_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Careless", "measure_careless"]

Scores = dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Careless:
    """Scores of protocols that leak.

    Parameters
    ----------
    near_duplicates : dict, optional
        Counts of the rows left out, and scores with them ``apart`` and ``crossing``; None where
        there are none.
    protocols : list of dict
        ``title``, and the scores of the ``honest`` and the ``careless`` way.
    """

    near_duplicates: dict[str, Any] | None = None
    protocols: list[dict[str, Any]] = field(default_factory=list)


def measure_careless(
    setup: Setup, loaded: Loaded, trained: Trained, metrics: Sequence[Metric], progress: Progress
) -> Careless:
    """Measure what the score would be if something leaked into the held-out parts.

    Plain cross-validations of one model at the chosen C and gamma, none of them tuned: one as it
    should be, and one for each way to be careless that these data offer. Near-duplicates cross the
    splits; items of one group do; later items tell of earlier ones; features that learn from labels
    are fitted to all items; or the data are taken as a careless reader would
    (`DatasetLoader.load_carelessly`).

    Returns
    -------
    Careless
        Empty where features train a network: ten more would take as long as all else; and where
        few items of each class are learned from, since these measurements learn from all.
    """
    config = setup.config
    if config.features.trains or config.evaluation.shots is not None:
        return Careless()
    try:
        return _measure(setup, loaded, trained, metrics, progress)
    # A side measurement must not cost the user the run.
    except Exception as error:  # noqa: BLE001
        warnings.warn(
            f"what carelessness would have claimed is left out: {told(error)}",
            RuntimeWarning,
            stacklevel=2,
        )
        return Careless()


def _measure(
    setup: Setup, loaded: Loaded, trained: Trained, metrics: Sequence[Metric], progress: Progress
) -> Careless:
    # Test rows of a published split are seen by nothing but the final prediction.
    dataset = trained.part if loaded.dataset.parts is not None else loaded.dataset
    ways: list[tuple[str, Callable[[], Scores]]] = []
    untuned = _Untuned(setup, trained, metrics)
    if loaded.grouped:
        ungrouped = replace(dataset, groups=None)
        title = f"{dataset.card.item}s of one group on both sides of a split"
        ways.append((title, lambda: untuned.scores(ungrouped)))
    if setup.split.kind == "walk-forward":
        title = f"{dataset.card.item}s of all times shuffled, so that later ones tell of earlier"
        ways.append((title, lambda: untuned.scores(dataset, any_time=True)))
    if setup.config.features.learns == "y":
        title = "features that learn from labels fitted to all items, the held-out ones too"
        ways.append((title, lambda: untuned.scores(dataset, outside=True)))
    if (read := setup.config.data.load_carelessly(data_home())) is not None:
        title, other = read
        ways.append((title, lambda: untuned.scores(other)))
    if not ways and not loaded.repeated:
        return Careless()
    total = 1 + len(ways) + bool(loaded.repeated)
    with progress.stage("careless protocols", total=total) as stage:
        honest = untuned.scores(dataset)
        stage.advance()
        crossing = None
        if loaded.repeated:
            crossing = {
                "removed": loaded.repeated,
                "groups": loaded.repeated_items,
                "contradictory": loaded.contradictory,
                "apart": honest,
                "crossing": untuned.scores(loaded.whole),
            }
            stage.advance()
        protocols = []
        for title, scored in ways:
            protocols.append({"title": title, "honest": honest, "careless": scored()})
            stage.advance()
    return Careless(near_duplicates=crossing, protocols=protocols)


@dataclass(frozen=True)
class _Untuned:
    """Cross-validation of one model at the C and gamma that were chosen."""

    setup: Setup
    trained: Trained
    metrics: Sequence[Metric]

    def scores(self, dataset: Dataset, *, outside: bool = False, any_time: bool = False) -> Scores:
        """Score held-out decisions.

        With `outside` features are fitted to all items beforehand. With `any_time` the items of all
        times are shuffled.
        """
        splits = make_splits(
            dataset.y,
            self.setup.split,
            n_splits=self.setup.config.evaluation.outer,
            groups=dataset.groups,
            times=dataset.times,
            label_times=dataset.label_times,
            embargo=self.setup.config.evaluation.embargo,
            random_state=self.setup.config.seed,
        )
        if any_time:
            splits = self._shuffled(dataset, splits)
        features: Any = None
        rows = None
        if outside:
            features = self.setup.features(dataset.kinds)
            rows = fit_transform(features, dataset.X, dataset.y)
        elif self.setup.config.features.learns == "nothing":
            features = self.trained.model.features
            rows = encode(features, dataset.X)
        decisions = [self._decide(dataset, split, features, rows) for split in splits]
        return self._score(dataset, splits, np.concatenate(decisions))

    def _shuffled(self, dataset: Dataset, splits: Sequence[Split]) -> list[Split]:
        """Hold out the same rows as splits in time do, but drawn at random, fold by fold.

        As many rows are learned from as there, now from before, between and after them.
        """
        folds = make_splits(
            dataset.y,
            SplitRule(),
            n_splits=len(splits),
            random_state=self.setup.config.seed,
        )
        judged = np.concatenate([split.test for split in splits])
        rng = np.random.default_rng(self.setup.config.seed)
        return [
            Split(
                np.sort(rng.permutation(fold.train)[: len(split.train)]),
                np.intersect1d(fold.test, judged),
            )
            for fold, split in zip(folds, splits, strict=False)
        ]

    def _decide(
        self, dataset: Dataset, split: Split, features: Any, rows: Any
    ) -> NDArray[np.float64]:
        part = dataset.take(split.train)
        if rows is not None:
            own, others = rows[split.train], rows[split.test]
        else:
            features = self.setup.features(dataset.kinds)
            own = fit_transform(features, part.X, part.y)
            others = encode(features, dataset.take(split.test).X)
        model = refit_at(self.setup, part, own, features, self.trained.search.best)
        return model.machine.decide(others) * model.scale + model.centre

    def _score(
        self, dataset: Dataset, splits: Sequence[Split], decision: NDArray[np.float64]
    ) -> Scores:
        setup = self.setup
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
            costs=setup.costs,
            part=np.repeat(np.arange(len(splits)), [len(split.test) for split in splits]),
        )
        return {
            metric.name: finite(metric.compute(predictions))
            for metric in self.metrics
            # Labels of decisions that are not calibrated know no costs.
            if metric.needs == "decision" or (metric.needs == "prediction" and not setup.costs)
        }
