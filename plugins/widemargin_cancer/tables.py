"""Tables of expression: a column for each gene, or a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from widemargin import DataError, Dataset, DatasetCard
from widemargin.data import (
    TableFormat,
    check_columns,
    hash_file,
    iter_table,
    parse_numbers,
    read_table,
)
from widemargin_cancer.profiles import ExpressionLoader, Profiles, cell_text, labelled

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["GeneTable", "averaged", "genes_in_columns", "genes_in_rows"]


class GeneTable(ExpressionLoader):
    """A table of one's own, with a column or a row for each gene."""

    source: Literal["file", "csv", "tsv", "parquet", "jsonl"] = Field(
        "file", description="how the table is written; file goes by the file's ending"
    )
    path: Path = Field(description="the table")
    genes: Literal["columns", "rows"] = Field(
        "columns",
        description="columns: a row is a sample; rows: a row is a gene, the first column its name",
    )
    label: str = Field(
        "label",
        description="column of the classes; with genes in rows a row, or a column of data.labels",
    )
    group: str = Field("", description="column (or row) of patients, whose samples are never split")
    id: str = Field("", description="column that names the samples; empty numbers them")
    columns_ignored: tuple[str, ...] = Field(
        (), description="columns (or rows) that are no genes and no labels"
    )
    ignore: tuple[str, ...] = Field((), description="classes to leave out")
    labels: Path | None = Field(
        None,
        description="another table with classes and patients, a row a sample, whose first column "
        "names the samples",
    )

    @model_validator(mode="after")
    def _check_id(self) -> GeneTable:
        if self.id and self.genes == "rows":
            raise ValueError("id names a column of samples; with genes in rows the header does")
        return self

    def load(self, data_home: Path) -> Dataset:
        """Read the table, and that of labels where there is one."""
        wanted = () if self.labels else (self.label, self.group)
        profiles = _joined([*self._read(self.path, wanted)])
        where = str(self.path)
        if self.labels is not None:
            profiles = self._told(profiles, self.labels)
            where = f"{self.path} and {self.labels}"
        card = DatasetCard(
            title=self.path.name,
            source=str(self.path),
            licence="the user's own",
            sha256=hash_file(self.path),
            target=self.label,
            item="sample",
        )
        return labelled(
            profiles, card, self.label, group=self.group, ignore=self.ignore, where=where
        )

    def read_profiles(self, source: Path) -> Iterator[Profiles]:
        """Read samples of a table of the same form; labels and patients may be absent."""
        yield from self._read(source, (), form="auto")

    def _read(
        self, path: Path, wanted: Sequence[str], form: TableFormat | None = None
    ) -> Iterator[Profiles]:
        if form is None:
            form = "auto" if self.source == "file" else self.source
        others = (self.label, self.group, *self.columns_ignored)
        if self.genes == "rows":
            yield genes_in_rows(path, form, others, wanted)
        else:
            yield from genes_in_columns(path, form, self.id, others, wanted)

    def _told(self, profiles: Profiles, path: Path) -> Profiles:
        table = read_table(path)
        names = [cell_text(value) for value in table.iloc[:, 0]]
        check_columns(path, [n for n in (self.label, self.group) if n], list(table.columns))
        place = {name: row for row, name in enumerate(names)}
        if len(place) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"{path}: names the sample {twice!r} twice.")
        if not any(name in place for name in profiles.samples):
            raise DataError(
                f"{path}: none of its samples ({', '.join(names[:3])}, ...) is one of those of "
                f"{self.path} ({', '.join(profiles.samples[:3])}, ...). Its first column must name "
                "the samples as "
                + ("the header there does." if self.genes == "rows" else "data.id does there.")
            )
        told = {
            str(column): [
                cell_text(table[column].iloc[place[name]]) if name in place else ""
                for name in profiles.samples
            ]
            for column in table.columns[1:]
        }
        return Profiles(profiles.values, profiles.genes, profiles.samples, told, profiles.notes)


def genes_in_columns(
    path: Path,
    form: TableFormat = "auto",
    name: str = "",
    others: Sequence[str] = (),
    wanted: Sequence[str] = (),
) -> Iterator[Profiles]:
    """Read a table whose rows are samples, in batches.

    Parameters
    ----------
    path : Path
        The table.
    form : TableFormat
        How it is written.
    name : str
        Column that names the samples; empty numbers them by lines.
    others : sequence of str
        Columns that are no genes, where they are there.
    wanted : sequence of str
        Those of them that must be there; empty names are passed over.

    Raises
    ------
    DataError
        Where a column is absent, or a gene has a value that is no number.
    """
    seen: set[str] = set()
    for table in iter_table(path, form):
        check_columns(path, [n for n in (name, *wanted) if n], [str(n) for n in table.columns])
        lines = [f"{path.name}:{line}" for line in table.index]
        samples = lines
        if name:
            samples = [cell_text(v) or line for v, line in zip(table[name], lines, strict=True)]
        _check_distinct(path, samples, seen)
        genes = [str(n) for n in table.columns if n not in (name, *others)]
        cells = table[genes]
        values = _numbers(path, cells, genes, [f"line {line}" for line in table.index])
        told = {n: [cell_text(v) for v in table[n]] for n in others if n in table}
        yield Profiles(values, genes, samples, told)


def genes_in_rows(
    path: Path,
    form: TableFormat = "auto",
    others: Sequence[str] = (),
    wanted: Sequence[str] = (),
) -> Profiles:
    """Read a table whose first column names genes and whose others are samples.

    A gene that stands there several times has the mean of its rows. Parameters and errors are those
    of `genes_in_columns`; `others` are rows here.
    """
    table = read_table(path, form)
    samples = [str(name) for name in table.columns[1:]]
    if not samples:
        raise DataError(
            f"{path}: has one column; with genes in rows the first column names the genes and "
            "each other is a sample."
        )
    names = [cell_text(value) for value in table.iloc[:, 0]]
    for row in filter(None, wanted):
        if row not in names:
            raise DataError(
                f"{path}: no row is called {row!r}. Give data.labels, a second table with a row a "
                "sample, or name the row that holds it (data.label, data.group)."
            )
    rows = [names.index(name) for name in others if name in names]
    told = {names[row]: [cell_text(v) for v in table.iloc[row, 1:]] for row in rows}
    kept = [row for row, name in enumerate(names) if name and name not in others]
    genes = [names[row] for row in kept]
    cells = table.iloc[kept, 1:].T
    lines = [f"column {sample!r}" for sample in samples]
    values = _numbers(path, cells, genes, lines)
    unnamed = sum(not name for name in names)
    notes = (f"{unnamed} rows without a gene's name were left out.",) if unnamed else ()
    values, genes, more = averaged(values, genes)
    return Profiles(values, genes, samples, told, (*notes, *more))


def averaged(
    values: NDArray[np.float64], genes: Sequence[str]
) -> tuple[NDArray[np.float64], list[str], tuple[str, ...]]:
    """Take the mean of columns of the same gene.

    Returns
    -------
    values : ndarray of shape (n_samples, n_distinct)
        NaN where no column of a gene has a value.
    genes : list of str
        Each once, in the order of their first columns.
    notes : tuple of str
        How many were measured more than once; nothing where none was.

    Examples
    --------
    >>> import numpy as np
    >>> averaged(np.array([[1.0, 5.0, 3.0]]), ["TP53", "MYC", "TP53"])[0].tolist()
    [[2.0, 5.0]]
    """
    import numpy as np

    place = {name: column for column, name in enumerate(dict.fromkeys(genes))}
    if len(place) == len(genes):
        return values, list(genes), ()
    into = np.array([place[name] for name in genes])
    known = ~np.isnan(values)
    total, count = np.zeros((2, len(values), len(place)))
    np.add.at(total.T, into, np.where(known, values, 0.0).T)
    np.add.at(count.T, into, known.T.astype(np.float64))
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    repeated = sum(n > 1 for n in Counter(genes).values())
    are = "gene is" if repeated == 1 else "genes are"
    note = f"{repeated:,} {are} measured more than once; the mean is taken."
    return mean, list(place), (note,)


def _numbers(
    path: Path, cells: pd.DataFrame, genes: Sequence[str], lines: Sequence[str]
) -> NDArray[np.float64]:
    """Return cells as numbers of shape (n_samples, n_genes); NaN where they are missing."""
    import numpy as np
    import pandas as pd

    if not genes:
        raise DataError(f"{path}: has no gene; each needs a column, or a row with data.genes=rows.")
    if all(isinstance(d, np.dtype) and d.kind in "iuf" for d in set(cells.dtypes)):
        return cells.to_numpy(np.float64)
    texts = cells.to_numpy(object)
    flat: Any = pd.Series(texts.ravel())
    values: NDArray[np.float64] = parse_numbers(flat).reshape(texts.shape)
    for row, column in np.argwhere(np.isnan(values)):
        if said := cell_text(texts[row, column]):
            raise DataError(
                f"{path}: {genes[column]} is {said[:40]!r} at {lines[row]}, which is no number. "
                "Correct it, or, where that is no gene, take the column out of the file or, for a "
                "run, name it in data.columns_ignored, data.label, data.group or data.id. Where "
                "the file has a row for each gene, a run reads it with --set data.genes=rows; a "
                "prediction reads the form that its run has read."
            )
    return values


def _joined(parts: Sequence[Profiles]) -> Profiles:
    import numpy as np

    first = parts[0]
    if len(parts) == 1:
        return first
    told: Mapping[str, Sequence[str]] = {
        name: [text for part in parts for text in part.told[name]] for name in first.told
    }
    samples = [name for part in parts for name in part.samples]
    return Profiles(np.concatenate([p.values for p in parts]), first.genes, samples, told)


def _check_distinct(path: Path, samples: Sequence[str], seen: set[str]) -> None:
    for name in samples:
        if name in seen:
            raise DataError(
                f"{path}: names the sample {name!r} twice; each needs a name of its own. If they "
                "are of one patient, say --set data.group=COLUMN."
            )
        seen.add(name)
