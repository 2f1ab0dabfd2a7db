"""Items as encoders read them: one value a row, of one column or of several."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from widemargin.contracts import Columns
from widemargin.errors import DataError, nearest

__all__ = ["check_present", "column_of", "content_key", "texts_of"]

_BLOCK = 1 << 20
_SHOWN = 20


def check_present(X: Columns, names: Iterable[str]) -> None:
    """Refuse items that lack a column, and name all that they lack.

    Parameters
    ----------
    X : Columns
        The items.
    names : iterable of str
        The columns that the model was trained on.

    Raises
    ------
    DataError
        Where one is absent.

    Examples
    --------
    >>> check_present({"age": [31]}, ["age"])
    """
    needed = list(names)
    absent = [name for name in needed if name not in X]
    if not absent:
        return
    told = ", ".join(map(repr, absent[:_SHOWN]))
    if len(absent) > _SHOWN:
        told += f" and {len(absent) - _SHOWN} more"
    columns, are = ("column", "is") if len(absent) == 1 else ("columns", "are")
    few = ", ".join(needed) if len(needed) <= _SHOWN else f"{len(needed):,} columns"
    raise DataError(
        f"the {columns} {told}, which the model was trained on, {are} absent."
        f"{nearest(absent[0], map(str, X))} It needs {few}."
    )


def texts_of(X: Columns | Sequence[str]) -> list[str]:
    r"""Return one text a row: the columns of `X` joined by line feeds, or `X` itself.

    Examples
    --------
    >>> texts_of({"subject": ["hi"], "body": ["there"]})
    ['hi\nthere']
    """
    # A data frame and a mapping have keys; a plain sequence of texts has none.
    by_name: Any = X if hasattr(X, "keys") else {"text": X}
    columns = [list(by_name[name]) for name in by_name]
    for column in columns:
        for row, text in enumerate(column):
            if not isinstance(text, str):
                raise DataError(f"row {row + 1}: expected text, got {type(text).__name__}.")
    return (
        columns[0] if len(columns) == 1 else ["\n".join(row) for row in zip(*columns, strict=True)]
    )


def column_of(X: Columns | Sequence[Any], kind: str) -> list[Any]:
    """Return the one column of `X`, or `X` itself where it is a plain sequence.

    Raises
    ------
    DataError
        Where `X` has several columns: pictures and recordings cannot be joined.

    Examples
    --------
    >>> column_of({"photo": ["a.png", "b.png"]}, "image")
    ['a.png', 'b.png']
    """
    by_name: Any = X if hasattr(X, "keys") else {kind: X}
    names = list(by_name)
    if len(names) != 1:
        raise DataError(
            f"there are {len(names)} columns of kind {kind} ({', '.join(map(str, names))}), and an "
            "encoder reads one. Leave the others out."
        )
    return list(by_name[names[0]])


def content_key(item: Any) -> bytes:
    """Hash what makes an item that item: a text's letters, a file's bytes, an array's numbers.

    Returns
    -------
    bytes
        16 bytes of BLAKE2b; a file's are the same wherever it lies.

    Raises
    ------
    DataError
        Where a file cannot be read, or the item is of a type that no encoder reads.

    Examples
    --------
    >>> content_key("win") == content_key("win"), len(content_key("win"))
    (True, 16)
    """
    import numpy as np

    key = hashlib.blake2b(digest_size=16)
    if isinstance(item, str):
        key.update(b"text:" + item.encode("utf-8", "surrogatepass"))
    elif isinstance(item, bytes):
        key.update(b"file:" + item)
    elif isinstance(item, Path):
        key.update(b"file:")
        try:
            with item.open("rb") as file:
                while block := file.read(_BLOCK):
                    key.update(block)
        except IsADirectoryError:
            raise DataError(
                f"{item}: is a folder; name the files in it, or give it with --file."
            ) from None
        except OSError as error:
            raise DataError(f"{item}: cannot be read ({error.strerror or error}).") from error
    elif isinstance(item, np.ndarray) and item.dtype.kind in "biuf":
        key.update(f"{item.dtype.str}{item.shape}:".encode())
        key.update(np.ascontiguousarray(item).tobytes())
    else:
        raise DataError(f"an item is of the type {type(item).__name__}, which no encoder reads.")
    return key.digest()
