"""The map of the items: which lie together by their features."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import escape

from widemargin.contracts import Block, Map, ReportSection
from widemargin.contracts.counting import agreeing, counted
from widemargin.report.artefacts import Artefacts
from widemargin.report.figures.maps import MOST_GROUPS, STEPS, reach
from widemargin.report.wordings import count, number, percent

__all__ = ["build_map"]

Json = Mapping[str, Any]
LETTERS = (40, 100)
"""How much of an item's text shows on hover: the less, the more points there are."""

WORST = 0.1
"""The share of a regression's points that is ringed."""

BUDGET = 560_000
SILENT, RING, NAMED = 30, 42, 72
"""About how many bytes the page may grow by, and what of it a silent point, a ring, and a point
beside what it shows take."""


def build_map(run: Artefacts) -> ReportSection | None:
    """Draw the items by PCA and by t-SNE, in colours of their labels, the mistakes ringed."""
    found = run.map
    if not found:
        return None
    points = _points(run)
    wording = run.use_case.wording
    n, n_items = len(points.labels), int(found["n_items"])
    drawn = (
        f"All {run.items(n, 'are')} drawn"
        if n == n_items
        else f"{count(n)} of {run.items(n_items)} {agreeing(n, 'are')} drawn, each "
        f"{'class' if run.classes else 'part of the range'} its share"
    )
    intro = (
        f"Each point is one {wording.item}, placed by the features that the final model sees: "
        f"what lies close together looks alike to it. {drawn}. {points.ringed}"
    )
    if points.shown < n:
        intro += (
            f" {counted(points.shown, 'point', 'say')} on hover what "
            f"{'it is' if points.shown == 1 else 'they are'}; with the others the page would be "
            "too large."
        )
    if found.get("learns") == "y":
        intro += (
            " These features were learnt with the help of the labels, so that classes stand "
            "further apart here than they would for new items."
        )
    pca, tsne = found["pca"], found.get("tsne")
    first, second = (percent(share) for share in pca["shares"])
    both = percent(sum(pca["shares"]))
    blocks: list[Block] = [
        points.placed(
            "PCA",
            pca,
            pictures=points.pictures,
            x_label=f"first axis: {first} of the variance",
            y_label=f"second axis: {second} of the variance",
            note=(
                "Principal components: the two directions in which the features differ most. "
                f"They hold {both} of all variance. Points far apart really differ; points that "
                "lie together may yet differ in what is not shown."
                f"{_beyond(pca)}"
            ),
        )
    ]
    if tsne:
        blocks.append(
            points.placed(
                "t-SNE",
                tsne,
                note=(
                    f"Keeps about {number(float(tsne['perplexity']), 2)} neighbours of each point "
                    "near it. Only who lies beside whom can be read: how far groups are apart, how "
                    "large they are and the directions mean nothing."
                    f"{_beyond(tsne)}"
                ),
            )
        )
    return ReportSection(title=f"Map of the {wording.items}", intro=intro, blocks=blocks)


def _beyond(layout: Json) -> str:
    """Say whether points lie so far out that they are drawn nearer than they are."""
    for side in "xy":
        low, high = reach(layout[side])
        if any(not low <= value <= high for value in layout[side]):
            return " A few that lie further out may stand at the edge."
    return ""


@dataclass(frozen=True, kw_only=True)
class _Points:
    """What the points are, wherever they lie."""

    groups: Sequence[str]
    group: Sequence[int]
    ordered: bool
    marked: Sequence[int]
    marked_name: str
    ringed: str
    labels: Sequence[str]
    pictures: Mapping[int, bytes]

    @property
    def shown(self) -> int:
        return sum(map(bool, self.labels))

    def placed(
        self,
        title: str,
        layout: Json,
        *,
        note: str,
        x_label: str = "",
        y_label: str = "",
        pictures: Mapping[int, bytes] | None = None,
    ) -> Map:
        return Map(
            title=title,
            x=layout["x"],
            y=layout["y"],
            groups=self.groups,
            group=self.group,
            x_label=x_label,
            y_label=y_label,
            ordered=self.ordered,
            labels=self.labels,
            marked=self.marked,
            marked_name=self.marked_name,
            items=range(len(self.labels)),
            pictures=pictures or {},
            note=note,
        )


def _points(run: Artefacts) -> _Points:
    label, predicted = run.map["label"], run.map["predicted"]
    n = len(label)
    if run.classes:
        groups, group = _by_class([str(one) for one in label])
        marked = [k for k in range(n) if label[k] != predicted[k]]
        name = "mistake"
        one = len(marked) == 1
        ringed = f"{count(len(marked))} of them {'is a mistake' if one else 'are mistakes'} and "
        ringed += f"ringed: predicted wrongly when {'it was' if one else 'they were'} held out."
    else:
        groups, group = _by_size([float(one) for one in label], run.units)
        off = sorted(range(n), key=lambda k: -abs(predicted[k] - label[k]))
        marked = sorted(off[: max(1, round(WORST * n))])
        name = "predicted worst"
        ringed = "Ringed is the tenth that was predicted worst when held out."
    labels, pictures = _within_budget(run, [_said(run, k) for k in range(n)], marked)
    return _Points(
        groups=groups,
        group=group,
        ordered=not run.classes,
        marked=marked,
        marked_name=name,
        ringed=ringed if marked else "None of them was predicted wrongly when held out.",
        labels=labels,
        pictures=pictures,
    )


def _by_class(label: Sequence[str]) -> tuple[list[str], list[int]]:
    """Give each class a colour; of too many, the rarest share one."""
    names = sorted(set(label))
    if len(names) > MOST_GROUPS:
        commonest = sorted(names, key=lambda name: (-label.count(name), name))[:MOST_GROUPS]
        rest = counted(len(names) - MOST_GROUPS, "other class", several="other classes")
        place = {name: k for k, name in enumerate(sorted(commonest))}
        return [*place, rest], [place.get(one, MOST_GROUPS) for one in label]
    place = {name: k for k, name in enumerate(names)}
    return names, [place[one] for one in label]


def _by_size(label: Sequence[float], units: str) -> tuple[list[str], list[int]]:
    """Divide numbers into steps of about as many points each."""
    ordered = sorted(label)
    ends = [ordered[round(k * (len(ordered) - 1) / STEPS)] for k in range(1, STEPS)]
    ends = [end for end in dict.fromkeys(ends) if ordered[0] < end]
    group = [sum(one >= end for end in ends) for one in label]
    edges = [ordered[0], *ends, ordered[-1]]
    names = [f"{number(low, 3)} to {number(high, 3)}" for low, high in pairwise(edges)]
    if units:
        names[-1] = f"{names[-1]} {units}"
    return names, group


def _said(run: Artefacts, k: int) -> str:
    """Say what an item is: its id, its label, what it was taken for, and its text."""
    label, predicted = run.map["label"][k], run.map["predicted"][k]
    said = f"{run.map['id'][k]}: {run.label(label)}"
    if not run.classes:
        said = f"{said}, predicted {run.label(predicted)}"
    elif label != predicted:
        said = f"{said}, taken for {predicted}"
    text = str(run.map["text"][k])
    most = min(max(LETTERS[0], 100_000 // len(run.map["id"])), LETTERS[1])
    cut = text if len(text) <= most else f"{text[:most].rstrip()}…"
    return f"{said}. {cut}" if cut else said


def _within_budget(
    run: Artefacts, said: list[str], first: Sequence[int]
) -> tuple[list[str], dict[int, bytes]]:
    """Keep what points show on hover while the page stays small: words, then pictures.

    The ringed points come first.
    """
    pictures: Json = run.map.get("pictures") or {}
    left = BUDGET - 2 * (SILENT * len(said) + RING * len(first))
    labels = [""] * len(said)
    shown: dict[int, bytes] = {}
    # The rest evenly over all rows, which may come in the order of their labels.
    step = max(1, len(said) // 50)
    rest = [k for start in range(step) for k in range(start, len(said), step)]
    order = list(dict.fromkeys([*first, *rest]))
    for k in order:
        left -= 2 * (NAMED - SILENT + len(str(escape(said[k])).encode()))
        if left < 0:
            break
        labels[k] = said[k]
    for k in order:
        picture = str(pictures.get(str(k), "")) if labels[k] else ""
        left -= len(picture)
        if left < 0:
            break
        if picture:
            shown[k] = base64.b64decode(picture)
    return labels, shown
