"""``widemargin list``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from widemargin.cli.console import Column, Console, JsonOption, QuietOption, RunsOption
from widemargin.errors import RunNotFoundError

if TYPE_CHECKING:
    from widemargin.api import Run
    from widemargin.contracts import Metric, UseCase
    from widemargin.registry import Registry
    from widemargin.runs.store import RunStore

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("list")
def list_use_cases(
    use_case: Annotated[str, typer.Argument(help="Only this one; all by default.")] = "",
    runs: RunsOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """List use cases: what they do, the data that they fetch, and what the last run reached.

    Size, items and licence are those of the data sets that come with a use case; a use case
    without any is for data of your own. A run counts near-duplicates once, and so fewer items. The
    last run is the one that predict takes: those that compare made are passed over.
    `widemargin run NAME` runs one.
    """
    from widemargin.registry import discover
    from widemargin.runs.store import RunStore, runs_home

    console, registry = Console(json=json, quiet=quiet), discover()
    cases = [registry.use_case(use_case)] if use_case else list(registry.use_cases.values())
    store = RunStore(runs or runs_home())
    rows = [_row(case, registry.metrics, _last(store, case.name, registry)) for case in cases]
    console.emit(rows)
    console.table(
        [
            Column("use case", leads=True),
            Column("what it does", spare=1, below=True),
            Column("last run", spare=2, below=True),
            Column("task", spare=4, below=True),
            Column("data", spare=3, below=True),
            Column("size", right=True, spare=5, below=True),
            Column("items", right=True, spare=5, below=True),
            Column("licence", spare=6, below=True),
            Column("judged by", spare=7, below=True),
        ],
        [
            [
                row["name"],
                row["summary"],
                _said(row["last"]),
                row["task"],
                ", ".join(one["title"] for one in row["data"]),
                _size(sum(one["bytes"] for one in row["data"])),
                _items(case),
                "; ".join(dict.fromkeys(one["licence"] for one in row["data"])),
                " or ".join(row["primary"].values()),
            ]
            for case, row in zip(cases, rows, strict=True)
        ],
    )
    if registry.broken:
        console.note(
            f"{len(registry.broken)} of the installed plugins cannot be used: `widemargin plugin "
            "list` says why."
        )


def _last(store: RunStore, use_case: str, registry: Registry) -> Run | None:
    """Find the run that the use case's name stands for; a warning says where none can be read."""
    from widemargin.api import Run

    try:
        record = store.last(use_case)
    except RunNotFoundError as error:
        warnings.warn(str(error), stacklevel=2)
        return None
    return None if record is None else Run(record, registry)


def _row(case: UseCase, metrics: Mapping[str, Metric], last: Run | None) -> dict[str, Any]:
    from widemargin.contracts.loader import sources

    assets = dict.fromkeys(asset for loader in case.data for asset in loader.assets)
    primary = {
        task: metrics[name].title if name in metrics else name
        for task, name in case.primary_metric.items()
    }
    return {
        "name": case.name,
        "summary": case.summary,
        "task": case.task if case.task != "auto" else "by the target",
        "primary": primary,
        "data": [
            {
                "name": asset.name,
                "title": asset.title,
                "licence": asset.licence,
                "bytes": sum(file.size for file in asset.files),
            }
            for asset in assets
        ],
        "items": {sources(loader)[0]: loader.n_items for loader in case.data if loader.n_items},
        "last": None if last is None else _reached(last),
    }


def _reached(run: Run) -> dict[str, Any]:
    title, value, interval, _ = run.table()[0]
    return {
        "run": run.id,
        "n_items": run.record.metrics["n_items"],
        "metric": title,
        "value": value,
        "interval": interval,
    }


def _said(last: Mapping[str, Any] | None) -> str:
    if last is None:
        return ""
    return f"{last['metric']} {last['value']} on {last['n_items']:,} items"


def _items(case: UseCase) -> str:
    """Count the items of each data set that is fetched."""
    from widemargin.report.wordings import listing

    known = [loader for loader in case.data if loader.assets and loader.n_items]
    return listing([f"{loader.n_items:,}" for loader in known])


def _size(size: int) -> str:
    from rich.filesize import decimal

    return decimal(size) if size else ""
