"""What tables of applications share: features, protected columns, and what may change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from widemargin import DataError, Dataset, DatasetCard, DatasetLoader, Items
from widemargin.data import (
    check_columns,
    find_columns,
    find_copies,
    find_telltales,
    iter_table,
    merge_groups,
    parse_numbers,
    plain_cells,
    read_decimal_commas,
)

if TYPE_CHECKING:
    import pandas as pd

    from widemargin.encoders import Columns

__all__ = ["BAD", "GOOD", "Applications", "MayChange"]

GOOD, BAD = "good", "bad"
"""The classes, whatever a table's own words are: paid back, and not."""

MayChange = Literal["any", "lower", "higher"] | tuple[str, ...]
"""How an applicant may change a column: to any other value, only down or up, or to one of these."""


class Applications(DatasetLoader):
    """What both loaders share: which columns are protected, which may change, and the points."""

    never_change: ClassVar[tuple[str, ...]] = ()
    about_protected: ClassVar[Mapping[str, str]] = {}
    """What protected columns of a published table can and cannot tell."""

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
    decimal_commas: tuple[str, ...] = Field(
        (), description="columns of numbers in which 1,234 is a fraction, and 1.234 a thousand"
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
            table = self._prepare(plain_cells(raw, self.decimal_commas))
            names = [name for name in table.columns if name not in self._left_out()]
            yield Items(
                X=table[names].reset_index(drop=True),
                kinds=dict.fromkeys(names, "table"),
                ids=self._ids(table, [f"{source.name}:{line}" for line in raw.index]),
            )

    def checked(self, X: Columns) -> Columns:
        """Return applications with the numbers of columns of decimal commas."""
        return read_decimal_commas(X, self.decimal_commas)

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
        named: Sequence[str] = (),
        lines: Sequence[str] = (),
    ) -> Dataset:
        """Part the columns into features and what is only known beside them.

        `named` says which applications belong together, if any do; `lines` names the file's rows.
        """
        import numpy as np

        where = card.source or card.title
        check_columns(Path(where), [*self.protected, *self.may_change], list(table.columns))
        # By its rows' places in the file a column that counts them is known.
        features = table.drop(columns=[n for n in self._left_out() if n in table])
        typed, found = find_columns(features, lines=lines)
        names = [str(name) for name in typed]
        if not names:
            raise DataError(f"{where}: no column is left to learn from. {' '.join(found)}")
        absent = [name for name in self.may_change if name not in names]
        if absent:
            raise DataError(
                f"{where}: data.may_change names {absent[0]!r}, which is no feature of the model. "
                f"Features are {', '.join(names)}."
            )
        self._check_meaning(where, table, typed)
        if self.protected and not self.protected_as_features:
            notes = (
                *notes,
                f"Protected, and out of the features: {', '.join(self.protected)}.",
            )
        table, typed = table.reset_index(drop=True), typed.reset_index(drop=True)
        y = np.where(np.asarray(bad, dtype=bool), BAD, GOOD)
        aside = _protected(table, self.protected)
        # Two people who differ in a protected attribute alone are no copies of each other.
        beside = aside[[name for name in aside if name not in typed]]
        copies, told = find_copies(typed.join(beside), y, card.item)
        groups = [own for own in (np.array(named), copies) if own is not None and len(own)]
        found = (*found, *filter(None, (told, find_telltales(typed, y))))
        dataset = Dataset(
            X=typed,
            kinds=dict.fromkeys(names, "table"),
            y=y,
            groups=merge_groups(*groups) if groups else None,
            ids=np.array(ids, dtype=np.str_),
            aside=aside,
            card=_with_notes(card, (*notes, *found)),
        )
        dataset.check_learnable()
        return dataset

    def _check_meaning(self, where: str, table: pd.DataFrame, typed: pd.DataFrame) -> None:
        """Refuse settings that could mean nothing in these data."""
        import numpy as np

        for name, allowed in self.may_change.items():
            number = typed[name].dtype.kind == "f"
            if allowed in ("lower", "higher") and not number:
                raise DataError(
                    f"{where}: data.may_change says {allowed} of {name!r}, which is no number; say "
                    "any, or list the values that it may become."
                )
            if isinstance(allowed, tuple) and number:
                wrong = np.flatnonzero(np.isnan(parse_numbers(allowed, "sure")))
                if len(wrong):
                    raise DataError(
                        f"{where}: data.may_change lets {name!r}, a column of numbers, become "
                        f"{allowed[wrong[0]]!r}, which is none. List numbers, or say any, lower or "
                        "higher."
                    )
            # A published table may be cut, and its values are known.
            if isinstance(allowed, tuple) and not number and not self.assets:
                known = sorted({str(value) for value in typed[name].dropna()})
                if absent := [value for value in allowed if value not in known]:
                    raise DataError(
                        f"{where}: data.may_change lets {name!r} become {absent[0]!r}, which no "
                        f"application has; there are {', '.join(known[:10])}."
                    )
        for name in self.protected:
            if name in self._others():
                raise DataError(
                    f"{where}: data.protected names {name!r}, which is the label, the id or left "
                    "out; take it out there."
                )
        numbers = _protected(table, self.protected)
        for name in self.protected_cuts:
            if name not in self.protected or numbers[name].dtype.kind not in "iuf":
                raise DataError(
                    f"{where}: data.protected_cuts names {name!r}, which is no number that "
                    "data.protected names."
                )


def _protected(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the protected columns, numbers as numbers."""
    import pandas as pd

    def typed(values: pd.Series[Any]) -> pd.Series[Any]:
        numbers = pd.Series(parse_numbers(values, "sure"), index=values.index)
        return numbers if numbers.notna().sum() == values.notna().sum() else values

    own: Mapping[str, Any] = {name: typed(table[name]) for name in names}
    return pd.DataFrame(own, index=table.index)


def _with_notes(card: DatasetCard, notes: Sequence[str]) -> DatasetCard:
    from dataclasses import replace

    return replace(card, notes=tuple(notes))
