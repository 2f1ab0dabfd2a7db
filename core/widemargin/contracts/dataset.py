"""Data sets and items: what a loader returns and what a model reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from widemargin.contracts.counting import counted
from widemargin.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["OWN", "Columns", "Dataset", "DatasetCard", "Items", "Kind", "Task", "n_rows"]

Kind = Literal["text", "image", "audio", "sequence", "expression", "table", "series"]
"""What a column holds; an encoder declares the kinds that it reads."""

OWN = "the user's own"
"""The licence of people's own files, whose question is theirs and not that of the use case."""

Task = Literal["classification", "regression"]

Part = Literal["train", "validation", "test"]
"""A part of a published split."""


class Columns(Protocol):
    """Columns by name: a data frame, or a plain mapping of equally long sequences."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the values of a column."""
        ...

    def __contains__(self, name: object, /) -> bool:
        """Whether there is such a column."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Go through the names."""
        ...

    def __len__(self) -> int:
        """Rows of a data frame, columns of a mapping: ask `n_rows`."""
        ...


def n_rows(X: Columns) -> int:
    """Count the rows of `X`.

    Examples
    --------
    >>> n_rows({"text": ["a", "b"]})
    2
    """
    return len(next(iter(X.values()))) if isinstance(X, dict) else len(X)


@dataclass(frozen=True, kw_only=True)
class DatasetCard:
    """Where a data set comes from and what its labels mean.

    Parameters
    ----------
    title : str
        The data set's name in words.
    source : str
        Where it comes from: an address, a package, or the path of the user's own file.
    licence : str
        Its licence; ``"the user's own"`` for people's own files, whose report is titled by what
        they hold and not by what the use case was made for.
    citation : str
        The paper or page to cite.
    sha256 : str
        Hash of the file that was read; empty for a folder.
    positive_class : str
        The class that binary metrics are about; empty chooses the rarer one.
    target : str
        What is predicted, in words.
    units : str
        Units of a numeric target.
    item : str
        One item in words, as in ``"message"``.
    notes : tuple of str
        What a reader should know: rows left out and why, columns found.
    """

    title: str
    source: str = ""
    licence: str = ""
    citation: str = ""
    sha256: str = ""
    positive_class: str = ""
    target: str = "label"
    units: str = ""
    item: str = "item"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Items:
    """Items without labels.

    Parameters
    ----------
    X : Columns
        Columns of equal length.
    kinds : mapping of str to Kind
        What each column holds.
    ids : sequence of str
        One name an item, shown where the item is spoken of.
    """

    X: Columns
    kinds: Mapping[str, Kind]
    ids: Sequence[str]

    def __post_init__(self) -> None:
        _check_columns(self.X, self.kinds, len(self.ids))

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Labelled items, as a loader returns them.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_samples, n_columns)
        The items; one column a kind of information.
    kinds : mapping of str to Kind
        What each column holds.
    y : ndarray of shape (n_samples,)
        Class names (strings) for classification, float64 for regression.
    ids : ndarray of shape (n_samples,)
        One distinct string an item.
    card : DatasetCard
        Source, licence, meaning of the labels.
    groups : ndarray of shape (n_samples,), optional
        Rows of one group never cross a split.
    times : ndarray of shape (n_samples,), optional
        When each row was known: what a walk-forward split goes by.
    label_times : ndarray of shape (n_samples,), optional
        When each row's label was known, not before its time; `times` by default. A row whose label
        was not known before a held-out part begins is no row to learn from.
    sample_weight : ndarray of shape (n_samples,), optional
        Weight of each row, at least 0.
    parts : ndarray of shape (n_samples,), optional
        The part of each row in the split that was published with the data: ``train``,
        ``validation`` or ``test``. Runs keep to it unless ``evaluation.split`` is ``folds``.
    aside : pandas.DataFrame of shape (n_samples, n_known), optional
        What else is known of the items, such as protected attributes: no feature is made of it,
        and a use case's own analysis may look at it.

    Raises
    ------
    DataError
        Where lengths disagree, ids repeat, a weight is negative, a label's time is before its
        row's, or parts are others than those.
    TypeError
        Where X is no data frame, another field no array, or y holds neither names nor floats.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> dataset = Dataset(
    ...     X=pd.DataFrame({"text": ["win cash", "see you"]}), kinds={"text": "text"},
    ...     y=np.array(["spam", "ham"]), ids=np.array(["1", "2"]), card=DatasetCard(title="Two"))
    >>> len(dataset), dataset.task, dataset.classes
    (2, 'classification', ('ham', 'spam'))
    """

    X: pd.DataFrame
    kinds: Mapping[str, Kind]
    y: NDArray[Any]
    ids: NDArray[np.str_]
    card: DatasetCard
    groups: NDArray[Any] | None = None
    times: NDArray[Any] | None = None
    label_times: NDArray[Any] | None = None
    sample_weight: NDArray[np.float64] | None = None
    parts: NDArray[np.str_] | None = None
    aside: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        _check_types(self)
        n = len(self.X)
        _check_columns(self.X, self.kinds, n)
        lengths = ("y", "ids", "groups", "times", "label_times", "sample_weight", "parts", "aside")
        for name in lengths:
            values = getattr(self, name)
            if values is not None and len(values) != n:
                raise DataError(
                    f"{self.card.title}: {name} has {len(values)} rows and X has {n}; each item "
                    "needs one."
                )
        if len(set(self.ids)) != n:
            raise DataError(f"{self.card.title}: ids repeat; each item needs one of its own.")
        if self.sample_weight is not None and not (self.sample_weight >= 0).all():
            raise DataError(f"{self.card.title}: sample_weight must be at least 0.")
        if self.label_times is not None:
            if self.times is None:
                raise DataError(f"{self.card.title}: label_times are given without times.")
            if not (self.label_times >= self.times).all():
                raise DataError(f"{self.card.title}: a label was known before its item was.")
        if self.parts is not None:
            unknown = sorted(set(map(str, self.parts)) - set(get_args(Part)))
            if unknown:
                allowed = ", ".join(get_args(Part))
                raise DataError(
                    f"{self.card.title}: {unknown[0]!r} is no part of a split; allowed are "
                    f"{allowed}."
                )

    def __len__(self) -> int:
        return len(self.y)

    @property
    def task(self) -> Task:
        """Classification for class names, regression for numbers."""
        return "regression" if self.y.dtype.kind == "f" else "classification"

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in sorted order; empty for regression."""
        return () if self.task == "regression" else tuple(sorted({str(name) for name in self.y}))

    @property
    def positive_class(self) -> str:
        """The class that binary metrics are about: the card's, else the rarer one."""
        if self.card.positive_class:
            return self.card.positive_class
        if len(self.classes) != 2:
            return ""
        return min(self.classes, key=lambda name: ((self.y == name).sum(), name))

    def check_learnable(self) -> None:
        """Raise where there is nothing to learn from.

        Raises
        ------
        DataError
            For fewer than two classes, a target that is not finite, or a constant one.
        """
        import numpy as np

        if self.task == "classification":
            if len(self.classes) < 2:
                only = f"only {self.classes[0]!r}" if self.classes else "no label at all"
                raise DataError(
                    f"{self.card.title}: {self.card.target} has {only} in {len(self)} rows; "
                    "two classes are needed. Add items of another class."
                )
        elif not np.isfinite(self.y).all():
            rows = np.flatnonzero(~np.isfinite(self.y))
            name, value = str(self.ids[rows[0]]), self.y[rows[0]]
            # Ids often begin with the file's name.
            where = name if name.startswith(self.card.title) else f"{self.card.title}: {name}"
            what = "empty, or no number" if np.isnan(value) else f"{value:g}, which is not finite"
            others = counted(len(rows) - 1, "other row")
            more = f" (and so in {others})" if len(rows) > 1 else ""
            raise DataError(
                f"{where}: {self.card.target} is {what}{more}. Correct it, or leave the row out."
            )
        elif np.ptp(self.y) == 0:
            raise DataError(
                f"{self.card.title}: the target is {self.y[0]:g} in every row; "
                "there is nothing to learn."
            )

    def take(self, rows: NDArray[np.intp]) -> Dataset:
        """Return the data set of these rows, in this order."""

        def part(values: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if values is None else values[rows]

        return replace(
            self,
            X=self.X.iloc[rows].reset_index(drop=True),
            y=self.y[rows],
            ids=self.ids[rows],
            groups=part(self.groups),
            times=part(self.times),
            label_times=part(self.label_times),
            sample_weight=part(self.sample_weight),
            parts=part(self.parts),
            aside=None if self.aside is None else self.aside.iloc[rows].reset_index(drop=True),
        )


def _check_types(dataset: Dataset) -> None:
    """Refuse what a loader's author mixes up and type hints would show."""
    import numpy as np

    if not hasattr(dataset.X, "iloc"):
        raise TypeError(
            f"Dataset: X is of type {type(dataset.X).__name__}; it must be a pandas.DataFrame."
        )
    arrays: dict[str, object] = {"y": dataset.y, "ids": dataset.ids, "groups": dataset.groups}
    arrays |= {"times": dataset.times, "label_times": dataset.label_times}
    arrays |= {"sample_weight": dataset.sample_weight, "parts": dataset.parts}
    for name, values in arrays.items():
        # A Series has a dtype too, and gives rows by their labels and not by their places.
        if values is not None and not isinstance(values, np.ndarray):
            how = f"{name}.to_numpy()" if hasattr(values, "to_numpy") else f"np.array({name})"
            raise TypeError(
                f"Dataset: {name} is of type {type(values).__name__}; it must be a NumPy array, as "
                f"in {how}."
            )
    if dataset.y.dtype.kind not in "UOf":
        raise TypeError(
            f"Dataset: y holds values of type {dataset.y.dtype}; name the classes, as in "
            "np.array(['ham', 'spam'])[codes], or give float64 where a number is predicted."
        )


def _check_columns(X: Columns, kinds: Mapping[str, Kind], n: int) -> None:
    for column, kind in kinds.items():
        if column not in X:
            raise DataError(f"kinds names the column {column!r}, which X does not have.")
        if kind not in get_args(Kind):
            allowed = ", ".join(get_args(Kind))
            raise DataError(f"column {column!r} is of kind {kind!r}; allowed are {allowed}.")
    if n_rows(X) != n:
        raise DataError(f"X has {n_rows(X)} rows and there are {n} ids.")
