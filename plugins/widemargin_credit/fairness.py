"""Fairness: how groups of protected attributes fare, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin import ReportSection
from widemargin.evaluation import Block, Study, Table, Text
from widemargin_credit.applications import BAD, Applications
from widemargin_credit.measures import wilson
from widemargin_credit.words import in_words

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "Group",
    "Rate",
    "acceptance_ratio",
    "compared",
    "fairness_section",
    "group_rates",
    "groups_of",
]

_FEW_VALUES = 6
_FOUR_FIFTHS = 0.8
_FEW_ROWS = 30


@dataclass(frozen=True)
class Rate:
    """A share with its 95% interval (Wilson's), of `n` applications."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        if not self.n:
            return "none"
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%})"


@dataclass(frozen=True)
class Group:
    """How one group fares.

    Parameters
    ----------
    attribute, name : str
        The protected column, and the group.
    n : int
        Its applications.
    bad, refused, bad_refused, good_refused : Rate
        Share that is bad; share refused of all, of the bad (true positive rate), and of the good
        (false positive rate).
    """

    attribute: str
    name: str
    n: int
    bad: Rate
    refused: Rate
    bad_refused: Rate
    good_refused: Rate


def groups_of(values: pd.Series[Any], cuts: Sequence[float] | None) -> list[tuple[str, Any]]:
    """Divide a protected column: a group for each value, or for each range of a number.

    Examples
    --------
    >>> import pandas as pd
    >>> [(name, own.tolist()) for name, own in groups_of(pd.Series([20.0, 40.0]), [26.0])]
    [('below 26', [True, False]), ('26 or more', [False, True])]
    """
    missing = values.isna().to_numpy()
    found: list[tuple[str, Any]] = []
    if values.dtype.kind in "iuf" and (cuts or values.nunique() > _FEW_VALUES):
        numbers = values.to_numpy(np.float64)
        edges = sorted(cuts) if cuts else np.unique(np.nanquantile(numbers, [0.25, 0.5, 0.75]))
        ends = [-np.inf, *edges, np.inf]
        said = ["", *_edges_in_words([*edges], exact=bool(cuts)), ""]
        for (low, high), (first, last) in zip(pairwise(ends), pairwise(said), strict=True):
            if low == -np.inf:
                name = f"below {last}"
            elif high == np.inf:
                name = f"{first} or more"
            else:
                name = f"{first} to below {last}"
            found.append((name, (numbers >= low) & (numbers < high)))
    else:
        for value in sorted(values.dropna().unique(), key=str):
            name = f"{value:.15g}" if isinstance(value, float) else str(value)
            found.append((name, (values == value).to_numpy() & ~missing))
    if missing.any():
        found.append(("missing", missing))
    return [(name, own) for name, own in found if own.any()]


def _edges_in_words(edges: Sequence[float], *, exact: bool) -> list[str]:
    """Write edges; quarters in few digits, where these tell them apart."""
    short = [f"{edge:.6g}" for edge in edges]
    if exact or len(set(short)) < len(short) or any("e" in edge for edge in short):
        return [f"{edge:.15g}" for edge in edges]
    return short


def group_rates(
    aside: pd.DataFrame,
    is_bad: NDArray[np.bool_],
    refused: NDArray[np.float64],
    cuts: Mapping[str, Sequence[float]] | None = None,
) -> list[Group]:
    """Return how the groups of each protected column fare.

    Parameters
    ----------
    aside : DataFrame of shape (n_samples, n_protected)
        The protected columns.
    is_bad : ndarray of shape (n_samples,)
        How each application ended.
    refused : ndarray of shape (n_samples,)
        Share of the predictions of each that refused it: 0 or 1 where there is one.
    cuts : mapping of str to sequence of float, optional
        Where groups of numbers begin; by default quarters.
    """

    def rate(share: NDArray[Any], of: NDArray[np.bool_]) -> Rate:
        n = int(of.sum())
        if not n:
            return Rate(float("nan"), 0.0, 1.0, 0)
        hits = float(share[of].sum())
        return Rate(hits / n, *wilson(hits, n), n)

    return [
        Group(
            attribute=str(column),
            name=name,
            n=int(own.sum()),
            bad=rate(is_bad, own),
            refused=rate(refused, own),
            bad_refused=rate(refused, own & is_bad),
            good_refused=rate(refused, own & ~is_bad),
        )
        for column in aside
        for name, own in groups_of(aside[column], (cuts or {}).get(str(column)))
    ]


def fairness_section(study: Study) -> list[ReportSection]:
    """Tabulate how groups fare, out of sample."""
    aside, loader = study.dataset.aside, study.loader
    assert isinstance(loader, Applications)
    if aside is None or not len(aside.columns):
        return [
            ReportSection(
                title="Fairness",
                blocks=[
                    Text(
                        text="No protected attribute is named. Say which columns hold sex, age, "
                        "origin and the like with data.protected: they are then kept out of the "
                        "features, and this section shows how each group fares."
                    )
                ],
            )
        ]
    place = study.predictions.classes.index(BAD)
    n = len(study.dataset)
    held = np.bincount(study.rows, minlength=n)
    refused = np.bincount(
        study.rows, weights=(study.predictions.y_pred == place).astype(float), minlength=n
    )
    known = np.flatnonzero(held)
    groups = group_rates(
        aside.iloc[known].reset_index(drop=True),
        study.dataset.y[known] == BAD,
        refused[known] / held[known],
        loader.protected_cuts,
    )
    used = loader.protected_as_features
    intro = (
        "The model learned from these columns, as data.protected_as_features asked for."
        if used
        else "These columns are no features: the model has not seen them. Other columns may tell "
        "of them all the same."
    )
    blocks: list[Block] = [
        Table(
            columns=(
                *("attribute", "group", "applications", "bad"),
                *("refused", "bad ones refused", "good ones refused"),
            ),
            rows=[
                (
                    *(in_words(one.attribute), one.name, one.n, f"{one.bad.value:.1%}"),
                    *(str(one.refused), str(one.bad_refused), str(one.good_refused)),
                )
                for one in groups
            ],
            note="Out of sample. In brackets 95% intervals (Wilson) over the applications of the "
            "group. Bad ones refused is the true positive rate, good ones refused the false "
            "positive rate.",
        ),
        *(Text(text=line) for line in compared(groups)),
        *(Text(text=said) for name, said in loader.about_protected.items() if name in aside),
    ]
    return [ReportSection(title="Fairness", intro=intro, blocks=blocks)]


def compared(groups: Sequence[Group]) -> list[str]:
    """Say of each attribute how often the group that fares worst is accepted beside the best one.

    Groups of fewer than 30 applications are not compared. The interval of the ratio holds for all
    pairs of groups at once, since the furthest apart were picked out of them.
    """
    lines = []
    for attribute in dict.fromkeys(one.attribute for one in groups):
        own = [one for one in groups if one.attribute == attribute and one.name != "missing"]
        large = [one for one in own if one.n >= _FEW_ROWS]
        said = [_compared(large)] if len(large) > 1 else []
        if small := [one.name for one in own if one.n < _FEW_ROWS]:
            said.append(f"Too small to be compared (fewer than {_FEW_ROWS}): {', '.join(small)}.")
        if any(said):
            lines.append(f"{in_words(attribute).capitalize()}: {' '.join(filter(None, said))}")
    return lines


def _compared(groups: Sequence[Group]) -> str:
    worst = max(groups, key=lambda one: one.refused.value)
    best = min(groups, key=lambda one: one.refused.value)
    if best.refused.value >= 1 or worst.refused.value == best.refused.value:
        return ""
    ratio = acceptance_ratio(worst.refused, best.refused, len(groups) * (len(groups) - 1) // 2)
    if ratio.high < _FOUR_FIFTHS:
        verdict = "below four fifths, the usual mark of adverse impact"
    elif ratio.low >= _FOUR_FIFTHS:
        verdict = "above four fifths, below which adverse impact is usually seen"
    else:
        verdict = (
            "so that it cannot be told from these whether it is below four fifths, the usual mark "
            "of adverse impact"
        )
    line = (
        f"{worst.name} is accepted {ratio.value:.2f} times as often as {best.name} (95% interval "
        f"{ratio.low:.2f} to {ratio.high:.2f}), {verdict}."
    )
    one, other = worst.good_refused, best.good_refused
    if one.n and other.n:
        gap = one.value - other.value
        line += (
            f" Of its good ones {100 * abs(gap):.1f} in a hundred "
            f"{'more' if gap >= 0 else 'fewer'} are refused."
        )
    return line


def acceptance_ratio(one: Rate, other: Rate, pairs: int = 1) -> Rate:
    """Return how many times as often one group is accepted as another, with a 95% interval.

    Wilson's limits of both rates, put together on the logarithm of the ratio (Zou and Donner 2008,
    Statistics in Medicine); with more pairs the interval holds for all of them at once
    (Bonferroni).

    Parameters
    ----------
    one, other : Rate
        Shares refused; less than 1 in the other group.
    pairs : int, default=1
        How many pairs the groups were picked from.

    Examples
    --------
    >>> half, third = Rate(0.5, 0.4, 0.6, 100), Rate(1 / 3, 0.25, 0.43, 100)
    >>> print(f"{acceptance_ratio(half, third).value:.2f}")
    0.75
    """
    z = NormalDist().inv_cdf(1 - 0.025 / pairs)
    first, second = 1 - one.value, 1 - other.value
    (low, high), (under, over) = (
        wilson(share * n, n, z) for share, n in ((first, one.n), (second, other.n))
    )
    n = one.n + other.n
    if not first:
        return Rate(0.0, 0.0, high / under, n)
    ratio = first / second
    down = math.hypot(math.log(first / low), math.log(over / second))
    up = math.hypot(math.log(high / first), math.log(second / under))
    return Rate(ratio, ratio * math.exp(-down), ratio * math.exp(up), n)
