"""How many configurations were tried on the same data, by this run and those before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from widemargin.contracts import DatasetCard
from widemargin.runs.store import RunStore

__all__ = ["tried_before"]


def tried_before(
    store: RunStore, use_case: str, card: DatasetCard, config_hash: str
) -> tuple[int, int]:
    """Count the configurations that earlier runs of a use case searched on the same source.

    The source is the same where its hash is, or its title where there is no hash: other settings
    of a loader make other items of the same data, and are configurations too. Runs of one config
    count once.

    Parameters
    ----------
    store : RunStore
        Where runs are looked for.
    use_case : str
        Whose.
    card : DatasetCard
        Of the data.
    config_hash : str
        The config of the run that asks, which is left out.

    Returns
    -------
    n_runs, n_cells : int
        Distinct configs, and the cells of their searches.
    """
    cells: dict[str, int] = {}
    for folder in store.folders():
        if folder.parent.name != use_case:
            continue
        try:
            other = _read(folder / "dataset.json")["card"]
            own = _read(folder / "manifest.json")["config_sha256"]
            searched = len(_read(folder / "search.json")["cells"])
            same = other["sha256"] == card.sha256 if card.sha256 else other["title"] == card.title
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not a whole run
        if same and own != config_hash:
            cells[str(own)] = searched
    return len(cells), sum(cells.values())


def _read(path: Path) -> Any:
    return json.loads(path.read_bytes())
