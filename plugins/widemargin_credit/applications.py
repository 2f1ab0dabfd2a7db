"""What tables of applications share: features, protected columns, and what may change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from widemargin import DataError, Dataset, DatasetCard, DatasetLoader, Items
from widemargin.data import MISSING, check_columns, iter_table, parse_numbers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BAD", "GOOD", "Applications", "MayChange", "cell_label", "plain_cells"]

GOOD, BAD = "good", "bad"
"""The classes, whatever a table's own words are: paid back, and not."""

MayChange = Literal["any", "lower", "higher"] | tuple[str, ...]
"""How an applicant may change a column: to any other value, only down or up, or to one of these."""

_SHARE_OF_NUMBERS = 0.99


class Applications(DatasetLoader):
    """What both loaders share: which columns are protected, which may change, and the points."""

    never_change: ClassVar[tuple[str, ...]] = ()

    protected: tuple[str, ...] = Field(
        (), description="columns of protected attributes, for the table of fairness"
    )
    protected_as_features: bool = Field(
        False, description="whether the model may learn from the protected columns"
    )
    protected_cuts: dict[str, tuple[float, ...]] = Field(
        {}, description="where groups of a protected number begin; by default quarters"
    )
    may_change: dict[str, MayChange] = Field(
        {},
        description="columns that an applicant can change, each with any, lower, higher, or a list "
        "of the values that it may become; what would turn a refusal is looked for among them",
    )
    base_score: float = Field(600.0, description="points where good is base_odds times as likely")
    base_odds: Annotated[float, Field(gt=0)] = Field(50.0, description="odds of good at base_score")
    pdo: Annotated[float, Field(gt=0)] = Field(20.0, description="points that double the odds")

    @model_validator(mode="after")
    def _check_changes(self) -> Applications:
        for name in (*self.never_change, *self.protected):
            if name in self.may_change:
                raise ValueError(
                    f"may_change: {name!r} is nothing that an applicant could be told to change; "
                    "leave it out there"
                )
        return self

    def _others(self) -> tuple[str, ...]:
        """Columns of a file that are no features."""
        raise NotImplementedError

    def _prepare(self, table: pd.DataFrame) -> pd.DataFrame:
        return table

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read applications of a table; the columns that are no features may be absent."""
        for raw in iter_table(source):
            table = self._prepare(plain_cells(raw))
            names = [name for name in table.columns if name not in self._left_out()]
            yield Items(
                X=table[names].reset_index(drop=True),
                kinds=dict.fromkeys(names, "table"),
                ids=self._ids(table, [f"{source.name}:{line}" for line in raw.index]),
            )

    def _left_out(self) -> tuple[str, ...]:
        return (*self._others(), *(() if self.protected_as_features else self.protected))

    def _ids(self, table: pd.DataFrame, lines: Sequence[str]) -> list[str]:
        return list(lines)

    def _dataset(
        self,
        table: pd.DataFrame,
        bad: Sequence[bool],
        ids: Sequence[str],
        card: DatasetCard,
        notes: Sequence[str] = (),
    ) -> Dataset:
        """Part the columns into features and what is only known beside them."""
        import numpy as np

        where = card.source or card.title
        check_columns(Path(where), [*self.protected, *self.may_change], list(table.columns))
        typed, found = _typed(table.drop(columns=[n for n in self._left_out() if n in table]))
        names = [str(name) for name in typed]
        if not names:
            raise DataError(f"{where}: no column is left to learn from. {' '.join(found)}")
        absent = [name for name in self.may_change if name not in names]
        if absent:
            raise DataError(
                f"{where}: data.may_change names {absent[0]!r}, which is no feature of the model. "
                f"Features are {', '.join(names)}."
            )
        if self.protected and not self.protected_as_features:
            notes = (
                *notes,
                f"Protected, and out of the features: {', '.join(self.protected)}.",
            )
        dataset = Dataset(
            X=typed.reset_index(drop=True),
            kinds=dict.fromkeys(names, "table"),
            y=np.where(np.asarray(bad, dtype=bool), BAD, GOOD),
            ids=np.array(ids, dtype=np.str_),
            aside=_protected(table, self.protected).reset_index(drop=True),
            card=_with_notes(card, (*notes, *found)),
        )
        dataset.check_learnable()
        return dataset


def plain_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Strip texts and mark what is missing; each cell by itself."""
    import numpy as np
    import pandas as pd

    def plain(value: Any) -> Any:
        if isinstance(value, str):
            text = value.strip()
            return np.nan if text in MISSING else text
        if isinstance(value, bool | np.bool_):
            return "yes" if value else "no"
        return value

    columns = {
        str(name): (
            table[name]
            if table[name].dtype.kind in "iuf"
            else pd.Series([plain(v) for v in table[name]], index=table.index, dtype=object)
        )
        for name in table.columns
    }
    return pd.DataFrame(columns, index=table.index)


def cell_label(value: Any) -> str:
    """Write a cell as a label: 1.0 and "1" are the same, a missing one is empty."""
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _typed(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Make columns numbers (float64) or categories (object), and leave out those that say nothing.

    A column is one of numbers where at least 99% of its values are.
    """
    import pandas as pd

    found: dict[str, Any] = {}
    left_out: list[str] = []
    for name in table.columns:
        values = table[name]
        present = values.notna()
        numbers = pd.Series(parse_numbers(values), index=values.index)
        if present.any() and numbers.notna().sum() >= _SHARE_OF_NUMBERS * present.sum():
            values = numbers
        distinct = values.nunique()
        if distinct < 2:
            left_out.append(f"{name} ({'the same everywhere' if distinct else 'no value'})")
        elif values.dtype.kind != "f" and distinct == present.sum() > 20:
            left_out.append(f"{name} (all values differ)")
        else:
            found[name] = values
    numeric = [name for name, values in found.items() if values.dtype.kind == "f"]
    notes = [
        f"{kind} columns ({len(names)}): {', '.join(names)}."
        for kind, names in (
            ("Numeric", numeric),
            ("Categorical", [name for name in found if name not in numeric]),
        )
        if names
    ]
    if left_out:
        notes.append(f"Columns left out: {', '.join(left_out)}.")
    return pd.DataFrame(found, index=table.index), tuple(notes)


def _protected(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the protected columns, numbers as numbers."""
    import pandas as pd

    def typed(values: pd.Series[Any]) -> pd.Series[Any]:
        numbers = pd.Series(parse_numbers(values), index=values.index)
        return numbers if numbers.notna().sum() == values.notna().sum() else values

    own: Mapping[str, Any] = {name: typed(table[name]) for name in names}
    return pd.DataFrame(own, index=table.index)


def _with_notes(card: DatasetCard, notes: Sequence[str]) -> DatasetCard:
    from dataclasses import replace

    return replace(card, notes=tuple(notes))
