"""Data: readers of people's own files, near-duplicates, fingerprints."""

from widemargin.data.fingerprint import fingerprint, hash_file
from widemargin.data.near_duplicates import merge_groups, near_duplicate_key, near_duplicates
from widemargin.data.readers import (
    MISSING,
    TableFormat,
    check_columns,
    decode,
    iter_table,
    iter_texts,
    parse_numbers,
    read_table,
    text_items,
)

__all__ = [
    "MISSING",
    "TableFormat",
    "check_columns",
    "decode",
    "fingerprint",
    "hash_file",
    "iter_table",
    "iter_texts",
    "merge_groups",
    "near_duplicate_key",
    "near_duplicates",
    "parse_numbers",
    "read_table",
    "text_items",
]
