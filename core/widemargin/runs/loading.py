"""Loading: assets in place, the data set read, near-duplicates made one item each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Dataset, Progress, SplitRule
from widemargin.data import fingerprint, near_duplicates
from widemargin.data.assets import data_home, require
from widemargin.encoders.tfidf import texts_of
from widemargin.explanation import show_item

if TYPE_CHECKING:
    from widemargin.config import RunConfig

__all__ = ["Loaded", "describe_dataset", "load_dataset"]

_PREVIEW = 5


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A data set ready for splitting.

    Parameters
    ----------
    dataset : Dataset
        One row an item.
    whole : Dataset
        As it was read, near-duplicates included.
    repeated : int
        Rows of `whole` left out of `dataset` because they nearly repeat an earlier one.
    repeated_items : int
        Items of `dataset` that had such rows.
    contradictory : int
        Rows left out whose label differs from that of the row kept.
    fingerprint : str
        Hash of `whole`.
    """

    dataset: Dataset
    whole: Dataset
    repeated: int
    repeated_items: int
    contradictory: int
    fingerprint: str


def load_dataset(
    config: RunConfig, rule: SplitRule, *, offline: bool, mirror: str, progress: Progress
) -> Loaded:
    """Read the config's data set.

    Raises
    ------
    DataError, AssetError
        Where it cannot be read, or there is nothing to learn from.
    """
    home = data_home()
    for asset in config.data.assets:
        require(asset, home, offline=offline, mirror=mirror, progress=progress)
    with progress.stage("reading the data"):
        whole = config.data.load(home)
        whole.check_learnable()
    for note in whole.card.notes:
        progress.note(note)
    return _without_near_duplicates(whole, rule)


def _without_near_duplicates(whole: Dataset, rule: SplitRule) -> Loaded:
    texts = [column for column, kind in whole.kinds.items() if kind == "text"]
    if not (rule.near_duplicates and texts):
        return Loaded(
            dataset=whole,
            whole=whole,
            repeated=0,
            repeated_items=0,
            contradictory=0,
            fingerprint=fingerprint(whole),
        )
    codes = near_duplicates(texts_of({column: whole.X[column] for column in texts}))
    _, first, place, counts = np.unique(
        codes, return_index=True, return_inverse=True, return_counts=True
    )
    kept = np.sort(first).astype(np.intp)
    repeated = len(whole) - len(kept)
    dataset = whole.take(kept)
    contradictory = int((whole.y != whole.y[first[place]]).sum())
    if repeated:
        note = (
            f"{repeated:,} near-duplicates of {int((counts > 1).sum()):,} {whole.card.item}s "
            "were left out, so that none is on both sides of a split"
        )
        if contradictory:
            note += f"; {contradictory:,} of them had another label than the one kept"
        card = replace(dataset.card, notes=(*dataset.card.notes, f"{note}."))
        dataset = replace(dataset, card=card)
    dataset.check_learnable()
    return Loaded(
        dataset=dataset,
        whole=whole,
        repeated=repeated,
        repeated_items=int((counts > 1).sum()),
        contradictory=contradictory,
        fingerprint=fingerprint(whole),
    )


def describe_dataset(loaded: Loaded) -> dict[str, Any]:
    """Return what ``dataset.json`` says: the card, counts, and the first items."""
    dataset = loaded.dataset
    card = dataset.card
    described: dict[str, Any] = {
        "card": {
            "title": card.title,
            "source": card.source,
            "licence": card.licence,
            "citation": card.citation,
            "sha256": card.sha256,
            "positive_class": dataset.positive_class,
            "target": card.target,
            "units": card.units,
            "item": card.item,
            "notes": list(card.notes),
        },
        "n_items": len(dataset),
        "kinds": dict(dataset.kinds),
        "fingerprint": loaded.fingerprint,
        "groups": None if dataset.groups is None else len(set(dataset.groups)),
        "preview": [
            {
                "id": str(dataset.ids[row]),
                "text": show_item(dataset.X, dataset.kinds, row, limit=200),
                "label": str(dataset.y[row]),
            }
            for row in range(min(_PREVIEW, len(dataset)))
        ],
    }
    if dataset.task == "classification":
        described["classes"] = {name: int((dataset.y == name).sum()) for name in dataset.classes}
    else:
        described["target"] = {
            "min": float(dataset.y.min()),
            "mean": float(dataset.y.mean()),
            "max": float(dataset.y.max()),
            "std": float(dataset.y.std()),
        }
    return described
