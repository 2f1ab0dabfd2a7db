"""Loaders: Fashion-MNIST, data sets of its form, and scikit-learn's digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from widemargin import Asset, AssetFile, DataError, Dataset, DatasetCard, Package
from widemargin.data import hash_file
from widemargin_images.idx import idx_files, read_images, read_labels
from widemargin_images.pictures import ImageLoader, image_column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "CLOTHES",
    "FASHION_MNIST_ASSET",
    "FASHION_MNIST_CARD",
    "Digits",
    "FashionMnist",
    "IdxFolder",
    "Limit",
    "idx_dataset",
]

_INSTALLED = "usr/share/datasets/fashion-mnist"


def _file(name: str, size: int, sha256: str) -> AssetFile:
    return AssetFile(name=name, member=f"{_INSTALLED}/{name}", size=size, sha256=sha256)


FASHION_MNIST_ASSET = Asset(
    name="fashion-mnist",
    title="Fashion-MNIST",
    licence="MIT",
    origin="H. Xiao, K. Rasul, R. Vollgraf (2017), Zalando Research",
    package=Package(index="debian", name="dataset-fashion-mnist", size=30_900_652),
    # The same images and labels as the authors' files, which are packed otherwise.
    files=(
        _file(
            "train-images-idx3-ubyte.gz",
            26_421_856,
            "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
        ),
        _file(
            "train-labels-idx1-ubyte.gz",
            29_491,
            "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
        ),
        _file(
            "t10k-images-idx3-ubyte.gz",
            4_422_079,
            "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
        ),
        _file(
            "t10k-labels-idx1-ubyte.gz",
            5_125,
            "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
        ),
    ),
)

FASHION_MNIST_CARD = DatasetCard(
    title="Fashion-MNIST",
    source="https://github.com/zalandoresearch/fashion-mnist",
    licence=FASHION_MNIST_ASSET.licence,
    citation=(
        "H. Xiao, K. Rasul, R. Vollgraf (2017). Fashion-MNIST: a novel image dataset for "
        "benchmarking machine learning algorithms. arXiv:1708.07747."
    ),
    sha256=FASHION_MNIST_ASSET.files[0].sha256,
    target="kind of clothing",
    item="image",
)

CLOTHES = (
    *("t-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
"""The classes of Fashion-MNIST, in the order of their numbers."""

Limit = Annotated[int, Field(ge=20)]


class FashionMnist(ImageLoader):
    """Fashion-MNIST: 70,000 grey images of clothes, 28 x 28, with a published test part."""

    assets: ClassVar[tuple[Asset, ...]] = (FASHION_MNIST_ASSET,)
    n_items: ClassVar[int] = 20_000

    source: Literal["fashion-mnist"] = Field("fashion-mnist", description="Fashion-MNIST")
    limit: Limit | None = Field(
        10_000,
        description="training images that are taken, of each class its share and always the same "
        "ones; null takes all 60,000. The test images are never cut",
    )

    def load(self, data_home: Path) -> Dataset:
        """Read the four files from the data home."""
        folder = FASHION_MNIST_ASSET.path(data_home).parent
        if not folder.is_dir():
            raise DataError(
                f"{folder}: Fashion-MNIST is not there; get it with "
                f"`widemargin data fetch {FASHION_MNIST_ASSET.name}`."
            )
        return idx_dataset(folder, FASHION_MNIST_CARD, CLOTHES, self.limit)


class IdxFolder(ImageLoader):
    """A folder of IDX files, the form of MNIST and its like."""

    source: Literal["idx"] = Field("idx", description="a folder of IDX files, as MNIST has")
    path: Path = Field(description="the folder, with train-images-idx3-ubyte(.gz) and the others")
    classes: tuple[str, ...] = Field(
        (), description="the classes' names, in the order of their numbers from 0; empty: numbers"
    )
    limit: Limit | None = Field(
        None, description="training images that are taken; null takes all. Test images stay"
    )

    def load(self, data_home: Path) -> Dataset:
        """Read the files; a test part, where there is one, is the published split."""
        root = self.path.expanduser()
        card = DatasetCard(
            title=root.name,
            source=str(self.path),
            licence="the user's own",
            sha256=hash_file(idx_files(root)["train"]["images"]),
            target="class",
            item="image",
        )
        return idx_dataset(root, card, self.classes, self.limit)


class Digits(ImageLoader):
    """Written digits that come with scikit-learn: 1,797 grey images, 8 x 8."""

    n_items: ClassVar[int] = 1_797

    source: Literal["digits"] = Field("digits", description="scikit-learn's written digits")

    def load(self, data_home: Path) -> Dataset:
        """Read the data from scikit-learn; needs no network."""
        import numpy as np
        from sklearn.datasets import load_digits

        bunch = load_digits()
        # Ink from 0 to 16 becomes brightness from 0 to 255.
        images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
        card = DatasetCard(
            title="Digits",
            source="scikit-learn, sklearn.datasets.load_digits",
            licence="CC BY 4.0",
            citation=(
                "E. Alpaydin, C. Kaynak (1998). Optical Recognition of Handwritten Digits. "
                "UCI Machine Learning Repository, id 80."
            ),
            target="digit",
            item="image",
            notes=(
                "The test part of the UCI data: people in it wrote several of the digits, and who "
                "wrote which is not known.",
            ),
        )
        ids = [f"digit {i}" for i in range(1, len(images) + 1)]
        return _dataset(images, bunch.target.astype(np.str_), ids, card)


def idx_dataset(
    folder: Path, card: DatasetCard, classes: Sequence[str], limit: int | None
) -> Dataset:
    """Read a folder of IDX files.

    Parameters
    ----------
    folder : Path
        Where they lie.
    card : DatasetCard
        What is told of them.
    classes : sequence of str
        The classes' names in the order of their numbers; empty for the numbers.
    limit : int or None
        Training images that are taken; None takes all.

    Raises
    ------
    DataError
        Where a file is missing or damaged, or files do not fit each other.
    """
    import numpy as np

    images, labels, ids, parts = [], [], [], []
    notes = list(card.notes)
    found = idx_files(folder)
    for part in ("train", "test"):
        if part not in found:
            continue
        own = read_images(found[part]["images"])
        codes = read_labels(found[part]["labels"])
        if len(own) != len(codes):
            raise DataError(
                f"{found[part]['labels']}: holds {len(codes):,} labels for {len(own):,} images."
            )
        names = _named(codes, classes, found[part]["labels"])
        rows = np.arange(len(own))
        if part == "train" and limit is not None and limit < len(own):
            rows = _share(names, limit)
            rest = "; all test images are kept" if "test" in found else ""
            notes.append(f"{limit:,} of {len(own):,} training images were taken{rest}.")
        images.append(own[rows])
        labels.append(names[rows])
        ids += [f"{part} {row + 1}" for row in rows.tolist()]
        parts += [part] * len(rows)
    if len({own.shape[1:] for own in images}) > 1:
        sizes = " and ".join(" x ".join(map(str, own.shape[1:])) for own in images)
        raise DataError(f"{folder}: training and test images differ in size: {sizes}.")
    return _dataset(
        np.concatenate(images),
        np.concatenate(labels),
        ids,
        card,
        notes=notes,
        parts=np.array(parts) if len(found) > 1 else None,
    )


def _dataset(
    images: NDArray[np.uint8],
    y: NDArray[np.str_],
    ids: Sequence[str],
    card: DatasetCard,
    *,
    notes: Sequence[str] = (),
    parts: NDArray[np.str_] | None = None,
) -> Dataset:
    import numpy as np
    import pandas as pd

    notes = [*card.notes, *notes]
    place: dict[bytes, int] = {}
    copies = np.array([place.setdefault(own.tobytes(), len(place)) for own in images])
    groups = None
    if (n_copies := len(images) - len(place)) and parts is None:
        groups = copies
        are = "image is a copy" if n_copies == 1 else "images are copies"
        notes.append(f"{n_copies:,} {are} of another one; no split parts copies.")
    elif n_copies and parts is not None:
        test = parts == "test"
        crossing = int(np.isin(copies[test], copies[~test]).sum())
        if crossing:
            are = "is a copy" if crossing == 1 else "are copies"
            notes.append(
                f"{crossing:,} of {int(test.sum()):,} test images {are} of a training image; the "
                "published split is kept as it is."
            )
    dataset = Dataset(
        X=pd.DataFrame({"image": pd.Series(image_column(images), dtype=object)}),
        kinds={"image": "image"},
        y=y,
        ids=np.array(ids, dtype=np.str_),
        card=replace(card, notes=tuple(notes)),
        groups=groups,
        parts=parts,
    )
    dataset.check_learnable()
    return dataset


def _named(codes: NDArray[np.uint8], classes: Sequence[str], path: Path) -> NDArray[np.str_]:
    """Return the classes' names of their numbers."""
    import numpy as np

    if not classes:
        # Of equal length, so that their order is that of the numbers.
        width = len(str(codes.max(initial=0)))
        return np.array([f"{code:0{width}d}" for code in range(256)])[codes]
    if codes.max(initial=0) >= len(classes):
        raise DataError(
            f"{path}: holds the class {codes.max()}, and data.classes names {len(classes)}, from 0 "
            f"to {len(classes) - 1}."
        )
    return np.array(classes, dtype=np.str_)[codes]


def _share(names: NDArray[np.str_], limit: int) -> NDArray[np.intp]:
    """Choose rows by chance, of every class its share; for one limit always the same ones."""
    import numpy as np

    shuffled = np.random.default_rng(0).permutation(len(names))
    alike = shuffled[np.argsort(names[shuffled], kind="stable")]
    steps = (np.arange(limit) + 0.5) * len(alike) / limit
    return np.sort(alike[steps.astype(np.intp)])
