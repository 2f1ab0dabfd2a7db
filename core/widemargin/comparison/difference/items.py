"""Items: what two runs predicted of the same ones, and on which they disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.comparison.held_out import HeldOut, units_of_items
from widemargin.contracts import Predictions, RunRecord
from widemargin.contracts.metric import finite
from widemargin.evaluation import take
from widemargin.evaluation.mcnemar import exact_mcnemar
from widemargin.svm.calibration import least_cost

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Agreement",
    "Common",
    "Disagreement",
    "agreement",
    "common_items",
]

Kind = Literal["only A right", "only B right", "both wrong", "A nearer", "B nearer", "alike"]


@dataclass(frozen=True, kw_only=True)
class Common:
    """The items that two runs both predicted, one row each, by id.

    Parameters
    ----------
    first, second : Predictions
        What each run predicted of them, in one order. An item that a run held out several times
        has the mean of its probabilities, or of its numbers.
    units : ndarray of shape (n_items,) or None
        Items that are not independent, as those of a group or of a stretch of time, have one
        number; None where each stands for itself.
    held_out : (Predictions, Predictions)
        All that each run predicted of them, as often as it held them out.
    drawn : (ndarray, ndarray)
        The unit of each of these rows: its item where that stands for itself.
    ids : (ndarray, ndarray)
        The items that each run predicted, the common ones included.
    relabelled : tuple of (str, str, str)
        Items that have another label or weight in the second: id, and both labels. They are not
        among the common ones.
    n_times : (int, int)
        How often each run held out an item.
    """

    first: Predictions
    second: Predictions
    units: NDArray[Any] | None
    held_out: tuple[Predictions, Predictions]
    drawn: tuple[NDArray[Any], NDArray[Any]]
    ids: tuple[NDArray[np.str_], NDArray[np.str_]]
    relabelled: tuple[tuple[str, str, str], ...]
    n_times: tuple[int, int]

    def __len__(self) -> int:
        return len(self.first)

    @property
    def labels(self) -> NDArray[Any]:
        """What the items truly are: names of classes, or numbers."""
        return _labels(self.first, self.first.y_true)


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """An item of which two runs say different things.

    Parameters
    ----------
    id : str
        Its name.
    truth : str or float
        Its label.
    predicted : (str or float, str or float)
        What each run predicts.
    probability : (float, float) or None
        How probable each run calls what it predicts; None for numbers.
    decision : (float, float) or None
        Both signed distances to the margin's middle, where there are two classes.
    kind : str
        Who is right, or nearer.
    text : str
        The item as a run's files show it; empty where none of them holds it.
    """

    id: str
    truth: str | float
    predicted: tuple[str | float, str | float]
    probability: tuple[float, float] | None
    decision: tuple[float, float] | None
    kind: Kind
    text: str = ""

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "id": self.id,
            "truth": self.truth,
            "predicted": list(self.predicted),
            "probability": None if self.probability is None else list(self.probability),
            "decision": None if self.decision is None else [finite(one) for one in self.decision],
            "kind": self.kind,
            "text": self.text,
        }


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far two runs agree on the items that both predicted.

    Parameters
    ----------
    n_items : int
        How many these are.
    both, only_first, only_second, neither : int
        Who is right, for classes. For numbers `only_first` and `only_second` count the items to
        which one is nearer, `both` those to which they are equally near, and `neither` is 0.
    p : float
        McNemar's exact test of whether they are right equally often; for numbers the sign test of
        whether they are nearer equally often, which is the same.
    n_units : int
        What that test counts as independent: items, or groups of them.
    mean_apart : float
        Mean distance of the two predictions; nan for classes.
    items : tuple of Disagreement
        For classes all on which they disagree, the most decided first; for numbers all items, those
        that differ most first.
    is_weighted : bool
        Whether items have weights, which metrics heed and these counts do not.
    """

    n_items: int
    both: int
    only_first: int
    only_second: int
    neither: int
    p: float
    n_units: int
    mean_apart: float
    items: tuple[Disagreement, ...]
    is_weighted: bool = False

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "n_items": self.n_items,
            "both": self.both,
            "only_first": self.only_first,
            "only_second": self.only_second,
            "neither": self.neither,
            "p_mcnemar": finite(self.p),
            "n_units": self.n_units,
            "mean_apart": finite(self.mean_apart),
            "disagreements": [one.to_data() for one in self.items],
        }


def common_items(
    runs: tuple[RunRecord, RunRecord], parts: tuple[HeldOut, HeldOut]
) -> tuple[Common | None, str]:
    """Find the items that both runs predicted, each of them held out.

    Returns
    -------
    Common or None
        None where there are none, or where the items of one cannot be told from its predictions.
    str
        Why.
    """
    whole = [_one_each(part) for part in parts]
    for name, own in zip("AB", whole, strict=True):
        if own is None:
            return None, f"the predictions of {name} hold an item several times, unlike a run's"
    (one, place), (other, other_place) = (own for own in whole if own is not None)
    if bool(one.classes) != bool(other.classes):
        return None, "one predicts classes and the other numbers"
    _, at, other_at = np.intersect1d(one.ids, other.ids, return_indices=True)
    if not len(at):
        return None, "no item was predicted by both"
    first, second = take(one, at), take(other, other_at)
    truth, other_truth = _labels(first, first.y_true), _labels(second, second.y_true)
    same = (truth == other_truth) & (first.weight == second.weight)
    kept = np.flatnonzero(same)
    units = units_of_items(runs, parts, (place[at][kept], other_place[other_at][kept]))
    own, others = (_all_rows(part, first.ids[kept], units) for part in parts)
    return Common(
        first=take(first, kept),
        second=take(second, kept),
        units=units,
        held_out=(own[0], others[0]),
        drawn=(own[1], others[1]),
        ids=(one.ids, other.ids),
        relabelled=tuple(
            (str(first.ids[k]), str(truth[k]), str(other_truth[k])) for k in np.flatnonzero(~same)
        ),
        n_times=(parts[0].n_repeats, parts[1].n_repeats),
    ), ""


def agreement(common: Common, texts: Mapping[str, str]) -> Agreement:
    """Count who is right where, and list the items on which two runs disagree.

    Parameters
    ----------
    common : Common
        What both predicted.
    texts : mapping of str to str
        Items in their own words, by id, as far as they are known.
    """
    first, second = common.first, common.second
    truth = common.labels
    said = [_labels(own, own.y_pred) for own in (first, second)]
    if first.classes:
        right, other_right = (own == truth for own in said)
        apart = np.array([_of_truth(first, truth), _of_truth(second, truth)])
        differs = said[0] != said[1]
        distance = np.where(differs, np.abs(apart[0] - apart[1]), -1.0)
        shown = int(differs.sum())
        mean_apart = float("nan")
    else:
        near, other_near = (np.abs(own - truth) for own in said)
        right, other_right = near <= other_near, other_near <= near
        distance = np.abs(said[0] - said[1])
        shown, mean_apart = len(common), float(distance.mean()) if len(common) else float("nan")
    order = np.argsort(-distance, kind="stable")[:shown]
    groups = common.units
    return Agreement(
        n_items=len(common),
        both=int((right & other_right).sum()),
        only_first=int((right & ~other_right).sum()),
        only_second=int((other_right & ~right).sum()),
        neither=int((~right & ~other_right).sum()),
        p=exact_mcnemar(right, other_right, groups),
        n_units=len(common) if groups is None else len(np.unique(groups)),
        mean_apart=mean_apart,
        is_weighted=len(set(first.weight.tolist())) > 1,
        items=tuple(_disagreement(common, int(k), right, other_right, texts) for k in order),
    )


def _all_rows(
    part: HeldOut, ids: NDArray[np.str_], units: NDArray[Any] | None
) -> tuple[Predictions, NDArray[Any]]:
    """Take all rows of some items, whose ids are sorted, and say which unit each row is of."""
    rows = np.flatnonzero(np.isin(part.predictions.ids, ids))
    item = np.searchsorted(ids, part.predictions.ids[rows])
    return take(part.predictions, rows), item if units is None else units[item]


def _one_each(part: HeldOut) -> tuple[Predictions, NDArray[np.intp]] | None:
    """Make one row an item, by id, and say where each item stands first.

    The label of an item that several held-out parts' models predicted is made of their mean
    probability and the saved model's label weights. Theirs may be others, where class weights come
    from each one's rows, and so no part's model need have called it that.
    """
    predictions = part.predictions
    ids, first, member, times = np.unique(
        predictions.ids, return_index=True, return_inverse=True, return_counts=True
    )
    if times.max() > part.n_repeats:
        return None
    one = take(predictions, first)
    if times.max() == 1:
        return one, first
    # Of several held-out parts' models the mean is taken, which is of no part.

    def mean(values: NDArray[Any]) -> NDArray[np.float64]:
        total = np.zeros((len(ids), *values.shape[1:]))
        np.add.at(total, member, values)
        return np.asarray((total.T / times).T, dtype=np.float64)

    decision = mean(predictions.decision)
    if not predictions.classes:
        return replace(one, y_pred=decision, decision=decision, part=None, drawn=None), first
    if predictions.probability is None:
        return None
    probability = mean(predictions.probability)
    called = least_cost(probability, predictions.label_weights).astype(np.int64)
    return replace(
        one, y_pred=called, decision=decision, probability=probability, part=None, drawn=None
    ), first


def _labels(predictions: Predictions, values: NDArray[Any]) -> NDArray[Any]:
    return np.array(predictions.classes)[values] if predictions.classes else values


def _of_truth(predictions: Predictions, truth: NDArray[Any]) -> NDArray[np.float64]:
    """Return how probable a run calls the truth; 1 or 0 where it has no probabilities."""
    if predictions.probability is None:
        said = _labels(predictions, predictions.y_pred)
        return np.asarray(said == truth, dtype=np.float64)
    each = np.arange(len(predictions))
    return np.asarray(predictions.probability[each, predictions.y_true], dtype=np.float64)


def _disagreement(
    common: Common,
    row: int,
    right: NDArray[np.bool_],
    other_right: NDArray[np.bool_],
    texts: Mapping[str, str],
) -> Disagreement:
    pair = common.first, common.second
    name = str(common.first.ids[row])

    def plain(own: Predictions, value: Any) -> str | float:
        return own.classes[int(value)] if own.classes else float(value)

    kind: Kind
    if common.first.classes:
        kind = "both wrong"
        if right[row] or other_right[row]:
            kind = "only A right" if right[row] else "only B right"
    else:
        kind = "alike"
        if not (right[row] and other_right[row]):
            kind = "A nearer" if right[row] else "B nearer"
    probability = decision = None
    if all(own.probability is not None for own in pair):
        one, other = (float(own.probability[row, own.y_pred[row]]) for own in pair)  # type: ignore[index]  # all have them
        probability = one, other
    if all(own.is_binary and own.decision.ndim == 1 for own in pair) and (
        pair[0].positive == pair[1].positive
    ):
        decision = float(pair[0].decision[row]), float(pair[1].decision[row])
    return Disagreement(
        id=name,
        truth=plain(pair[0], pair[0].y_true[row]),
        predicted=(plain(pair[0], pair[0].y_pred[row]), plain(pair[1], pair[1].y_pred[row])),
        probability=probability,
        decision=decision,
        kind=kind,
        text=texts.get(name, ""),
    )
