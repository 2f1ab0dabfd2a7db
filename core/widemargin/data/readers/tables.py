"""Tables: CSV, TSV, JSONL and Parquet of any length, in batches of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from widemargin.data.readers.batches import Batch
from widemargin.data.readers.delimited import read_delimited
from widemargin.data.readers.encodings import check_file
from widemargin.data.readers.json_lines import read_json_lines
from widemargin.data.readers.parquet import read_parquet
from widemargin.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableFormat", "iter_batches", "iter_table", "read_table", "table_format"]

TableFormat = Literal["auto", "csv", "tsv", "parquet", "jsonl"]
"""How a table is written; ``auto`` goes by the file's ending."""

_ENDINGS: dict[str, TableFormat] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "tsv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


def read_table(
    path: Path,
    format: TableFormat = "auto",  # noqa: A002  # the word for it, as in pandas and pyarrow
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    r"""Read a table.

    Cells of CSV and TSV stay the strings that they are; JSONL and Parquet keep their types.

    Parameters
    ----------
    path : Path
        The file. Its ending says how it is written: ``.csv`` (the delimiter is found out),
        ``.tsv`` or ``.txt`` (tabs), ``.jsonl`` or ``.ndjson``, each also with ``.gz``, or
        ``.parquet``.
    format : {"auto", "csv", "tsv", "parquet", "jsonl"}
        How it is written, where the ending does not tell.
    columns : sequence of str, optional
        The columns to read, all of them by default.

    Returns
    -------
    pandas.DataFrame of shape (n_rows, n_columns)
        Its index is the line of the file on which each row begins, from 1 (the row's number for
        Parquet).

    Raises
    ------
    DataError
        Where the file is absent, empty or malformed, or lacks a column; with file and line.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "mails.csv")
    >>> _ = path.write_text("text;label\nwin cash;spam\n", encoding="utf-8")
    >>> read_table(path)
           text label
    2  win cash  spam
    """
    import pandas as pd

    frames = list(iter_table(path, format, columns))
    return frames[0] if len(frames) == 1 else pd.concat(frames)


def iter_table(
    path: Path,
    format: TableFormat = "auto",  # noqa: A002  # as above
    columns: Sequence[str] | None = None,
    rows: int = 1000,
) -> Iterator[pd.DataFrame]:
    r"""Read a table in batches of `rows` rows, in constant memory.

    The frames and the errors are those of `read_table`.

    Parameters
    ----------
    path, format, columns
        As for `read_table`.
    rows : int, default=1000
        Rows in a batch.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "numbers.jsonl")
    >>> _ = path.write_text('{"n": 1}\n{"n": 2}\n{"n": 3}\n', encoding="utf-8")
    >>> [len(frame) for frame in iter_table(path, rows=2)]
    [2, 1]
    """
    import pandas as pd

    form = table_format(check_file(path)) if format == "auto" else format
    for batch in iter_batches(path, form, columns, rows):
        frame = pd.DataFrame(
            {
                # What JSON calls 3 is an integer in one batch and, beside a null, a float in
                # another, unless pandas is told to leave it alone.
                name: pd.Series(
                    values, dtype=object if form == "jsonl" or _is_mixed(values) else None
                )
                for name, values in batch.columns.items()
            }
        )
        frame.index = pd.Index(batch.lines)
        yield frame


def iter_batches(
    path: Path,
    form: TableFormat = "auto",
    columns: Sequence[str] | None = None,
    rows: int = 1000,
) -> Iterator[Batch]:
    """Read a table in batches of plain lists; needs no pandas. See `read_table`."""
    path = check_file(path)
    if form == "auto":
        form = table_format(path)
    if form == "parquet":
        batches = read_parquet(path, columns, rows)
    elif form == "jsonl":
        batches = read_json_lines(path, columns, rows)
    else:
        batches = read_delimited(path, columns, rows, "\t" if form == "tsv" else "")
    first = next(batches, None)
    if first is None:
        raise DataError(f"{path}: has no rows.")
    yield first
    yield from batches


def table_format(path: Path) -> TableFormat:
    """Say how a table is written, by its file's ending.

    Raises
    ------
    DataError
        Where the ending is not one of those known.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    ending = suffixes[-1] if suffixes else ""
    if ending == ".gz":
        ending = suffixes[0] if len(suffixes) == 2 and suffixes[0] != ".parquet" else ""
    if ending not in _ENDINGS:
        allowed = ", ".join(_ENDINGS)
        raise DataError(
            f"{path}: the ending does not say how the table is written; allowed are {allowed} "
            "(the text ones also with .gz). Or say it with --set data.source=csv, tsv, jsonl or "
            "parquet."
        )
    return _ENDINGS[ending]


def _is_mixed(values: list[Any]) -> bool:
    """Whether pandas would change values, as it does with integers beside None."""
    return len({type(value) for value in values}) > 1
