"""Vectors of items, written to a Parquet file in constant memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Columns, Dataset, Items, Progress
from widemargin.errors import InputError, ItemsError
from widemargin.runs.model import encode

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Batch", "batches_of", "check_target", "write_vectors"]

_ROWS = 4096


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some items on their way into a file.

    Parameters
    ----------
    X : Columns
        Their columns.
    ids : sequence of str
        Their names.
    labels : sequence, optional
        Their labels, where they are known.
    """

    X: Columns
    ids: Sequence[str]
    labels: Sequence[Any] | None = None


def batches_of(source: Dataset | Iterable[Items]) -> Iterator[Batch]:
    """Divide a data set, or what is read of a file, into batches."""
    if isinstance(source, Dataset):
        for start in range(0, len(source), _ROWS):
            part = source.take(np.arange(start, min(start + _ROWS, len(source)), dtype=np.intp))
            yield Batch(X=part.X, ids=part.ids.tolist(), labels=part.y.tolist())
        return
    for items in source:
        yield Batch(X=items.X, ids=list(items.ids))


def check_target(path: Path) -> None:
    """Refuse a file that vectors cannot be written to, before anything is computed.

    Raises
    ------
    InputError
        Where its name does not end in .parquet, or its folder is not there.
    """
    if path.suffix.lower() != ".parquet":
        raise InputError(f"{path}: vectors are written as Parquet; let the name end in .parquet.")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}. Make it first.")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file.")


def write_vectors(
    features: Any,
    batches: Iterable[Batch],
    path: Path,
    *,
    about: dict[str, Any],
    progress: Progress,
) -> tuple[int, int]:
    """Encode items and write them, whole or not at all.

    A row holds ``id``, ``label`` where it is known, and ``vector``, a list of float32; sparse
    features are ``indices`` and ``values`` in its place. The file's metadata says under
    ``widemargin`` which encoders made them.

    Parameters
    ----------
    features : transformer
        Fitted.
    batches : iterable of Batch
        Read one at a time.
    path : Path
        The file; replaced if it is there.
    about : dict
        JSON values for the metadata.
    progress : Progress
        Told of every row.

    Returns
    -------
    (int, int)
        Rows written, and numbers in a row.
    """
    import pyarrow.parquet as pq

    part = path.with_name(f".{path.name}.{os.getpid()}")
    rows, width = 0, 0
    read, problems, names = 0, dict[int, str](), dict[int, str]()
    writer: Any = None
    try:
        with progress.stage("encoding") as stage:
            for batch in batches:
                if not len(batch.ids):
                    continue
                start, read = read, read + len(batch.ids)
                try:
                    made = encode(features, batch.X)
                except ItemsError as error:
                    # Nothing will be written; what follows is read so that all are named at once.
                    problems |= {start + row: why for row, why in error.problems.items()}
                    names |= {start + row: str(batch.ids[row]) for row in error.problems}
                    continue
                width = made.shape[1]
                table = _table(batch, made, {**about, "dimension": width})
                with _written(path):
                    if writer is None:
                        writer = pq.ParquetWriter(part, table.schema, compression="zstd")
                    writer.write_table(table)
                rows += len(batch.ids)
                stage.advance(len(batch.ids))
        if problems:
            raise ItemsError(problems, read, names)
        if writer is None:
            raise InputError("There are no items; nothing was written.")
        with _written(path):
            writer.close()
            part.replace(path)
    finally:
        if writer is not None and writer.is_open:
            writer.close()
        part.unlink(missing_ok=True)
    return rows, width


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}).") from error


def _table(batch: Batch, made: Any, about: dict[str, Any]) -> pa.Table:
    import pyarrow as pa

    columns: dict[str, Any] = {"id": pa.array([str(name) for name in batch.ids], pa.string())}
    if batch.labels is not None:
        columns["label"] = pa.array(batch.labels)
    if hasattr(made, "tocsr"):
        ends = pa.array(made.indptr, pa.int64())
        columns["indices"] = pa.LargeListArray.from_arrays(ends, pa.array(made.indices, pa.int32()))
        columns["values"] = pa.LargeListArray.from_arrays(
            ends, pa.array(made.data.astype(np.float32))
        )
    else:
        flat = pa.array(np.ascontiguousarray(made, dtype=np.float32).ravel())
        columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, made.shape[1])
    return pa.table(columns).replace_schema_metadata(
        {"widemargin": json.dumps(about, sort_keys=True, ensure_ascii=False)}
    )
