"""The runner: the stages of one run, in order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from widemargin import native
from widemargin.contracts import Kind, Metric, Progress, RunRecord, Split, UseCase
from widemargin.data.assets import data_home, require
from widemargin.data.splits import make_splits
from widemargin.encoders import EmbeddingStore, Features
from widemargin.encoders.store import store_folder
from widemargin.errors import DataError, PluginError
from widemargin.runs.assessment import assess, gather, measure_crossing
from widemargin.runs.embedding_map import embedding_map
from widemargin.runs.folds import run_fold
from widemargin.runs.identity import engine_name, hash_of, sources_hash, thread_count, versions
from widemargin.runs.loading import Loaded, load_dataset
from widemargin.runs.parameters import named_by_path
from widemargin.runs.record import write_record
from widemargin.runs.remedies import naming_settings
from widemargin.runs.training import Setup, embed, train
from widemargin.svm.expression import expression
from widemargin.svm.memory import check_gram_size, gram_bytes
from widemargin.svm.selection import is_linear

if TYPE_CHECKING:
    from widemargin.config import RunConfig
    from widemargin.registry import Registry
    from widemargin.runs.store import RunStore

__all__ = ["Clock", "execute"]


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
    setup = replace(
        prepare(config, use_case, registry, loaded),
        store=EmbeddingStore(store_folder(), progress),
        progress=progress,
    )
    encoders = _identities(config, dataset.kinds)
    if config.svm.engine == "auto" and native.library() is None:
        progress.note(f"The scikit-learn engine is used, which is slower: {native.reason()}.")
    metrics = metrics_of(use_case, registry, loaded)

    embedded = None
    if config.features.learns == "nothing":
        with clock("encode"), progress.stage("encoding"):
            embedded = embed(setup, dataset)

    splits = outer_splits(config, use_case, loaded)
    made = len(splits) // config.evaluation.repeats
    if made < config.evaluation.outer:
        progress.note(f"{made} outer folds are made, since the rarest class has too few items.")
    base_key = hash_of(
        [
            _without_map(config.to_dict()),
            engine,
            encoders,
            loaded.fingerprint,
            versions(),
            thread_count(),
            sources_hash(registry.packages()),
        ]
    )
    results = []
    named = naming_settings(config)
    with clock("folds"), named, progress.stage("outer folds", total=len(splits)) as stage:
        for _, _, split in splits:
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
            f"{kept} of {len(results)} outer folds were kept from an earlier run of the same "
            "settings; --fresh computes them again."
        )
    with clock("final"), progress.stage("final model"):
        trained = train(setup, dataset, embedded=embedded, progress=progress)
    with clock("near_duplicates"):
        crossing = measure_crossing(setup, loaded, trained, metrics, progress)
    with clock("assess"), progress.stage("intervals"):
        out = gather(setup, dataset, splits, results)
        assessed = assess(setup, loaded, out, trained, metrics, crossing, results)
    with clock("map"), progress.stage("map of the embeddings"):
        items_map = embedding_map(setup, dataset, trained.rows, out)
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
            encoders=encoders,
            items_map=items_map,
            clock=clock,
        )
    registry.notify_finished(record)
    return record


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


def outer_splits(
    config: RunConfig, use_case: UseCase, loaded: Loaded
) -> list[tuple[int, int, Split]]:
    """Divide the rows into outer folds, repeat by repeat: repeat, fold, split."""
    dataset = loaded.dataset
    try:
        return [
            (repeat, fold, split)
            for repeat in range(config.evaluation.repeats)
            for fold, split in enumerate(
                make_splits(
                    dataset.y,
                    use_case.split,
                    n_splits=config.evaluation.outer,
                    groups=dataset.groups,
                    # What is left of a class for training is divided again by the inner folds.
                    at_least=4 if config.evaluation.outer == 2 else 3,
                    random_state=config.seed + repeat,
                )
            )
        ]
    except DataError as error:
        raise DataError(f"{dataset.card.title}: {error} {loaded.note}".rstrip()) from None


def prepare(config: RunConfig, use_case: UseCase, registry: Registry, loaded: Loaded) -> Setup:
    """Put together what training needs besides the rows."""
    dataset = loaded.dataset
    if use_case.task not in ("auto", dataset.task):
        raise PluginError(
            f"use case {use_case.name!r} declares {use_case.task}, and its loader "
            f"{type(config.data).__name__} returned a target for {dataset.task}."
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
        n = len(loaded.whole)
        copies = gram_bytes(kernel, n, 4) // (4 * n * n) + 1
        check_gram_size(n, 4, config.svm.kernel if config.svm.blocks is None else "joined", copies)
    return Setup(
        config=config,
        expression=kernel,
        metric=metric,
        split=use_case.split,
        classes=dataset.classes,
        positive=positive,
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
