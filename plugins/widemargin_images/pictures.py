"""Images of one's own and images without labels: files, folders, tables and IDX files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from widemargin import DataError, Dataset, Items
from widemargin.data import PictureFolder, PictureLoader, PictureTable
from widemargin_images.idx import idx_files, is_idx, iter_images

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ImageFolder", "ImageLoader", "ImageTable", "image_column"]


class ImageLoader(PictureLoader):
    """What the loaders of this plugin share: the ways to read items."""

    item: ClassVar[str] = "image"

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read an image file, an IDX file, every image of a folder, or those that a table names.

        A folder of IDX files is read as the data set that it is: the training part first.
        """
        source = source.expanduser()
        if source.is_dir() and any(is_idx(path) for path in source.iterdir()):
            for part, files in sorted(idx_files(source).items(), reverse=True):
                yield from _idx_items(files["images"], part)
        elif not source.is_dir() and is_idx(source):
            yield from _idx_items(source, "image")
        else:
            yield from super().read_items(source)


class ImageFolder(ImageLoader, PictureFolder):
    """A folder with a folder of images for each class."""

    def load(self, data_home: Path) -> Dataset:
        """Find every image below the class folders."""
        root = self.path.expanduser()
        if root.is_dir() and any(is_idx(path) for path in root.iterdir()):
            raise DataError(
                f"{root}: holds IDX files, and folders of images are expected; say "
                "--set data.source=idx."
            )
        return super().load(data_home)


class ImageTable(ImageLoader, PictureTable):
    """A table with a column of paths of images and one of labels."""


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


def _idx_items(path: Path, what: str) -> Iterator[Items]:
    first = 1
    for images in iter_images(path):
        ids = [f"{what} {first + row}" for row in range(len(images))]
        yield Items(X={"image": image_column(images)}, kinds={"image": "image"}, ids=ids)
        first += len(images)
