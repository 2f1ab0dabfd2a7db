"""The runner: the stages of one run, in order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from widemargin import native
from widemargin.contracts import Dataset, Kind, Metric, Once, Progress, RunRecord, UseCase
from widemargin.contracts.counting import agreeing, counted
from widemargin.data.assets import data_home, require
from widemargin.encoders import EmbeddingStore, Features
from widemargin.encoders.store import store_folder
from widemargin.errors import DataError, PluginError
from widemargin.runs.analysis import own_sections
from widemargin.runs.assessment import assess, gather
from widemargin.runs.careless import measure_careless
from widemargin.runs.checkpoints import RunCheckpoints
from widemargin.runs.embedding_map import embedding_map
from widemargin.runs.folds import FoldResult, hold_out, run_fold
from widemargin.runs.identity import engine_name, hash_of, sources_hash, thread_count, versions
from widemargin.runs.loading import Loaded, load_dataset
from widemargin.runs.parameters import named_by_path
from widemargin.runs.plan import Plan, make_plan
from widemargin.runs.readable import check_items, naming_items, noting_unread
from widemargin.runs.record import write_record
from widemargin.runs.remedies import naming_settings
from widemargin.runs.setup import Setup, shares_of
from widemargin.runs.training import Embedded, Trained, embed, train
from widemargin.svm.expression import expression
from widemargin.svm.memory import check_gram_size, gram_bytes
from widemargin.svm.selection import is_linear

if TYPE_CHECKING:
    from widemargin.config import RunConfig
    from widemargin.registry import Registry
    from widemargin.runs.store import RunStore

__all__ = ["Clock", "execute"]

_DRAWS = 20


@named_by_path()
def execute(
    config: RunConfig,
    use_case: UseCase,
    registry: Registry,
    store: RunStore,
    *,
    fresh: bool = False,
    offline: bool = False,
    mirror: str = "",
    progress: Progress,
) -> RunRecord:
    """Run a use case from its data to its record.

    Parameters
    ----------
    config : RunConfig
        The resolved config.
    use_case : UseCase
        The use case that it names.
    registry : Registry
        Encoders, kernels and metrics.
    store : RunStore
        Where the run is written, and where finished folds are kept meanwhile.
    fresh : bool
        Whether to ignore what an interrupted run kept.
    offline : bool
        Whether fetching assets is forbidden.
    mirror : str
        Folder or address that assets are looked for in first.
    progress : Progress
        Told of every stage.

    Raises
    ------
    InputError
        Where data, assets or settings cannot be used.
    """
    clock = Clock()
    # Before anything is fetched or read, since it may be refused.
    engine = engine_name(config.svm.engine)
    run_id = store.new_id(use_case.name)
    registry.notify_started(use_case.name, run_id)

    with clock("load"):
        loaded = load_dataset(
            config, use_case.split, offline=offline, mirror=mirror, progress=progress
        )
    dataset = loaded.dataset
    for asset in config.features.assets:
        require(asset, data_home(), offline=offline, mirror=mirror, progress=progress)
    plan = _planned(config, use_case, loaded)
    setup = replace(
        prepare(config, use_case, registry, loaded, plan),
        store=EmbeddingStore(store_folder(), progress),
        checkpoints=RunCheckpoints(store, fresh=fresh),
        progress=Once(progress),
    )
    encoders = _identities(config, dataset.kinds)
    if config.svm.engine == "auto" and native.library() is None:
        progress.note(f"The scikit-learn engine is used, which is slower: {native.reason()}.")
    metrics = metrics_of(use_case, registry, loaded)

    embedded = None
    if config.features.learns == "nothing":
        with clock("encode"), progress.stage("encoding"), naming_items(dataset):
            embedded = embed(setup, dataset, share=not plan.published)
    elif isinstance(config.features, Features):
        check_items(setup.features(dataset.kinds), dataset)
    loaded = noting_unread(setup.features(dataset.kinds), loaded, progress)

    if config.evaluation.shots is not None and len(plan.outer) < _DRAWS:
        progress.note(
            f"{len(plan.outer)} draws of {config.evaluation.shots} items a class are few: which "
            f"items are drawn matters. Set evaluation.repeats so that there are {_DRAWS} or more."
        )
    made = len({fold for _, fold, _ in plan.outer})
    if plan.kind == "folds" and made < config.evaluation.outer:
        progress.note(f"{made} outer folds are made, since the rarest class has too few items.")
    sources = sources_hash(registry.packages())
    base_key = hash_of(
        [
            _without_map(config.to_dict()),
            engine,
            encoders,
            _device(config),
            loaded.fingerprint,
            versions(),
            thread_count(),
            sources,
        ]
    )
    trained, results = _measured(
        setup,
        dataset,
        plan,
        embedded=embedded,
        store=store,
        base_key=base_key,
        fresh=fresh,
        clock=clock,
    )
    with clock("careless"):
        careless = measure_careless(setup, loaded, trained, metrics, progress)
    with clock("assess"), progress.stage("intervals"):
        out = gather(setup, dataset, plan.outer, results, trained.model)
        assessed = assess(setup, loaded, out, trained, metrics, careless, results, plan)
    with clock("map"), progress.stage("map of the embeddings"):
        items_map = embedding_map(setup, dataset, trained, out)
    with clock("analysis"):
        analysis = own_sections(
            use_case, setup, dataset, plan, out.rows, out.predictions, trained, store
        )
    with progress.stage("saving"):
        record = write_record(
            store,
            run_id,
            setup=setup,
            use_case=use_case,
            loaded=loaded,
            out=out,
            trained=trained,
            results=results,
            metrics=assessed,
            engine=engine,
            sources=sources,
            encoders=encoders,
            items_map=items_map,
            analysis=analysis,
            clock=clock,
        )
    if setup.checkpoints is not None:
        setup.checkpoints.clear()
    registry.notify_finished(record)
    return record


def _measured(
    setup: Setup,
    dataset: Dataset,
    plan: Plan,
    *,
    embedded: Embedded | None,
    store: RunStore,
    base_key: str,
    fresh: bool,
    clock: Clock,
) -> tuple[Trained, list[FoldResult]]:
    """Train the model that is saved, and measure the procedure on every outer part."""
    progress = setup.progress
    named = naming_settings(setup.config)
    learned = dataset if plan.final is None else dataset.take(plan.final)
    results = []
    if plan.published:
        # The model that is measured is the one that is saved.
        with clock("final"), named, progress.stage("the model"):
            trained = train(setup, learned, embedded=embedded, taken=plan.final, progress=progress)
        with clock("folds"), progress.stage("the published test part"):
            for _, _, split in plan.outer:
                results.append(
                    hold_out(setup, dataset, split, trained, embedded=embedded, progress=progress)
                )
        return trained, results
    with clock("folds"), named, progress.stage("outer folds", total=len(plan.outer)) as stage:
        for _, _, split in plan.outer:
            results.append(
                run_fold(
                    setup,
                    dataset,
                    split,
                    embedded=embedded,
                    store=store,
                    base_key=base_key,
                    fresh=fresh,
                    progress=progress,
                )
            )
            stage.advance()
    if kept := sum(result.kept for result in results):
        progress.note(
            f"{kept} of {counted(len(results), 'outer fold')} {agreeing(kept, 'were')} kept from "
            "an earlier run of the same settings; --fresh computes all of them again."
        )
    with clock("final"), progress.stage("final model"):
        trained = train(setup, learned, embedded=embedded, taken=plan.final, progress=progress)
    return trained, results


def _without_map(config: dict[str, Any]) -> dict[str, Any]:
    """Leave out what no fold depends on: how many points the map draws."""
    kept = {key: value for key, value in config["evaluation"].items() if key != "map"}
    return {**config, "evaluation": kept}


def _identities(config: RunConfig, kinds: Mapping[str, Kind]) -> list[dict[str, Any]]:
    """Name what encoders' vectors depend on besides the items: weights, parameters."""
    if not isinstance(config.features, Features):
        return []
    encoders = [encoder for _, _, encoder in config.features.build(kinds).blocks]
    return [dict(one.identity()) for one in encoders if hasattr(one, "identity")]


def _device(config: RunConfig) -> str:
    """Name where networks would compute; empty where none is trained."""
    if not config.features.trains:
        return ""
    from widemargin.encoders.training.devices import device_for, device_name

    return str(device_name(device_for("auto", "auto")))


def _planned(config: RunConfig, use_case: UseCase, loaded: Loaded) -> Plan:
    try:
        return make_plan(config, use_case.split, loaded.dataset)
    except DataError as error:
        title = loaded.dataset.card.title
        raise DataError(f"{title}: {error} {loaded.note}".rstrip()) from None


def prepare(
    config: RunConfig,
    use_case: UseCase,
    registry: Registry,
    loaded: Loaded,
    plan: Plan | None = None,
) -> Setup:
    """Put together what training needs besides the rows."""
    dataset = loaded.dataset
    if use_case.task not in ("auto", dataset.task):
        raise PluginError(
            f"use case {use_case.name!r} declares {use_case.task}, and its loader "
            f"{type(config.data).__name__} returned a target for {dataset.task}. Let it return "
            "classes as strings in `y`, and numbers as float64."
        )
    positive = 1
    if len(dataset.classes) == 2:
        if dataset.positive_class not in dataset.classes:
            raise DataError(
                f"{dataset.card.title}: the positive class is said to be "
                f"{dataset.positive_class!r}, and the classes are {', '.join(dataset.classes)}."
            )
        positive = dataset.classes.index(dataset.positive_class)
    metric = registry.metric(use_case.primary_metric[dataset.task], use_case.name)
    if not metric.fits(dataset.task, len(dataset.classes)):
        raise DataError(
            f"{use_case.name} is judged by {metric.title}, which is for "
            f"{'two' if metric.n_classes == 'two' else 'more than two'} classes, and the data have "
            f"{len(dataset.classes)}: {', '.join(dataset.classes)}. Join or leave out classes."
        )
    kernel = expression(config.svm, registry.kernels)
    if not is_linear(kernel):
        # Now, and not at the final fit, which is the largest and the last. Beside the expression's
        # own matrices, threads copy what they solve.
        n = (plan.longest if plan else None) or len(loaded.whole)
        copies = gram_bytes(kernel, n, 4) // (4 * n * n) + 1
        check_gram_size(n, 4, config.svm.kernel if config.svm.blocks is None else "joined", copies)
    return Setup(
        config=config,
        expression=kernel,
        metric=metric,
        split=use_case.split,
        classes=dataset.classes,
        positive=positive,
        shares=shares_of(config, dataset, plan.kind if plan else ""),
        one_part=config.features.trains,
    )


def metrics_of(use_case: UseCase, registry: Registry, loaded: Loaded) -> list[Metric]:
    """Return the use case's metrics that this data set defines, the primary one first."""
    dataset = loaded.dataset
    primary = use_case.primary_metric[dataset.task]
    names = dict.fromkeys((primary, *use_case.metrics))
    metrics = [registry.metric(name, use_case.name) for name in names]
    return [metric for metric in metrics if metric.fits(dataset.task, len(dataset.classes))]


@dataclass
class Clock:
    """Seconds by stage.

    Examples
    --------
    >>> clock = Clock()
    >>> with clock("load"):
    ...     pass
    >>> list(clock.seconds)
    ['load']
    """

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - start, 3)
