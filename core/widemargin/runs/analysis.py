"""The use case's own analysis: report sections that need the data and the model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import (
    Columns,
    Dataset,
    Items,
    Judged,
    Predictions,
    ReportSection,
    Share,
    Study,
    UseCase,
)
from widemargin.contracts.kept_sections import dump_sections, load_sections, sections_of
from widemargin.contracts.places import told
from widemargin.explanation import explain_items
from widemargin.runs.identity import hash_of
from widemargin.runs.model import Model, encode
from widemargin.runs.picture_sheets import picture_sections
from widemargin.runs.plan import Plan
from widemargin.runs.setup import Setup
from widemargin.runs.store import RunStore
from widemargin.runs.training import Trained, fit_transform, refit_at
from widemargin.runs.tried import tried_before

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["own_sections"]


def own_sections(
    use_case: UseCase,
    setup: Setup,
    dataset: Dataset,
    plan: Plan,
    rows: NDArray[np.intp],
    predictions: Predictions,
    trained: Trained,
    store: RunStore,
) -> list[ReportSection]:
    """Let the use case analyse the run; whatever it raises costs its own sections alone."""
    sections = _kept(
        "the sheet of pictures",
        lambda: picture_sections(dataset, rows, predictions, trained),
        setup,
    )
    analyse = use_case.analyse
    if analyse is None:
        return sections

    def fitted(taken: NDArray[np.intp]) -> _Refitted:
        return _refit(setup, dataset.take(taken), trained)

    def judge(X: Columns) -> Judged:
        outcome = trained.model.predict(X)
        label = outcome.prediction
        if setup.classes:
            label = np.array(setup.classes)[label]
        return Judged(label, setup.orient(outcome.decision), outcome.probability)

    before = tried_before(store, use_case.name, dataset.card, hash_of(setup.config.to_dict()))
    study = Study(
        dataset=dataset,
        learned=np.arange(len(dataset)) if plan.final is None else plan.final,
        splits=[split for _, _, split in plan.outer],
        predictions=predictions,
        rows=rows,
        model=_Refitted(setup, trained.model),
        judge=judge,
        loader=setup.config.data,
        refit=fitted,
        seed=setup.config.seed,
        progress=setup.progress,
        searched=len(trained.search.cells),
        runs_before=before[0],
        searched_before=before[1],
    )
    name = f"the analysis of {use_case.name!r}"
    return [*sections, *_kept(name, lambda: sections_of(analyse, study), setup)]


def _kept(
    name: str, analyse: Callable[[], Sequence[ReportSection]], setup: Setup
) -> list[ReportSection]:
    """Make sections; whatever is raised costs these alone."""
    try:
        with setup.progress.stage(name):
            # As it will come back, so that what cannot be kept is found out here.
            return load_sections(dump_sections(list(analyse())))
    except Exception as error:  # noqa: BLE001  # as said
        warnings.warn(
            f"{name} is left out: {told(error)}",
            RuntimeWarning,
            stacklevel=2,
        )
        return []


@dataclass(frozen=True)
class _Refitted:
    setup: Setup
    model: Model

    @property
    def features(self) -> Any:
        return self.model.features

    @property
    def coef(self) -> NDArray[np.float64] | None:
        coef = self.model.machine.coef
        turned = self.setup.is_binary and self.setup.positive == 0
        return -coef if turned and coef is not None else coef

    def decide(self, X: Columns) -> NDArray[np.float64]:
        model = self.model
        decision = model.machine.decide(encode(model.features, X)) * model.scale + model.centre
        return self.setup.orient(decision)

    def explain(self, items: Dataset | Items) -> Sequence[Sequence[Share]]:
        return explain_items(
            self.model.features,
            self.model.machine,
            items,
            positive=self.setup.positive,
            scale=self.model.scale,
            codes=self.model.predict(items.X).prediction,
        )


def _refit(setup: Setup, part: Dataset, trained: Trained) -> _Refitted:
    features = setup.features(part.kinds)
    rows = fit_transform(features, part.X, part.y)
    return _Refitted(setup, refit_at(setup, part, rows, features, trained.search.best))
