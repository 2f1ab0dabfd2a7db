"""Comparing: targets side by side, and two runs that exist; the command line goes through here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from widemargin.contracts import Progress, RunRecord, Silent
from widemargin.registry import discover
from widemargin.runs.store import RunStore

if TYPE_CHECKING:
    from widemargin.comparison import Budget, Comparison, Finished
    from widemargin.comparison.difference import Difference
    from widemargin.config import Document

__all__ = ["compare_documents", "compare_runs", "two_runs"]


def compare_documents(
    targets: Sequence[str],
    overrides: Document,
    axes: Mapping[str, str],
    *,
    store: RunStore,
    budget: Budget | None = None,
    fresh: bool = False,
    offline: bool = False,
    mirror: str = "",
    progress: Progress | None = None,
) -> tuple[Comparison, Path]:
    """Set targets side by side, each run once for each combination of some settings' values.

    Parameters
    ----------
    targets : sequence of str
        Use cases, config files and runs that exist; or the file of a comparison.
    store, fresh, offline, mirror, progress
        As for `widemargin.api.run_documents`.
    overrides : Document
        Settings that all runs share.
    axes : mapping of str to str
        Values by axis, as in ``{"encoder": "tfidf,minilm"}``.
    budget : Budget, optional
        How many run at once, and within what memory; one after the other by default.

    Returns
    -------
    Comparison
        What each reached and cost.
    Path
        Its folder, which holds ``comparison.html``, ``.csv``, ``.md`` and ``.json``.
    """
    from widemargin.comparison import ask, compare, make_plan, run_cells
    from widemargin.report.comparison import comparison_files

    registry = discover()
    plan = make_plan(ask(targets, axes, overrides, store, registry), registry)
    store.check_writable()

    def write(finished: Sequence[Finished]) -> None:
        found = compare(plan, finished, registry.metrics, store.home)
        store.write_comparison(plan.name, comparison_files(found, registry.use_cases))

    finished = run_cells(
        plan,
        registry,
        store,
        budget=budget,
        fresh=fresh,
        offline=offline,
        mirror=mirror,
        progress=progress or Silent(),
        write=write,
    )
    found = compare(plan, finished, registry.metrics, store.home)
    return found, store.comparison(plan.name)


def two_runs(words: Sequence[str], store: RunStore) -> tuple[RunRecord, RunRecord] | None:
    """Find the two runs that words name; None where they are not two, or name anything else.

    Parameters
    ----------
    words : sequence of str
        As they were typed: ids or their beginnings, folders, ``latest``.
    store : RunStore
        Where runs are looked for.

    Raises
    ------
    InputError
        Where a word names nothing, or several runs; it tells of both.
    """
    from widemargin.comparison.targets import find_targets, is_file

    if len(words) != 2 or any(map(is_file, words)):
        return None
    first, second = (one.run for one in find_targets(words, store, discover()))
    return (first, second) if first and second else None


def compare_runs(
    first: RunRecord, second: RunRecord, *, store: RunStore
) -> tuple[Difference, Path]:
    """Tell what differs between two runs, and write that for people and for programs.

    Parameters
    ----------
    first, second : RunRecord
        The runs, A and B, as `RunStore.find` gives them.
    store : RunStore
        Where the comparison is written.

    Returns
    -------
    Difference
        Settings, data, versions, metrics with a paired test, items, costs: what differs of each.
    Path
        Its folder, which holds ``difference.html``, ``difference.json`` and, where items could be
        compared, ``disagreements.csv``.

    Raises
    ------
    InputError
        Where both are the same run, or the folder of runs cannot be written.
    """
    from widemargin.comparison.difference import find_difference
    from widemargin.report.comparison.difference_files import difference_files

    found = find_difference(first, second, discover())
    store.check_writable()
    folder = store.comparison(found.name)
    return found, store.write_comparison(found.name, difference_files(found, folder))
