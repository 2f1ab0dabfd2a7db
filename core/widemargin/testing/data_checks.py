"""Checks of the data that a use case loads."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import UseCase
from widemargin.data import merge_groups, near_duplicates
from widemargin.data.splits import make_splits
from widemargin.encoders.items import texts_of
from widemargin.errors import DataError
from widemargin.runs.model import encode
from widemargin.runs.training import fit_transform
from widemargin.testing.blame import DoesNotApply
from widemargin.testing.fixture import Fixture, broken, expecting, load_fixture

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from widemargin.registry import Registry

__all__ = [
    "check_groups_do_not_cross",
    "check_lengths",
    "check_loads_offline",
    "check_target_is_no_column",
]

_FOLDS = 3
# A check must not cry wolf in one fixture of a million.
_CHANCE = 1e-6


def check_loads_offline(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that the fixture loads without network and with an empty data home.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where it does not.
    """
    load_fixture(use_case, registry)


def check_lengths(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that there is one label, one id and one row of features for each item.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where a number differs, a column has no kind, or the labels fit another task.
    """
    fixture = load_fixture(use_case, registry)
    whole = fixture.loaded.whole
    if use_case.task not in ("auto", whole.task):
        raise broken(
            use_case,
            f"It declares {use_case.task}, so its labels must fit that.",
            f"labels of type {whole.y.dtype}, which mean {whole.task}.",
            "return class names as strings for classification and float64 for regression.",
            *fixture.reader,
        )
    if whole.y.dtype.kind not in "Uf":
        raise broken(
            use_case,
            "Labels must be strings or float64.",
            f"labels of type {whole.y.dtype}.",
            "name the classes as strings, as in np.array(['ham', 'spam'])[codes].",
            *fixture.reader,
        )
    unnamed = [str(column) for column in whole.X.columns if column not in whole.kinds]
    if unnamed:
        raise broken(
            use_case,
            "Each column of X must have a kind.",
            f"none for {', '.join(unnamed)}.",
            "name it in `kinds`, or leave the column out of X.",
            *fixture.reader,
        )
    dataset = fixture.dataset
    rule = "Features must have one row for each item."
    remedy = "leave unusable items out in `load`, never in the features."
    promise = "the features give a row of numbers for each item"
    with expecting(use_case, rule, remedy, promise, fixture.maker):
        features = fixture.config.features.build(dataset.kinds)
        fit_transform(features, dataset.X, dataset.y)
        encode(features, dataset.X)


def check_target_is_no_column(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that no column that features are made of repeats the target, or recodes it.

    A column recodes classes where each of its values goes with one class and each class with one of
    its values, two rows or more of each, in so many rows that a column without any bearing on the
    target would do so in fewer than one fixture of a million: of two equally common classes, 24
    rows where there is one column and 28 where there are ten.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where one does: a model would be measured that is told the answer.
    """
    fixture = load_fixture(use_case, registry)
    whole = fixture.loaded.whole
    for column in whole.kinds:
        if _alike(whole.X[column], whole.y):
            raise broken(
                use_case,
                "No column that features are made of may repeat the target.",
                f"column {column!r} holds the target, {whole.card.target}, itself.",
                "leave it out of X and `kinds`; new items do not have it.",
                *fixture.reader,
            )
        if whole.task == "classification" and _recodes(whole.X[column], whole.y, len(whole.kinds)):
            raise broken(
                use_case,
                "No column that features are made of may be the target in other words.",
                f"column {column!r} has one value for each class of {whole.card.target} and no "
                f"other, in all {len(whole)} rows.",
                "leave it out of X and `kinds`; or, where it is known before the target is, give "
                "the fixture a row in which the two differ.",
                *fixture.reader,
            )


def _recodes(column: pd.Series[Any], target: NDArray[Any], n_columns: int) -> bool:
    """Say whether values and classes go together one to one, and not by chance.

    Of all ways in which the values can be dealt out to n rows, n_1 of the first, n_2 of the second
    and so on, there are n! / (n_1! n_2! ...), and those that fit the classes are as many as there
    are orders of the classes of equal size.
    """
    pairs = Counter(zip(map(str, column), map(str, target), strict=True))
    counts = sorted(pairs.values())
    values, classes = (len({pair[of] for pair in pairs}) for of in (0, 1))
    if not 2 <= values == classes == len(pairs) or counts[0] < 2:
        return False
    ways = math.lgamma(sum(counts) + 1) - sum(math.lgamma(count + 1) for count in counts)
    fitting = sum(math.lgamma(times + 1) for times in Counter(counts).values())
    return math.log(n_columns) + fitting - ways < math.log(_CHANCE)


def _alike(column: pd.Series[Any], target: NDArray[Any]) -> bool:
    """Say whether a column holds the target, as text or as numbers however they are written."""
    import pandas as pd

    if [str(value) for value in column] == [str(value) for value in target]:
        return True
    both = (pd.Series(list(values), dtype=object) for values in (column, target))
    one, other = (pd.to_numeric(values, errors="coerce").astype(float) for values in both)
    # Of a target kept in float32, seven digits are the same.
    return bool(np.allclose(one, other, rtol=1e-6, atol=0.0))


def check_groups_do_not_cross(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that no group, declared or of near-duplicate texts, is on both sides of a split.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where one is, or the fixture cannot be split.
    DoesNotApply
        Where there are none.
    """
    fixture = load_fixture(use_case, registry)
    dataset = fixture.dataset
    try:
        splits = make_splits(
            dataset.y,
            use_case.split,
            n_splits=_FOLDS,
            groups=dataset.groups,
            times=dataset.times,
            label_times=dataset.label_times,
            random_state=0,
        )
    except DataError as error:
        raise broken(
            use_case,
            "The fixture must be divisible into training and test parts.",
            str(error),
            "give the fixture at least two items, and two groups, of each class.",
            *fixture.reader,
        ) from error
    groups = _groups(fixture)
    for split in splits:
        shared = sorted(set(groups[split.train]) & set(groups[split.test]))
        if shared:
            rows = [str(dataset.ids[row]) for row in (groups == shared[0]).nonzero()[0]]
            raise broken(
                use_case,
                "Items of one group, and texts that nearly repeat each other, must stay together.",
                f"{' and '.join(rows[:2])} are on both sides of a split.",
                "leave SplitRule(near_duplicates=True), and give each item that belongs to "
                "another the same group.",
                *fixture.reader,
            )
    if dataset.groups is None and "text" not in dataset.kinds.values():
        raise DoesNotApply("the fixture has neither groups nor texts that may repeat each other.")


def _groups(fixture: Fixture) -> NDArray[np.intp]:
    """Merge the declared groups with those of near-duplicate texts; by itself a row is one."""
    dataset = fixture.dataset
    groupings: list[list[Hashable]] = [list(range(len(dataset)))]
    if dataset.groups is not None:
        # As text, so that rows whose group is missing count as one group.
        groupings.append([str(group) for group in dataset.groups])
    texts = [column for column, kind in dataset.kinds.items() if kind == "text"]
    if texts:
        columns = {column: dataset.X[column] for column in texts}
        groupings.append(near_duplicates(texts_of(columns)).tolist())
    return merge_groups(*groupings)
