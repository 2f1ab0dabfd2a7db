"""The IDX format: arrays of bytes with their shape in front, as MNIST and its like are published.

A file begins with two zero bytes, a byte for the type of number (0x08: uint8) and one for the
number of axes; then the length of each axis, four bytes each, the highest first; then the numbers.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from widemargin import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["idx_files", "is_idx", "iter_images", "read_images", "read_labels"]

_NAME = re.compile(
    r"(?P<set>.*?)(?P<part>train|t10k|test)-(?P<what>images|labels)[.-]idx[134]-ubyte(\.gz)?$"
)
_UINT8 = 0x08
_BATCH = 256
_BATCH_BYTES = 1 << 26
_MAX_SIDE = 4096
_CHANNELS = (1, 3, 4)


def is_idx(path: Path) -> bool:
    """Whether a file's name says that it is in the IDX format.

    Examples
    --------
    >>> is_idx(Path("t10k-images-idx3-ubyte.gz")), is_idx(Path("shirt.png"))
    (True, False)
    """
    return _NAME.match(path.name) is not None or path.name.removesuffix(".gz").endswith(".idx")


def idx_files(folder: Path) -> dict[str, dict[str, Path]]:
    """Find a data set's files of images and labels, by part.

    Parameters
    ----------
    folder : Path
        Where they lie, under the names that MNIST gave them, as in ``train-images-idx3-ubyte.gz``.

    Returns
    -------
    dict of str to dict of str to Path
        Under ``train`` and, where there is one, ``test``: the paths of ``images`` and ``labels``.

    Raises
    ------
    DataError
        Where one is missing, or the folder holds several data sets.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"{folder}: {what}; a folder of IDX files is needed in data.path.")
    found: dict[str, dict[str, Path]] = {}
    sets = set()
    for path in sorted(folder.iterdir()):
        if match := _NAME.match(path.name):
            sets.add(match["set"])
            part = "train" if match["part"] == "train" else "test"
            # Packed and unpacked side by side are one; the unpacked one is quicker.
            found.setdefault(part, {}).setdefault(match["what"], path)
    if len(sets) > 1:
        names = ", ".join(repr(name) for name in sorted(sets))
        raise DataError(
            f"{folder}: holds several data sets, whose files begin with {names}; give each a "
            "folder of its own."
        )
    if "train" not in found:
        raise DataError(
            f"{folder}: there is no training part in it; its files are called "
            "train-images-idx3-ubyte and train-labels-idx1-ubyte, with or without .gz."
        )
    for part, files in found.items():
        if absent := {"images", "labels"} - set(files):
            raise DataError(f"{folder}: the part {part!r} has no file of {absent.pop()}.")
    return found


def iter_images(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Read images in batches, in constant memory.

    Yields
    ------
    ndarray of shape (n_images, height, width[, channels]), uint8

    Raises
    ------
    DataError
        Where the file is none of images, is damaged or ends too early.
    """
    import numpy as np

    with _opened(path) as file:
        n, *shape = _shape_of(file, path)
        if len(shape) not in (2, 3) or shape[2:] not in ([], *([k] for k in _CHANNELS)):
            axes = " x ".join(map(str, (n, *shape)))
            raise DataError(
                f"{path}: holds {axes} numbers, and images are n x height x width numbers, or "
                "n x height x width x 1, 3 or 4. Is it the file of labels?"
            )
        if not all(0 < side <= _MAX_SIDE for side in shape[:2]):
            raise DataError(f"{path}: sides of images are 1 to {_MAX_SIDE:,}; got {shape[:2]}.")
        size = math.prod(shape)
        batch = max(1, min(_BATCH, _BATCH_BYTES // size))
        for start in range(0, n, batch):
            rows = min(batch, n - start)
            raw = _read(file, rows * size, path)
            yield np.frombuffer(raw, np.uint8).reshape(rows, *shape)
        _check_end(file, path)


def read_images(path: Path) -> NDArray[np.uint8]:
    """Read all images of a file.

    Raises
    ------
    DataError
        As `iter_images`, or where there is no image.
    """
    import numpy as np

    batches = list(iter_images(path))
    if not batches:
        raise DataError(f"{path}: holds no image.")
    return np.concatenate(batches)


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Read a file of labels: one number an image.

    Raises
    ------
    DataError
        Where the file is none of labels, is damaged or ends too early.
    """
    import numpy as np

    with _opened(path) as file:
        shape = _shape_of(file, path)
        if len(shape) != 1:
            axes = " x ".join(map(str, shape))
            raise DataError(f"{path}: holds {axes} numbers, and labels are one number an image.")
        labels = np.frombuffer(_read(file, shape[0], path), np.uint8)
        _check_end(file, path)
    return labels


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            if packed:
                with gzip.open(plain) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield plain
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip file is damaged ({error}); get it again.") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from None


def _shape_of(file: BinaryIO, path: Path) -> list[int]:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or not 1 <= head[3] <= 4:
        raise DataError(f"{path}: is not in the IDX format; its first bytes are {head.hex(' ')}.")
    if head[2] != _UINT8:
        raise DataError(
            f"{path}: its numbers are of type 0x{head[2]:02x}, and uint8 (0x08) is read. Convert "
            "them first."
        )
    return list(struct.unpack(f">{head[3]}I", _read(file, 4 * head[3], path)))


def _read(file: BinaryIO, size: int, path: Path) -> bytes:
    raw = file.read(size)
    if len(raw) < size:
        raise DataError(f"{path}: ends before all that its head announces; get it again.")
    return raw


def _check_end(file: Any, path: Path) -> None:
    if file.read(1):
        raise DataError(f"{path}: goes on after all that its head announces; get it again.")
