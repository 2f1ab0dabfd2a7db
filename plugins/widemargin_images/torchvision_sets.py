"""The loader of the data sets that torchvision fetches: read from where it put them."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.client import HTTPException
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field

from widemargin import DataError, Dataset, DatasetCard
from widemargin.data import hash_file, keep_folder
from widemargin.encoders import require_torchvision
from widemargin_images.data import (
    CLOTHES,
    FASHION_MNIST_ASSET,
    FASHION_MNIST_CARD,
    Limit,
    idx_dataset,
)
from widemargin_images.idx import idx_files
from widemargin_images.pictures import ImageLoader

if TYPE_CHECKING:
    from widemargin.data import Progress

__all__ = ["TorchvisionSet", "ask_torchvision", "bring"]

_TRIES = 3
_WAIT = 2.0
_SILENCE = 30.0  # seconds without a byte after which a server is given up

Arrived = Callable[[float], None]
"""``arrived(n)``: so many bytes more are there."""


_KNOWN = {
    "FashionMNIST": (FASHION_MNIST_CARD, CLOTHES),
    "MNIST": (
        DatasetCard(
            title="MNIST",
            source="http://yann.lecun.com/exdb/mnist/",
            licence="CC BY-SA 3.0",
            citation=(
                "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning "
                "applied to document recognition. Proceedings of the IEEE 86(11)."
            ),
            target="digit",
            item="image",
        ),
        (),
    ),
    "KMNIST": (
        DatasetCard(
            title="Kuzushiji-MNIST",
            source="http://codh.rois.ac.jp/kmnist/",
            licence="CC BY-SA 4.0",
            citation=(
                "T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto, D. Ha (2018). "
                "Deep Learning for Classical Japanese Literature. arXiv:1812.01718."
            ),
            target="character",
            item="image",
        ),
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
}
_FILES = tuple(file.name for file in FASHION_MNIST_ASSET.files)


class TorchvisionSet(ImageLoader):
    """Fashion-MNIST, MNIST or KMNIST, from a folder that torchvision fills."""

    source: Literal["torchvision"] = Field("torchvision", description="a data set of torchvision")
    dataset: Literal["FashionMNIST", "MNIST", "KMNIST"] = Field(
        "FashionMNIST", description="its name in torchvision.datasets"
    )
    path: Path | None = Field(
        None,
        description="the folder that torchvision calls root, where FashionMNIST/raw lies or will "
        "lie; null: torchvision in the data home",
    )
    limit: Limit | None = Field(
        10_000, description="training images that are taken; null takes all. Test images stay"
    )

    def fetch(self, data_home: Path, *, offline: bool, progress: Progress) -> None:
        """Let torchvision fetch the files, where they are not all there."""
        raw = self._raw(data_home)
        if not _is_whole(raw):
            if offline:
                raise DataError(
                    f"{self.dataset}: not all of its files are in {raw}, and nothing may be "
                    f"fetched offline. {self._remedy(raw)}"
                )
            bring(self.dataset, raw, self._remedy(raw), progress)

    def load(self, data_home: Path) -> Dataset:
        """Read the files as torchvision left them, packed or not."""
        raw = self._raw(data_home)
        if not _is_whole(raw):
            raise DataError(
                f"{self.dataset}: not all of its files are in {raw}. {self._remedy(raw)}"
            )
        card, classes = _KNOWN[self.dataset]
        read = replace(
            card,
            source=f"{card.source}, through torchvision",
            sha256=hash_file(idx_files(raw)["train"]["images"]),
        )
        return idx_dataset(raw, read, classes, self.limit)

    def _raw(self, data_home: Path) -> Path:
        root = data_home / "torchvision" if self.path is None else self.path.expanduser()
        return root / self.dataset / "raw"

    def _remedy(self, raw: Path) -> str:
        said = (
            f"Put {', '.join(_FILES[:-1])} and {_FILES[-1]}, packed or unpacked, into {raw}; or "
            "give data.path, the folder that torchvision was given as root."
        )
        if self.dataset == "FashionMNIST":
            said += (
                " data.source=fashion-mnist, the default, has the same images and labels from "
                "Debian's package."
            )
        return said


def bring(name: str, raw: Path, remedy: str, progress: Progress) -> None:
    """Have a data set fetched, again where the answer is an outage; whole files or none.

    Parameters
    ----------
    name : str
        Its class in torchvision.datasets.
    raw : Path
        Where its files are to lie: ``root / name / "raw"``.
    remedy : str
        What else can be done, for the message.
    progress : Progress
        Told of every wait.

    Raises
    ------
    DataError
        Where nothing answers, or the folder cannot be filled.
    AssetError
        Where the folder cannot be written.
    """
    place = raw.parent
    told = "Give another folder with data.path, or see to its permissions and the space left."
    try:
        with keep_folder(place, progress=progress, remedy=told) as part:
            if _is_whole(raw):  # another process was waited for, which fetched it
                return
            with progress.stage(f"{name}, by torchvision") as stage:
                _patiently(partial(ask_torchvision, name, part, stage.advance), name, progress)
            # torchvision takes what it is given for its root.
            (part / name / "raw").rename(part / "raw")
            shutil.rmtree(part / name)
    except _NoAnswerError as error:
        raise DataError(f"{name}: {error}. {remedy}") from None
    except OSError as error:
        where = error.filename or place
        raise DataError(
            f"{name}: {where} cannot be written ({error.strerror or error}). {told}"
        ) from error


class _NoAnswerError(Exception):
    """The data set cannot be had now."""


def _patiently(asked: Callable[[], None], name: str, progress: Progress) -> None:
    for attempt in range(1, _TRIES + 1):
        try:
            return asked()
        # What torchvision raises itself, and what it lets through from the network below.
        except (RuntimeError, HTTPException, OSError) as error:
            if isinstance(error, PermissionError):
                raise
            problem = f"torchvision could not fetch it ({' '.join(str(error).split())[:300]})"
        if attempt < _TRIES:
            wait = _WAIT * attempt
            progress.note(f"{name}: {problem}; asking again in {wait:g} s.")
            time.sleep(wait)
    raise _NoAnswerError(f"{problem}, {_TRIES} times")


def ask_torchvision(name: str, root: Path, arrived: Arrived) -> None:
    """Let torchvision fetch a data set, check its files and unpack them.

    Raises
    ------
    DataError
        Where torchvision is not installed.
    RuntimeError, OSError, HTTPException
        Whatever it, or the network below it, raises.
    """
    datasets: Any = require_torchvision("data.source=torchvision").datasets
    with _given_up_after(_SILENCE), _telling(arrived):
        getattr(datasets, name)(str(root), download=True)


@contextmanager
def _given_up_after(seconds: float) -> Iterator[None]:
    """Within it a server that says nothing is given up; torchvision would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextmanager
def _telling(arrived: Arrived) -> Iterator[None]:
    """Within it, bytes that arrive are told here, and torchvision draws no bars of its own."""
    utils: Any = import_module("torchvision.datasets.utils")
    before = utils.tqdm
    utils.tqdm = lambda **how: _Bar(arrived)
    try:
        yield
    finally:
        utils.tqdm = before


class _Bar:
    """As much of a tqdm as torchvision uses."""

    def __init__(self, arrived: Arrived) -> None:
        self.update = arrived

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        """Let errors through."""


def _is_whole(raw: Path) -> bool:
    """Whether both parts have a file of images and one of labels."""
    try:
        return "test" in idx_files(raw)
    except DataError:
        return False
