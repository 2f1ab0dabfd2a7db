"""Fashion-MNIST, data sets of its form, digits, and images that somebody wants named."""

from __future__ import annotations

import gzip
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

import widemargin
from widemargin import DataError, Items
from widemargin.data import fingerprint
from widemargin_images.data import FASHION_MNIST_ASSET, Digits, FashionMnist, IdxFolder
from widemargin_images.idx import idx_files, is_idx, iter_images, read_images, read_labels
from widemargin_images.pictures import ImageFolder, ImageTable

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_images" / "fixture"
TRAIN, TEST = 48, 18


def write_idx(path: Path, array: Any, *, kind: int = 8) -> None:
    head = struct.pack(">BBBB", 0, 0, kind, array.ndim)
    head += struct.pack(f">{array.ndim}I", *array.shape)
    raw = head + array.tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def write_part(folder: Path, part: str, images: Any, labels: Any, end: str = ".gz") -> None:
    write_idx(folder / f"{part}-images-idx3-ubyte{end}", np.asarray(images, np.uint8))
    write_idx(folder / f"{part}-labels-idx1-ubyte{end}", np.asarray(labels, np.uint8))


def noise(n: int, side: int = 4, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (n, side, side), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "shapes"))


def test_images_are_arrays_and_the_published_split_is_kept(folder: Path) -> None:
    dataset = IdxFolder(path=folder, classes=("disc", "cross", "bars")).load(folder)
    assert dataset.classes == ("bars", "cross", "disc")
    assert dict(dataset.kinds) == {"image": "image"}
    first = dataset.X["image"].iloc[0]
    assert (first.shape, first.dtype) == ((12, 12), np.uint8)
    assert dataset.parts is not None
    assert dataset.parts.tolist() == ["train"] * TRAIN + ["test"] * TEST
    assert dataset.ids[[0, TRAIN - 1, TRAIN, -1]].tolist() == [
        "train 1",
        f"train {TRAIN}",
        "test 1",
        f"test {TEST}",
    ]
    assert dataset.card.notes == ()


def test_classes_without_names_are_numbers_in_their_order(tmp_path: Path) -> None:
    write_part(tmp_path, "train", noise(24), np.arange(24) % 12)
    dataset = IdxFolder(path=tmp_path).load(tmp_path)
    assert dataset.classes[0] == "00"
    assert dataset.classes[-1] == "11"
    assert dataset.parts is None


def test_too_few_names_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"labels.*holds the class 2, and data.classes names 2"):
        IdxFolder(path=folder, classes=("disc", "cross")).load(folder)


def test_a_limit_takes_of_every_class_its_share_and_leaves_the_test_part(tmp_path: Path) -> None:
    labels = np.array([0] * 60 + [1] * 30 + [2] * 30)
    write_part(tmp_path, "train", noise(120), labels)
    write_part(tmp_path, "t10k", noise(9, seed=1), [0, 1, 2] * 3)
    whole = IdxFolder(path=tmp_path).load(tmp_path)
    dataset = IdxFolder(path=tmp_path, limit=40).load(tmp_path)
    assert dataset.parts is not None
    train = dataset.parts == "train"
    assert np.unique(dataset.y[train], return_counts=True)[1].tolist() == [20, 10, 10]
    assert (~train).sum() == 9
    assert dataset.card.notes == (
        "40 of 120 training images were taken; all test images are kept.",
    )
    assert fingerprint(dataset) == fingerprint(IdxFolder(path=tmp_path, limit=40).load(tmp_path))
    # Each is what the whole data set calls by that name, and they are not simply the first ones.
    rows = {str(name): row for row, name in enumerate(whole.ids)}
    for name, image, label in zip(dataset.ids, dataset.X["image"], dataset.y, strict=True):
        assert (image == whole.X["image"].iloc[rows[str(name)]]).all()
        assert label == whole.y[rows[str(name)]]
    assert max(int(name.split()[1]) for name in dataset.ids[train]) > 60


def test_a_limit_above_the_number_of_images_takes_all(folder: Path) -> None:
    dataset = IdxFolder(path=folder, limit=1000).load(folder)
    assert (len(dataset), dataset.card.notes) == (TRAIN + TEST, ())


def test_a_limit_of_a_handful_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 20"):
        FashionMnist(limit=5)


def test_the_fingerprint_knows_pixels_and_parts(folder: Path) -> None:
    before = fingerprint(IdxFolder(path=folder).load(folder))
    images = read_images(folder / "train-images-idx3-ubyte.gz").copy()
    labels = read_labels(folder / "train-labels-idx1-ubyte.gz")
    images[3, 2, 1] ^= 1
    write_part(folder, "train", images, labels)
    assert fingerprint(IdxFolder(path=folder).load(folder)) != before


def test_copies_stay_on_one_side_of_every_split(tmp_path: Path) -> None:
    images = noise(30)
    images[7] = images[20]
    write_part(tmp_path, "train", images, np.arange(30) % 2)
    dataset = IdxFolder(path=tmp_path).load(tmp_path)
    assert dataset.groups is not None
    assert dataset.groups[7] == dataset.groups[20]
    assert len(set(dataset.groups)) == 29
    assert dataset.card.notes == ("1 image is a copy of another one; no split parts copies.",)


def test_copies_across_a_published_split_are_counted(tmp_path: Path) -> None:
    images = noise(30)
    write_part(tmp_path, "train", images, np.arange(30) % 2)
    write_part(tmp_path, "test", np.concatenate([images[:2], noise(8, seed=1)]), [0, 1] * 5)
    dataset = IdxFolder(path=tmp_path).load(tmp_path)
    assert dataset.groups is None
    assert dataset.card.notes == (
        "2 of 10 test images are copies of a training image; the published split is kept as it is.",
    )


def test_unpacked_and_colour_files_are_read(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 5, 4, 3), dtype=np.uint8)
    write_part(tmp_path, "train", images, np.arange(20) % 2, end="")
    dataset = IdxFolder(path=tmp_path).load(tmp_path)
    assert dataset.X["image"].iloc[0].shape == (5, 4, 3)


def cut(folder: Path) -> None:
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-200])


def shorten(folder: Path) -> None:
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-5]))


def lengthen(folder: Path) -> None:
    path = folder / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"x"))


def swap(folder: Path) -> None:
    shutil.copy(folder / "train-labels-idx1-ubyte.gz", folder / "train-images-idx3-ubyte.gz")


def swap_labels(folder: Path) -> None:
    shutil.copy(folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz")


def other_type(folder: Path) -> None:
    write_idx(folder / "train-labels-idx1-ubyte.gz", np.zeros(TRAIN, ">f4"), kind=0x0D)


def no_idx(folder: Path) -> None:
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"<html>not found</html>")


def fewer_labels(folder: Path) -> None:
    write_idx(folder / "train-labels-idx1-ubyte.gz", np.zeros(7, np.uint8))


def other_size(folder: Path) -> None:
    write_part(folder, "t10k", noise(6, side=5), [0, 1, 2, 0, 1, 2])


def no_labels(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()


def no_training_part(folder: Path) -> None:
    for path in folder.glob("train-*"):
        path.unlink()


def two_sets(folder: Path) -> None:
    for path in folder.glob("train-*"):
        shutil.copy(path, folder / f"emnist-letters-{path.name}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (cut, r"train-images.*: the gzip file is damaged .*; get it again"),
        (shorten, r"train-images.*: ends before all that its head announces"),
        (lengthen, r"train-labels.*: goes on after all that its head announces"),
        (swap, r"train-images.*: holds 48 numbers, and images are n x height.*file of labels\?"),
        (swap_labels, r"train-labels.*: holds 48 x 12 x 12 numbers, and labels are one number"),
        (other_type, r"its numbers are of type 0x0d, and uint8 \(0x08\) is read"),
        (no_idx, r"train-images.*: is not in the IDX format; its first bytes are 3c 68 74 6d"),
        (fewer_labels, r"train-labels.*: holds 7 labels for 48 images"),
        (other_size, r"training and test images differ in size: 12 x 12 and 5 x 5"),
        (no_labels, r"the part 'test' has no file of labels"),
        (no_training_part, r"there is no training part in it; its files are called"),
        (two_sets, r"holds several data sets, whose files begin with '', 'emnist-letters-'; give"),
        (shutil.rmtree, r"does not exist; a folder of IDX files is needed"),
    ],
)
def test_what_cannot_be_read_is_refused(
    folder: Path, change: Callable[[Path], None], message: str
) -> None:
    change(folder)
    with pytest.raises(DataError, match=message):
        IdxFolder(path=folder).load(folder)


def test_a_file_without_images_is_refused(tmp_path: Path) -> None:
    write_part(tmp_path, "train", np.zeros((0, 4, 4)), [])
    with pytest.raises(DataError, match="holds no image"):
        IdxFolder(path=tmp_path).load(tmp_path)


def test_a_head_that_announces_more_than_memory_holds_reads_no_further_than_the_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, 2**32 - 1, 28, 28) + bytes(1000))
    with pytest.raises(DataError, match="ends before all"):
        list(iter_images(path))
    path.write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, 1, 2**31, 2**31))
    with pytest.raises(DataError, match="sides of images are 1 to 4,096"):
        list(iter_images(path))


def test_names_of_idx_files() -> None:
    assert is_idx(Path("emnist-letters-test-images-idx3-ubyte"))
    assert is_idx(Path("own.idx.gz"))
    assert not is_idx(Path("train-images.png"))
    assert not is_idx(Path("photo.gz"))


def test_without_its_files_fashion_mnist_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"get it with `widemargin data fetch fashion-mnist`"):
        FashionMnist().load(tmp_path)


def test_fashion_mnist_has_its_classes_in_words(tmp_path: Path) -> None:
    home = FASHION_MNIST_ASSET.path(tmp_path).parent
    home.mkdir()
    write_part(home, "train", noise(40), np.arange(40) % 10)
    write_part(home, "t10k", noise(10, seed=1), np.arange(10))
    dataset = FashionMnist().load(tmp_path)
    assert dataset.y[:10].tolist() == [
        *("t-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ]
    assert set(idx_files(home)["train"].values()) <= {
        FASHION_MNIST_ASSET.path(tmp_path, file.name) for file in FASHION_MNIST_ASSET.files
    }


def test_digits_need_no_file(tmp_path: Path) -> None:
    dataset = Digits().load(tmp_path)
    assert len(dataset) == 1797
    assert dataset.classes == tuple("0123456789")
    image = dataset.X["image"].iloc[0]
    assert (image.shape, image.dtype, image.max()) == ((8, 8), np.uint8, 239)
    assert dataset.groups is None


def test_items_are_an_image_a_folder_of_images_or_an_idx_file(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name in ("b.png", "more/a.jpg", ".hidden.png"):
        Image.fromarray(noise(1)[0]).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("none of them")
    loader = FashionMnist()

    def ids(source: Path) -> list[str]:
        return [name for items in loader.read_items(source) for name in items.ids]

    assert ids(tmp_path) == ["b.png", "more/a.jpg"]
    assert ids(tmp_path / "b.png") == ["b.png"]
    write_idx(tmp_path / "own.idx", noise(3))
    assert ids(tmp_path / "own.idx") == ["image 1", "image 2", "image 3"]


def test_a_folder_of_idx_files_is_read_as_the_data_set_that_it_is(folder: Path) -> None:
    loader = IdxFolder(path=folder)
    batches: list[Items] = list(loader.read_items(folder))
    dataset = loader.load(folder)
    assert [name for items in batches for name in items.ids] == dataset.ids.tolist()
    read = [image for items in batches for image in items.X["image"]]
    assert all((a == b).all() for a, b in zip(read, dataset.X["image"], strict=True))


def test_an_idx_file_is_read_in_batches(tmp_path: Path) -> None:
    write_idx(tmp_path / "own.idx.gz", noise(600))
    sizes = [len(items) for items in Digits().read_items(tmp_path / "own.idx.gz")]
    assert sizes == [256, 256, 88]


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no image in it \(.jpg"):
        list(Digits().read_items(tmp_path))


def test_a_run_is_measured_on_the_published_test_part_and_predicts_images(tmp_path: Path) -> None:
    made = widemargin.run(
        "images",
        data={"path": str(FIXTURE), "classes": ["disc", "cross", "bars"]},
        svm={"C": 10.0, "gamma": 0.1},
        evaluation={"inner": 2, "resamples": 100},
        runs=tmp_path / "runs",
    )
    assert made.metrics["accuracy"] > 0.8
    page = (made.path / "report.html").read_text(encoding="utf-8")
    for sheet in ("The first few", "What decided"):
        assert sheet in page
    assert page.count("data:image/") > 10
    explanation = json.loads((made.path / "explanation.json").read_text(encoding="utf-8"))
    assert {case["text"] for case in explanation["support_vectors"]["examples"]} == {
        "12 x 12 pixels"
    }
    drawn = json.loads((made.path / "embedding_map.json").read_text(encoding="utf-8"))
    assert len(drawn["id"]) == len(drawn["pictures"]) == TEST
    # As an array and as a file an image is the same.
    images = read_images(FIXTURE / "t10k-images-idx3-ubyte.gz")
    labels = read_labels(FIXTURE / "t10k-labels-idx1-ubyte.gz")
    files = []
    for row, image in enumerate(images):
        files.append(tmp_path / f"{row:02d}.png")
        Image.fromarray(image).save(files[-1])
    answers = made.predict(list(images))
    assert answers["id"].tolist()[:2] == ["item:1", "item:2"]
    assert answers["label"].tolist() == made.predict(files)["label"].tolist()
    names = np.array(["disc", "cross", "bars"])[labels]
    assert (answers["label"] == names).mean() == made.metrics["accuracy"]


def test_images_of_ones_own_are_a_folder_of_class_folders_or_a_table(tmp_path: Path) -> None:
    fixture = Path(__file__).parents[2] / "plugins" / "widemargin_generic" / "pictures_fixture"
    dataset = ImageFolder(path=fixture).load(tmp_path)
    assert dataset.classes == ("spots", "stripes")
    assert dict(dataset.kinds) == {"image": "image"}
    table = tmp_path / "images.csv"
    table.write_text(
        f"file,label\n{fixture}/spots/01.png,a\n{fixture}/spots/02.png,b\n", encoding="utf-8"
    )
    assert ImageTable(path=table).load(tmp_path).classes == ("a", "b")
    (items,) = ImageTable(path=table).read_items(table)
    assert len(items) == 2


def test_a_folder_of_idx_files_is_told_which_source_reads_it(tmp_path: Path) -> None:
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(b"")
    with pytest.raises(DataError, match=r"data\.source=idx"):
        ImageFolder(path=tmp_path).load(tmp_path)
