"""The map of the embeddings: items as points of a plane, which the report draws."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Dataset
from widemargin.errors import InputError
from widemargin.explanation import show_item
from widemargin.runs.assessment import OutOfFold
from widemargin.runs.model import encode
from widemargin.runs.setup import Setup
from widemargin.runs.training import Trained

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["embedding_map"]

_AUTO = 1000
_AXES = 50
_LEAST = 30
_PERPLEXITY = 30.0
_STEPS = 500
_LETTERS = 160
_DIGITS = 5
# Pixels of a picture's longer side, and bytes of all of them together.
_SIDE, _PICTURES = 48, 260_000


def embedding_map(
    setup: Setup, dataset: Dataset, trained: Trained, out: OutOfFold
) -> dict[str, Any] | None:
    """Lay items out in the plane by their features, once by PCA and once by t-SNE.

    Both see the drawn items alone, so that neither takes longer for a larger data set. They run on
    one thread: sums over several come out differently from time to time, and t-SNE amplifies that.

    Parameters
    ----------
    setup : Setup
        Its ``evaluation.map`` says how many items are drawn.
    dataset : Dataset
        The items.
    trained : Trained
        The final model, which may have learned from a part of them.
    out : OutOfFold
        Their held-out predictions, of which those of the first repeat are shown.

    Returns
    -------
    dict or None
        What the run's ``embedding_map.json`` holds; None where no map is wanted, or where all
        items have the same features.
    """
    from threadpoolctl import threadpool_limits

    wanted = setup.config.evaluation.map
    most = _AUTO if wanted == "auto" else 0 if wanted == "none" else wanted
    first = np.flatnonzero(out.repeat == 0)
    chosen = first[_sample(out.predictions.y_true[first], most, setup.config.seed)]
    if len(chosen) < 3:
        return None
    places = out.rows[chosen]
    drawn = dataset.take(places)
    rows = (
        trained.rows[places]
        if len(trained.part) == len(dataset)
        else encode(trained.model.features, drawn.X)
    )
    with threadpool_limits(1):
        axes, shares = _principal_axes(rows)
        if not shares[0] > 0:
            return None
        neighbours = _neighbourhoods(axes, setup.config.seed)
    predictions = out.predictions

    def told(values: NDArray[Any]) -> list[Any]:
        return [setup.classes[code] for code in values] if setup.classes else _short(values)

    true, called = predictions.y_true[chosen], predictions.y_pred[chosen]
    off = called != true if setup.classes else np.abs(called - true)
    return {
        "n_items": len(dataset),
        "learns": setup.config.features.learns,
        "id": [str(name) for name in drawn.ids],
        "label": told(true),
        "predicted": told(called),
        "text": _texts(drawn),
        "pictures": _pictures(drawn, np.argsort(-off.astype(np.float64), kind="stable")),
        "pca": {"x": _short(axes[:, 0]), "y": _short(axes[:, 1]), "shares": _short(shares[:2])},
        "tsne": neighbours,
    }


def _sample(target: NDArray[Any], most: int, seed: int) -> NDArray[np.intp]:
    """Choose rows by chance, of every class, or part of the target's range, its share."""
    if len(target) <= most:
        return np.arange(len(target))
    shuffled = np.random.default_rng(seed).permutation(len(target))
    alike = shuffled[np.argsort(target[shuffled], kind="stable")]
    steps = (np.arange(most) + 0.5) * len(alike) / max(most, 1)
    return np.sort(alike[steps.astype(np.intp)])


def _principal_axes(rows: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the principal components, at least two, and their shares of the variance."""
    from scipy.linalg import eigh

    # A common factor changes no picture, and keeps squares of large numbers finite.
    rows = _divided(rows.astype(np.float64))
    if not hasattr(rows, "tocsr"):
        rows -= rows.mean(axis=0)
        # What differs so little from its mean is rounding.
        rows = _divided(rows, least=1e-12)
    n = rows.shape[0]
    products = rows @ rows.T
    products = products.toarray() if hasattr(products, "toarray") else products
    means = products.mean(axis=0)
    products += means.mean() - means - means[:, np.newaxis]
    total = float(products.trace())
    k = min(_AXES, n)
    values, vectors = eigh(products, subset_by_index=[n - k, n - 1], check_finite=False)
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    # An eigenvector's sign is arbitrary: its largest entry shall be positive.
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.where(vectors[largest, np.arange(k)] < 0, -1.0, 1.0)
    shares = values / total if total > 1e-12 * n else np.zeros(k)
    # What is left of axes that the rows do not have is rounding alone.
    shares[shares < 1e-12] = 0
    return vectors * np.sqrt(np.where(shares > 0, values, 0)), shares


def _divided(rows: Any, least: float = 0.0) -> Any:
    """Divide rows by their largest number; make them 0 where that is below `least`."""
    largest = float(abs(rows).max()) if rows.shape[1] else 0.0
    if largest <= least:
        return rows * 0.0
    return rows / largest


def _neighbourhoods(axes: NDArray[np.float64], seed: int) -> dict[str, Any] | None:
    """Lay rows out by t-SNE; None where there are too few for it."""
    n = len(axes)
    if n <= _LEAST:
        return None
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (n - 1) / 3)
    spread = float(axes[:, 0].std())
    # By chance a little apart, so that items of one place, or on one line, can move.
    start = axes[:, :2] / spread * 1e-4 + np.random.default_rng(seed).normal(0, 1e-6, (n, 2))
    layout = TSNE(
        perplexity=perplexity,
        init=start.astype(np.float32),
        learning_rate="auto",
        max_iter=_STEPS,
        random_state=seed,
        n_jobs=1,
    ).fit_transform((axes / spread).astype(np.float32))
    return {"x": _short(layout[:, 0]), "y": _short(layout[:, 1]), "perplexity": perplexity}


def _texts(drawn: Dataset) -> list[str]:
    """Write items in words; pictures and recordings have none."""
    kinds = {name: kind for name, kind in drawn.kinds.items() if kind not in ("image", "audio")}
    if not kinds:
        return [""] * len(drawn)
    texts = (show_item(drawn.X, kinds, row, _LETTERS) for row in range(len(drawn)))
    return [" ".join(text.split()) for text in texts]


def _pictures(drawn: Dataset, order: NDArray[np.intp]) -> dict[str, str]:
    """Return small JPEG images by row, in base64: the worst predicted first, while they fit."""
    column = next((name for name, kind in drawn.kinds.items() if kind == "image"), None)
    if column is None:
        return {}
    from widemargin.encoders.images.reading import thumbnail

    values = drawn.X[column]
    pictures: dict[str, str] = {}
    left = _PICTURES
    for row in order.tolist():
        try:
            picture = thumbnail(values.iloc[row], size=_SIDE)
        except InputError:
            # The encoder could read it, or there would be no run; its point is named all the same.
            continue
        left -= len(picture)
        if left < 0:
            break
        pictures[str(row)] = base64.b64encode(picture).decode("ascii")
    return pictures


def _short(values: NDArray[Any]) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values.tolist()]
