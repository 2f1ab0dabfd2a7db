"""Checks of a whole run on the fixture."""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from widemargin.config import resolve
from widemargin.contracts import Silent, UseCase
from widemargin.contracts.kept_sections import dump_sections, sections_of
from widemargin.runs.assessment import gather
from widemargin.runs.folds import hold_out
from widemargin.runs.plan import make_plan
from widemargin.runs.predictions import predictions_of
from widemargin.runs.runner import execute, prepare
from widemargin.runs.store import RunStore
from widemargin.runs.training import embed, train
from widemargin.testing.blame import NETWORK, UNFORESEEN, ConformanceError, DoesNotApply
from widemargin.testing.fixture import (
    Fixture,
    broken,
    expecting,
    load_fixture,
    own_packages,
    refused_network,
)
from widemargin.testing.offline import Asked, empty_data_home, offline

if TYPE_CHECKING:
    from widemargin.config import RunConfig
    from widemargin.registry import Registry

__all__ = ["check_beats_the_dummy", "check_runs_offline"]

_FOLDS = 3


def check_runs_offline(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that a whole run needs no network, its own parts of the report included.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where the run stops, asks for the network, or leaves a part of its report out.
    """
    from dataclasses import replace

    import pandas as pd

    fixture = load_fixture(use_case, registry)
    rule = "A run on the fixture must come to its end offline, with its own parts of the report."
    # Nobody is told of a run that is only tried.
    silent = replace(fixture.registry, plugins=())

    def refuse(asked: Asked) -> ConformanceError:
        return refused_network(use_case, rule, NETWORK, asked)

    with (
        expecting(use_case, rule, UNFORESEEN, "a run comes to its end"),
        TemporaryDirectory() as folder,
        empty_data_home(),
        offline(own_packages(use_case), refuse),
        warnings.catch_warnings(record=True) as told,
    ):
        warnings.simplefilter("always")
        record = execute(
            _quick(fixture),
            use_case,
            silent,
            RunStore(Path(folder)),
            offline=True,
            progress=Silent(),
        )
        if use_case.report_sections is not None:
            frame = pd.read_parquet(record.path / "predictions.parquet")
            predictions = predictions_of(frame, record.metrics)
            if predictions is not None:
                dump_sections(sections_of(use_case.report_sections, predictions))
    left_out = [str(one.message) for one in told if "left out" in str(one.message)]
    if left_out:
        remedy = "mend the line that is named; a run goes on without that part of its report."
        raise broken(use_case, rule, f"{left_out[0]}.", remedy, use_case.analyse)


def check_beats_the_dummy(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that held-out items are predicted better than by always saying the same.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where the primary metric is no better than the dummy's.
    DoesNotApply
        Where the use case declares that its fixture is noise.
    """
    if use_case.fixture_is_noise:
        raise DoesNotApply("the use case declares that its fixture is noise.")
    fixture = load_fixture(use_case, registry)
    rule = "On the fixture, held out, it must do better than by always saying the same."
    remedy = (
        "see that the features carry what the labels depend on, and that labels belong to their "
        "rows; where the fixture is meant to be noise, declare UseCase(fixture_is_noise=True)."
    )
    with expecting(use_case, rule, UNFORESEEN, "a model is trained and judged"):
        own, dummy = _measured(fixture)
    metric = fixture.registry.metric(use_case.primary_metric[fixture.dataset.task], use_case.name)
    if not (own > dummy if metric.greater_is_better else own < dummy):
        units = fixture.dataset.card.units
        found = (
            f"{metric.title} {metric.format(own, units)}, and {metric.format(dummy, units)} of "
            "the dummy."
        )
        raise broken(use_case, rule, found, remedy, *fixture.maker)


def _measured(fixture: Fixture) -> tuple[float, float]:
    """Return the primary metric, held out, of the use case and of the dummy."""
    config, use_case, dataset = _quick(fixture), fixture.use_case, fixture.dataset
    plan = make_plan(config, use_case.split, dataset)
    setup = prepare(config, use_case, fixture.registry, fixture.loaded, plan)
    embedded = None
    if config.features.learns == "nothing":
        embedded = embed(setup, dataset, share=False)
    results = []
    for _, _, split in plan.outer:
        part = dataset.take(split.train)
        made = train(setup, part, embedded=embedded, taken=split.train, progress=Silent())
        results.append(hold_out(setup, dataset, split, made, embedded=embedded, progress=Silent()))
    out = gather(setup, dataset, plan.outer, results)
    compute = setup.metric.compute
    return float(compute(out.predictions)), float(compute(out.baselines["dummy"]))


def _quick(fixture: Fixture) -> RunConfig:
    """Return the fixture's config with few folds and few resamples."""
    evaluation = {
        **fixture.config.to_dict()["evaluation"],
        "outer": _FOLDS,
        "repeats": 1,
        "resamples": 100,
        "map": "none",
    }
    return resolve(
        fixture.use_case,
        [{**fixture.config.to_dict(), "evaluation": evaluation}],
        encoders=fixture.registry.encoders,
        kernels=fixture.registry.kernels,
    )
