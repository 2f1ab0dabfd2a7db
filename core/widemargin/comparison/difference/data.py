"""Data: whether two runs learned from the same, and if not, in what it differs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from widemargin.comparison.difference.items import Common
from widemargin.comparison.difference.kept import read_json
from widemargin.comparison.difference.settings import Differing, differing
from widemargin.contracts import RunRecord

__all__ = ["DataDifference", "describe_data", "other_items", "with_items"]

# Below this, the labels under the same ids agree hardly better than those of any two items.
_LEAST_KAPPA = 0.5
# How a text ends that was cut short.
_CUT = re.compile(r"\s*…(\s*\([\d,]+ letters\))?$")
_LETTERS = 160
_CARD = ("title", "source", "licence", "sha256", "target", "units", "positive_class", "item")


@dataclass(frozen=True, kw_only=True)
class DataDifference:
    """In what the data of two runs differ.

    Parameters
    ----------
    fingerprints : (str, str)
        What each run's data hash to; empty where it does not say.
    n_items : (int, int)
        Items of each data set, without near-duplicates that were left out.
    card : tuple of Differing
        Fields of the data sets' cards.
    columns : tuple of Differing
        Columns that one lacks, or that are of another kind.
    only_first, only_second : tuple of str
        Items that one run alone predicted, by id; empty where the items are not known.
    relabelled : tuple of (str, str, str)
        Items that have another label or weight in the second: id, and both labels.
    reworded : tuple of str
        Items whose text the runs keep and which is another in the second, by id.
    n_texts : int
        Items whose text both runs keep.
    is_known : bool
        Whether items of the two could be told and matched.
    """

    fingerprints: tuple[str, str]
    n_items: tuple[int, int]
    card: tuple[Differing, ...]
    columns: tuple[Differing, ...]
    only_first: tuple[str, ...] = ()
    only_second: tuple[str, ...] = ()
    relabelled: tuple[tuple[str, str, str], ...] = ()
    reworded: tuple[str, ...] = ()
    n_texts: int = 0
    is_known: bool = False

    @property
    def is_same(self) -> bool:
        """Whether both runs had the same data, to the last cell."""
        return bool(self.fingerprints[0]) and self.fingerprints[0] == self.fingerprints[1]

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "same": self.is_same,
            "fingerprints": list(self.fingerprints),
            "n_items": list(self.n_items),
            "card": [one.to_data() for one in self.card],
            "columns": [one.to_data() for one in self.columns],
            "items_matched": self.is_known,
            "only_first": list(self.only_first),
            "only_second": list(self.only_second),
            "relabelled": [
                {"id": name, "first": label, "second": other}
                for name, label, other in self.relabelled
            ],
            "reworded": list(self.reworded),
            "texts_kept_by_both": self.n_texts,
        }


def describe_data(runs: tuple[RunRecord, RunRecord]) -> DataDifference:
    """Tell what the runs say of their data; their ``dataset.json`` may be absent."""
    told = [read_json(run.path / "dataset.json") for run in runs]
    cards, kinds = ([_mapping(one.get(name)) for one in told] for name in ("card", "kinds"))
    described = [
        {name: str(card[name])[:_LETTERS] for name in _CARD if card.get(name) not in (None, "")}
        for card in cards
    ]
    of_kind = [{str(name): str(kind) for name, kind in own.items()} for own in kinds]
    first, second = runs
    return DataDifference(
        fingerprints=(_fingerprint(first), _fingerprint(second)),
        n_items=(first.metrics["n_items"], second.metrics["n_items"]),
        card=differing(*described),
        columns=differing(*of_kind),
    )


def with_items(
    data: DataDifference, common: Common, texts: tuple[Mapping[str, str], Mapping[str, str]]
) -> DataDifference:
    """Tell in which items the data of two runs differ.

    Parameters
    ----------
    data : DataDifference
        What the runs say of their data.
    common : Common
        What both predicted.
    texts : (mapping, mapping)
        The items that each run keeps in their own words, by id.
    """
    both = texts[0].keys() & texts[1].keys()
    return replace(
        data,
        only_first=tuple(np.setdiff1d(*common.ids).tolist()),
        only_second=tuple(np.setdiff1d(*common.ids[::-1]).tolist()),
        relabelled=common.relabelled,
        reworded=tuple(sorted(name for name in both if _other(texts, name))),
        n_texts=len(both),
        is_known=True,
    )


def other_items(
    data: DataDifference, common: Common, texts: tuple[Mapping[str, str], Mapping[str, str]]
) -> str:
    """Say why equal ids name other items in two runs; empty where they name the same.

    Ids may be places in a file. Where the data differ, labels under the same ids must agree better
    than by chance, by Cohen's kappa ("A coefficient of agreement for nominal scales", Educational
    and Psychological Measurement 20, 1960), and where the columns are the same, most items whose
    text both runs keep must have the same.

    Parameters
    ----------
    data, common, texts
        As for `with_items`.
    """
    if data.is_same:
        return ""
    if _kappa(common) < _LEAST_KAPPA:
        return (
            "the data differ, and labels under the same ids agree hardly better than by chance, so "
            "that the ids name other items"
        )
    both = texts[0].keys() & texts[1].keys()
    if not data.columns and 2 * sum(_other(texts, name) for name in both) > len(both):
        return "the data differ, and the same ids name other items"
    return ""


def _kappa(common: Common) -> float:
    """Return how well labels under the same ids agree: 1 entirely, 0 as by chance."""
    labels = [str(label) for label in common.labels]
    pairs = [(label, label) for label in labels]
    pairs += [(label, other) for _, label, other in common.relabelled]
    one, other = (Counter(own) for own in zip(*pairs, strict=True))
    alike = sum(label == own for label, own in pairs) / len(pairs)
    by_chance = sum(times * other[label] for label, times in one.items()) / len(pairs) ** 2
    return (alike - by_chance) / (1 - by_chance) if by_chance < 1 else 1.0


def _other(texts: Sequence[Mapping[str, str]], name: str) -> bool:
    """Say whether an item's text is another in the second run.

    One may be cut short, and some files keep the white space and others do not.
    """
    one, other = (" ".join(_CUT.sub("", own[name]).split()) for own in texts)
    return not (one.startswith(other) or other.startswith(one))


def _fingerprint(run: RunRecord) -> str:
    return str(run.manifest.get("data_sha256") or "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
