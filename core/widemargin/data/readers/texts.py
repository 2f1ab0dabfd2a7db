"""Texts: one a line, or a column of a table, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from widemargin.contracts import Items
from widemargin.data.readers.encodings import check_file, open_text
from widemargin.data.readers.tables import iter_batches

__all__ = ["iter_texts", "text_items"]

_TABLES = {".csv", ".tsv", ".parquet", ".jsonl", ".ndjson"}


def iter_texts(path: Path, column: str = "text") -> Iterator[tuple[str, str]]:
    r"""Read the texts of a file of any length, in constant memory.

    A table (``.csv``, ``.tsv``, ``.jsonl``, ``.ndjson``, ``.parquet``) gives a column; any other
    file gives its lines. An empty line is a text too, so that none is lost.

    Parameters
    ----------
    path : Path
        The file.
    column : str
        The column of a table.

    Yields
    ------
    (str, str)
        ``file:line``, and the text.

    Raises
    ------
    DataError
        Where the file is absent, malformed or binary, or the table lacks the column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "mails.txt")
    >>> _ = path.write_text("win cash\n\nsee you", encoding="utf-8")
    >>> list(iter_texts(path))
    [('mails.txt:1', 'win cash'), ('mails.txt:2', ''), ('mails.txt:3', 'see you')]
    """
    path = check_file(path)
    name = path.name.lower().removesuffix(".gz")
    if any(name.endswith(ending) for ending in _TABLES):
        for batch in iter_batches(path, columns=[column]):
            for line, value in zip(batch.lines, batch.columns[column], strict=True):
                yield f"{path.name}:{line}", "" if value is None else str(value)
    else:
        with open_text(path) as lines:
            for number, text in enumerate(lines, 1):
                yield f"{path.name}:{number}", text.removesuffix("\n")


def text_items(texts: Iterable[tuple[str, str]], rows: int = 1000) -> Iterator[Items]:
    """Gather texts into batches of items with one column ``text``.

    Parameters
    ----------
    texts : iterable of (str, str)
        Names and texts, as `iter_texts` yields them.
    rows : int
        Texts in a batch.

    Examples
    --------
    >>> [batch] = text_items([("1", "win cash"), ("2", "see you")])
    >>> batch.X, batch.kinds, batch.ids
    ({'text': ['win cash', 'see you']}, {'text': 'text'}, ['1', '2'])
    """
    remaining = iter(texts)
    while batch := list(islice(remaining, rows)):
        yield Items(
            X={"text": [text for _, text in batch]},
            kinds={"text": "text"},
            ids=[name for name, _ in batch],
        )
