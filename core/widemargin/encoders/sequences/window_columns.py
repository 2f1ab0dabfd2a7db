"""What the encoder ``windows`` reads off its windows, family by family."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.encoders.sequences.residues import Residues
from widemargin.encoders.sequences.scales import membership, scale_of, whole_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Column", "window_columns"]

Column = tuple[str, "NDArray[np.float64]"]

_SPANNING = 19
"""Residues that a helix needs to cross a membrane (Kyte & Doolittle 1982)."""
_FAR = 1000
_DENSEST = (
    *("KR", "DE", "ST", "RS", "FG"),
    *("A", "C", "E", "G", "H", "K", "L", "N", "P", "Q", "R", "S", "T"),
)


def window_columns(residues: Residues) -> Iterator[Column]:
    """Yield each column's name and its values of shape (n_sequences,)."""
    yield "ln(1 + length)", np.log1p(residues.lengths)
    for width in (7, 11, _SPANNING):
        yield from _hydropathy(residues, width)
    for least in (12, 16, 20):
        yield from _segments(residues, least)
    for degrees, width in ((100, 11), (100, 18), (160, 11)):
        yield from _moments(residues, degrees, width)
    for width in (5, 10, 20):
        yield from _charge(residues, width)
    for letters in _DENSEST:
        counts = residues.windows(membership(letters)[residues.codes], 20)
        yield f"most of {letters} in 20", residues.max(counts, residues.inside) / 20
    yield from _disorder(residues)
    yield from _coils(residues)
    yield from _monotony(residues)


def _hydropathy(residues: Residues, width: int) -> Iterator[Column]:
    scale, unit = whole_scale("hydropathy")
    sums = residues.windows(scale[residues.codes], width)
    mean = sums / (unit * width)
    whole = residues.whole(width)
    name = f"hydropathy in {width}"
    yield f"{name}: most", residues.max(mean, whole, -4.5)
    yield f"{name}: least", -residues.max(-mean, whole, 4.5)
    yield f"{name}: deviation", _deviation(residues, sums) / (unit * width)
    places = residues.place
    for first, last in ((0, 12), (0, 25), (0, 45), (45, None)):
        own = whole & (places >= first)
        where = f"from {first}" if last is None else f"in the first {last}"
        if last is not None:
            own &= places < last
        yield f"{name}: most {where}", residues.max(mean, own, -4.5)
    for end in (30, 60):
        own = whole & (residues.left < end)
        yield f"{name}: most in the last {end}", residues.max(mean, own, -4.5)


def _segments(residues: Residues, tenths: int) -> Iterator[Column]:
    """Count stretches of windows that could cross a membrane, and say where they are."""
    scale, unit = whole_scale("hydropathy")
    sums = residues.windows(scale[residues.codes], _SPANNING)
    # In whole numbers: a window's mean may be the very threshold.
    inside = residues.whole(_SPANNING) & (10 * sums > tenths * unit * _SPANNING)
    begins = inside & ~np.concatenate([[False], inside[:-1]]) if len(inside) else inside
    count, number = residues.sum(inside), residues.sum(begins)
    place, n = residues.place.astype(np.float64), np.maximum(1, residues.lengths)
    first = -residues.max(-place, inside, -_FAR)
    last = residues.max(place, inside, -1.0)
    none = last < 0
    name = f"segments over {tenths / 10}"
    yield f"{name}: ln(1 + number)", np.log1p(number)
    yield f"{name}: ln(1 + windows)", np.log1p(count)
    yield f"{name}: root of share", np.sqrt(count / n)
    yield f"{name}: per 100 residues", 100 * number / n
    yield (
        f"{name}: ln(1 + number) from 36",
        np.log1p(residues.sum(begins & (residues.place > 35))),
    )
    yield f"{name}: ln(1 + first)", np.log1p(np.minimum(first, _FAR))
    behind = np.where(none, _FAR, np.minimum(residues.lengths - last, _FAR))
    yield f"{name}: ln(1 + left behind the last)", np.log1p(behind)
    yield f"{name}: span", np.where(none, 0.0, (last - np.minimum(first, last)) / n)


def _moments(residues: Residues, degrees: int, width: int) -> Iterator[Column]:
    """Measure how much one side of a helix (100 degrees) or strand (160) is hydrophobic.

    Eisenberg, Weiss & Terwilliger 1984, doi:10.1073/pnas.81.1.140.
    """
    moment = _turning(residues, scale_of("consensus")[residues.codes], degrees, width)
    whole = residues.whole(width)
    name = f"moment at {degrees} degrees in {width}"
    yield f"{name}: most", residues.max(moment, whole)
    yield f"{name}: mean", residues.mean(np.where(whole, moment, 0.0))
    for end in (20, 40):
        own = whole & (residues.place < end)
        yield f"{name}: most in the first {end}", residues.max(moment, own)
    # What leads into a mitochondrion is amphipathic and positive.
    charge = np.maximum(residues.windows(whole_scale("charge")[0][residues.codes], width), 0)
    own = whole & (residues.place < 40)
    yield f"{name}: most times charge in the first 40", residues.max(moment * charge, own)


def _charge(residues: Residues, width: int) -> Iterator[Column]:
    sums = residues.windows(whole_scale("charge")[0][residues.codes], width)
    name = f"charge in {width}"
    yield f"{name}: most", residues.max(sums, residues.inside)
    yield f"{name}: least", -residues.max(-sums, residues.inside)
    square = residues.mean(np.where(residues.inside, sums**2, 0.0))
    yield f"{name}: root mean square", np.sqrt(square) / width


def _disorder(residues: Residues) -> Iterator[Column]:
    scale, unit = whole_scale("disorder")
    width = 21
    sums = residues.windows(scale[residues.codes], width)
    loose = residues.inside & (4 * sums > unit * width)
    yield "disorder in 21: most", residues.max(sums, residues.inside) / (unit * width)
    yield "disorder in 21: deviation", _deviation(residues, sums) / (unit * width)
    yield "disorder in 21: share over 0.25", residues.mean(loose)
    yield "disorder in 21: share below 0", residues.mean(residues.inside & (sums < 0))
    yield "disorder in 21: ln(1 + windows over 0.25)", np.log1p(residues.sum(loose))


def _coils(residues: Residues) -> Iterator[Column]:
    """Measure how much hydrophobic residues recur every 3.5 among charged ones, as in coils."""
    codes, inside = residues.codes, residues.inside
    width = 28
    values = membership("LIVMAFY")[codes] - 0.3 * inside
    recurring = _turning(residues, values, 2 * 360 / 7, width)
    unbroken = inside & (residues.windows(membership("PG")[codes], width) == 0)
    charged = residues.windows(membership("DEKRQ")[codes], width)
    coil = np.where(unbroken, recurring * charged / width, 0.0)
    yield "coil in 28: most", residues.max(coil, inside)
    yield "coil in 28: share over 0.06", residues.mean(coil > 0.06)
    yield "coil in 28: ln(1 + windows over 0.06)", np.log1p(residues.sum(coil > 0.06))
    scale, unit = whole_scale("helix")
    helix = residues.windows((scale[codes] - unit) * inside, width)
    long = unbroken & (10 * helix > unit * width) & (10 * charged > 4 * width)
    yield "charged helix in 28: share", residues.mean(long)
    yield "charged helix in 28: ln(1 + windows)", np.log1p(residues.sum(long))


def _monotony(residues: Residues) -> Iterator[Column]:
    """Measure the chance that two residues of a window are alike."""
    pairs = np.zeros(len(residues.codes), dtype=np.int64)
    for code in range(20):
        pairs += residues.windows(residues.codes == code, 30) ** 2
    alike = pairs / 30**2
    own = residues.inside & ((residues.left >= 15) | (residues.place == 0))
    yield "alike in 30: most", residues.max(alike, own)
    yield "alike in 30: mean", residues.mean(np.where(residues.inside, pairs, 0)) / 30**2


def _turning(
    residues: Residues, values: NDArray[np.float64], degrees: float, width: int
) -> NDArray[np.float64]:
    """Return how much values recur with an angle in each window, counted from its first place."""
    angles = np.deg2rad(degrees) * np.arange(width)
    # Bound to the window, not to the protein: the same residues make the same number anywhere.
    along = residues.windows(values, width, np.cos(angles).tolist())
    across = residues.windows(values, width, np.sin(angles).tolist())
    turning: NDArray[np.float64] = np.hypot(along, across) / width
    return turning


def _deviation(residues: Residues, values: NDArray[Any]) -> NDArray[np.float64]:
    own = np.where(residues.inside, values, 0)
    square: NDArray[np.float64] = residues.mean(own**2) - residues.mean(own) ** 2
    return np.sqrt(np.maximum(0.0, square))
