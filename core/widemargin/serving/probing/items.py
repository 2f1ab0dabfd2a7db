"""What an encoder says of the items of a use case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Dataset
from widemargin.errors import DataError, InputError, nearest
from widemargin.evaluation.probing.geometry import Geometry, measure_geometry
from widemargin.evaluation.probing.items import Purity, class_purity, item_neighbours
from widemargin.explanation import show_item
from widemargin.runs.model import encode
from widemargin.serving.probing.asked import Asked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.config import RunConfig

__all__ = ["ItemProbe", "draw_items", "probe_items"]

_SHOWN = 3
_ITEM = 200
# Eigenvectors of a larger matrix take minutes; of longer vectors fewer are looked at.
_SPECTRUM = 1000


@dataclass(frozen=True, kw_only=True)
class ItemProbe:
    """What an encoder says of the items of a use case.

    Parameters
    ----------
    use_case, title : str
        The use case, and its data set in words.
    items, of : int
        Items looked at, and all.
    held_out : bool
        Whether they are rows that the encoder, which learns of labels, did not learn from.
    grouped : bool
        Whether items of one group were kept from being neighbours.
    neighbours : tuple of dict
        ``id``, ``label``, ``text`` and ``neighbours``: the same of each, with ``cosine``.
    purity : Purity or None
        None where a number is predicted.
    geometry : Geometry
        Of their vectors; of 1,000 of them where these have more numbers than that.
    """

    use_case: str
    title: str
    items: int
    of: int
    held_out: bool
    grouped: bool
    neighbours: tuple[dict[str, Any], ...]
    purity: Purity | None
    geometry: Geometry


def draw_items(
    dataset: Dataset, rows: NDArray[np.intp], asked: Asked, seed: int
) -> NDArray[np.intp]:
    """Draw at most so many rows, among them those that were asked for."""
    ids = [str(dataset.ids[row]) for row in rows]
    for wanted in asked.items:
        if wanted not in ids:
            held = "" if len(rows) == len(dataset) else " that the encoder did not learn from"
            raise InputError(
                f"--item: there is no item {wanted!r} among the {len(rows):,}{held}."
                f"{nearest(wanted, ids[:20_000])}"
            )
    drawn = np.random.default_rng(seed).permutation(len(rows))
    own = {ids.index(wanted) for wanted in asked.items}
    chosen = [*own, *(at for at in drawn if at not in own)][: max(asked.sample, len(own))]
    return np.asarray(rows[np.sort(chosen)])


def probe_items(
    features: Any,
    dataset: Dataset,
    rows: NDArray[np.intp],
    asked: Asked,
    config: RunConfig,
    *,
    held_out: bool,
) -> ItemProbe:
    """Ask about the items of some rows.

    Parameters
    ----------
    features : transformer
        Fitted.
    dataset : Dataset
        All items.
    rows : ndarray of shape (n_probed,)
        Those that are looked at.
    asked : Asked
        What to ask.
    config : RunConfig
        Names the use case.
    held_out : bool
        Whether the features learned from other rows.

    Raises
    ------
    DataError
        Where there are fewer than two rows.
    """
    part = dataset.take(rows)
    if len(part) < 2:
        raise DataError(f"{part.card.title}: there is {len(part)} item to probe; two are needed.")
    vectors = encode(features, part.X)
    groups = None
    if part.groups is not None:
        groups = np.unique(np.asarray(part.groups), return_inverse=True)[1].reshape(-1)
    near = item_neighbours(vectors, asked.neighbours, groups=groups)
    ids = [str(name) for name in part.ids]
    if asked.items:
        shown = [ids.index(name) for name in asked.items]
    elif part.classes:
        firsts = [int(np.flatnonzero(part.y == name)[0]) for name in part.classes]
        shown = firsts[:_SHOWN]
    else:
        shown = list(range(min(_SHOWN, len(part))))

    def described(row: int) -> dict[str, Any]:
        label = str(part.y[row]) if part.classes else f"{part.y[row]:.6g}"
        text = show_item(part.X, part.kinds, row, limit=_ITEM)
        return {"id": ids[row], "label": label, "text": text}

    listed = [
        {
            **described(row),
            "neighbours": [
                {**described(int(other)), "cosine": float(cosine)}
                for other, cosine in zip(near.rows[row], near.cosines[row], strict=True)
                if other >= 0
            ],
        }
        for row in shown
    ]
    return ItemProbe(
        use_case=config.use_case,
        title=part.card.title,
        items=len(part),
        of=len(dataset),
        held_out=held_out,
        grouped=groups is not None,
        neighbours=tuple(listed),
        purity=class_purity(near, part.y, groups=groups) if part.classes else None,
        geometry=measure_geometry(_some(vectors, config.seed)),
    )


def _some(vectors: Any, seed: int) -> Any:
    """Return all vectors, or where they are long as many as their eigenvectors may be."""
    if min(vectors.shape) <= _SPECTRUM:
        return vectors
    drawn = np.random.default_rng(seed).permutation(vectors.shape[0])[:_SPECTRUM]
    return vectors[np.sort(drawn)]
