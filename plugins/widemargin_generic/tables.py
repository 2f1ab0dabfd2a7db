"""The loader of tables: numbers and categories in columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from widemargin import DataError, Dataset, DatasetCard, DatasetLoader, Items
from widemargin.data import (
    TableFormat,
    TaskChoice,
    agreeing,
    cell_text,
    check_columns,
    counted,
    find_columns,
    find_copies,
    find_telltales,
    hash_file,
    iter_table,
    merge_groups,
    parse_target,
    plain_cells,
    read_decimal_commas,
    read_table,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from widemargin.encoders import Columns

__all__ = ["TableFile", "table_items"]

_MAX_CLASSES = 2


class TableFile(DatasetLoader):
    """A table whose columns describe the items."""

    source: Literal["file", "csv", "tsv", "parquet", "jsonl"] = Field(
        "file", description="how the table is written; file goes by the file's ending"
    )
    path: Path = Field(description="the table")
    label: str = Field("label", description="column to predict: classes or a number")
    task: TaskChoice = Field(
        "auto",
        description="classification, regression, or auto: numbers with more than 2 distinct "
        "values mean regression",
    )
    columns: tuple[str, ...] = Field((), description="columns to use; empty uses all the others")
    ignore: tuple[str, ...] = Field((), description="columns to leave out")
    id: str = Field("", description="column that names the rows; empty numbers them")
    group: str = Field("", description="column of groups that are never split, such as a person")
    decimal_commas: tuple[str, ...] = Field(
        (), description="columns of numbers in which 1,234 is a fraction, and 1.234 a thousand"
    )

    def load(self, data_home: Path) -> Dataset:
        """Read the table."""
        import numpy as np

        form: TableFormat = "auto" if self.source == "file" else self.source
        table = read_table(self.path, form, self._wanted())
        self._check(list(table.columns))
        lines = [f"{self.path.name}:{line}" for line in table.index]
        labels = [cell_text(value) for value in table[self.label]]
        kept = np.flatnonzero([bool(label) for label in labels])
        where = f"{self.path}: column {self.label!r}"
        if not len(kept):
            raise DataError(f"{where} is empty in every row.")
        written = table[self.label].dtype.kind not in "iuf"  # else they are numbers already
        named = self.label in self.decimal_commas
        y, note = parse_target(
            [labels[i] for i in kept],
            [lines[i] for i in kept],
            where,
            self.task,
            _MAX_CLASSES,
            decimal_commas=written and named,
            remedy=(*self.decimal_commas, self.label) if written and not named else (),
        )
        notes = [note] if note else []
        if len(kept) < len(table):
            lost = len(table) - len(kept)
            rows = counted(len(table), "row")
            notes.append(f"{lost:,} of {rows} {agreeing(lost, 'were')} left out: no label.")
        table = table.reset_index(drop=True).iloc[kept]
        names = [lines[i] for i in kept]
        X, found = find_columns(
            plain_cells(
                table.drop(columns=[name for name in self._others() if name in table]),
                self.decimal_commas,
            ),
            keep=bool(self.columns),
            lines=lines,
        )
        if not X.shape[1]:
            raise DataError(f"{self.path}: no column is left to learn from. {' '.join(found)}")
        X = X.reset_index(drop=True)
        copies, told = find_copies(X, y)
        notes += [*found, *filter(None, (told, find_telltales(X, y)))]
        groups = self._groups(table, names)
        if copies is not None:
            groups = copies if groups is None else merge_groups(groups, copies)
        dataset = Dataset(
            X=X,
            kinds=dict.fromkeys(X.columns, "table"),
            y=y,
            ids=np.array(self._ids(table, names), dtype=np.str_),
            groups=groups,
            card=DatasetCard(
                title=self.path.name,
                source=str(self.path),
                licence="the user's own",
                sha256=hash_file(self.path),
                target=self.label,
                item="row",
                notes=tuple(notes),
            ),
        )
        dataset.check_learnable()
        return dataset

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read the rows of a table; the columns that are no features may be absent."""
        return table_items(source, self.columns, self._others(), self.id, self.decimal_commas)

    def checked(self, X: Columns) -> Columns:
        """Return rows with the numbers of columns of decimal commas."""
        return read_decimal_commas(X, self.decimal_commas)

    def _wanted(self) -> list[str] | None:
        if not self.columns:
            return None
        return [*self.columns, *filter(None, self._others())]

    def _others(self) -> tuple[str, ...]:
        """Columns of the file that are no features."""
        return (self.label, self.id, self.group, *self.ignore)

    def _check(self, header: list[str]) -> None:
        check_columns(self.path, [*filter(None, self._others()), *self.decimal_commas], header)
        twice = sorted({self.label, self.id, self.group} - {""} & set(self.columns))
        if twice:
            raise DataError(
                f"data.columns names {twice[0]!r}, which is the label, the id or the group; "
                "leave it out there."
            )

    def _ids(self, table: pd.DataFrame, names: list[str]) -> list[str]:
        if not self.id:
            return names
        ids = [cell_text(value) for value in table[self.id]]
        seen: dict[str, str] = {}
        for row, name in zip(ids, names, strict=True):
            if not row:
                raise DataError(f"{self.path}: column {self.id!r} is empty at {name}.")
            if row in seen:
                raise DataError(
                    f"{self.path}: column {self.id!r} names {row!r} twice, at {seen[row]} and "
                    f"{name}; each row needs an id of its own. If rows belong together, say "
                    f"--set data.group={self.id}."
                )
            seen[row] = name
        return ids

    def _groups(self, table: pd.DataFrame, names: list[str]) -> NDArray[Any] | None:
        import numpy as np

        if not self.group:
            return None
        # A row without a group is one by itself; file:line is no value of the column.
        groups = [cell_text(value) for value in table[self.group]]
        return np.array([group or name for group, name in zip(groups, names, strict=True)])


def table_items(
    source: Path,
    columns: tuple[str, ...] = (),
    leave_out: tuple[str, ...] = (),
    row_id: str = "",
    decimal_commas: tuple[str, ...] = (),
) -> Iterator[Items]:
    """Read the rows of a table as items, in batches.

    Raises
    ------
    DataError
        Where the file cannot be read or one of `columns` is absent.
    """
    for table in iter_table(source):
        if columns:
            check_columns(source, columns, list(table.columns))
        lines = [f"{source.name}:{line}" for line in table.index]
        ids = lines
        if row_id in table:
            ids = [cell_text(v) or line for v, line in zip(table[row_id], lines, strict=True)]
        names = [
            str(n) for n in table.columns if n not in leave_out and (not columns or n in columns)
        ]
        X: Any = plain_cells(table[names], decimal_commas)  # Columns, to all intents
        X = X.reset_index(drop=True)
        yield Items(X=X, kinds=dict.fromkeys(names, "table"), ids=ids)
