"""The run record: everything that a run leaves, in one folder."""

from __future__ import annotations

import io
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.config import dump_yaml
from widemargin.contracts import Dataset, ReportSection, RunRecord, UseCase
from widemargin.contracts.counting import agreeing
from widemargin.contracts.kept_sections import dump_sections
from widemargin.explanation import (
    block_pieces,
    block_shares,
    counted_terms,
    mean_pieces,
    show_item,
    support_cases,
    way_of,
)
from widemargin.runs.assessment import OutOfFold
from widemargin.runs.costs import peak_memory
from widemargin.runs.folds import FoldResult, worst_rows
from widemargin.runs.identity import git_state, hash_of, made_for, thread_count, versions
from widemargin.runs.loading import Loaded, describe_dataset
from widemargin.runs.model import Model, dump_model
from widemargin.runs.setup import Setup
from widemargin.runs.store import RunStore, read_record
from widemargin.runs.training import Trained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.runs.runner import Clock

__all__ = ["write_record"]


def write_record(
    store: RunStore,
    run_id: str,
    *,
    setup: Setup,
    use_case: UseCase,
    loaded: Loaded,
    out: OutOfFold,
    trained: Trained,
    results: Sequence[FoldResult],
    metrics: dict[str, Any],
    engine: str,
    sources: str,
    encoders: Sequence[Mapping[str, Any]],
    items_map: Mapping[str, Any] | None,
    analysis: Sequence[ReportSection],
    clock: Clock,
) -> RunRecord:
    """Write a run's folder in one step and read it back."""
    config = setup.config
    files = {
        "config.yaml": dump_yaml(config).encode(),
        "metrics.json": _json(metrics),
        "dataset.json": _json(describe_dataset(loaded)),
        "search.json": _json(_search(setup, trained, out, results)),
        "explanation.json": _json(_explain(setup, loaded, out, trained, results)),
        "predictions.parquet": _parquet(out, loaded.dataset.groups),
        **{f"model/{name}": content for name, content in dump_model(trained.model).items()},
    }
    if histories := _training(trained):
        files["training.json"] = _json({"networks": histories})
    if analysis:
        files["analysis.json"] = dump_sections(analysis)
    if items_map is not None:
        files["embedding_map.json"] = _json(items_map, indent=None)
    manifest = {
        "id": run_id,
        "use_case": use_case.name,
        "comparison": made_for(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": config.seed,
        "data_sha256": loaded.fingerprint,
        "config_sha256": hash_of(config.to_dict()),
        "versions": versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "engine": engine,
        "sources": sources,
        "encoders": list(encoders),
        "threads": thread_count(),
        "timings": {**clock.seconds, "total": round(sum(clock.seconds.values()), 3)},
        "costs": _costs(setup, trained),
        "git": git_state(),
    }
    files["manifest.json"] = _json(manifest)
    return read_record(store.write(use_case.name, run_id, files))


def _costs(setup: Setup, trained: Trained) -> dict[str, Any]:
    """Say what the run took, kept folds included, and how much of it earlier runs had done."""
    found = list(setup.store.found.values()) if setup.store else []
    return {
        "dimension": int(trained.rows.shape[1]),
        "seconds": {work: round(own, 3) for work, own in setup.spent.seconds.items()},
        "folds_kept": setup.spent.folds_kept,
        "peak_memory": peak_memory(),
        # Vectors that the store had from earlier runs cost nothing here.
        "items_asked": sum(asked for asked, _ in found),
        "items_kept": sum(kept for _, kept in found),
    }


def _json(value: Any, indent: int | None = 2) -> bytes:
    return (json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _training(trained: Trained) -> list[dict[str, Any]]:
    """Tell how the networks of the saved model's features were trained."""
    blocks = getattr(trained.model.features, "blocks", ())
    return [
        {"block": name, **encoder.history_.to_data()}
        for name, _, encoder in blocks
        if hasattr(encoder, "history_")
    ]


def _search(
    setup: Setup, trained: Trained, out: OutOfFold, results: Sequence[FoldResult]
) -> dict[str, Any]:
    search = trained.search
    sign = 1.0 if setup.metric.greater_is_better else -1.0
    places = dict.fromkeys(zip(out.repeat.tolist(), out.fold.tolist(), strict=True))

    def shown(value: float) -> float | None:
        return sign * value if np.isfinite(value) else None

    return {
        "scoring": setup.metric.name,
        "learns": setup.config.features.learns,
        "cells": [
            {
                "C": cell.C,
                "gamma": cell.gamma,
                "scores": [shown(score) for score in cell.scores],
                "mean": shown(cell.mean),
                "std": cell.std if np.isfinite(cell.std) else None,
                "converged": cell.converged,
            }
            for cell in search.cells
        ],
        "chosen": search.chosen,
        "outer": [
            {
                "repeat": repeat,
                "fold": fold,
                "C": result.meta["C"],
                "gamma": result.meta["gamma"],
                "score": shown(result.meta["score"]),
            }
            for (repeat, fold), result in zip(places, results, strict=True)
        ],
    }


def _explain(
    setup: Setup,
    loaded: Loaded,
    out: OutOfFold,
    trained: Trained,
    results: Sequence[FoldResult],
) -> dict[str, Any]:
    # What pieces weigh and support vectors are is told of the rows that the model learned from.
    dataset = trained.part
    model = trained.model
    pieces, of_blocks = (
        listing(
            model.features,
            model.machine,
            dataset,
            positive=setup.positive,
            scale=model.scale,
            random_state=setup.config.seed,
        )
        for listing in (mean_pieces, block_pieces)
    )
    bounded = model.machine.coef is None and setup.weights(dataset) is None
    return {
        "blocks": block_shares(model.machine, trained.rows, random_state=setup.config.seed),
        "pieces": pieces,
        "block_pieces": of_blocks,
        "note": "" if pieces else _why_no_pieces(model, dataset, of_blocks),
        "mistakes": _mistakes(setup, loaded, out, results),
        "support_vectors": support_cases(
            dataset,
            trained.search.support,
            trained.search.weights,
            # A multiplier is bounded by C where no row has a weight of its own.
            bound=trained.search.best.C if bounded else None,
        ),
    }


def _why_no_pieces(model: Model, dataset: Dataset, of_blocks: Sequence[dict[str, Any]]) -> str:
    """Say why pieces have no weights, but for the blocks whose pieces are listed."""
    machine = model.machine
    way = way_of(model.features, machine, dataset.kinds)
    asked = "widemargin predict --explain tells what decided a single item"
    if machine.kernel is None:
        said = "With more than two classes each pair has its own weights."
        return said if way == "none" else f"{said} {asked}."
    listed = [one["block"] for one in of_blocks]
    terms = [term for term in counted_terms(machine.kernel) if term.block not in listed]
    names = list(dict.fromkeys(term.kernel.name for term in terms))
    if not names:
        return ""
    of = ""
    if listed:
        blocks = list(dict.fromkeys(str(term.block) for term in terms))
        of = f" of {'blocks' if len(blocks) > 1 else 'block'} {' and '.join(blocks)}"
    kernels = agreeing(len(names), "have")
    said = f"The {' and '.join(names)} {'kernels' if len(names) > 1 else 'kernel'}{of} {kernels} "
    said += "no weight for each piece"
    cases = "the support vectors below are the cases that it compares with."
    if way == "none":
        return (
            f"{said}; a linear one would have (svm.kernel: linear). {cases[0].upper()}{cases[1:]}"
        )
    if way == "blocks":
        asked = "widemargin predict --explain tells what each block adds to the margin of an item"
    return f"{said}. {asked}, and {cases}"


def _mistakes(
    setup: Setup, loaded: Loaded, out: OutOfFold, results: Sequence[FoldResult]
) -> list[dict[str, Any]]:
    """Describe the ten worst mistakes of the first repeat."""
    dataset, predictions = loaded.dataset, out.predictions
    first = np.flatnonzero(out.repeat == 0)
    shares: dict[str, Any] = {}
    for result in results[::-1]:
        shares |= result.meta["shares"]
    order = dataset.take(out.rows[first])
    arrays: dict[str, Any] = {"prediction": predictions.y_pred[first]}
    if predictions.probability is not None:
        arrays["probability"] = predictions.probability[first]
    described = []
    for row in worst_rows(setup, order, arrays, predictions.label_weights):
        at = first[row]
        item: dict[str, Any] = {
            "id": str(order.ids[row]),
            "text": show_item(order.X, order.kinds, int(row)),
            "shares": [
                {"piece": piece, "contribution": contribution}
                for piece, contribution in shares.get(str(order.ids[row]), [])
            ],
        }
        if setup.classes:
            assert predictions.probability is not None
            code = int(predictions.y_pred[at])
            item |= {
                "true": str(order.y[row]),
                "predicted": setup.classes[code],
                "probability": float(predictions.probability[at, code]),
                "decision": float(np.max(predictions.decision[at])),
            }
        else:
            item |= {
                "true": float(order.y[row]),
                "predicted": float(predictions.y_pred[at]),
                "decision": float(predictions.decision[at]),
            }
        described.append(item)
    return described


def _parquet(out: OutOfFold, groups: NDArray[Any] | None) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    predictions = out.predictions
    names = np.array(predictions.classes)

    def label(values: Any) -> Any:
        return names[values] if predictions.classes else values

    columns: dict[str, Any] = {
        "id": predictions.ids.astype(str),
        "repeat": out.repeat,
        "fold": out.fold,
        "y_true": label(predictions.y_true),
        "y_pred": label(predictions.y_pred),
        "weight": predictions.weight,
    }
    if groups is not None:
        # Which rows belong together; their names are nobody's business here.
        columns["group"] = np.unique(groups[out.rows], return_inverse=True)[1].reshape(-1)
    if predictions.drawn is not None:
        columns["drawn"] = np.unique(predictions.drawn, return_inverse=True)[1].reshape(-1)
    if predictions.decision.ndim == 1:
        columns["decision"] = predictions.decision
    else:
        for code, name in enumerate(predictions.classes):
            columns[f"decision: {name}"] = predictions.decision[:, code]
    if predictions.probability is not None:
        for code, name in enumerate(predictions.classes):
            columns[f"probability: {name}"] = predictions.probability[:, code]
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    return sink.getvalue()
