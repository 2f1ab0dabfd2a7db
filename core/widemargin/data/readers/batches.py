"""Batches of a table's rows, and the columns that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from widemargin.errors import DataError, nearest

__all__ = ["Batch", "check_columns", "check_header", "choose_columns"]


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


def check_header(path: Path, header: list[str]) -> None:
    """Raise where a table names a column twice.

    Raises
    ------
    DataError
        With the names.
    """
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        names = ", ".join(map(repr, repeated))
        raise DataError(f"{path}: the header names {names} more than once; rename one.")


_RENAME = (
    "If one of them is meant, rename it in the file or, for a run, name it in the settings of the "
    "data, as with --set data.label=COLUMN."
)


def check_columns(
    path: Path, wanted: Sequence[str], header: Sequence[str], remedy: str = _RENAME
) -> None:
    """Raise where a table lacks a column.

    Parameters
    ----------
    path : Path
        The table, for the message.
    wanted : sequence of str
        Columns that must be there.
    header : sequence of str
        Columns that are there.
    remedy : str
        What to do, for the message; by default, both what helps a run and what helps a prediction.

    Raises
    ------
    DataError
        With the column, the nearest that exists, all of them, and the remedy.

    Examples
    --------
    >>> check_columns(Path("a.csv"), ["text"], ["text", "label"])
    """
    for name in wanted:
        if name not in header:
            shown = ", ".join(header[:30]) + (", ..." if len(header) > 30 else "")
            raise DataError(
                f"{path}: there is no column {name!r}.{nearest(name, header)} "
                f"The columns are {shown}. {remedy}"
            )


def choose_columns(path: Path, wanted: Sequence[str] | None, header: list[str]) -> list[str]:
    """Return the columns to read, each once: those that are asked for, or all.

    Raises
    ------
    DataError
        Where the table lacks one.
    """
    if wanted is None:
        return header
    check_columns(path, wanted, header)
    return list(dict.fromkeys(wanted))
