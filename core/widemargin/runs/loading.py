"""Loading: assets in place, the data set read, near-duplicates made one item each."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Dataset, DatasetLoader, Progress, SplitRule
from widemargin.contracts.counting import agreeing, counted
from widemargin.contracts.places import asks_network, told, where_defined
from widemargin.data import fingerprint, merge_groups, near_duplicates
from widemargin.data.assets import data_home, require
from widemargin.encoders.items import texts_of
from widemargin.errors import AssetError, DataError, PluginError, WidemarginError, nearest
from widemargin.explanation import show_item

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

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
    grouped : bool
        Whether the data themselves have groups, which near-duplicates may have joined.
    note : str
        What was left out, for people; empty where nothing was.
    """

    dataset: Dataset
    whole: Dataset
    repeated: int
    repeated_items: int
    contradictory: int
    fingerprint: str
    grouped: bool = False
    note: str = ""


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
    _fetch(config.data, home, offline, progress)
    with progress.stage("reading the data"):
        whole = _loaded(config.data, home)
        whole.check_learnable()
        whole = _with_positive(whole, config.evaluation.positive)
        if config.evaluation.split != "auto" and whole.parts is not None:
            whole = config.data.without_parts(whole)
    for note in whole.card.notes:
        progress.note(note)
    # A published split stays as it was published, near-duplicates and all.
    loaded = (
        _without_near_duplicates(whole, rule) if whole.parts is None else _as_published(whole, rule)
    )
    if loaded.note and (loaded.contradictory or whole.parts is not None):
        progress.note(loaded.note)
    if guess := _guessed(loaded.dataset):
        progress.note(guess)
    return replace(loaded, grouped=whole.groups is not None)


def _fetch(loader: DatasetLoader, home: Path, offline: bool, progress: Progress) -> None:
    """Let a loader bring what no hash can pin; a network that fails it is nobody's defect.

    Raises
    ------
    AssetError
        Where it cannot.
    """
    try:
        loader.fetch(home, offline=offline, progress=progress)
    except WidemarginError:
        raise
    except Exception as error:
        network = asks_network(error)
        # Where nothing may be fetched, asking is the loader's own defect.
        if offline or not (network or isinstance(error, OSError)):
            raise
        remedy = (
            "Is there a network? Give the command again where there is one."
            if network
            else f"See whether files can be written to {home}."
        )
        raise AssetError(
            f"the data of {type(loader).__name__} cannot be fetched: {told(error)}. {remedy}"
        ) from error


def _loaded(loader: DatasetLoader, home: Path) -> Dataset:
    made: object = loader.load(home)
    if not isinstance(made, Dataset):
        what = "None" if made is None else f"a {type(made).__name__}"
        raise PluginError(
            f"{type(loader).__name__}.load returned {what}; it must return a widemargin.Dataset.",
            where_defined(loader.load),
        )
    return made


def _with_positive(dataset: Dataset, chosen: str) -> Dataset:
    """Return the data about the positive class that was chosen, if one was.

    Raises
    ------
    DataError
        Where there is no such class, or one is chosen and there are not two.
    """
    classes = dataset.classes
    named = chosen or dataset.card.positive_class
    if classes and named and named not in classes:
        said = "evaluation.positive is" if chosen else "the positive class is said to be"
        raise DataError(
            f"{dataset.card.title}: {said} {named!r}, and the classes are {', '.join(classes)}."
            f"{nearest(named, classes)}"
        )
    if not chosen:
        return dataset
    if len(classes) != 2:
        have = (
            f"{counted(len(classes), 'class', several='classes')}, {', '.join(classes)}"
            if classes
            else "a target of numbers"
        )
        raise DataError(
            f"{dataset.card.title}: evaluation.positive chooses one of two classes, and there "
            f"{agreeing(len(classes) or 1, 'are')} {have}; leave it out."
        )
    return replace(dataset, card=replace(dataset.card, positive_class=chosen))


def _guessed(dataset: Dataset) -> str:
    """Say which of two classes is the positive one, where nobody has said it; else nothing."""
    if dataset.card.positive_class or len(dataset.classes) != 2:
        return ""
    positive = dataset.positive_class
    other = next(name for name in dataset.classes if name != positive)
    alike = (dataset.y == positive).sum() == (dataset.y == other).sum()
    why = "the first by name of two that are as common" if alike else "the rarer of two"
    setting = shlex.quote(f"evaluation.positive={other}")
    return f"The positive class is {positive!r}, {why}; --set {setting} takes the other."


def _as_published(whole: Dataset, rule: SplitRule) -> Loaded:
    """Keep every row, and count the test texts that nearly repeat one to learn from."""
    assert whole.parts is not None
    dataset, note = whole, ""
    texts = [column for column, kind in whole.kinds.items() if kind == "text"]
    if rule.near_duplicates and texts:
        codes = near_duplicates(texts_of({column: whole.X[column] for column in texts}))
        # The inner folds keep them together.
        dataset = replace(whole, groups=_grouped(whole, texts))
        test = whole.parts == "test"
        crossing = int(np.isin(codes[test], codes[~test]).sum())
        if crossing:
            note = (
                f"{crossing:,} of {counted(int(test.sum()), f'test {whole.card.item}')} nearly "
                f"{agreeing(crossing, 'repeat')} one of the other parts; the published split is "
                "kept as it is."
            )
            card = replace(whole.card, notes=(*whole.card.notes, note))
            dataset = replace(dataset, card=card)
    return _nothing_left_out(dataset, note)


def _nothing_left_out(whole: Dataset, note: str = "") -> Loaded:
    return Loaded(
        dataset=whole,
        whole=whole,
        repeated=0,
        repeated_items=0,
        contradictory=0,
        fingerprint=fingerprint(whole),
        note=note,
    )


def _without_near_duplicates(whole: Dataset, rule: SplitRule) -> Loaded:
    """Make near-duplicate texts one item each.

    Where an item has other columns beside its texts, equal texts do not make equal items: rows are
    kept, and grouped so that they stay on one side of every split.
    """
    texts = [column for column, kind in whole.kinds.items() if kind == "text"]
    if rule.near_duplicates and texts and len(texts) < len(whole.kinds):
        whole = replace(whole, groups=_grouped(whole, texts))
    if not (rule.near_duplicates and texts) or len(texts) < len(whole.kinds):
        return _nothing_left_out(whole)
    codes = near_duplicates(texts_of({column: whole.X[column] for column in texts}))
    _, first, place, counts = np.unique(
        codes, return_index=True, return_inverse=True, return_counts=True
    )
    kept = np.sort(first).astype(np.intp)
    repeated = len(whole) - len(kept)
    tied = whole
    if whole.groups is not None:
        # A row that is left out still ties its group to that of the row kept.
        tied = replace(whole, groups=merge_groups(whole.groups, codes))
    dataset = tied.take(kept)
    contradictory = int((whole.y != whole.y[first[place]]).sum())
    note = ""
    if repeated:
        note = (
            f"{counted(repeated, 'near-duplicate')} of "
            f"{counted(int((counts > 1).sum()), whole.card.item)} "
            f"{agreeing(repeated, 'were')} left out, so that none is on both sides of a split"
        )
        if contradictory:
            note += f"; {contradictory:,} of them had another label than the one kept"
        note += "."
        card = replace(dataset.card, notes=(*dataset.card.notes, note))
        dataset = replace(dataset, card=card)
    try:
        dataset.check_learnable()
    except DataError as error:
        raise DataError(f"{error} {note}".rstrip()) from None
    return Loaded(
        dataset=dataset,
        whole=whole,
        repeated=repeated,
        repeated_items=int((counts > 1).sum()),
        contradictory=contradictory,
        fingerprint=fingerprint(whole),
        note=note,
    )


def _grouped(whole: Dataset, texts: list[str]) -> NDArray[np.intp]:
    joined = texts_of({column: whole.X[column] for column in texts})
    codes = near_duplicates(joined)
    # An empty text says nothing, so that it makes no two rows alike.
    empty = np.flatnonzero([not text.strip() for text in joined])
    codes[empty] = len(codes) + np.arange(len(empty))
    return merge_groups(codes) if whole.groups is None else merge_groups(whole.groups, codes)


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
