r"""Weight of evidence: a column's values replaced by what they say about one of two classes.

Values fall into bins, and a bin :math:`b` becomes (Good 1950, "Probability and the Weighing of
Evidence"; Siddiqi 2006, "Credit Risk Scorecards")

.. math:: w_b = \ln \frac{p(b \mid 1)}{p(b \mid 0)}, \qquad
    p(b \mid k) = \frac{n_{bk} + s\, n_k / n}{n_k + s B n_k / n},

with :math:`n_{bk}` rows of class k in the bin, :math:`n_k` rows of the class, :math:`n` rows in all
and B bins. Each bin is given s further rows that are divided between the classes as all rows are,
so that no logarithm is of 0, and a bin without any row says nothing: its weight is 0. The
information value of a column is :math:`\sum_b (p(b \mid 1) - p(b \mid 0))\, w_b`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Bin", "Binning", "Cuts", "codes_of_target", "fit_categories", "fit_numbers"]

Cuts = Literal["quantiles", "tree"]


@dataclass(frozen=True, kw_only=True)
class Bin:
    """One bin of a column.

    Parameters
    ----------
    label : str
        Its values in words: ``20 to below 35``, ``Bonn``, ``other``, ``missing``.
    rows : tuple of (int, int)
        Training rows of the first and of the second class, by name.
    evidence : float
        Its weight of evidence for the second class.
    information : float
        What it adds to the column's information value.
    """

    label: str
    rows: tuple[int, int]
    evidence: float
    information: float


@dataclass(frozen=True, kw_only=True)
class Binning:
    """The bins of a column, in order; the last is that of missing values.

    Parameters
    ----------
    bins : tuple of Bin
        The bins.
    edges : tuple of float, optional
        Of numbers: where the second and each further bin begins. None for categories.
    categories : tuple of str
        Of categories: those with a bin of their own; all others have the one before the last.
    """

    bins: tuple[Bin, ...]
    edges: tuple[float, ...] | None = None
    categories: tuple[str, ...] = ()

    @property
    def information_value(self) -> float:
        """How far the column tells the classes apart: 0 for not at all."""
        return float(sum(own.information for own in self.bins))

    def places(self, values: Any) -> NDArray[np.intp]:
        """Return the bin of each value: numbers with NaN, or texts with None."""
        if self.edges is not None:
            numbers = np.asarray(values, dtype=np.float64)
            inside = np.searchsorted(np.array(self.edges), numbers, side="right")
            return np.where(np.isnan(numbers), len(self.bins) - 1, inside).astype(np.intp)
        place = {category: at for at, category in enumerate(self.categories)}
        other, missing = len(place), len(place) + 1
        return np.array(
            [missing if value is None else place.get(value, other) for value in values], np.intp
        )

    def transform(self, values: Any) -> NDArray[np.float64]:
        """Return the weight of evidence of each value."""
        return np.array([own.evidence for own in self.bins])[self.places(values)]

    def to_data(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Take up what `to_data` returned.

        Raises
        ------
        DataError
            Where bins and edges or categories do not go together.
        """
        bins = tuple(
            Bin(
                label=str(own["label"]),
                rows=(int(own["rows"][0]), int(own["rows"][1])),
                evidence=float(own["evidence"]),
                information=float(own["information"]),
            )
            for own in data["bins"]
        )
        edges = None if data["edges"] is None else tuple(float(edge) for edge in data["edges"])
        categories = tuple(str(category) for category in data["categories"])
        if len(bins) != (len(categories) if edges is None else len(edges)) + 2:
            raise DataError("tabular: the saved bins and their edges or categories disagree.")
        return cls(bins=bins, edges=edges, categories=categories)


def codes_of_target(y: Any) -> tuple[tuple[str, str], NDArray[np.bool_]]:
    """Return the names of the two classes, sorted, and which rows are of the second.

    Raises
    ------
    DataError
        Where there is no target, or it has not two classes.
    """
    rule = "weight of evidence compares two classes"
    if y is None:
        raise DataError(f"tabular: {rule}, and was fitted without a target; give y.")
    target = np.asarray(y)
    classes = np.unique(target)
    if len(classes) != 2:
        raise DataError(
            f"tabular: {rule}, and the target has {len(classes)} different values. Take "
            "`categories: one-hot` and `numbers: scale` for it."
        )
    return (str(classes[0]), str(classes[1])), target == classes[1]


def fit_categories(
    values: Sequence[str | None],
    categories: Sequence[str],
    second: NDArray[np.bool_],
    smoothing: float,
) -> Binning:
    """Weigh the categories of a column, all that have no bin of their own, and missing values."""
    labels = [*categories, "other", "missing"]
    empty = Binning(bins=(), categories=tuple(categories))
    bins = _weigh(empty.places(values), labels, second, smoothing)
    return Binning(bins=bins, categories=tuple(categories))


def fit_numbers(
    values: NDArray[np.float64],
    second: NDArray[np.bool_],
    cuts: Cuts,
    n_bins: int,
    smoothing: float,
    *,
    free: bool = False,
) -> Binning:
    """Cut a column of numbers into bins and weigh them, and missing values.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        The column; NaN is missing.
    second : ndarray of shape (n_samples,), bool
        Which rows are of the second class.
    cuts : {"quantiles", "tree"}
        Bins of nearly equally many rows, or those of a decision tree whose weights of evidence
        only rise or only fall: neighbours that do not are merged.
    n_bins : int
        Bins at most, besides that of missing values.
    smoothing : float
        Rows that each bin is given.
    free : bool, default=False
        Whether the weights of a tree's bins may rise and fall.
    """
    known = ~np.isnan(values)
    given, own = values[known], second[known]
    if not len(given):
        candidates: list[list[float]] = [[]]
    elif cuts == "quantiles":
        candidates = [_quantiles(given, n_bins)]
    elif free:
        candidates = [_tree(given, own, n_bins, 0)]
    else:
        candidates = [
            _merged(_tree(given, own, n_bins, direction), given, own, second, smoothing, direction)
            for direction in (1, -1)
        ]
    binnings = [_binning(edges, values, second, smoothing) for edges in candidates]
    return max(binnings, key=lambda binning: binning.information_value)


def _binning(
    edges: list[float], values: NDArray[np.float64], second: NDArray[np.bool_], smoothing: float
) -> Binning:
    labels = [*_intervals(edges), "missing"]
    places = np.searchsorted(np.array(edges), values, side="right")
    places[np.isnan(values)] = len(labels) - 1
    return Binning(bins=_weigh(places, labels, second, smoothing), edges=tuple(edges))


def _weigh(
    places: NDArray[np.intp],
    labels: Sequence[str],
    second: NDArray[np.bool_],
    smoothing: float,
) -> tuple[Bin, ...]:
    size = len(labels)
    counts = np.stack([np.bincount(places[second == of], minlength=size) for of in (False, True)])
    # The formula of the module's docstring, divided by the rows of the class.
    of_class = counts.sum(axis=1, keepdims=True)
    pseudo = smoothing / len(places)
    shares = (counts / of_class + pseudo) / (1 + pseudo * size)
    evidence = np.log(shares[1] / shares[0])
    information = (shares[1] - shares[0]) * evidence
    return tuple(
        Bin(
            label=label,
            rows=(int(counts[0, at]), int(counts[1, at])),
            evidence=float(evidence[at]),
            information=float(information[at]),
        )
        for at, label in enumerate(labels)
    )


def _quantiles(given: NDArray[np.float64], n_bins: int) -> list[float]:
    edges = np.unique(np.quantile(given, np.linspace(0, 1, n_bins + 1)[1:-1]))
    # A bin below the least value would be empty.
    return [float(edge) for edge in edges if edge > given.min()]


def _tree(
    given: NDArray[np.float64], own: NDArray[np.bool_], n_bins: int, direction: int
) -> list[float]:
    """Cut where a decision tree does whose answer only rises (1), only falls (-1), or neither."""
    if own.all() or not own.any():
        return []
    from sklearn.tree import DecisionTreeClassifier

    distinct, ranks = np.unique(given, return_inverse=True)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=n_bins,
        # A twentieth of the rows, as scorecards have it: smaller bins do not last.
        min_samples_leaf=max(1, len(given) // 20),
        monotonic_cst=[direction],
        random_state=0,
    )
    # Ranks, since trees read float32, in which neighbouring numbers may be one.
    tree.fit(ranks[:, None], own)
    at = np.floor(np.sort(tree.tree_.threshold[tree.tree_.feature >= 0])).astype(int)
    # Half the sum might be too large for a float.
    edges = distinct[at] / 2 + distinct[at + 1] / 2
    return [
        max(float(edge), float(np.nextafter(distinct[k], np.inf)))
        for edge, k in zip(edges, at.tolist(), strict=True)
    ]


def _merged(
    edges: Sequence[float],
    given: NDArray[np.float64],
    own: NDArray[np.bool_],
    second: NDArray[np.bool_],
    smoothing: float,
    direction: int,
) -> list[float]:
    """Merge neighbouring bins until their weights only rise (1) or only fall (-1).

    The tree bounds its leaves' answers, not their shares; and smoothing draws small bins nearer to
    0 than the large ones beside them.
    """
    places = np.searchsorted(np.array(edges), given, side="right")
    counts = np.stack([np.bincount(places[own == of], minlength=len(edges) + 1) for of in (0, 1)])
    of_class = np.array([(~second).sum(), second.sum()])
    pseudo = smoothing / len(second)

    def weight(rows: NDArray[Any]) -> float:
        shares = rows / of_class + pseudo
        return direction * float(np.log(shares[1] / shares[0]))

    kept: list[float] = []
    bins: list[NDArray[Any]] = [counts[:, 0]]
    for edge, rows in zip(edges, counts.T[1:], strict=True):
        kept.append(edge)
        bins.append(rows)
        while len(bins) > 1 and weight(bins[-1]) <= weight(bins[-2]):
            last = bins.pop()
            bins[-1] = bins[-1] + last
            kept.pop()
    return kept


def _intervals(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["any"]
    shown = [f"{edge:.6g}" for edge in edges]
    middle = [f"{low} to below {high}" for low, high in pairwise(shown)]
    return [f"below {shown[0]}", *middle, f"{shown[-1]} or more"]
