"""Readers: files of people's own into columns, texts and strings."""

from widemargin.data.readers.batches import check_columns
from widemargin.data.readers.encodings import decode, open_text
from widemargin.data.readers.numbers import (
    LARGEST,
    MISSING,
    Commas,
    how_written,
    parse_numbers,
)
from widemargin.data.readers.tables import TableFormat, iter_table, read_table
from widemargin.data.readers.texts import iter_texts, text_items

__all__ = [
    "LARGEST",
    "MISSING",
    "Commas",
    "TableFormat",
    "check_columns",
    "decode",
    "how_written",
    "iter_table",
    "iter_texts",
    "open_text",
    "parse_numbers",
    "read_table",
    "text_items",
]
