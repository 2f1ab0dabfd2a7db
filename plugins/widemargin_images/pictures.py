"""Images without labels: files, folders and IDX files, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from widemargin import DataError, DatasetLoader, Items
from widemargin_images.idx import idx_files, is_idx, iter_images

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ImageLoader", "image_column"]

_BATCH = 256
_ENDINGS = (
    *(".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"),
    *(".tif", ".tiff", ".ppm", ".pgm"),
)


class ImageLoader(DatasetLoader):
    """What the loaders of this plugin share: the ways to read items."""

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read an image file, an IDX file, or every image of a folder.

        A folder of IDX files is read as the data set that it is: the training part first.
        """
        source = source.expanduser()
        if source.is_dir():
            if any(is_idx(path) for path in source.iterdir()):
                for part, files in sorted(idx_files(source).items(), reverse=True):
                    yield from _idx_items(files["images"], part)
                return
            yield from _file_items(
                (path.relative_to(source).as_posix(), path) for path in _images_in(source)
            )
        elif is_idx(source):
            yield from _idx_items(source, "image")
        else:
            yield from _file_items([(source.name, source)])


def image_column(images: Sequence[Any] | NDArray[np.uint8]) -> NDArray[np.object_]:
    """Return images as the column of a data set: one object each, none copied.

    Examples
    --------
    >>> import numpy as np
    >>> image_column(np.zeros((2, 8, 8), np.uint8)).shape
    (2,)
    """
    import numpy as np

    column = np.empty(len(images), dtype=object)
    for row, image in enumerate(images):
        column[row] = image
    return column


def _images_in(folder: Path) -> list[Path]:
    """Find every image file in a folder and below that is not hidden, in order."""
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _ENDINGS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    if not found:
        raise DataError(
            f"{folder}: there is no image in it ({', '.join(_ENDINGS)}), and no IDX file."
        )
    return found


def _file_items(named: Iterable[tuple[str, Path]]) -> Iterator[Items]:
    named = iter(named)
    while own := list(islice(named, _BATCH)):
        yield _items([path for _, path in own], [name for name, _ in own])


def _idx_items(path: Path, what: str) -> Iterator[Items]:
    first = 1
    for images in iter_images(path):
        yield _items(images, [f"{what} {first + row}" for row in range(len(images))])
        first += len(images)


def _items(images: Any, ids: list[str]) -> Items:
    return Items(X={"image": image_column(images)}, kinds={"image": "image"}, ids=ids)
