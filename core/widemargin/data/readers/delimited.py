"""CSV and TSV in batches of rows; the delimiter of CSV is found out."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from widemargin.data.readers.batches import Batch, check_header, choose_columns
from widemargin.data.readers.encodings import open_text
from widemargin.errors import DataError

__all__ = ["read_delimited"]

_DELIMITERS = ",;\t|"
_SNIFFED_LINES = 50
_LONGEST_CELL = 1 << 24  # a mail with everything in it fits; an unclosed quote ends somewhere


def read_delimited(
    path: Path, columns: Sequence[str] | None, rows: int, delimiter: str
) -> Iterator[Batch]:
    """Yield batches of rows; cells stay the strings that they are.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str or None
        The columns to read; None for all.
    rows : int
        Rows in a batch.
    delimiter : str
        What stands between cells; empty where it is to be found out.

    Raises
    ------
    DataError
        Where the file is empty or malformed, or lacks a column.
    """
    with open_text(path, newline="") as text:
        records = _records(path, text, delimiter)
        header = [name.strip() for name in next(records, (0, []))[1]]
        if not any(header):
            raise DataError(f"{path}: is empty; a header and rows are needed.")
        header = [name or f"column {i}" for i, name in enumerate(header, 1)]
        check_header(path, header)
        wanted = choose_columns(path, columns, header)
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
