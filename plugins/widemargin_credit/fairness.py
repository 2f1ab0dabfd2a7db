"""Fairness: how groups of protected attributes fare, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
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

__all__ = ["Group", "Rate", "fairness_section", "group_rates", "groups_of"]

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
        for low, high in pairwise(ends):
            if low == -np.inf:
                name = f"below {high:g}"
            elif high == np.inf:
                name = f"{low:g} or more"
            else:
                name = f"{low:g} to below {high:g}"
            found.append((name, (numbers >= low) & (numbers < high)))
    else:
        for value in sorted(values.dropna().unique(), key=str):
            name = f"{value:g}" if isinstance(value, float) else str(value)
            found.append((name, (values == value).to_numpy() & ~missing))
    if missing.any():
        found.append(("missing", missing))
    return [(name, own) for name, own in found if own.any()]


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
        *(Text(text=line) for line in _ratios(groups)),
    ]
    return [ReportSection(title="Fairness", intro=intro, blocks=blocks)]


def _ratios(groups: Sequence[Group]) -> list[str]:
    lines = []
    for attribute in dict.fromkeys(one.attribute for one in groups):
        own = [one for one in groups if one.attribute == attribute and one.name != "missing"]
        if len(own) < 2:
            continue
        worst = max(own, key=lambda one: one.refused.value)
        best = min(own, key=lambda one: one.refused.value)
        if best.refused.value >= 1:
            continue
        ratio = (1 - worst.refused.value) / (1 - best.refused.value)
        verdict = (
            "below four fifths, the usual mark of adverse impact"
            if ratio < _FOUR_FIFTHS
            else "above four fifths, below which adverse impact is usually seen"
        )
        line = (
            f"{in_words(attribute).capitalize()}: {worst.name} is accepted {ratio:.2f} times as "
            f"often as {best.name}, {verdict}."
        )
        if min(worst.n, best.n) < _FEW_ROWS:
            line += " One of the groups is too small for that to say much."
        else:
            gap = worst.good_refused.value - best.good_refused.value
            line += (
                f" Of its good ones {100 * abs(gap):.1f} in a hundred "
                f"{'more' if gap >= 0 else 'fewer'} are refused."
            )
        lines.append(line)
    return lines
