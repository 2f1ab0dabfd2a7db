"""How fast the embedding store reads and writes: ``python tests/benchmarks/store.py``.

The peer is SQLite in WAL mode, one row a vector, in the same run.
"""

from __future__ import annotations

import argparse
import hashlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.encoders import EmbeddingStore

DIMENSION = 384


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=200_000)
    n = parser.parse_args().vectors
    random = np.random.default_rng(0)
    vectors = random.standard_normal((n, DIMENSION), dtype=np.float32)
    keys = [hashlib.blake2b(str(row).encode(), digest_size=16).digest() for row in range(n)]
    order = random.permutation(n)
    asked = [keys[row] for row in order]
    out = np.empty_like(vectors)
    with tempfile.TemporaryDirectory() as folder:
        shelf = EmbeddingStore(Path(folder)).shelf({"name": "made", "dimension": DIMENSION})

        def write() -> None:
            for start in range(0, n, 1024):
                shelf.write(keys[start : start + 1024], vectors[start : start + 1024])

        def read() -> None:
            assert shelf.read(asked, out).all()

        written, lmdb_read = timed(write), min(timed(read) for _ in range(3))
        assert np.array_equal(out, vectors[order])
        peer_written, peer_read = peer(Path(folder) / "peer.db", keys, vectors, asked, out)
        assert np.array_equal(out, vectors[order])
    sys.stdout.write(
        f"{n:,} vectors of {DIMENSION} float32, vectors a second\n"
        f"{'':8}{'store':>12}{'SQLite':>12}{'ratio':>8}\n"
        f"{'read':8}{n / lmdb_read:12,.0f}{n / peer_read:12,.0f}{peer_read / lmdb_read:8.1f}\n"
        f"{'write':8}{n / written:12,.0f}{n / peer_written:12,.0f}{peer_written / written:8.1f}\n"
    )


def timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peer(
    path: Path, keys: list[bytes], vectors: NDArray[np.float32], asked: list[bytes], out: Any
) -> tuple[float, float]:
    database = sqlite3.connect(path, isolation_level=None)
    for line in ("journal_mode=wal", "synchronous=normal", "mmap_size=4000000000"):
        database.execute(f"pragma {line}")
    database.execute("create table vectors (key blob primary key, vector blob not null)")

    def write() -> None:
        for start in range(0, len(keys), 1024):
            rows = zip(keys[start : start + 1024], vectors[start : start + 1024], strict=True)
            database.execute("begin")
            database.executemany(
                "insert or ignore into vectors values (?, ?)",
                ((key, row.tobytes()) for key, row in rows),
            )
            database.execute("commit")

    def read() -> None:
        for row, key in enumerate(asked):
            [found] = database.execute("select vector from vectors where key = ?", (key,))
            out[row] = np.frombuffer(found[0], dtype=np.float32)

    written = timed(write)
    seconds = min(timed(read) for _ in range(3))
    database.close()
    return written, seconds


if __name__ == "__main__":
    main()
