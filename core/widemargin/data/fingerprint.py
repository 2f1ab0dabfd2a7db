"""Fingerprints: a hash that changes when the data changes, and not otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from widemargin.contracts import Dataset
from widemargin.data.readers.encodings import check_file

__all__ = ["fingerprint", "hash_file"]


def fingerprint(dataset: Dataset) -> str:
    """Hash what a data set holds: columns, labels, ids, groups, times, weights, parts, and more.

    More is what is known aside of the columns. Of a `Path` the file's content counts, and not where
    it lies.

    Neither the index of the frame nor its layout in memory matters, nor whether an integer
    is stored in 32 or 64 bits; a text never equals the number that it spells.

    Parameters
    ----------
    dataset : Dataset
        What is hashed.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from widemargin.contracts import DatasetCard
    >>> dataset = Dataset(X=pd.DataFrame({"n": [1.0, 2.0]}), kinds={"n": "table"},
    ...                   y=np.array([0.5, 1.5]), ids=np.array(["a", "b"]),
    ...                   card=DatasetCard(title="Two"))
    >>> other = dataset.take(np.array([1, 0]))
    >>> fingerprint(dataset) == fingerprint(other)
    False
    >>> fingerprint(dataset) == fingerprint(other.take(np.array([1, 0])))
    True
    """
    hashed = hashlib.sha256()

    def add(name: str, values: Any) -> None:
        hashed.update(_piece(b"#", name.encode()))
        # One after the other: of pictures, all of them together would take gigabytes.
        for piece in _pieces(values):
            hashed.update(piece)

    add("kinds", sorted(f"{kind}:{column}" for column, kind in dataset.kinds.items()))
    for position, column in enumerate(dataset.X.columns):
        add(f"column:{column}", dataset.X.iloc[:, position])
    if dataset.aside is not None:
        for position, column in enumerate(dataset.aside.columns):
            add(f"aside:{column}", dataset.aside.iloc[:, position])
    add("y", dataset.y)
    add("ids", dataset.ids)
    for name in ("groups", "times", "label_times", "sample_weight", "parts"):
        values = getattr(dataset, name)
        if values is not None:
            add(name, values)
    return hashed.hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    DataError
        Where there is no such file.
    """
    with check_file(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pieces(values: Any) -> Iterator[bytes]:
    import numpy as np

    array = np.asarray(values)
    shape = repr(array.shape).encode()
    wide = {"b": "|b1", "i": "<i8", "u": "<u8", "f": "<f8", "M": "<M8[ns]", "m": "<m8[ns]"}
    kind = array.dtype.kind
    if kind not in wide:
        yield _piece(b"o", shape)
        yield from (_piece(_cell(value)) for value in array.ravel().tolist())
        return
    array = np.ascontiguousarray(array, dtype=wide[kind])
    if kind == "f":
        array = np.where(np.isnan(array), np.nan, array + 0.0)  # one NaN and one zero
    yield _piece(kind.encode(), shape, array.tobytes())


def _cell(value: Any) -> bytes:
    import numpy as np

    if isinstance(value, np.ndarray | list | tuple):
        dtype = None if isinstance(value, np.ndarray) else object
        return b"".join(_pieces(np.asarray(value, dtype=dtype)))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Path):
        return _piece(b"file", bytes.fromhex(hash_file(value)))
    if isinstance(value, bytes):
        return _piece(b"bytes", value)
    if isinstance(value, str):
        return _piece(b"s", value.encode("utf-8", "surrogatepass"))
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return b"-"
    return _piece(type(value).__name__.encode(), str(value).encode("utf-8", "surrogatepass"))


def _piece(*parts: bytes) -> bytes:
    """Join parts so that no two different sequences of them give the same bytes."""
    return b"".join(str(len(part)).encode() + b":" + part for part in parts)
