"""JSONL in batches of rows: an object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from widemargin.data.readers.batches import Batch, choose_columns
from widemargin.data.readers.encodings import open_text
from widemargin.errors import DataError

__all__ = ["read_json_lines"]


def read_json_lines(path: Path, columns: Sequence[str] | None, rows: int) -> Iterator[Batch]:
    """Yield batches of rows; parameters and errors as for `read_delimited`."""
    known: dict[str, None] = {}  # in the order of appearance; a later batch may add some
    with open_text(path) as text:
        objects = _objects(path, text)
        while batch := list(islice(objects, rows)):
            for _, value in batch:
                known.update(dict.fromkeys(value))
            wanted = choose_columns(path, columns, list(known))
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
