"""Items that cannot be read are named, all at once, before anything is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from widemargin.contracts import Dataset
from widemargin.errors import ItemsError

__all__ = ["check_items", "naming_items"]


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
