"""Parquet in batches of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from widemargin.data.readers.batches import Batch, check_header, choose_columns
from widemargin.errors import DataError

__all__ = ["read_parquet"]


def read_parquet(path: Path, columns: Sequence[str] | None, rows: int) -> Iterator[Batch]:
    """Yield batches of rows; parameters and errors as for `read_delimited`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            header = [n for n in file.schema_arrow.names if not n.startswith("__index_level_")]
            check_header(path, header)
            wanted = choose_columns(path, columns, header)
            first = 1
            for part in file.iter_batches(batch_size=rows, columns=wanted):
                by_name = {name: part.column(name).to_pylist() for name in wanted}
                yield Batch(list(range(first, first + part.num_rows)), by_name)
                first += part.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: is no Parquet file that can be read ({error}).") from None
