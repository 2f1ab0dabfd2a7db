"""Data: readers of people's own files, near-duplicates, fingerprints."""

from widemargin.contracts import Progress
from widemargin.contracts.counting import agreeing, counted
from widemargin.data.assets.kept import keep_file, keep_folder
from widemargin.data.columns import find_columns, plain_cells, read_decimal_commas
from widemargin.data.copies import find_copies
from widemargin.data.files import (
    PictureFolder,
    PictureLoader,
    PictureTable,
    RecordingFolder,
    RecordingLoader,
    RecordingTable,
)
from widemargin.data.fingerprint import fingerprint, hash_file
from widemargin.data.near_duplicates import merge_groups, near_duplicate_key, near_duplicates
from widemargin.data.readers import (
    LARGEST,
    MISSING,
    TableFormat,
    check_columns,
    decode,
    how_written,
    iter_table,
    iter_texts,
    open_text,
    parse_numbers,
    read_table,
    text_items,
)
from widemargin.data.target import TaskChoice, cell_text, parse_target
from widemargin.data.telltales import find_telltales

__all__ = [
    "LARGEST",
    "MISSING",
    "PictureFolder",
    "PictureLoader",
    "PictureTable",
    "Progress",
    "RecordingFolder",
    "RecordingLoader",
    "RecordingTable",
    "TableFormat",
    "TaskChoice",
    "agreeing",
    "cell_text",
    "check_columns",
    "counted",
    "decode",
    "find_columns",
    "find_copies",
    "find_telltales",
    "fingerprint",
    "hash_file",
    "how_written",
    "iter_table",
    "iter_texts",
    "keep_file",
    "keep_folder",
    "merge_groups",
    "near_duplicate_key",
    "near_duplicates",
    "open_text",
    "parse_numbers",
    "parse_target",
    "plain_cells",
    "read_decimal_commas",
    "read_table",
    "text_items",
]
