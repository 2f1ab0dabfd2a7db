"""The plan of a run: which rows train, and which are held out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from widemargin.contracts import Dataset, Split, SplitRule
from widemargin.data.splits import check_split, make_splits
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.config import RunConfig

__all__ = ["Plan", "inner_splits", "make_plan"]

PlanKind = Literal["folds", "published", "leave-one-out", "walk-forward"]

_MOST = 1000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Outer parts, and what the saved model learns from.

    Parameters
    ----------
    outer : tuple of (int, int, Split)
        Repeat, fold, and rows.
    final : ndarray of shape (n_final,), optional
        Rows that the saved model learns from; None for all.
    kind : {"folds", "published", "leave-one-out", "walk-forward"}
        Where the outer parts come from. Of a published split, the saved model is the one that was
        measured.
    """

    outer: tuple[tuple[int, int, Split], ...]
    final: NDArray[np.intp] | None = None
    kind: PlanKind = "folds"

    @property
    def published(self) -> bool:
        """Whether the one outer part is the split that was published with the data."""
        return self.kind == "published"

    @property
    def longest(self) -> int | None:
        """The most rows that any model learns from; None for all."""
        return None if self.final is None else max(len(self.final), *self._sizes)

    @property
    def _sizes(self) -> list[int]:
        return [0, *(len(split.train) for _, _, split in self.outer)]


def make_plan(config: RunConfig, rule: SplitRule, dataset: Dataset) -> Plan:
    """Divide the rows as the config and the use case say.

    A published split is one outer part: its test rows are held out, and all others train. Else
    each item, or each group, is held out once, or later items are, walking forward; or there are
    outer folds, repeat by repeat. With
    ``evaluation.shots`` each training part is cut to so many rows of each class, drawn anew, and
    the saved model learns from as many.

    Raises
    ------
    DataError
        Where a class has too few rows, a published split has an empty part, or a setting does not
        go with the split.
    """
    evaluation = config.evaluation
    if evaluation.shots is not None and dataset.task == "regression":
        raise DataError("evaluation.shots counts items of a class, and the target is a number.")
    plan = _whole_plan(config, rule, dataset)
    if plan.kind != "folds" and evaluation.repeats > 1:
        raise DataError(
            f"evaluation.repeats is {evaluation.repeats}, and a {plan.kind} split has no other "
            "folds to draw. Leave it out"
            + (", or set evaluation.split to folds." if plan.published else ".")
        )
    if evaluation.shots is None:
        return plan
    rng = np.random.default_rng(config.seed)
    everything = np.arange(len(dataset)) if plan.final is None else plan.final
    cut = [
        (repeat, fold, Split(_draw(dataset, split.train, evaluation.shots, rng), split.test))
        for repeat, fold, split in plan.outer
    ]
    final = cut[0][2].train if plan.published else _draw(dataset, everything, evaluation.shots, rng)
    if all(
        len(own.train) == len(split.train)
        for (*_, own), (*_, split) in zip(cut, plan.outer, strict=True)
    ):
        raise DataError(
            f"evaluation.shots is {evaluation.shots}, and no class has more items to learn from "
            "in any outer part, so that all would be taken. Lower it, or leave it out."
        )
    return Plan(outer=tuple(cut), final=final, kind=plan.kind)


def _whole_plan(config: RunConfig, rule: SplitRule, dataset: Dataset) -> Plan:
    """Divide the rows, however many there are to learn from."""
    if dataset.parts is not None:
        return _published(dataset)
    if rule.kind == "walk-forward" and config.evaluation.split != "auto":
        raise DataError(
            f"evaluation.split: {config.evaluation.split} would learn from what came later; leave "
            "it out."
        )
    if config.evaluation.split == "leave-one-out":
        held_out = tuple((0, fold, split) for fold, split in enumerate(_each(dataset)))
        return Plan(outer=held_out, kind="leave-one-out")
    kind: PlanKind = "walk-forward" if rule.kind == "walk-forward" else "folds"
    return Plan(outer=tuple(_folds(config, rule, dataset)), kind=kind)


def inner_splits(
    config: RunConfig, rule: SplitRule, part: Dataset, *, one_part: bool
) -> list[Split]:
    """Divide training rows again, to choose C and gamma.

    Rows of a published validation part are the one held-out part where they can judge. With
    `one_part`, as where features train a network, one held-out part takes the place of the folds:
    each would train another network.

    Raises
    ------
    DataError
        Where a class has too few rows.
    """
    validation = np.zeros(len(part), bool) if part.parts is None else part.parts == "validation"
    # One class alone cannot judge.
    telling = part.task == "regression" or len(set(map(str, part.y[validation]))) > 1
    if validation.any() and not validation.all() and telling:
        split = Split(np.flatnonzero(~validation), np.flatnonzero(validation))
        check_split(split, part.y)
        return [split]
    splits = make_splits(
        part.y,
        rule,
        n_splits=config.evaluation.inner,
        groups=part.groups,
        times=part.times,
        label_times=part.label_times,
        embargo=config.evaluation.embargo,
        random_state=config.seed,
    )
    # Of those that walk forward, the last learns from the most.
    last = rule.kind == "walk-forward"
    return (splits[-1:] if last else splits[:1]) if one_part else splits


def _published(dataset: Dataset) -> Plan:
    assert dataset.parts is not None
    test = np.flatnonzero(dataset.parts == "test")
    train = np.flatnonzero(dataset.parts != "test")
    for name, rows in (("train", train), ("test", test)):
        if not len(rows):
            raise DataError(
                f"{dataset.card.title}: the published split has no row of the part {name!r}. "
                "Set evaluation.split to folds."
            )
    split = Split(train, test)
    # What of a group lies on both sides was published so; `load_dataset` counts it.
    check_split(split, dataset.y)
    return Plan(outer=((0, 0, split),), final=train, kind="published")


def _each(dataset: Dataset) -> Iterator[Split]:
    """Hold out each item, or each group, once."""
    units = np.arange(len(dataset)) if dataset.groups is None else dataset.groups
    places = np.unique(units, return_inverse=True)[1].reshape(-1)
    n_units = int(places.max()) + 1
    if n_units > _MOST:
        raise DataError(
            f"evaluation.split: leave-one-out would train {n_units:,} models, and {_MOST:,} are "
            "the most. Set it to folds."
        )
    for unit in range(n_units):
        split = Split(np.flatnonzero(places != unit), np.flatnonzero(places == unit))
        check_split(split, dataset.y, dataset.groups)
        yield split


def _folds(
    config: RunConfig, rule: SplitRule, dataset: Dataset
) -> Iterator[tuple[int, int, Split]]:
    evaluation = config.evaluation
    for repeat in range(evaluation.repeats):
        splits = make_splits(
            dataset.y,
            rule,
            n_splits=evaluation.outer,
            groups=dataset.groups,
            times=dataset.times,
            label_times=dataset.label_times,
            embargo=evaluation.embargo,
            # What is left of a class for training is divided again by the inner folds.
            at_least=4 if evaluation.outer == 2 else 3,
            random_state=config.seed + repeat,
        )
        yield from ((repeat, fold, split) for fold, split in enumerate(splits))


def _draw(
    dataset: Dataset, rows: NDArray[np.intp], shots: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw so many rows of each class, or all of a class that has fewer.

    A published validation part stays whole: it is not learned from.
    """
    y = dataset.y
    left = np.zeros(0, np.intp)
    if dataset.parts is not None:
        validation = dataset.parts[rows] == "validation"
        left, rows = rows[validation], rows[~validation]
    drawn = [rng.permutation(rows[y[rows] == name])[:shots] for name in np.unique(y[rows])]
    return np.sort(np.concatenate([left, *drawn])).astype(np.intp)
