"""Tables: CSV, TSV, JSONL and Parquet of any length, in batches of rows."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from widemargin.data.readers.encodings import check_file, open_text
from widemargin.errors import DataError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Batch",
    "TableFormat",
    "check_columns",
    "iter_batches",
    "iter_table",
    "read_table",
    "table_format",
]

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
_DELIMITERS = ",;\t|"
_SNIFFED_LINES = 50
_LONGEST_CELL = 1 << 24  # a mail with everything in it fits; an unclosed quote ends somewhere


@dataclass(frozen=True)
class Batch:
    """Some rows of a table.

    Parameters
    ----------
    lines : list of int
        The line on which each row begins, from 1; the row's number for Parquet.
    columns : dict of str to list
        Equally long columns by name.
    """

    lines: list[int]
    columns: dict[str, list[Any]]


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
        batches = _parquet(path, columns, rows)
    elif form == "jsonl":
        batches = _jsonl(path, columns, rows)
    else:
        batches = _delimited(path, columns, rows, "\t" if form == "tsv" else "")
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


def _delimited(
    path: Path, columns: Sequence[str] | None, rows: int, delimiter: str
) -> Iterator[Batch]:
    with open_text(path, newline="") as text:
        records = _records(path, text, delimiter)
        header = [name.strip() for name in next(records, (0, []))[1]]
        if not any(header):
            raise DataError(f"{path}: is empty; a header and rows are needed.")
        header = [name or f"column {i}" for i, name in enumerate(header, 1)]
        _check_header(path, header)
        wanted = _choose(path, columns, header)
        while batch := list(islice(records, rows)):
            for line, cells in batch:
                if len(cells) != len(header):
                    raise DataError(
                        f"{path}:{line}: the row has {len(cells)} cells and the header has "
                        f"{len(header)}. A cell that holds the delimiter or a line break must "
                        "stand in double quotes."
                    )
            places = {name: header.index(name) for name in wanted}
            yield Batch(
                [line for line, _ in batch],
                {name: [cells[i] for _, cells in batch] for name, i in places.items()},
            )


def _records(path: Path, text: Any, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line that it begins on."""
    head = list(islice(text, _SNIFFED_LINES))
    delimiter = delimiter or _sniff(head)

    def lines() -> Iterator[str]:
        yield from head
        yield from text

    # The limit is the csv module's only global; it is raised, never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    width = 0
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"{path}:{line}: a double quote is not closed, or one inside a quoted cell is not "
                f"doubled ({error})."
            ) from None
        width = width or len(cells)
        if cells:
            yield line, cells
        elif width == 1:
            yield line, [""]  # in a table of one column an empty line is an empty cell


def _sniff(head: list[str]) -> str:
    """Choose the delimiter under which most rows are as wide as a wide header."""

    def fit(delimiter: str) -> tuple[float, int]:
        try:
            records = [cells for cells in csv.reader(head, delimiter=delimiter) if cells]
        except csv.Error:  # reading says what is wrong, and where
            return 0.0, 0
        width = len(records[0]) if records else 0
        if width < 2:
            return 0.0, 0
        return sum(len(cells) == width for cells in records) / len(records), width

    return max(_DELIMITERS, key=fit)


def _jsonl(path: Path, columns: Sequence[str] | None, rows: int) -> Iterator[Batch]:
    known: dict[str, None] = {}  # in the order of appearance; a later batch may add some
    with open_text(path) as text:
        objects = _objects(path, text)
        while batch := list(islice(objects, rows)):
            for _, value in batch:
                known.update(dict.fromkeys(value))
            wanted = _choose(path, columns, list(known))
            yield Batch(
                [line for line, _ in batch],
                {name: [_plain(value.get(name)) for _, value in batch] for name in wanted},
            )


def _objects(path: Path, text: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text, 1):
        if line.isspace():
            continue
        try:
            # Half of a surrogate pair is legal JSON and no text; it becomes a question mark.
            value = json.loads(line, object_pairs_hook=_whole_texts)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(f"{path}:{number}: the line is no JSON ({error}).") from None
        if not isinstance(value, dict):
            raise DataError(
                f"{path}:{number}: the line is a JSON {type(value).__name__}; each line must be "
                'an object such as {"text": "...", "label": "..."}.'
            )
        yield number, value


def _whole_texts(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    def whole(value: Any) -> Any:
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value

    return {whole(name): whole(value) for name, value in pairs}


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _parquet(path: Path, columns: Sequence[str] | None, rows: int) -> Iterator[Batch]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            header = [n for n in file.schema_arrow.names if not n.startswith("__index_level_")]
            _check_header(path, header)
            wanted = _choose(path, columns, header)
            first = 1
            for part in file.iter_batches(batch_size=rows, columns=wanted):
                by_name = {name: part.column(name).to_pylist() for name in wanted}
                yield Batch(list(range(first, first + part.num_rows)), by_name)
                first += part.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: is no Parquet file that can be read ({error}).") from None


def _check_header(path: Path, header: list[str]) -> None:
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        names = ", ".join(map(repr, repeated))
        raise DataError(f"{path}: the header names {names} more than once; rename one.")


def check_columns(path: Path, wanted: Sequence[str], header: Sequence[str]) -> None:
    """Raise where a table lacks a column.

    Parameters
    ----------
    path : Path
        The table, for the message.
    wanted : sequence of str
        Columns that must be there.
    header : sequence of str
        Columns that are there.

    Raises
    ------
    DataError
        With the column, the nearest that exists, and all of them.

    Examples
    --------
    >>> check_columns(Path("a.csv"), ["text"], ["text", "label"])
    """
    for name in wanted:
        if name not in header:
            shown = ", ".join(header[:30]) + (", ..." if len(header) > 30 else "")
            raise DataError(
                f"{path}: there is no column {name!r}.{nearest(name, header)} "
                f"The columns are {shown}."
            )


def _choose(path: Path, wanted: Sequence[str] | None, header: list[str]) -> list[str]:
    if wanted is None:
        return header
    check_columns(path, wanted, header)
    return list(dict.fromkeys(wanted))


def _is_mixed(values: list[Any]) -> bool:
    """Whether pandas would change values, as it does with integers beside None."""
    return len({type(value) for value in values}) > 1
