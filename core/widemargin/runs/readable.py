"""Items that cannot be read, or not whole, are named before anything is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from widemargin.contracts import Dataset, Progress
from widemargin.contracts.counting import counted
from widemargin.errors import ItemsError
from widemargin.runs.loading import Loaded

__all__ = ["check_items", "naming_items", "noting_unread"]


@contextmanager
def naming_items(dataset: Dataset) -> Iterator[None]:
    """Call the items of an error by the data set's ids.

    Raises
    ------
    ItemsError
        With the ids in place of rows.
    """
    try:
        yield
    except ItemsError as error:
        if error.n_items != len(dataset):
            raise
        raise error.named(dataset.ids.tolist(), dataset.card.item) from None


def check_items(features: Any, dataset: Dataset) -> None:
    """Read all items once, where features are fitted fold by fold and can tell.

    Parameters
    ----------
    features : transformer
        Unfitted; asked for its ``check``.
    dataset : Dataset
        All items.

    Raises
    ------
    ItemsError
        Where some cannot be read; it names all of them.
    """
    check = getattr(features, "check", None)
    if check is not None:
        with naming_items(dataset):
            check(dataset.X)


def noting_unread(features: Any, loaded: Loaded, progress: Progress) -> Loaded:
    """Say of how many items not all is read, to people and in the data's notes.

    Parameters
    ----------
    features : transformer
        Unfitted; asked for its ``unread``.
    loaded : Loaded
        Items that can all be read.
    progress : Progress
        Told it.
    """
    unread = getattr(features, "unread", None)
    found = unread(loaded.dataset.X) if unread is not None else {}
    if not found:
        return loaded
    dataset, card = loaded.dataset, loaded.dataset.card
    row, what = next(iter(found.items()))
    items = counted(len(found), card.item, "are")
    note = f"{items} not read whole, as {dataset.ids[row]}: {what}."
    progress.note(note)
    card = replace(card, notes=(*card.notes, note))
    return replace(loaded, dataset=replace(dataset, card=card))
