"""Files of prices: one table of all shares, or a folder with a table for each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from widemargin import DataError
from widemargin.data import TableFormat, read_table
from widemargin_trading.price_columns import find_columns, read_symbols
from widemargin_trading.prices import Prices, parse_prices, without_days

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_prices"]

_TABLE = re.compile(r"(?P<stem>[^.].*?)\.(?:csv|tsv|txt|jsonl|ndjson|parquet)(?:\.gz)?", re.I)


def read_prices(
    source: Path,
    form: TableFormat = "auto",
    *,
    symbols: Sequence[str] = (),
    max_gap: int = 14,
    columns: Mapping[str, str] | None = None,
    some: bool = False,
) -> list[Prices]:
    """Read a table of daily prices, or a folder of them.

    Parameters
    ----------
    source : Path
        A file, or a folder whose files are named by the share that they are about, as AAPL.csv,
        unless a column tells it.
    form : {"auto", "csv", "tsv", "parquet", "jsonl"}
        How the tables are written.
    symbols : sequence of str, optional
        The shares to take, in this order; by default all.
    max_gap, columns
        As for `parse_prices`.
    some : bool, default=False
        Whether some of `symbols` may be absent, and come without days then.

    Raises
    ------
    DataError
        As `parse_prices`; and where a share is absent, stands in two files, or a folder has no
        table.
    """
    read: list[tuple[pd.DataFrame, str, str, list[str]]] = []
    files: dict[str, str] = {}
    for file, name in _files(source):
        table, where = read_table(file, _form(file, form)), str(file)
        found = find_columns(table, where, columns or {})
        own = list(dict.fromkeys(read_symbols(table, found, name, where).tolist()))
        for symbol in own:
            if symbol in files:
                raise DataError(
                    f"{where}: {symbol} stands in {files[symbol]} too. Leave one of them out."
                )
            files[symbol] = where
        read.append((table, where, name, own))
    absent = [symbol for symbol in symbols if symbol not in files]
    if absent and not (some and len(absent) < len(symbols)):
        shown = ", ".join(filter(None, list(files)[:20])) or "a single series without names"
        raise DataError(f"{source}: has no share {absent[0]!r}; it has {shown}.")
    series: dict[str, Prices] = {}
    for table, where, name, own in read:
        if wanted := [symbol for symbol in symbols or own if symbol in own]:
            parsed = parse_prices(
                table, where, symbols=wanted, max_gap=max_gap, name=name, columns=columns
            )
            series |= {one.symbol: one for one in parsed}
    return [
        series[symbol] if symbol in series else without_days(symbol) for symbol in symbols or files
    ]


def _files(source: Path) -> list[tuple[Path, str]]:
    """List the tables, and the share that each is about where only its name tells."""
    if not source.is_dir():
        return [(source, "")]
    found = [
        (file, matched["stem"])
        for file in sorted(source.iterdir())
        if file.is_file() and (matched := _TABLE.fullmatch(file.name))
    ]
    if not found:
        raise DataError(
            f"{source}: the folder has no table; give files such as AAPL.csv (also tsv, txt, jsonl "
            "or parquet), one a share."
        )
    return found


def _form(file: Path, form: TableFormat) -> TableFormat:
    # Exchanges and vendors write commas into .txt, too; for csv the delimiter is found out.
    return "csv" if form == "auto" and ".txt" in file.suffixes[-2:] else form
