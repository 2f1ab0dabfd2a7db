"""Contact sheets of runs on images: mistakes, support vectors, and what decided, by covering it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from widemargin.contracts import Dataset, Predictions, ReportSection
from widemargin.contracts.picture_blocks import Picture, Pictures
from widemargin.errors import InputError
from widemargin.runs.model import Model
from widemargin.runs.training import Trained
from widemargin.svm.calibration import certainty

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cover", "picture_sections"]

_FIRST, _MISTAKES, _SUPPORT, _COVERED = 24, 48, 36, 6
_SIDE = 72
_LARGE = 112  # of a picture whose parts are covered
_LONGEST = 448  # pixels that are covered at most; a photograph is made smaller first
_CELLS = 8
_TINY = 1e-12

Likely: TypeAlias = "Callable[[NDArray[np.object_]], NDArray[np.float64]]"


def picture_sections(
    dataset: Dataset, rows: NDArray[np.intp], predictions: Predictions, trained: Trained
) -> list[ReportSection]:
    """Return the sheets of a run whose items are images of classes; nothing for other runs.

    Parameters
    ----------
    dataset : Dataset
        All items.
    rows : ndarray of shape (n_predictions,)
        The row of each prediction.
    predictions : Predictions
        Out of fold.
    trained : Trained
        The saved model, with what it learned from.
    """
    if list(dataset.kinds.values()) != ["image"] or not predictions.classes:
        return []
    images = dataset.X[next(iter(dataset.kinds))]
    sheets = [
        _first(dataset),
        _mistakes(images, rows, predictions),
        _support(trained),
        _covered(images, rows, predictions, _likely(trained.model, next(iter(dataset.kinds)))),
    ]
    blocks = [sheet for sheet in sheets if sheet is not None]
    return [ReportSection(title="Pictures", blocks=blocks)] if blocks else []


def _first(dataset: Dataset) -> Pictures | None:
    """Show the first pictures of each class."""
    images = dataset.X[next(iter(dataset.kinds))]
    each = max(1, _FIRST // max(1, len(dataset.classes)))
    rows = [
        row
        for name in dataset.classes[:_FIRST]
        for row in np.flatnonzero(dataset.y == name)[:each].tolist()
    ]
    pictures = [
        Picture(image=image, name=str(dataset.ids[row]), caption=(str(dataset.y[row]),))
        for row in rows
        if (image := _small(images.iloc[row])) is not None
    ]
    return Pictures(title="The first few", pictures=pictures) if pictures else None


def _mistakes(images: Any, rows: NDArray[np.intp], told: Predictions) -> Pictures | None:
    order = _surest(told, wrong=True)
    pictures = list(_sheet(images, rows, told, order, _MISTAKES))
    if not pictures:
        return None
    n_wrong = len(order)
    shown = f"the {len(pictures)} surest of {n_wrong:,}" if len(pictures) < n_wrong else "all"
    return Pictures(
        title="Mistakes",
        pictures=pictures,
        note=f"Held-out items that were taken for another class, {shown}: what each is, and what "
        "it was called, with the probability that the model gave that.",
    )


def _surest(told: Predictions, *, wrong: bool) -> NDArray[np.intp]:
    """Return predictions that are wrong, or right, the surest first; each item once."""
    wanted = np.flatnonzero((told.y_pred != told.y_true) == wrong)
    sure = np.zeros(len(wanted))
    if told.probability is not None:
        sure = certainty(told.probability[wanted], told.y_pred[wanted], told.label_weights)
    order = wanted[np.argsort(-sure, kind="stable")]
    _, first = np.unique(told.ids[order], return_index=True)
    return np.asarray(order[np.sort(first)])


def _sheet(
    images: Any, rows: NDArray[np.intp], told: Predictions, order: NDArray[np.intp], most: int
) -> Iterator[Picture]:
    for at in order[:most].tolist():
        if (image := _small(images.iloc[rows[at]])) is not None:
            yield Picture(image=image, name=str(told.ids[at]), caption=_said(told, at))


def _said(told: Predictions, at: int) -> tuple[str, str]:
    truth, called = told.classes[told.y_true[at]], told.classes[told.y_pred[at]]
    share = "" if told.probability is None else f", {told.probability[at, told.y_pred[at]]:.0%}"
    return truth, f"called {called}{share}"


def _support(trained: Trained) -> Pictures | None:
    """Show the items that the saved model leans on most, class by class in turn."""
    part, support, weights = trained.part, trained.search.support, trained.search.weights
    order = np.argsort(-weights, kind="stable")
    by_class = [
        [at for at in order.tolist() if part.y[support[at]] == name] for name in part.classes
    ]
    each = max(1, _SUPPORT // max(1, len(by_class)))
    images = part.X[next(iter(part.kinds))]
    pictures = []
    for name, own in zip(part.classes, by_class, strict=True):
        for at in own[:each]:
            row = int(support[at])
            if (image := _small(images.iloc[row])) is not None:
                pictures.append(Picture(image=image, name=str(part.ids[row]), caption=(name,)))
    if not pictures:
        return None
    return Pictures(
        title="Support vectors",
        pictures=pictures,
        note=f"Those of the {len(support):,} that count most, by class: the border between the "
        "classes runs between them, and every other item could be left out. Look for wrong labels.",
    )


def _likely(model: Model, column: str) -> Likely:
    import pandas as pd

    def likely(images: NDArray[np.object_]) -> NDArray[np.float64]:
        probability = model.predict(pd.DataFrame({column: images})).probability
        assert probability is not None  # of classes there is one
        return probability

    return likely


def _covered(
    images: Any, rows: NDArray[np.intp], told: Predictions, likely: Likely
) -> Pictures | None:
    """Show what decided some mistakes and some right answers, of different classes."""
    wrong = _of_different_classes(told, _surest(told, wrong=True), _COVERED // 2)
    right = _of_different_classes(told, _surest(told, wrong=False), _COVERED - len(wrong))
    pictures = []
    for at in [*wrong, *right]:
        try:
            array = _array(images.iloc[rows[at]])
        except InputError:
            continue
        called = int(told.y_pred[at])
        image, beside = _drawn(array, cover(likely, array, called))
        pictures.append(
            Picture(image=image, beside=beside, name=str(told.ids[at]), caption=_said(told, at))
        )
    if not pictures:
        return None
    return Pictures(
        title="What decided",
        pictures=pictures,
        note="Right of each picture: red where covering a piece by the picture's mean colour takes "
        "from the class that it was called, blue where it adds to it (occlusion; Zeiler and Fergus "
        "2014). By the saved model, which may have learned from the picture.",
    )


def _of_different_classes(told: Predictions, order: NDArray[np.intp], most: int) -> list[int]:
    """Take the surest of each class in turn."""
    seen: dict[int, int] = {}
    turns = []
    for at in order.tolist():
        name = int(told.y_true[at])
        seen[name] = seen.get(name, 0) + 1
        turns.append((seen[name], at))
    return [at for _, at in sorted(turns, key=lambda pair: pair[0])[:most]]


def cover(likely: Likely, image: NDArray[np.uint8], called: int) -> NDArray[np.float64]:
    """Return how much each piece of an image speaks for a class.

    M. D. Zeiler and R. Fergus (2014), "Visualizing and understanding convolutional networks", ECCV:
    a square window is laid over the image, a quarter of its side wide at an eighth's steps, and
    what it covers takes the image's mean colour. A piece speaks for the class by the log-odds that
    are lost where it is covered, averaged over the windows that cover it.

    Parameters
    ----------
    likely : callable
        ``likely(images) -> ndarray of shape (n_images, n_classes)``, the probabilities.
    image : ndarray of shape (height, width) or (height, width, 3)
        Of 8 bits.
    called : int
        Code of the class.

    Returns
    -------
    ndarray of shape (8, 8)
        Above 0 where the piece speaks for the class.
    """
    height, width = image.shape[:2]
    downs = np.linspace(0, height, _CELLS + 1).round().astype(int)
    acrosses = np.linspace(0, width, _CELLS + 1).round().astype(int)
    mean = image.reshape(height * width, -1).mean(axis=0).astype(np.uint8)
    windows = [(i, j) for i in range(_CELLS - 1) for j in range(_CELLS - 1)]
    tried = [image]
    for i, j in windows:
        own = image.copy()
        own[downs[i] : downs[i + 2], acrosses[j] : acrosses[j + 2]] = (
            mean if image.ndim == 3 else mean[0]
        )
        tried.append(own)
    column: NDArray[np.object_] = np.empty(len(tried), dtype=object)
    for at, own in enumerate(tried):
        column[at] = own
    share = np.clip(likely(column)[:, called], _TINY, 1 - _TINY)
    odds = np.log(share) - np.log1p(-share)
    lost = odds[0] - odds[1:]
    total, times = np.zeros((_CELLS, _CELLS)), np.zeros((_CELLS, _CELLS))
    for (i, j), value in zip(windows, lost.tolist(), strict=True):
        total[i : i + 2, j : j + 2] += value
        times[i : i + 2, j : j + 2] += 1
    return np.asarray(total / times)


def _small(item: Any) -> bytes | None:
    from widemargin.encoders.images.reading import thumbnail

    try:
        return thumbnail(item, size=_SIDE)
    except InputError:
        # The encoder could read it, or there would be no run; the others are shown.
        return None


def _array(item: Any) -> NDArray[np.uint8]:
    from widemargin.encoders.images.reading import read_image

    if isinstance(item, np.ndarray) and max(item.shape[:2]) <= _LONGEST:
        # One channel is no third axis to those who draw.
        return item[..., 0] if item.ndim == 3 and item.shape[2] == 1 else item
    image = read_image(item, shortest=_LONGEST)
    image.thumbnail((_LONGEST, _LONGEST))
    return np.asarray(image, dtype=np.uint8)


def _drawn(image: NDArray[np.uint8], worth: NDArray[np.float64]) -> tuple[bytes, bytes]:
    """Draw an image, and its grey likeness with the worth of each piece in red and blue."""
    from PIL import Image

    plain = Image.fromarray(image).convert("RGB")
    scale = _LARGE / max(plain.size)
    size = (max(1, round(plain.width * scale)), max(1, round(plain.height * scale)))
    small = plain.size[0] < _LARGE
    plain = plain.resize(size, Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS)
    largest = float(np.abs(worth).max()) or 1.0
    field = Image.fromarray((worth / largest).astype(np.float32))
    strength = np.asarray(field.resize(size, Image.Resampling.BICUBIC)).clip(-1, 1)
    grey = 96 + 0.6 * np.asarray(plain.convert("L"), dtype=np.float64)
    colour = np.where(strength[..., None] > 0, (200.0, 40.0, 30.0), (30.0, 80.0, 190.0))
    share = 0.75 * np.abs(strength)[..., None]
    mixed = (1 - share) * grey[..., None] + share * colour
    overlay = Image.fromarray(mixed.round().clip(0, 255).astype(np.uint8))
    return _jpeg(plain), _jpeg(overlay)


def _jpeg(image: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format="JPEG", quality=80, optimize=True)
    return out.getvalue()
